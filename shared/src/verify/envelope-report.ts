import { keyidOf, spkiFromPem, verifySignature } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { encodeEnvelope, openEnvelope } from '../evidence/envelope.ts'
import { parseStatement } from '../evidence/statement.ts'
import type { Statement } from '../evidence/statement.ts'

/** What can be said of one envelope by itself. */
export interface EnvelopeReport {
  /** Why it is no envelope; null when it is one. */
  readonly problem: string | null
  /** SHA-256 of the PAE. */
  readonly paeDigest: string | null
  readonly signatures: readonly {
    readonly keyid: string
    /** `not-checked`: none of the keys that were given is this one. */
    readonly outcome: 'held' | 'failed' | 'not-checked'
  }[]
  /** Null unless a signature held: unsigned text is not shown as a statement. */
  readonly statement: Statement | null
  readonly exit: 0 | 1 | 2
}

/**
 * Checks one envelope (its JSON) by the public keys given (PEM).
 * @throws BevisError ENVELOPE_MALFORMED, KEY_INVALID, STATEMENT_INVALID
 */
export function verifyEnvelope(text: string, pems: readonly string[]): EnvelopeReport {
  const line = text.endsWith('\n') ? text.slice(0, -1) : text
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new BevisError('ENVELOPE_MALFORMED', 'not JSON', { cause })
  }
  const opened = openEnvelope(value)
  if (encodeEnvelope(opened.envelope) !== line)
    throw new BevisError('ENVELOPE_MALFORMED', 'not in its one form')
  const keys = new Map(pems.map((pem) => spkiFromPem(pem)).map((spki) => [keyidOf(spki), spki]))
  const signatures = opened.signatures.map(({ keyid, sig }) => {
    const spki = keys.get(keyid)
    if (spki === undefined) return { keyid, outcome: 'not-checked' as const }
    return {
      keyid,
      outcome: verifySignature(spki, opened.pae, sig) ? ('held' as const) : ('failed' as const),
    }
  })
  const has = (outcome: string) => signatures.some((signature) => signature.outcome === outcome)
  const exit = has('failed') ? 1 : has('held') ? 0 : 2
  return {
    problem: null,
    paeDigest: opened.paeDigest,
    signatures,
    statement: exit === 0 ? parseStatement(opened.payload) : null,
    exit,
  }
}
