/**
 * The contract: what was promised, typed. Dates are local to the contract's zone, durations ISO 8601 in
 * whole units. Unknown keys are refused: a misspelt promise must not pass for a kept one.
 */
import { z } from 'zod'
import { slug } from '../format.ts'
import { isDuration } from './duration.ts'
import { isLocalDate, isLocalTime, isZone } from './local.ts'

const text = z.string().min(1, 'some text').max(4096)
const whole = z.number('a whole number').int('a whole number')
const percent = z.number('a number from 0 to 100').min(0).max(100)

const duration = z.string('a duration like P1D or PT6H').refine(isDuration, 'a duration like P1D or PT6H')
const positive = duration.refine((value) => /[1-9]/.test(value), 'a duration above zero')
const localDate = z.string('a date like 2025-03-01').refine(isLocalDate, 'a date like 2025-03-01')
const localTime = z.string('a time like "02:30"').refine(isLocalTime, 'a time like "02:30"')
const instant = z.iso.datetime({ offset: true, error: 'an instant like 2025-03-01T10:00:00Z' })
const yearDay = z
  .string('a day of the year like "06-30"')
  .refine((value) => isLocalDate(`2024-${value}`), 'a day of the year like "06-30"')
const repository = z.string('a repository ID or the name of a lineage').min(1).max(512)
const names = (needed: string) => z.array(z.string(needed).min(1, needed).max(4096), `a list: ${needed}`)

const party = z.strictObject({
  name: text,
  cvr: z
    .string('eight digits in quotes')
    .regex(/^\d{8}$/, 'eight digits in quotes')
    .optional(),
  contacts: z
    .array(z.strictObject({ name: text, email: z.email('an e-mail address'), role: text }))
    .optional(),
})

const dayRange = z
  .strictObject({ from: localDate, to: localDate })
  .refine(({ from, to }) => from <= to, 'days from the earlier to the later')

const tier = z.strictObject({
  per: z.enum(['hour', 'day', 'week', 'month', 'year', 'fiscalYear']),
  keep: whole.min(1, 'a whole number above zero').max(100_000, 'at most 100000'),
  basis: z.enum(['buckets', 'generations']).default('buckets'),
  countBasis: z.enum(['calendar', 'expected']).default('calendar'),
  /** Only snapshots taken on this day of the week count. */
  anchor: z.enum(['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN']).optional(),
  /** The last day of the fiscal year; the calendar year's when left out. */
  fyEnd: yearDay.optional(),
  /** How long after the fiscal year's end its snapshot may be taken. */
  closeAfter: duration.optional(),
})

const copy = z.strictObject({
  role: z.enum(['offsite', 'offline']),
  repository,
  region: text,
  lag: duration.default('P1D'),
  immutableFor: positive.optional(),
})

const restoreTest = z.strictObject({
  every: positive.default('P1M'),
  grace: duration.default('P14D'),
  mode: z.enum(['sample', 'full']).default('sample'),
  sample: z.strictObject({ files: whole.min(1).default(50) }).prefault({}),
  fullEvery: positive.optional(),
  ladder: positive.optional(),
  rto: positive.optional(),
})

const schedule = z.strictObject({
  every: positive.default('P1D'),
  window: z.strictObject({ from: localTime, to: localTime }).optional(),
  dayStartsAt: localTime.default('00:00'),
  days: z.enum(['all', 'business']).default('all'),
  lateGrace: duration.default('PT6H'),
  /** As `every` when left out. */
  rpo: positive.optional(),
})

const evidence = z.strictObject({
  inventoryEvery: positive.default('PT12H'),
  freshFor: positive.default('PT26H'),
  unknownAfter: positive.default('PT72H'),
  silenceBreachAfter: positive.default('P7D'),
  clockTolerance: duration.default('PT5M'),
  quarantineOver: duration.default('PT1H'),
})

export const setSchema = z.strictObject({
  id: slug,
  unit: text.optional(),
  criticality: whole.min(1).max(4).optional(),
  personalData: z.enum(['none', 'ordinary', 'special']).default('none'),
  selector: z.strictObject({
    repository,
    hosts: names('a host name').min(1, 'at least one host'),
    requiredPaths: names('a path'),
  }),
  /** The day on which `effectiveFrom` of the version falls, when left out. */
  onboardedAt: localDate.optional(),
  content: z
    .strictObject({
      maxDropPct: percent.default(20),
      minFiles: whole.min(0).optional(),
      canaries: names('a path').optional(),
    })
    .optional(),
  schedule: schedule.prefault({}),
  retention: z.strictObject({
    /** The clause, word for word. */
    wording: text,
    min: z.array(tier, 'a list of tiers'),
    max: z.strictObject({ age: positive, purgeGrace: duration.default('P30D') }).optional(),
  }),
  partial: z
    .union([
      z.literal('reject'),
      z.strictObject({ maxFailedPct: percent, neverPaths: names('a path').default([]) }),
    ])
    .default('reject'),
  copies: z.array(copy, 'a list of copies').optional(),
  encryption: z
    .strictObject({ required: z.boolean('true or false').default(true), keyHolder: text.optional() })
    .optional(),
  restoreTest: restoreTest.optional(),
  evidence: evidence.prefault({}),
})

const setIds = names('the id of a set').min(1, 'at least one set')

const exclusion = z
  .strictObject({
    sets: setIds,
    from: localDate,
    to: localDate,
    reason: text,
    approvedBy: z.array(z.enum(['customer', 'provider'])).default([]),
    noticeAt: z.union([localDate, instant], 'a date or an instant').optional(),
  })
  .refine(({ from, to }) => from <= to, 'days from the earlier to the later')

const hold = z.strictObject({
  sets: setIds,
  covers: dayRange,
  authority: text,
  start: localDate,
  end: localDate.optional(),
})

const penalty = z.strictObject({
  measure: text,
  per: z.enum(['obligation', 'day', 'month']),
  pctOfMonthlyFee: percent,
  capPct: percent.optional(),
  mustBeClaimed: z.boolean('true or false').default(true),
})

const acceptance = z.strictObject({
  party: z.enum(['customer', 'provider']),
  person: text,
  role: text.optional(),
  at: instant,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 lowercase hex digits')
    .optional(),
})

export const versionSchema = z.strictObject({
  no: whole.min(1, 'a whole number above zero'),
  effectiveFrom: localDate,
  changeNote: text.optional(),
  amendmentPolicy: z.enum(['extend-live', 'prospective']).default('extend-live'),
  acceptances: z.array(acceptance, 'a list of acceptances').optional(),
  units: z.array(z.strictObject({ id: slug, name: text, site: text.optional() })).optional(),
  sets: z.array(setSchema, 'a list of sets').min(1, 'at least one set').max(1_000),
  exclusions: z.array(exclusion, 'a list of exclusions').default([]),
  holds: z.array(hold, 'a list of holds').default([]),
  penalties: z.array(penalty, 'a list of penalties').default([]),
  escalation: z.array(z.record(z.string(), z.unknown()), 'a list of steps').default([]),
})

export const contractSchema = z.strictObject({
  id: slug,
  provider: party,
  customer: party,
  regimes: z
    .array(z.enum(['bogforingsloven', 'gdpr', 'nis2', 'nis2-msp', 'dora', 'iso27001', 'soc2', 'isae3402']))
    .default([]),
  timezone: z
    .string('a time zone like Europe/Copenhagen')
    .refine(isZone, 'a time zone like Europe/Copenhagen')
    .default('Europe/Copenhagen'),
  holidays: z.enum(['DK', 'none']).default('DK'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'a currency like DKK')
    .default('DKK'),
  monthlyFee: z.number('an amount').min(0).optional(),
  dataRoles: z
    .strictObject({ controller: text.optional(), processor: text.optional(), dpaRef: text.optional() })
    .optional(),
  term: z.strictObject({
    start: localDate,
    end: localDate.optional(),
    renewal: z.enum(['auto', 'none']).default('auto'),
    noticePeriod: positive.optional(),
    exit: z.strictObject({ returnWithin: positive.optional(), deleteWithin: positive.optional() }).optional(),
  }),
  versions: z.array(versionSchema, 'a list of versions').min(1, 'at least one version').max(1_000),
})

export type Contract = z.infer<typeof contractSchema>
export type Version = Contract['versions'][number]
export type ContractSet = Version['sets'][number]
export type Tier = ContractSet['retention']['min'][number]
export type Per = Tier['per']
export type Copy = NonNullable<ContractSet['copies']>[number]
export type RestoreTestTerms = NonNullable<ContractSet['restoreTest']>
export type Exclusion = Version['exclusions'][number]
export type Hold = Version['holds'][number]
export type Party = 'customer' | 'provider'
