/**
 * What a party says of a contract, signed with a key of its own: a contract event in an envelope of its own, made
 * offline, before the office numbers it. The office's event carries it word for word in `detail.signed`, so that whoever
 * runs the collector cannot speak for a party whose key an auditor knows.
 */
import { z } from 'zod'
import type { Signer } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { assertSignature, envelopeSchema, openEnvelope, signEnvelope } from '../evidence/envelope.ts'
import { predicateTypeOf } from '../evidence/predicates.ts'
import type { ContractEvent } from '../evidence/predicates.ts'
import { STATEMENT_TYPE, encodeStatement, isEvidence, parseStatement } from '../evidence/statement.ts'
import type { StatementOf } from '../evidence/statement.ts'
import { formatVkey, parseVkey } from '../log/checkpoint.ts'
import type { VerificationKey } from '../log/checkpoint.ts'
import { EVENT_DETAILS, EVENT_KINDS } from './event-detail.ts'
import { sorted } from './sorted.ts'

/** Of a signed word, as a file and in `detail.signed`. */
export const PARTY_WORD_LIMIT = 32_768

const fileSchema = z.strictObject({ vkey: z.string().max(1_024), envelope: envelopeSchema })

/** What a party can sign: the rest the office says in its own name, or by a root key's note. */
export const PARTY_EVENTS = EVENT_KINDS.filter((kind) => kind !== 'key-revoked' && kind !== 'report-issued')

export interface PartyWord {
  /** The file, byte for byte. */
  readonly text: string
  /** Of the PAE: the same word, however its file is written. */
  readonly paeDigest: string
  /** The key that signed it, as it names itself: whether it is the party's is for the reader to compare. */
  readonly key: VerificationKey
  readonly event: ContractEvent
  /** SHA-256 of the contract's text that the party had before it. */
  readonly textSha256: string
}

const malformed = (why: string) => new BevisError('REQUEST_INVALID', `not a party’s signed word: ${why}`)

/**
 * Signs an event of a contract. `name` is the key's, such as vestkyst.example/root.
 * @throws BevisError REQUEST_INVALID, STATEMENT_INVALID for an event that a party cannot sign
 */
export function signPartyWord(
  event: Omit<ContractEvent, 'register'>,
  { textSha256, signer, name }: { textSha256: string; signer: Signer; name: string },
): string {
  const payload = encodeStatement({
    _type: STATEMENT_TYPE,
    subject: [{ name: `contracts/${event.contract}`, digest: { sha256: textSha256 } }],
    predicateType: predicateTypeOf('contract-event'),
    predicate: event,
  })
  const text = JSON.stringify({
    vkey: formatVkey(name, signer.spki),
    envelope: signEnvelope(payload, [signer]),
  })
  openPartyWord(text) // what we sign, everybody must be able to read
  return text
}

/**
 * Reads a signed word by the key that it names itself.
 * @throws BevisError REQUEST_INVALID, ENVELOPE_MALFORMED, STATEMENT_INVALID, KEY_INVALID, SIGNATURE_INVALID
 */
export function openPartyWord(text: string): PartyWord {
  const { vkey, envelope } = readFile(text)
  const key = parseVkey(vkey)
  const opened = openEnvelope(envelope)
  if (opened.signatures.length !== 1) throw malformed('it has more than one signature')
  assertSignature(opened, 0, key.spki)
  const statement = parseStatement(opened.payload)
  if (!isEvidence(statement, 'contract-event')) throw malformed('it is no contract event')
  const event = statement.predicate
  if (!PARTY_EVENTS.some((kind) => kind === event.event))
    throw malformed(`${event.event} is the office’s to say`)
  if (event.register !== undefined) throw malformed('only the office numbers events')
  const detail = EVENT_DETAILS[event.event].safeParse(event.detail)
  if (!detail.success) {
    const [issue] = detail.error.issues
    throw malformed(`${event.event}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  const [subject, ...others] = statement.subject
  const textSha256 = subject?.digest.sha256 ?? ''
  const isAbout = subject?.name === `contracts/${event.contract}` && others.length === 0
  const isVersion = event.version !== undefined && event.detail['sha256'] === textSha256
  if (!isAbout || (event.event === 'version-accepted' && !isVersion)) throw malformed('what it is about')
  return { text, paeDigest: opened.paeDigest, key, event, textSha256 }
}

function readFile(text: string): z.infer<typeof fileSchema> {
  if (text.length > PARTY_WORD_LIMIT) throw malformed(`it has more than ${PARTY_WORD_LIMIT} characters`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new BevisError('REQUEST_INVALID', 'not a party’s signed word: no JSON', { cause })
  }
  const file = fileSchema.safeParse(value)
  if (!file.success) throw malformed(file.error.issues[0]?.message ?? 'its form')
  return file.data
}

/** The signed word that an office's event carries; null: nobody but the office signed it. */
export function signedIn({ detail }: Pick<ContractEvent, 'detail'>): string | null {
  return Object.hasOwn(detail, 'signed') ? String(detail['signed']) : null
}

/** True only if the office's statement says what the party signed, of the same text; the instants may differ. */
export function isSaidBy(word: PartyWord, { subject, predicate }: StatementOf<'contract-event'>): boolean {
  return word.textSha256 === subject[0]?.digest.sha256 && contentOf(word.event) === contentOf(predicate)
}

/** What an event says, whoever signed it and whenever, for comparison. */
export function contentOf({ contract, version, by, event, detail }: ContractEvent): string {
  const { signed: _, ...said } = detail
  return JSON.stringify(sorted({ contract, version: version ?? null, by, event, detail: said }))
}
