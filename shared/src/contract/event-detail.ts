/**
 * What each event of a contract says in its detail, as it is written. Whoever judges by events reads them
 * leniently: others may write them too. Beside it stands `signed` where the party has signed it: see party-word.ts.
 */
import { z } from 'zod'
import type { ContractEvent } from '../evidence/predicates.ts'
import { count, hex64, instant, slug } from '../format.ts'
import { isLocalDate } from './local.ts'
import { needsNote, REPORT_REPLIES } from './report-reply.ts'

const text = z.string().min(1).max(4096)
const day = z.string().refine(isLocalDate, 'a day such as 2026-11-23')
const days = { from: day, to: day }
const inOrder = ({ from, to }: { from: string; to: string }): boolean => from <= to
const ORDER = 'the days are not in order'
const sets = z.array(slug).min(1).max(1_000)
const repository = z.string().min(1).max(512)

const hold = z.strictObject({
  sets,
  covers: z.strictObject(days).refine(inOrder, ORDER),
  authority: text,
})

export const EVENT_DETAILS = {
  /** `sha256`: of the contract's text in which the version stands. */
  'version-accepted': z.strictObject({ sha256: hex64, role: text.optional() }),
  'exclusion-approved': z
    .strictObject({ sets, ...days, reason: text.optional(), noticeAt: instant.optional() })
    .refine(inOrder, ORDER),
  'hold-started': hold,
  'hold-released': hold,
  /**
   * What was looked at: a snapshot that the guard held back, a finding of the verdict, or a statement. With `reply`,
   * what a party says of the service report that the statement issued.
   */
  'finding-acknowledged': z
    .strictObject({
      snapshot: hex64.optional(),
      finding: text.optional(),
      set: slug.optional(),
      statement: hex64.optional(),
      note: text.optional(),
      reply: z.enum(REPORT_REPLIES).optional(),
    })
    .refine(
      ({ snapshot, finding, statement }) => snapshot !== undefined || (finding ?? statement) !== undefined,
      'name a snapshot, a finding or a statement',
    )
    .refine(
      ({ reply, statement }) => reply === undefined || statement !== undefined,
      'a reply names the statement that issued the report',
    )
    .refine(
      ({ reply, note }) => reply === undefined || !needsNote(reply) || note !== undefined,
      'a remark, and what is declined, needs a note',
    ),
  'repository-succession': z.strictObject({ from: repository, to: repository, reason: text.optional() }),
  'erasure-approved': z.strictObject({ original: hex64, reason: text.optional() }),
  /** From `compromisedSince` on, what was signed is in doubt unless a stamp proves that it was logged before. */
  'key-revoked': z.strictObject({
    agent: slug,
    epoch: count.min(1),
    reason: text,
    compromisedSince: instant.optional(),
    /** The note in which the customer's root key says so. */
    root: z.string().max(4_096).optional(),
  }),
  /** A document that went out: `contract` for a text that was applied, `service-report`, `evidence-pack` … */
  'report-issued': z.looseObject({ document: slug, sha256: hex64, signed: z.undefined().optional() }),
} as const satisfies Record<ContractEvent['event'], z.ZodType>

export type EventKind = keyof typeof EVENT_DETAILS
export const EVENT_KINDS = Object.keys(EVENT_DETAILS) as [EventKind, ...EventKind[]]

/** The detail of a `report-issued` for a contract's text: the `revision`th that was applied. */
export const issuedTextSchema = z.looseObject({
  document: z.literal('contract'),
  revision: count.min(1),
  sha256: hex64,
})
