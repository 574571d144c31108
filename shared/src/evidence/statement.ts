import { z } from 'zod'
import { BevisError } from '../error.ts'
import { hex64 } from '../format.ts'
import { EVIDENCE_NAMES, PREDICATES, predicateTypeOf } from './predicates.ts'
import type { EvidenceName, PredicateOf } from './predicates.ts'

/** in-toto Statement v1, the payload of every envelope. */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'

/** The largest payload that is taken from outside. */
export const PAYLOAD_LIMIT_BYTES = 256 * 1024

/** No predicate needs half of it; by a limit of ours every reader ends at the same depth, whatever its stack holds. */
const DEPTH_LIMIT = 64

const subject = z.object({ name: z.string().min(1).max(512), digest: z.object({ sha256: hex64 }) })
export type Subject = z.infer<typeof subject>

function statementOf<N extends EvidenceName>(evidence: N) {
  return z.object({
    _type: z.literal(STATEMENT_TYPE),
    subject: z.array(subject).min(1).max(16),
    predicateType: z.literal(predicateTypeOf(evidence)),
    predicate: PREDICATES[evidence],
  })
}

/** A statement of any kind; unknown kinds are refused, unknown fields are left unread. */
export const statementSchema = z.discriminatedUnion('predicateType', [
  statementOf('backup-run'),
  statementOf('inventory'),
  statementOf('restore-test'),
  statementOf('retention-run'),
  statementOf('data-check'),
  statementOf('deletion-probe'),
  statementOf('agent-lifecycle'),
  statementOf('contract-event'),
])

export interface StatementOf<N extends EvidenceName> {
  _type: typeof STATEMENT_TYPE
  subject: Subject[]
  predicateType: `urn:bevis:evidence:${N}:v1`
  predicate: PredicateOf<N>
}
export type Statement = { [N in EvidenceName]: StatementOf<N> }[EvidenceName]

const nameByType = new Map<string, EvidenceName>(EVIDENCE_NAMES.map((name) => [predicateTypeOf(name), name]))

/** The kind of evidence that a statement is. */
export function evidenceNameOf(statement: Statement): EvidenceName {
  const name = nameByType.get(statement.predicateType)
  if (name === undefined) throw new BevisError('STATEMENT_INVALID', `unknown kind ${statement.predicateType}`)
  return name
}

/** True, with the type narrowed, if the statement is of this kind. */
export function isEvidence<N extends EvidenceName>(
  statement: Statement,
  name: N,
): statement is StatementOf<N> & Statement {
  return statement.predicateType === predicateTypeOf(name)
}

/**
 * The payload's bytes: compact JSON that JSON itself gives back unchanged.
 * @throws BevisError STATEMENT_INVALID when the statement does not fit its schema
 */
export function encodeStatement(statement: Statement): Uint8Array {
  const payload = new TextEncoder().encode(JSON.stringify(statement))
  parseStatement(payload) // what we sign, everybody must be able to read
  return payload
}

/**
 * Reads a verified payload. The order is: size, depth, UTF-8, JSON, round trip, schema. The round trip refuses
 * duplicate keys, unsafe numbers, white space, a BOM and escapes that are not needed; what it lets pass,
 * `__proto__` and lone surrogates, is refused by name.
 * @throws BevisError STATEMENT_INVALID naming the field
 */
export function parseStatement(payload: Uint8Array): Statement {
  const value = parseRoundTrip(payload)
  const parsed = statementSchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new BevisError(
      'STATEMENT_INVALID',
      `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a statement'}`,
    )
  }
  return parsed.data
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parseRoundTrip(payload: Uint8Array): unknown {
  if (payload.length > PAYLOAD_LIMIT_BYTES) {
    throw new BevisError('STATEMENT_INVALID', `the payload has more than ${PAYLOAD_LIMIT_BYTES} bytes`)
  }
  if (depthOf(payload) > DEPTH_LIMIT) {
    throw new BevisError('STATEMENT_INVALID', `the payload is nested more than ${DEPTH_LIMIT} deep`)
  }
  let json: string
  let value: unknown
  let refused = ''
  try {
    json = decoder.decode(payload)
    value = JSON.parse(json, (key, inner: unknown) => {
      if (key === '__proto__') refused = 'the key __proto__ is refused'
      const lone = !key.isWellFormed() || (typeof inner === 'string' && !inner.isWellFormed())
      if (lone) refused = 'a text with half a surrogate pair is refused'
      return inner
    })
  } catch (cause) {
    throw new BevisError('STATEMENT_INVALID', 'the payload is not JSON in UTF-8', { cause })
  }
  if (refused !== '') throw new BevisError('STATEMENT_INVALID', refused)
  if (JSON.stringify(value) !== json) {
    throw new BevisError('STATEMENT_INVALID', 'the payload is not compact JSON that survives a round trip')
  }
  return value
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c]

/** How deep lists and maps lie in each other: read from the bytes, so that no stack is needed for it. */
function depthOf(json: Uint8Array): number {
  let [depth, deepest, isText] = [0, 0, false]
  for (let place = 0; place < json.length; place++) {
    const byte = json[place]
    if (isText) {
      if (byte === BACKSLASH) place += 1
      else if (byte === QUOTE) isText = false
    } else if (byte === QUOTE) isText = true
    else if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x5d || byte === 0x7d) depth -= 1
  }
  return deepest
}
