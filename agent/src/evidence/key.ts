import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { randomBytes } from 'node:crypto'
import { generateSigningKey, signerFromPem } from '@bevis/shared/crypto'
import type { Signer } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { syncFolder } from '../state.ts'

/**
 * Makes the agent's signing key, mode 0600. The file appears whole or not at all, and is never overwritten:
 * it is written under another name, made durable, and then linked to its own.
 * When it is there already, that key is the answer.
 */
export function makeKey(file: string): Signer {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  const handle = openSync(draft, 'wx', 0o600)
  try {
    writeSync(handle, generateSigningKey().privatePem)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  try {
    linkSync(draft, file)
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause
  } finally {
    rmSync(draft)
  }
  syncFolder(dirname(file))
  return readKey(file)
}

/** @throws BevisError SECRET_UNREADABLE, or KEY_INVALID when the file holds no Ed25519 key */
export function readKey(file: string): Signer {
  let pem: string
  try {
    pem = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new BevisError(
      'SECRET_UNREADABLE',
      `the agent's key ${file} cannot be read; run this as the agent's user`,
      {
        cause,
      },
    )
  }
  const mode = statSync(file).mode & 0o777
  if ((mode & 0o077) !== 0) {
    throw new BevisError(
      'SECRET_UNREADABLE',
      `${file} is open to others (mode ${mode.toString(8)}); run: chmod 600 ${file}`,
    )
  }
  return signerFromPem(pem)
}
