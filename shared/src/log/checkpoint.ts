/**
 * Checkpoints: a log's signed head (C2SP tlog-checkpoint v1.0.0) as a note (C2SP signed-note v1.0.0)
 * with one Ed25519 signature (type 01). We sign no extension lines and accept none.
 */
import { decodeBase64, encodeBase64 } from '../base64.ts'
import { rawKeyOf, sha256, spkiOf, verifySignature, assertKeyAcceptable } from '../crypto.ts'
import type { Signer } from '../crypto.ts'
import { BevisError } from '../error.ts'

const ED25519 = 0x01

/** A log's verification key: its name in notes, the four bytes that hint at it, and the key. */
export interface VerificationKey {
  readonly name: string
  readonly keyId: Uint8Array
  readonly spki: Uint8Array
}

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

/** Key names have no plus sign and no white space (signed-note, "Format"). */
const NAME = /^[^\s+\p{White_Space}]+$/u

function keyIdOf(name: string, raw: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode(`${name}\n`)
  const bytes = new Uint8Array(head.length + 1 + raw.length)
  bytes.set(head)
  bytes[head.length] = ED25519
  bytes.set(raw, head.length + 1)
  return sha256(bytes).slice(0, 4)
}

function verificationKeyOf(name: string, spki: Uint8Array): VerificationKey {
  if (!NAME.test(name))
    throw new BevisError('KEY_INVALID', `a log's name has no space and no plus sign: ${name}`)
  return { name, keyId: keyIdOf(name, rawKeyOf(spki)), spki }
}

/** `name+keyid+base64(01 || key)`: what is handed over at enrolment and stands in trust files. */
export function formatVkey(name: string, spki: Uint8Array): string {
  const key = verificationKeyOf(name, spki)
  return `${name}+${key.keyId.toHex()}+${encodeBase64(Uint8Array.of(ED25519, ...rawKeyOf(spki)))}`
}

/** @throws BevisError KEY_INVALID when the text is no Ed25519 verification key, or its parts disagree */
export function parseVkey(text: string): VerificationKey {
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text)
  const [, name = '', keyId = '', body = ''] = match ?? []
  let bytes: Uint8Array
  try {
    bytes = decodeBase64(body)
  } catch (cause) {
    throw new BevisError('KEY_INVALID', `not a verification key: ${text.slice(0, 200)}`, { cause })
  }
  if (match === null || bytes.length !== 33 || bytes[0] !== ED25519) {
    throw new BevisError('KEY_INVALID', `not an Ed25519 verification key: ${text.slice(0, 200)}`)
  }
  const key = verificationKeyOf(name, spkiOf(bytes.slice(1)))
  assertKeyAcceptable(key.spki)
  if (key.keyId.toHex() !== keyId) {
    throw new BevisError('KEY_INVALID', `the key and its identifier disagree: ${text.slice(0, 200)}`)
  }
  return key
}

/** The three lines that are signed, each with its LF. */
export function formatTreeHead(head: TreeHead): string {
  return `${head.origin}\n${head.size}\n${encodeBase64(head.root)}\n`
}

/** The signed note of a head: its text, a blank line, one signature line. */
export function signCheckpoint(head: TreeHead, signer: Signer): Checkpoint {
  const text = formatTreeHead(head)
  const key = verificationKeyOf(head.origin, signer.spki)
  const signature = signer.sign(new TextEncoder().encode(text))
  const line = `— ${key.name} ${encodeBase64(Uint8Array.of(...key.keyId, ...signature))}\n`
  return { ...head, note: `${text}\n${line}` }
}

/** What a note says, unverified: the head, the text that is signed, and its signature lines. */
interface Note {
  readonly head: TreeHead
  readonly text: string
  readonly signatures: readonly {
    readonly name: string
    readonly keyId: string
    readonly signature: Uint8Array
  }[]
}

const malformed = (why: string, cause?: unknown) =>
  new BevisError('CHECKPOINT_INVALID', `malformed checkpoint: ${why}`, { cause })

function parseNote(note: string): Note {
  if (note.length > 65_536) throw malformed('longer than 64 KiB')
  if (!note.isWellFormed() || /[^\P{Cc}\n]/u.test(note)) throw malformed('control characters')
  const split = note.lastIndexOf('\n\n')
  if (split < 0 || !note.endsWith('\n')) throw malformed('no signatures')
  const text = note.slice(0, split + 1)
  const lines = text.split('\n')
  const [origin = '', size = '', root = ''] = lines
  if (lines.length !== 4 || origin === '') throw malformed('three lines are needed')
  if (!/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) throw malformed('the size')
  const signatures = note
    .slice(split + 2, -1)
    .split('\n')
    .map((line) => {
      const [, name = '', body = ''] = /^— (\S+) (\S+)$/.exec(line) ?? []
      const bytes = decodeNoteBase64(body)
      if (bytes.length < 5) throw malformed('a signature line')
      return { name, keyId: bytes.slice(0, 4).toHex(), signature: bytes.slice(4) }
    })
  const rootBytes = decodeNoteBase64(root)
  if (rootBytes.length !== 32) throw malformed('the root has 32 bytes')
  return { head: { origin, size: Number(size), root: rootBytes }, text, signatures }
}

function decodeNoteBase64(text: string): Uint8Array {
  try {
    return decodeBase64(text)
  } catch (cause) {
    throw malformed('base64', cause)
  }
}

/**
 * Reads a checkpoint and checks the log's own signature; signatures of others are left unread.
 * @throws BevisError CHECKPOINT_INVALID when malformed, of another origin, or not signed by this key
 */
export function openCheckpoint(note: string, key: VerificationKey): Checkpoint {
  const { head, text, signatures } = parseNote(note)
  if (head.origin !== key.name) {
    throw new BevisError(
      'CHECKPOINT_INVALID',
      `a checkpoint of ${head.origin}, where one of ${key.name} was due`,
    )
  }
  const ours = signatures.filter(({ name, keyId }) => name === key.name && keyId === key.keyId.toHex())
  const message = new TextEncoder().encode(text)
  if (ours.length !== 1 || !ours.every(({ signature }) => verifySignature(key.spki, message, signature))) {
    throw new BevisError('CHECKPOINT_INVALID', `the checkpoint is not signed by ${key.name}'s key`)
  }
  return { ...head, note }
}

/** The head a note claims, its signature unread: for telling what a checkpoint says before deciding on it. */
export function readTreeHead(note: string): TreeHead {
  return parseNote(note).head
}
