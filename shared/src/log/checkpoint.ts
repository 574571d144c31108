/**
 * Checkpoints: a log's signed head (C2SP tlog-checkpoint v1.0.0) as a note (C2SP signed-note v1.0.0)
 * with one Ed25519 signature (type 01). We sign no extension lines and accept none.
 */
import { encodeBase64 } from '../base64.ts'
import { verifySignature } from '../crypto.ts'
import type { Signer } from '../crypto.ts'
import { BevisError } from '../error.ts'
import {
  decodeNoteBase64,
  ED25519,
  formatKey,
  formatSignature,
  keyOf,
  parseKey,
  parseNote,
  signaturesBy,
} from './note.ts'
import type { VerificationKey } from './note.ts'

export type { VerificationKey } from './note.ts'

/** A log's head. `root` is 32 bytes. */
export interface TreeHead {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

/** A head together with the signed note that says so. */
export interface Checkpoint extends TreeHead {
  readonly note: string
}

/** `name+keyid+base64(01 || key)`: what is handed over at enrolment and stands in trust files. */
export function formatVkey(name: string, spki: Uint8Array): string {
  return formatKey(name, ED25519, spki)
}

/** @throws BevisError KEY_INVALID when the text is no Ed25519 verification key, or its parts disagree */
export function parseVkey(text: string): VerificationKey {
  return parseKey(text, ED25519)
}

/** The three lines that are signed, each with its LF. */
function formatTreeHead(head: TreeHead): string {
  return `${head.origin}\n${head.size}\n${encodeBase64(head.root)}\n`
}

/** The signed note of a head: its text, a blank line, one line for each signer, in their order. */
export function signCheckpoint(head: TreeHead, ...signers: readonly [Signer, ...Signer[]]): Checkpoint {
  const text = formatTreeHead(head)
  const message = new TextEncoder().encode(text)
  const lines = signers.map((signer) =>
    formatSignature(keyOf(head.origin, ED25519, signer.spki), signer.sign(message)),
  )
  return { ...head, note: `${text}\n${lines.join('')}` }
}

const malformed = (why: string) => new BevisError('CHECKPOINT_INVALID', `malformed checkpoint: ${why}`)

/** The head that a note's text is. */
function parseTreeHead(text: string): TreeHead {
  const lines = text.split('\n')
  const [origin = '', size = '', root = ''] = lines
  if (lines.length !== 4 || origin === '') throw malformed('three lines are needed')
  if (!/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) throw malformed('the size')
  const rootBytes = decodeNoteBase64(root)
  if (rootBytes.length !== 32) throw malformed('the root has 32 bytes')
  return { origin, size: Number(size), root: rootBytes }
}

/**
 * Reads a checkpoint and checks the log's own signature; signatures of others are left unread.
 * @throws BevisError CHECKPOINT_INVALID when malformed, of another origin, or not signed by this key
 */
export function openCheckpoint(note: string, key: VerificationKey): Checkpoint {
  const parsed = parseNote(note)
  const head = parseTreeHead(parsed.text)
  if (head.origin !== key.name) {
    throw new BevisError(
      'CHECKPOINT_INVALID',
      `a checkpoint of ${head.origin}, where one of ${key.name} was due`,
    )
  }
  const ours = signaturesBy(parsed, key)
  const message = new TextEncoder().encode(parsed.text)
  if (ours.length !== 1 || !ours.every(({ signature }) => verifySignature(key.spki, message, signature))) {
    throw new BevisError('CHECKPOINT_INVALID', `the checkpoint is not signed by ${key.name}'s key`)
  }
  return { ...head, note }
}

/**
 * Reads a checkpoint that any of these keys may have signed.
 * @throws BevisError CHECKPOINT_INVALID as for the first of them
 */
export function openCheckpointBy(note: string, keys: readonly VerificationKey[]): Checkpoint {
  let failure: unknown = new BevisError('CHECKPOINT_INVALID', 'there is no key to check it with')
  for (const [n, key] of keys.entries()) {
    try {
      return openCheckpoint(note, key)
    } catch (error) {
      if (n === 0) failure = error
    }
  }
  throw failure
}

/** The head a note claims, its signature unread: for telling what a checkpoint says before deciding on it. */
export function readTreeHead(note: string): TreeHead {
  return parseTreeHead(parseNote(note).text)
}
