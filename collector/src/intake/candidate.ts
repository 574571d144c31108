import { BevisError, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { ErrorCode } from '@bevis/shared/error'
import { openEnvelope } from '@bevis/shared/evidence/envelope'
import type { OpenedEnvelope } from '@bevis/shared/evidence/envelope'
import type { Kysely, Transaction } from 'kysely'
import type { Schema } from '../store/schema.ts'
import { findKnown } from './known.ts'
import { loadKeyring } from './keyring.ts'
import type { Keyring } from './keyring.ts'
import { assertRotatable, verifyRotation } from './rotation.ts'
import { verifyEvidence } from './verify.ts'
import type { Verified } from './verify.ts'

/** What one envelope has become before the transaction. */
export type Candidate =
  | Refused
  | { readonly kind: 'known'; readonly pae: string }
  | {
      readonly kind: 'verified'
      readonly pae: string
      readonly verified: Verified
      /** Checks what only the transaction can see. @throws BevisError with the reason of a refusal */
      readonly admit?: (tx: Transaction<Schema>) => Promise<void>
    }

interface Refused {
  readonly kind: 'refused'
  /** Null when the envelope could not even be opened. */
  readonly pae: string | null
  readonly code: ErrorCode
  readonly message: string
  /** Of the signature, where that held; whose key it is speaks for the refusal. */
  readonly keyid?: string
}

/** All checks of a batch that need no transaction, each envelope by itself, in the order that is fixed. */
export async function examineEnvelopes(
  db: Kysely<Schema>,
  envelopes: readonly unknown[],
): Promise<Candidate[]> {
  const opened = envelopes.map(openOrRefuse)
  const readable = opened.filter((one) => 'payload' in one)
  const known = await findKnown(
    db,
    readable.map(({ paeDigest }) => paeDigest),
  )
  const fresh = readable.filter(({ paeDigest }) => !known.has(paeDigest))
  const keyring = await loadKeyring(
    db,
    fresh.flatMap(({ signatures }) => signatures.map(({ keyid }) => keyid)),
  )
  const candidates: Candidate[] = []
  for (const [n, one] of opened.entries()) {
    if (n % 32 === 31) await breathe()
    if (!('payload' in one)) candidates.push(one)
    else if (known.has(one.paeDigest)) candidates.push({ kind: 'known', pae: one.paeDigest })
    else if (one.signatures.length > 1) candidates.push(examineRotation(one, keyring))
    else candidates.push(verifyOrRefuse(one, () => verifyEvidence(one, keyring)))
  }
  return candidates
}

/** Only a rotation has two signatures here. */
function examineRotation(one: OpenedEnvelope, keyring: Keyring): Candidate {
  const candidate = verifyOrRefuse(one, () => verifyRotation(one, keyring))
  if (candidate.kind !== 'verified') return candidate
  return { ...candidate, admit: (tx) => assertRotatable(tx, candidate.verified) }
}

function openOrRefuse(value: unknown): OpenedEnvelope | Refused {
  try {
    return openEnvelope(value)
  } catch (error) {
    return { kind: 'refused', pae: null, code: errorCodeOf(error), message: errorMessageOf(error) }
  }
}

function verifyOrRefuse({ paeDigest: pae, signatures }: OpenedEnvelope, verify: () => Verified): Candidate {
  try {
    return { kind: 'verified', pae, verified: verify() }
  } catch (error) {
    if (!(error instanceof BevisError)) throw error
    const { code, message } = error
    const keyid = signatures[0]?.keyid
    // Only a signature that holds comes as far as this refusal.
    const signer = code === 'AGENT_REVOKED' && keyid !== undefined ? { keyid } : {}
    return { kind: 'refused', pae, code, message, ...signer }
  }
}

/** Lets others have their turn: verifying a thousand signatures takes a while. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
