import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { BevisError, errorMessageOf } from '../error.ts'
import { hex64, slug } from '../format.ts'
import { parseVkey } from '../log/checkpoint.ts'
import type { VerificationKey } from '../log/checkpoint.ts'

const LIMIT_CHARACTERS = 1_048_576

const oneOrMore = z.preprocess(
  (value) => (Array.isArray(value) ? value : [value]),
  z.array(hex64).min(1).max(1_000),
)

const vkey = z
  .string()
  .max(1_024)
  .transform((text, context) => {
    try {
      return parseVkey(text)
    } catch (error) {
      context.issues.push({ code: 'custom', message: errorMessageOf(error), input: text })
      return z.NEVER
    }
  })

const trustSchema = z.strictObject({
  /** The log's key, as it was handed over at enrolment. */
  log: z.strictObject({ vkey }),
  /** The agents' keys, as their installer printed them: one per epoch. */
  agents: z
    .array(
      z.strictObject({
        tenant: slug,
        agent: slug,
        keyid: oneOrMore,
        /** Left out: a pack of any contract must hold this agent. */
        contracts: z.array(slug).min(1).max(1_000).optional(),
      }),
    )
    .min(1)
    .max(10_000),
  /** The collector's office key, which signs contract events. */
  office: z.strictObject({ keyid: oneOrMore }).optional(),
  /** The SHA-256 of the contract texts that you agreed to. */
  contracts: z
    .array(z.strictObject({ id: slug, sha256: oneOrMore }))
    .max(1_000)
    .optional(),
})

/** What a verifier takes for granted: from the customer's own hands, never from the pack. */
export interface Trust {
  readonly log: { readonly vkey: VerificationKey }
  readonly agents: readonly {
    readonly tenant: string
    readonly agent: string
    readonly keyid: readonly string[]
    readonly contracts?: readonly string[] | undefined
  }[]
  readonly office?: { readonly keyid: readonly string[] } | undefined
  readonly contracts?: readonly { readonly id: string; readonly sha256: readonly string[] }[] | undefined
}

/**
 * Reads a trust file (YAML).
 * @throws BevisError TRUST_INVALID naming every line that is wrong
 */
export function parseTrust(text: string): Trust {
  if (text.length > LIMIT_CHARACTERS)
    throw new BevisError('TRUST_INVALID', 'the trust file is larger than 1 MiB')
  const lines = new LineCounter()
  // In this schema every scalar is a text: a customer's number or a keyid of digits needs no quotes.
  const document = parseDocument(text, { lineCounter: lines, schema: 'failsafe', prettyErrors: false })
  const problems = document.errors.map(
    (error) => `line ${lines.linePos(error.pos[0]).line}: ${error.message.split('\n')[0] ?? ''}`,
  )
  if (problems.length === 0) {
    const parsed = trustSchema.safeParse(document.toJS({ maxAliasCount: 0 }))
    if (parsed.success) return parsed.data
    for (const issue of parsed.error.issues) {
      const path = issue.path.filter((part) => typeof part !== 'symbol')
      problems.push(`line ${lineOf(document, path, lines)}: ${path.join('.')}: ${issue.message}`)
    }
  }
  throw new BevisError('TRUST_INVALID', `the trust file cannot be used:\n  ${problems.join('\n  ')}`)
}

/** The line of the deepest part of the path that the file has. */
function lineOf(
  document: ReturnType<typeof parseDocument>,
  path: readonly (string | number)[],
  lines: LineCounter,
): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return lines.linePos(Number(node.range[0])).line
    }
  }
  return 1
}
