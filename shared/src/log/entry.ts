import { keyidOf, sha256 } from '../crypto.ts'
import { decodeHex } from '../hex.ts'

const LABEL = new TextEncoder().encode('evidence-leaf/v1\n')

/**
 * The 113 bytes of one entry: it commits to a statement, one signature and the signer's key, and shows none.
 * An envelope with two signatures has two entries.
 */
export function formatEntry(parts: {
  paeDigest: string
  signature: Uint8Array
  spki: Uint8Array
}): Uint8Array {
  return formatEntryOf({ ...parts, keyid: keyidOf(parts.spki) })
}

/** The same, where the key is known by its digest only. */
export function formatEntryOf(parts: {
  paeDigest: string
  signature: Uint8Array
  keyid: string
}): Uint8Array {
  const entry = new Uint8Array(LABEL.length + 96)
  entry.set(LABEL)
  entry.set(decodeHex(parts.paeDigest), LABEL.length)
  entry.set(sha256(parts.signature), LABEL.length + 32)
  entry.set(decodeHex(parts.keyid), LABEL.length + 64)
  return entry
}
