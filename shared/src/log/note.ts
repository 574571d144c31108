/** Signed notes (C2SP signed-note v1.0.0): a text, a blank line, and lines of signatures by named keys. */
import { decodeBase64, encodeBase64 } from '../base64.ts'
import { assertKeyAcceptable, rawKeyOf, sha256, spkiOf } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { encodeHex } from '../hex.ts'

/** The kinds of signatures that we know: a note by its own key, and a cosignature (C2SP tlog-cosignature). */
export const ED25519 = 0x01
export const COSIGNATURE = 0x04
export type SignatureType = typeof ED25519 | typeof COSIGNATURE

/** A key by its name in notes, the four bytes that hint at it, and the key: nothing but the key proves anything. */
export interface VerificationKey {
  readonly name: string
  readonly keyId: Uint8Array
  readonly spki: Uint8Array
}

export interface NoteSignature {
  readonly name: string
  /** Eight hex digits. */
  readonly keyId: string
  /** What follows the four bytes of the key's identifier. */
  readonly signature: Uint8Array
}

/** A note taken apart; nothing in it is verified yet. */
export interface Note {
  /** What is signed, its last LF included. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** Key names have no plus sign and no white space (signed-note, "Format"). */
const NAME = /^[^\s+\p{White_Space}]+$/u

const NOTE_LIMIT = 65_536
/** The specification asks verifiers to bound it. */
const SIGNATURES_MAX = 100

/** @throws BevisError KEY_INVALID for a name that no note can carry */
export function keyOf(name: string, type: SignatureType, spki: Uint8Array): VerificationKey {
  if (!NAME.test(name))
    throw new BevisError('KEY_INVALID', `a key's name has no space and no plus sign: ${name}`)
  const head = new TextEncoder().encode(`${name}\n`)
  const keyId = sha256(Uint8Array.of(...head, type, ...rawKeyOf(spki))).slice(0, 4)
  return { name, keyId, spki }
}

/** `name+keyid+base64(type || key)` */
export function formatKey(name: string, type: SignatureType, spki: Uint8Array): string {
  const { keyId } = keyOf(name, type, spki)
  return `${name}+${encodeHex(keyId)}+${encodeBase64(Uint8Array.of(type, ...rawKeyOf(spki)))}`
}

/** @throws BevisError KEY_INVALID when the text is no key of this type, or its parts disagree */
export function parseKey(text: string, type: SignatureType): VerificationKey {
  const shown = text.slice(0, 200)
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text)
  const [, name = '', keyId = '', body = ''] = match ?? []
  let bytes: Uint8Array
  try {
    bytes = decodeBase64(body)
  } catch (cause) {
    throw new BevisError('KEY_INVALID', `not a verification key: ${shown}`, { cause })
  }
  if (match === null || bytes.length !== 33 || bytes[0] !== type) {
    throw new BevisError('KEY_INVALID', `not an Ed25519 verification key of type ${type}: ${shown}`)
  }
  const key = keyOf(name, type, spkiOf(bytes.slice(1)))
  assertKeyAcceptable(key.spki)
  if (encodeHex(key.keyId) !== keyId) {
    throw new BevisError('KEY_INVALID', `the key and its identifier disagree: ${shown}`)
  }
  return key
}

/** One line of a note, with its LF. */
export function formatSignature(key: VerificationKey, signature: Uint8Array): string {
  return `— ${key.name} ${encodeBase64(Uint8Array.of(...key.keyId, ...signature))}\n`
}

const malformed = (why: string, cause?: unknown) =>
  new BevisError('CHECKPOINT_INVALID', `malformed note: ${why}`, { cause })

/** @throws BevisError CHECKPOINT_INVALID when this is no signed note */
export function parseNote(note: string): Note {
  if (note.length > NOTE_LIMIT) throw malformed('longer than 64 KiB')
  if (!note.isWellFormed() || /[^\P{Cc}\n]/u.test(note)) throw malformed('control characters')
  const split = note.lastIndexOf('\n\n')
  if (split < 0 || !note.endsWith('\n')) throw malformed('no signatures')
  const signatures = parseSignatures(note.slice(split + 2))
  return { text: note.slice(0, split + 1), signatures }
}

/** Reads lines of signatures, each with its LF. @throws BevisError CHECKPOINT_INVALID */
export function parseSignatures(lines: string): NoteSignature[] {
  if (!lines.endsWith('\n')) throw malformed('a signature line is cut off')
  const all = lines.slice(0, -1).split('\n')
  if (all.length > SIGNATURES_MAX) throw malformed(`more than ${SIGNATURES_MAX} signatures`)
  return all.map((line) => {
    const [, name = '', body = ''] = /^— (\S+) (\S+)$/.exec(line) ?? []
    const bytes = decodeNoteBase64(body)
    if (bytes.length < 5) throw malformed('a signature line')
    return { name, keyId: encodeHex(bytes.slice(0, 4)), signature: bytes.slice(4) }
  })
}

/** Base64 inside of a note. @throws BevisError CHECKPOINT_INVALID */
export function decodeNoteBase64(text: string): Uint8Array {
  try {
    return decodeBase64(text)
  } catch (cause) {
    throw malformed('base64', cause)
  }
}

/** The signatures that claim to be by this key. */
export function signaturesBy({ signatures }: Note, key: VerificationKey): NoteSignature[] {
  const keyId = encodeHex(key.keyId)
  return signatures.filter((one) => one.name === key.name && one.keyId === keyId)
}
