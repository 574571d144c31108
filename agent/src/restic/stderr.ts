import type { ErrorCode } from '@bevis/shared/error'
import type { ItemError } from './interface.ts'

/**
 * The place that reads restic's prose (beside it only failureOf, for an interruption that exits 0). It only names a
 * failure that the exit status has told already, it never makes one or hides one. 0.14 needs it for everything (exit 1 is all that it has), later versions for
 * what shares exit 1: storage out of reach, damage, a full disk. Tested on the real output of each version.
 */

const SIGNS: readonly (readonly [ErrorCode, RegExp])[] = [
  // Go's runtime had no memory or no thread for it: whatever restic was at, it says nothing of the repository.
  ['RESTIC_INTERRUPTED', /^fatal error: /m],
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
    /ciphertext verification failed|invalid data returned|file is too short|unexpected HTTP response \(416\)|repository contains errors|<(data|index|snapshot|key)\/[0-9a-f]+>.*(no such file or directory|does not exist)|not found in (index|repository)|panic: [^]*(slice bounds out of range|internal\/walker\.walk)/,
  ],
  // Until 0.16 the question is put whatever kept the config from being read, so it stands after the network's.
  [
    'RESTIC_REPOSITORY_MISSING',
    /(no such file or directory|does not exist|not found)\s+Is there a repository at the following location\?/i,
  ],
  ['RESTIC_INTERRUPTED', /context canceled/],
]

/** Less came than was asked for. */
const CUT = /unexpected EOF/

/**
 * What the text of a failed run says went wrong, if it is one of the known things. Less than was asked for is a
 * file that was cut short where the storage is a folder; elsewhere a transfer that was cut gives the same words, and
 * must not accuse the backup.
 */
export function codeOfText(text: string, isRemote: boolean): ErrorCode | undefined {
  const known = SIGNS.find(([, sign]) => sign.test(text))?.[0]
  if (known !== undefined || !CUT.test(text)) return known
  return isRemote ? 'RESTIC_REPOSITORY_UNREACHABLE' : 'RESTIC_REPOSITORY_DAMAGED'
}

/** Whether what restic last said is that it cannot reach the storage, and tries again. */
export function isUnreachable(text: string): boolean {
  return codeOfText(text, false) === 'RESTIC_REPOSITORY_UNREACHABLE'
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

/** What restic says beside its findings: tries that it repeats, headings, advice, and that it ends. */
const NO_FINDING =
  /^\s*$|signal interrupt received|^(Load|LoadRaw|List|Stat|Save|Remove)\(.*(returned error, retrying|failed: )|^error for tree |^Fatal: |^\s*(The repository (index )?(is|contains) damaged|restic repair |Damaged (pack|snapshot) files can be)/

/** A line of `check` that tells of one thing that is wrong. */
export function isFinding(line: string): boolean {
  return !NO_FINDING.test(line)
}

/**
 * A finding of `check` that is the way to the storage, not what lies there: restic calls both damage. A pack
 * that was cut short is told by its size in the listing too, so that a transfer that was cut accuses nobody.
 */
export function isTransportFinding(line: string): boolean {
  return (
    /unexpected HTTP response|server response|dial tcp|\bEOF\b|connection (refused|reset|timed out)|broken pipe|timeout|no such host|network is unreachable|no route to host|closed network connection|\btls: |x509: |http2?: |context (canceled|deadline)|AccessDenied|Access Denied|SlowDown|ssh command exited/i.test(
      line,
    ) && !/verification failed|does not match|invalid data returned|does not exist/.test(line)
  )
}

/** Whether `check` went on to its last step, in spite of what it found. */
export function isCheckedThrough(text: string): boolean {
  return /^(Fatal: )?repository contains errors$/m.test(text)
}

/**
 * Why the storage does not let this snapshot be removed, if that is what the line says. The network can be
 * forbidden too (`dial tcp …: permission denied`), which tells nothing about the storage.
 */
export function refusalOf(line: string, snapshotId: string): string | undefined {
  const [, id, why = ''] =
    /Remove\(<snapshot\/([0-9a-f]{10})>\) (?:returned error, retrying after [^:]+|failed): (.*)$/s.exec(
      line,
    ) ?? []
  if (
    id !== snapshotId.slice(0, 10) ||
    /\b(dial|read|write) (tcp|udp|unix)|\blookup |connect: |proxyconnect/.test(why)
  ) {
    return undefined
  }
  const isRefused =
    /(response|error|status)\W+(code )?\(?40[35]\b|forbidden|access ?denied|permission denied|operation not permitted|method not allowed|not authorized to perform/i
  return isRefused.test(why) ? why : undefined
}

/** Whether `forget` says that it left something undone: until 0.18 it exits 0 all the same. */
export function isLeftUndone(text: string): boolean {
  return /unable to remove|failed to remove|^Ignoring |no snapshot/m.test(text)
}
