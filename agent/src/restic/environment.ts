import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { BevisError } from '@bevis/shared/error'
import type { RepositoryAccess } from './interface.ts'

/** Set by us, or a secret in the open: refused in an environment file. */
const REFUSED =
  /^(RESTIC_(PASSWORD|PASSWORD_FILE|PASSWORD_COMMAND|REPOSITORY|REPOSITORY_FILE|CACHE_DIR|PROGRESS_FPS)|LC_ALL)$/
const LARGEST_BYTES = 64 * 1024

export interface ChildEnvironment {
  variables: Readonly<Record<string, string>>
  /** The values of the environment file: cut out of everything that restic says */
  secrets: string[]
}

/**
 * All that a restic process gets: the caller's base, the backend's variables, the repository and where its
 * password is. A password itself never passes through us. CONFIG_INVALID, SECRET_UNREADABLE.
 */
export function childEnvironment(
  base: Readonly<Record<string, string>>,
  repository: RepositoryAccess,
  cacheDir: string,
): ChildEnvironment {
  const { url, passwordFile, passwordCommand, environmentFile } = repository
  if (url === '' || url.includes('\0'))
    throw new BevisError('CONFIG_INVALID', 'the repository has no address')
  if ((passwordFile === undefined) === (passwordCommand === undefined)) {
    throw new BevisError('CONFIG_INVALID', 'a repository needs either a passwordFile or a passwordCommand')
  }
  const backend =
    environmentFile === undefined ? {} : parseEnvironment(readSecret(environmentFile), environmentFile)
  if (passwordFile !== undefined) assertReadable(passwordFile)
  const inherited = Object.entries(base).filter(([name]) => !name.startsWith('RESTIC_'))
  return {
    variables: Object.freeze({
      ...Object.fromEntries(inherited),
      ...backend,
      RESTIC_REPOSITORY: url,
      ...(passwordFile !== undefined && { RESTIC_PASSWORD_FILE: passwordFile }),
      ...(passwordCommand !== undefined && { RESTIC_PASSWORD_COMMAND: passwordCommand }),
      RESTIC_CACHE_DIR: cacheDir,
      RESTIC_PROGRESS_FPS: '1',
      LC_ALL: 'C',
    }),
    secrets: Object.values(backend).filter((value) => value.length >= 8),
  }
}

/** KEY=VALUE lines, empty lines and # comments; a value may stand in one pair of quotes. Messages never show a value. */
export function parseEnvironment(text: string, file: string): Record<string, string> {
  const variables = new Map<string, string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const refuse = (why: string) => new BevisError('CONFIG_INVALID', `${file}:${index + 1}: ${why}`)
    const [, name, raw] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line) ?? []
    if (name === undefined || raw === undefined) throw refuse('a line must read NAME=VALUE')
    if (REFUSED.test(name)) throw refuse(`${name} does not belong here; name it in the configuration`)
    if (variables.has(name)) throw refuse(`${name} is set twice`)
    const quoted = /^(["'])(.*)\1$/.exec(raw)
    const value = quoted?.[2] ?? raw
    if (value.includes('\0') || (!quoted && /^["']|["']$/.test(raw)))
      throw refuse(`${name} has an unclosed quote`)
    variables.set(name, value)
  }
  return Object.fromEntries(variables)
}

function readSecret(file: string): string {
  try {
    if (statSync(file).size > LARGEST_BYTES) throw new Error(`larger than ${LARGEST_BYTES} bytes`)
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new BevisError('SECRET_UNREADABLE', `cannot read the environment file ${file}`, { cause })
  }
}

/** Opened, not asked about: access(2) knows nothing of CAP_DAC_READ_SEARCH, by which the service reads. */
function assertReadable(file: string): void {
  try {
    closeSync(openSync(file, 'r'))
  } catch (cause) {
    throw new BevisError('SECRET_UNREADABLE', `cannot read the password file ${file}`, { cause })
  }
}
