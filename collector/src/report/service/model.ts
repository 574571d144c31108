/**
 * The monthly service report (driftsrapport) as data: what is issued, hashed and kept. Words and layout are made from
 * it; an issued one is read again by this schema, so fields are only ever added.
 */
import { z } from 'zod'
import { DIMENSIONS } from '@bevis/shared/contract/answer'
import type { Ledger } from '@bevis/shared/contract/ledger'
import type { MonthCredits } from '@bevis/shared/contract/credit'

export const SERVICE_REPORT_FORMAT = 'bevis-service-report/v1'

const party = z.object({ name: z.string(), cvr: z.string().optional() })
const said = z.object({
  state: z.enum([
    'compliant',
    'at-risk',
    'breached',
    'unknown',
    'not-applicable',
    'not-owed',
    'not-kept',
    'not-due',
  ]),
  text: z.string().nullable(),
  date: z.string().optional(),
})
const dimension = z.enum(DIMENSIONS)

/** One service level: what it was on each day, what it came to, and by how much evidence. */
const level = z.object({
  dimension,
  /**
   * By local day, as each stood at its end, or breached where an obligation came to be broken on it; what nobody has
   * shown is not called kept.
   */
  days: z.array(said.shape.state),
  /** The worst of the days; where all are kept, what is told at the end. */
  month: said,
  atEnd: said,
  /** What was measured, by names that the words know. Null: nothing tells. */
  figures: z.record(z.string(), z.number().nullable()),
  /** Statements that it rests on, and how many the agreed rhythm makes plausible; null where no rhythm is agreed. */
  data: z.object({ received: z.number(), expected: z.number().nullable() }),
})

const deviation = z.object({
  set: z.string(),
  dimension,
  /** A breach's code, or `unknown` for days that nobody can judge. */
  code: z.string(),
  subject: z.string(),
  since: z.string(),
  /** The last day on which it held; null: it holds at the end. */
  until: z.string().nullable(),
  days: z.number(),
  cause: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('run-failed'), at: z.string(), code: z.string(), message: z.string() }),
    z.object({ kind: z.literal('no-run') }),
    z.object({ kind: z.literal('removed'), at: z.string() }),
    z.object({ kind: z.literal('none') }),
  ]),
  /** Who has signed to have taken it up. */
  owner: z
    .object({ person: z.string(), party: z.string(), at: z.string(), note: z.string().optional() })
    .nullable(),
  /** When it would end by itself; null: it will not. */
  endsAt: z.string().nullable(),
  evidence: z.array(z.string()),
})

const test = z.object({
  set: z.string(),
  at: z.string(),
  snapshot: z.string(),
  takenAt: z.string(),
  reason: z.string(),
  mode: z.string(),
  files: z.number(),
  conclusive: z.number(),
  failed: z.number(),
  seconds: z.number().nullable(),
  result: z.enum(['PASSED', 'FAILED', 'INCONCLUSIVE']),
  evidence: z.string(),
})

const damage = z.object({
  repository: z.string(),
  subset: z.string(),
  errors: z.number(),
  at: z.string(),
  over: z.string().nullable(),
  evidence: z.string(),
})

const change = z.object({
  kind: z.enum(['version', 'text', 'exclusion', 'hold', 'event', 'program', 'key', 'alarm']),
  at: z.string(),
  /** Whom or what it is about: an agent, a person, a set. */
  subject: z.string(),
  from: z.string().optional(),
  to: z.string().optional(),
  note: z.string().optional(),
  /** An exclusion that the contract's text does not say both parties have approved. */
  unapproved: z.boolean().optional(),
})

export const serviceReportSchema = z.object({
  format: z.literal(SERVICE_REPORT_FORMAT),
  contract: z.string(),
  version: z.number().nullable(),
  /** Of the contract's text by which it was judged. */
  revision: z.number(),
  textSha256: z.string(),
  customer: party,
  provider: party,
  timezone: z.string(),
  unit: z.object({ id: z.string(), name: z.string(), site: z.string().optional() }).nullable(),
  month: z.string(),
  /** False: days of the month were still to come. */
  isOver: z.boolean(),
  at: z.string(),
  knownAt: z.string(),
  headline: said.shape.state,
  /** Statements of the contract's agents that are dated in the month. */
  statements: z.number(),
  sets: z.array(
    z.object({
      id: z.string(),
      wording: z.string(),
      promises: z.record(z.string(), z.string()),
      levels: z.array(level),
    }),
  ),
  deviations: z.array(deviation),
  credits: z.custom<MonthCredits>((value) => typeof value === 'object' && value !== null),
  tests: z.array(test),
  /** What data checks of the month found damaged; `over`: found sound again by then. No level tells of it. */
  damage: z.array(damage).optional(),
  changes: z.array(change),
  /** The month and the twelve before it. */
  ledger: z.custom<Ledger['rows']>((value) => Array.isArray(value)),
})

export type ServiceReport = z.infer<typeof serviceReportSchema>
export type ReportedLevel = z.infer<typeof level>
export type Deviation = z.infer<typeof deviation>
export type ReportedTest = z.infer<typeof test>
export type ReportedChange = z.infer<typeof change>

/** The one form in which a report is hashed and kept. */
export function encodeServiceReport(report: ServiceReport): string {
  return `${JSON.stringify(report)}\n`
}
