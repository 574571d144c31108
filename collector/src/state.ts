import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { generateSigningKey, signerFromPem } from '@bevis/shared/crypto'
import type { Signer } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'

/** The private files of the state folder, beside the database. */
export interface StateFiles {
  /** Signs the log's heads. */
  readonly logKey: string
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
