/**
 * Cosignatures (C2SP tlog-cosignature v1.0.1, Ed25519, type 04): somebody else than the log says that, as of a
 * time, this head is the largest consistent one that it has seen of the log.
 */
import { verifySignature } from '../crypto.ts'
import type { Signer } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { COSIGNATURE, formatKey, formatSignature, keyOf, parseKey, parseNote, signaturesBy } from './note.ts'
import type { VerificationKey } from './note.ts'

/** Eight bytes of time, then the signature. */
const COSIGNATURE_BYTES = 72

/** `name+keyid+base64(04 || key)` of a log witness. */
export function formatCosignerKey(name: string, spki: Uint8Array): string {
  return formatKey(name, COSIGNATURE, spki)
}

/** @throws BevisError KEY_INVALID when the text is no cosigner's key, or its parts disagree */
export function parseCosignerKey(text: string): VerificationKey {
  return parseKey(text, COSIGNATURE)
}

/** The name under which an agent cosigns the heads of a log. */
export function agentCosignerName(origin: string, agent: string): string {
  return `${origin}/agent/${agent}`
}

function messageOf(text: string, seconds: number): Uint8Array {
  return new TextEncoder().encode(`cosignature/v1\ntime ${seconds}\n${text}`)
}

/**
 * The signature line for a checkpoint, with its LF. Only for a head that was verified, found consistent and kept
 * durably before.
 */
export function signCosignature(note: string, cosigner: { name: string; signer: Signer }, at: Date): string {
  const seconds = Math.floor(at.getTime() / 1000)
  const bytes = new Uint8Array(COSIGNATURE_BYTES)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(seconds))
  bytes.set(cosigner.signer.sign(messageOf(parseNote(note).text, seconds)), 8)
  return formatSignature(keyOf(cosigner.name, COSIGNATURE, cosigner.signer.spki), bytes)
}

/**
 * What the holder of this key says of a checkpoint: when it saw this head as the newest; null when the note has no
 * cosignature of this key.
 * @throws BevisError CHECKPOINT_INVALID when it has one, and that does not hold
 */
export function verifyCosignature(note: string, key: VerificationKey): { at: Date } | null {
  const parsed = parseNote(note)
  const [found, ...others] = signaturesBy(parsed, key)
  if (found === undefined) return null
  const { signature } = found
  const time = signature.length === COSIGNATURE_BYTES ? timeOf(signature) : null
  const holds =
    time !== null &&
    others.length === 0 &&
    verifySignature(key.spki, messageOf(parsed.text, time), signature.slice(8))
  if (!holds) throw new BevisError('CHECKPOINT_INVALID', `the cosignature by ${key.name} does not hold`)
  return { at: new Date(time * 1000) }
}

/** Seconds since 1970; null for what no date can be. */
function timeOf(bytes: Uint8Array): number | null {
  const seconds = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)
  return seconds > 0n && seconds <= 8_640_000_000_000n ? Number(seconds) : null
}
