/** How a token stands in the log. */
import { sha256 } from '../crypto.ts'

const LABEL = new TextEncoder().encode('evidence-tst/v1\n')

/** The entry of a token in the log: a stamp alone proves "not later than"; what is after its leaf is "not earlier". */
export function formatStampEntry(token: Uint8Array): Uint8Array {
  const entry = new Uint8Array(LABEL.length + 32)
  entry.set(LABEL)
  entry.set(sha256(token), LABEL.length)
  return entry
}
