import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { generateSigningKey, signerFromPem } from '@bevis/shared/crypto'
import type { Signer } from '@bevis/shared/crypto'
import { BevisError, errorMessageOf } from '@bevis/shared/error'

/** The private files of the state folder, beside the database. */
export interface StateFiles {
  /** Signs the log's heads. */
  readonly logKey: string
  /** The log's key before the present one, while heads are signed by both. */
  readonly formerLogKey: string
  /** A key that is about to become the log's. */
  readonly nextLogKey: string
  /** What follows what: signed notes, JSON. */
  readonly successions: string
  /** Signs contract events: revocations, and later approvals and issued reports. */
  readonly officeKey: string
  /** The log's verification key, for handing out. */
  readonly vkey: string
  /** The first account's password, where `init` had to make one up. */
  readonly firstPassword: string
}

export function stateFiles(stateFolder: string): StateFiles {
  return {
    logKey: join(stateFolder, 'log.key'),
    formerLogKey: join(stateFolder, 'log.former.key'),
    nextLogKey: join(stateFolder, 'log.next.key'),
    successions: join(stateFolder, 'log.successions.json'),
    officeKey: join(stateFolder, 'office.key'),
    vkey: join(stateFolder, 'log.vkey'),
    firstPassword: join(stateFolder, 'first-password'),
  }
}

/** Reads a key file. @throws BevisError SECRET_UNREADABLE, KEY_INVALID */
export function readKeyFile(file: string): Signer {
  return signerFromPem(readSecretFile(file))
}

/** Reads the key, or makes one where there is none yet. */
export function ensureKeyFile(file: string): Signer {
  try {
    writeNewFile(file, generateSigningKey().privatePem)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return readKeyFile(file)
}

/** @throws BevisError SECRET_UNREADABLE */
export function readSecretFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new BevisError('SECRET_UNREADABLE', `${file} cannot be read`, { cause })
  }
}

/** Writes a file that was not there, durably, for its owner only. */
export function writeNewFile(file: string, text: string): void {
  const handle = openSync(file, 'wx', 0o600)
  try {
    writeSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** A new file that nobody else can take any more. */
export interface ClaimedFile {
  /** Writes it, durably. */
  fill(content: string | Uint8Array): void
  /** Takes it away again, where what was to be in it did not come about. */
  abandon(): void
}

/**
 * Makes a file before what is to be in it exists: whatever keeps it from being written is known by then.
 * @throws BevisError USAGE when it exists or cannot be made
 */
export function claimNewFile(file: string): ClaimedFile {
  let handle: number
  try {
    handle = openSync(file, 'wx', 0o600)
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    const why = isThere
      ? 'exists already, and is not overwritten'
      : `cannot be made: ${errorMessageOf(cause)}`
    throw new BevisError('USAGE', `${file} ${why}`, { cause })
  }
  return {
    fill: (content) => {
      try {
        writeFileSync(handle, content)
        fsyncSync(handle)
      } finally {
        closeSync(handle)
      }
    },
    abandon: () => {
      closeSync(handle)
      rmSync(file, { force: true })
    },
  }
}
