import { keyidOf, sha256Hex, verifySignature } from '../crypto.ts'
import { BevisError, errorMessageOf } from '../error.ts'
import { encodeEnvelope, openEnvelope } from '../evidence/envelope.ts'
import type { OpenedEnvelope } from '../evidence/envelope.ts'
import type { Chain } from '../evidence/predicates.ts'
import { isEvidence, parseStatement } from '../evidence/statement.ts'
import type { Statement } from '../evidence/statement.ts'
import { formatEntry } from '../log/entry.ts'
import { leafHash } from '../log/merkle.ts'
import { piecesOf } from './description.ts'
import type { Description, PackContent } from './description.ts'
import { DigestSet } from './digest-set.ts'
import type { Keys, KnownKey } from './keys.ts'
import { PACK_FILES, decodeText, keyFile, linesOf } from './pack.ts'
import type { Line } from './pack.ts'
import { counted } from './report.ts'
import type { Findings } from './report.ts'

/** One signature of a statement: what the log holds as one leaf. */
export interface SignedLeaf {
  /** SHA-256 of the signature. */
  readonly signature: string
  readonly key: KnownKey
  readonly leafHash: Uint8Array
}

/** A statement whose signatures hold, by keys of the agent that it names. */
export interface VerifiedStatement {
  /** `evidence.intoto.jsonl line 7` */
  readonly place: string
  /** Its bytes in that file: [from, to). */
  readonly line: { readonly from: number; readonly to: number }
  readonly paeDigest: string
  readonly statement: Statement
  /** Null for contract events, which stand in no chain. */
  readonly chain: Chain | null
  readonly leaves: readonly SignedLeaf[]
}

/**
 * Checks `envelopes.signatures` and `statements.valid`; gives the statements of which both hold, in file order, and
 * keeps none of them.
 */
export function* readStatements(
  files: PackContent,
  pack: Description,
  keys: Keys,
  findings: Findings,
): Generator<VerifiedStatement> {
  const seen = new DigestSet()
  const used = new Set<string>()
  let [signatures, statements] = [0, 0]
  try {
    for (const line of linesOf(piecesOf(files, PACK_FILES.evidence), PACK_FILES.evidence)) {
      const verified = verifyLine(line, { pack, keys, seen }, findings)
      if (verified === undefined) continue
      for (const { key } of verified.leaves) used.add(key.keyid)
      signatures += verified.leaves.length
      statements += 1
      yield verified
    }
  } catch (error) {
    findings.fail('envelopes.signatures', errorMessageOf(error))
  }
  if (seen.size === 0) findings.fail('statements.valid', 'the pack holds no statement')
  for (const { keyid } of keys.byId.values()) {
    if (!used.has(keyid)) findings.fail('keys.valid', `${keyFile(keyid)}: signs nothing here`)
  }
  findings.hold(
    'envelopes.signatures',
    `${counted(signatures, 'signature')} over ${counted(statements, 'statement')}`,
  )
  findings.hold('statements.valid', counted(statements, 'statement'))
}

function verifyLine(
  { text, number, from, to }: Line,
  { pack, keys, seen }: { pack: Description; keys: Keys; seen: DigestSet },
  findings: Findings,
): VerifiedStatement | undefined {
  const place = `${PACK_FILES.evidence} line ${number}`
  // Nothing of the payload is read before a signature over it holds.
  const signed = findings.attempt('envelopes.signatures', place, () => {
    const opened = openLine(text)
    if (!seen.add(opened.paeDigest))
      throw new BevisError('ENVELOPE_MALFORMED', 'a statement that was there before')
    return { opened, leaves: verifySignatures(opened, keys) }
  })
  if (signed === undefined) return undefined
  const verified = findings.attempt('statements.valid', place, () => ({
    ...readStatement(place, signed, pack),
    line: { from, to },
  }))
  if (verified === undefined) return undefined
  return findings.attempt('envelopes.signatures', place, () => assertSigners(verified) && verified)
}

/** The statement that was verified at a place of the evidence. @throws BevisError as of a line that does not hold */
export function readStatementAt(line: Uint8Array): { statement: Statement; paeDigest: string } {
  const { payload, paeDigest } = openLine(decodeText(line, PACK_FILES.evidence))
  return { statement: parseStatement(payload), paeDigest }
}

function openLine(text: string): OpenedEnvelope {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new BevisError('ENVELOPE_MALFORMED', 'not JSON', { cause })
  }
  const opened = openEnvelope(value)
  // One form only: what is between the fields, given twice or spelt otherwise, nobody signed.
  if (encodeEnvelope(opened.envelope) !== text)
    throw new BevisError('ENVELOPE_MALFORMED', 'not in its one form')
  return opened
}

function verifySignatures(opened: OpenedEnvelope, keys: Keys): SignedLeaf[] {
  return opened.signatures.map(({ keyid, sig }) => {
    const key = keys.byId.get(keyid)
    if (key === undefined)
      throw new BevisError('SIGNATURE_INVALID', `signed by ${keyid}, which no known agent has`)
    if (keyidOf(key.spki) !== keyid || !verifySignature(key.spki, opened.pae, sig)) {
      throw new BevisError('SIGNATURE_INVALID', `the signature by ${keyid} does not fit the statement`)
    }
    const entry = formatEntry({ paeDigest: opened.paeDigest, signature: sig, spki: key.spki })
    return { signature: sha256Hex(sig), key, leafHash: leafHash(entry) }
  })
}

function readStatement(
  place: string,
  { opened, leaves }: { opened: OpenedEnvelope; leaves: SignedLeaf[] },
  pack: Description,
): Omit<VerifiedStatement, 'line'> {
  const statement = parseStatement(opened.payload)
  const chain = 'chain' in statement.predicate ? statement.predicate.chain : null
  if (chain !== null && chain.tenant !== pack.tenant) {
    throw new BevisError('STATEMENT_INVALID', `a statement of another tenant, ${chain.tenant}`)
  }
  if ('contract' in statement.predicate && statement.predicate.contract !== pack.contract.id) {
    throw new BevisError('STATEMENT_INVALID', `about another contract, ${statement.predicate.contract}`)
  }
  return { place, paeDigest: opened.paeDigest, statement, chain, leaves }
}

/** That the keys which signed may sign this: the agent's own first, then whoever authorises a new key. */
function assertSigners({ chain, leaves, statement }: VerifiedStatement): true {
  const [first, second, ...more] = leaves
  if (first === undefined || more.length > 0)
    throw new BevisError('SIGNATURE_INVALID', 'one or two must sign')
  if (chain === null) {
    const { purpose, agent, epoch } = first.key
    if (purpose !== 'office' || agent !== 'office' || epoch !== 1 || second !== undefined)
      throw new BevisError('SIGNATURE_INVALID', 'not signed by the office key, and by it alone')
    return true
  }
  const own = first.key
  if (own.purpose !== 'agent' || own.agent !== chain.agent || own.epoch > chain.epoch) {
    throw new BevisError(
      'SIGNATURE_INVALID',
      `signed by the ${own.purpose} key of ${own.agent} epoch ${own.epoch}, in the name of ${chain.agent} epoch ${chain.epoch}`,
    )
  }
  const introduces = introducedKey(statement) !== null
  if (introduces !== (second !== undefined)) {
    throw new BevisError(
      'SIGNATURE_INVALID',
      'a new key needs exactly one more signature, and nothing else has one',
    )
  }
  if (second !== undefined) {
    const { purpose, agent, epoch } = second.key
    const authorises =
      purpose === 'token' ? epoch === chain.epoch : purpose === 'agent' && epoch < chain.epoch
    if (agent !== chain.agent || !authorises) {
      throw new BevisError(
        'SIGNATURE_INVALID',
        `the ${purpose} key of ${agent} epoch ${epoch} authorises nothing here`,
      )
    }
  }
  return true
}

/** The key that a statement introduces; null for statements that introduce none. */
export function introducedKey(statement: Statement): string | null {
  if (!isEvidence(statement, 'agent-lifecycle')) return null
  const { event, key } = statement.predicate
  return event === 'enrolled' || event === 'rotated' || event === 'reinstalled' ? (key ?? '') : null
}
