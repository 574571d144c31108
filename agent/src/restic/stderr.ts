import type { ErrorCode } from '@bevis/shared/error'
import type { ItemError } from './interface.ts'

/**
 * The one place that reads restic's prose. It only names a failure that the exit status has told already, it
 * never makes one or hides one. 0.14 needs it for everything (exit 1 is all that it has), later versions for
 * what shares exit 1: storage out of reach, damage, a full disk. Tested on the real output of each version.
 */

const SIGNS: readonly (readonly [ErrorCode, RegExp])[] = [
  ['RESTIC_PASSWORD_WRONG', /wrong password or no key found/],
  ['SECRET_UNREADABLE', /Resolving password failed|an empty password is not/],
  ['RESTIC_REPOSITORY_LOCKED', /repository is already locked/],
  [
    'RESTIC_REPOSITORY_UNREACHABLE',
    /dial tcp|no such host|connection (refused|reset|timed out)|i\/o timeout|network is unreachable|no route to host|TLS handshake|unexpected HTTP response \(5\d\d\)|ssh command exited/,
  ],
  // restic panics on a config that is no config, and 0.18 in `ls` on a tree that it could not load.
  [
    'RESTIC_REPOSITORY_DAMAGED',
    /ciphertext verification failed|invalid data returned|file is too short|unexpected EOF|repository contains errors|<(data|index|snapshot|key)\/[0-9a-f]+>.*(no such file or directory|does not exist)|not found in (index|repository)|panic: [^]*(slice bounds out of range|internal\/walker\.walk)/,
  ],
  // Until 0.16 the question is put whatever kept the config from being read, so it stands after the network's.
  [
    'RESTIC_REPOSITORY_MISSING',
    /(no such file or directory|does not exist|not found)\s+Is there a repository at the following location\?/i,
  ],
  ['RESTIC_INTERRUPTED', /context canceled/],
]

/** What the text of a failed run says went wrong, if it is one of the known things. */
export function codeOfText(text: string): ErrorCode | undefined {
  return SIGNS.find(([, sign]) => sign.test(text))?.[0]
}

/** Whether what restic last said is that it cannot reach the storage, and tries again. */
export function isUnreachable(text: string): boolean {
  return codeOfText(text) === 'RESTIC_REPOSITORY_UNREACHABLE'
}

/** Whether a disk was full: of a restore, the scratch. */
export function isDiskFull(text: string): boolean {
  return /no space left on device|disk quota exceeded/.test(text)
}

/**
 * A file that restore could not write, before errors came as JSON (0.17.1). The path ends at the first ': '
 * and may be cut short by that; nothing but a message to people is made of it.
 */
export function itemErrorOf(line: string): ItemError | undefined {
  const match = /^ignoring error for (.+?): (.*)$/s.exec(line)
  return match ? { path: match[1] ?? '', message: match[2] ?? '', during: 'restore' } : undefined
}
