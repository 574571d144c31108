/**
 * The contract: what was promised, typed. Dates are local to the contract's zone, durations ISO 8601 in
 * whole units. Unknown keys are refused: a misspelt promise must not pass for a kept one.
 */
import { z } from 'zod'
import { slug } from '../format.ts'
import { isDuration } from './duration.ts'
import { isLocalDate, isLocalTime, isZone } from './local.ts'
import { NEEDED } from './needed.ts'

const text = z.string().min(1, NEEDED.text[0]).max(4096)
const whole = z.number(NEEDED.whole[0]).int(NEEDED.whole[0])
const percent = z.number(NEEDED.percent[0]).min(0).max(100)

const duration = z.string(NEEDED.duration[0]).refine(isDuration, NEEDED.duration[0])
const positive = duration.refine((value) => /[1-9]/.test(value), NEEDED.durationAboveZero[0])
const localDate = z.string(NEEDED.date[0]).refine(isLocalDate, NEEDED.date[0])
const localTime = z.string(NEEDED.time[0]).refine(isLocalTime, NEEDED.time[0])
const instant = z.iso.datetime({ offset: true, error: NEEDED.instant[0] })
const yearDay = z.string(NEEDED.yearDay[0]).refine((value) => isLocalDate(`2024-${value}`), NEEDED.yearDay[0])
const repository = z.string(NEEDED.repository[0]).min(1).max(512)
const names = (needed: string) => z.array(z.string(needed).min(1, needed).max(4096), `a list: ${needed}`)

const party = z.strictObject({
  name: text,
  cvr: z
    .string(NEEDED.cvr[0])
    .regex(/^\d{8}$/, NEEDED.cvr[0])
    .optional(),
  contacts: z.array(z.strictObject({ name: text, email: z.email(NEEDED.email[0]), role: text })).optional(),
})

const dayRange = z
  .strictObject({ from: localDate, to: localDate })
  .refine(({ from, to }) => from <= to, NEEDED.daysInOrder[0])

const tier = z.strictObject({
  per: z.enum(['hour', 'day', 'week', 'month', 'year', 'fiscalYear']),
  keep: whole.min(1, NEEDED.wholeAboveZero[0]).max(100_000, NEEDED.atMost100000[0]),
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
    hosts: names(NEEDED.host[0]).min(1, NEEDED.hosts[0]),
    requiredPaths: names(NEEDED.path[0]),
  }),
  /** The day on which `effectiveFrom` of the version falls, when left out. */
  onboardedAt: localDate.optional(),
  content: z
    .strictObject({
      maxDropPct: percent.default(20),
      minFiles: whole.min(0).optional(),
      canaries: names(NEEDED.path[0]).optional(),
    })
    .optional(),
  schedule: schedule.prefault({}),
  retention: z.strictObject({
    /** The clause, word for word. */
    wording: text,
    min: z.array(tier, NEEDED.tiers[0]),
    max: z.strictObject({ age: positive, purgeGrace: duration.default('P30D') }).optional(),
  }),
  partial: z
    .union([
      z.literal('reject'),
      z.strictObject({ maxFailedPct: percent, neverPaths: names(NEEDED.path[0]).default([]) }),
    ])
    .default('reject'),
  copies: z.array(copy, NEEDED.copies[0]).optional(),
  encryption: z
    .strictObject({ required: z.boolean(NEEDED.yesOrNo[0]).default(true), keyHolder: text.optional() })
    .optional(),
  restoreTest: restoreTest.optional(),
  evidence: evidence.prefault({}),
})

const setIds = names(NEEDED.setId[0]).min(1, NEEDED.setIds[0])

const exclusion = z
  .strictObject({
    sets: setIds,
    from: localDate,
    to: localDate,
    reason: text,
    approvedBy: z.array(z.enum(['customer', 'provider'])).default([]),
    noticeAt: z.union([localDate, instant], NEEDED.dateOrInstant[0]).optional(),
  })
  .refine(({ from, to }) => from <= to, NEEDED.daysInOrder[0])

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
  mustBeClaimed: z.boolean(NEEDED.yesOrNo[0]).default(true),
})

const acceptance = z.strictObject({
  party: z.enum(['customer', 'provider']),
  person: text,
  role: text.optional(),
  at: instant,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, NEEDED.sha256[0])
    .optional(),
})

export const versionSchema = z.strictObject({
  no: whole.min(1, NEEDED.wholeAboveZero[0]),
  effectiveFrom: localDate,
  changeNote: text.optional(),
  amendmentPolicy: z.enum(['extend-live', 'prospective']).default('extend-live'),
  acceptances: z.array(acceptance, NEEDED.acceptances[0]).optional(),
  units: z.array(z.strictObject({ id: slug, name: text, site: text.optional() })).optional(),
  sets: z.array(setSchema, NEEDED.sets[0]).min(1, NEEDED.setIds[0]).max(1_000),
  exclusions: z.array(exclusion, NEEDED.exclusions[0]).default([]),
  holds: z.array(hold, NEEDED.holds[0]).default([]),
  penalties: z.array(penalty, NEEDED.penalties[0]).default([]),
  escalation: z.array(z.record(z.string(), z.unknown()), NEEDED.steps[0]).default([]),
})

export const contractSchema = z.strictObject({
  id: slug,
  provider: party,
  customer: party,
  regimes: z
    .array(z.enum(['bogforingsloven', 'gdpr', 'nis2', 'nis2-msp', 'dora', 'iso27001', 'soc2', 'isae3402']))
    .default([]),
  timezone: z.string(NEEDED.zone[0]).refine(isZone, NEEDED.zone[0]).default('Europe/Copenhagen'),
  holidays: z.enum(['DK', 'none']).default('DK'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, NEEDED.currency[0])
    .default('DKK'),
  monthlyFee: z.number(NEEDED.amount[0]).min(0).optional(),
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
  versions: z.array(versionSchema, NEEDED.versions[0]).min(1, NEEDED.version[0]).max(1_000),
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
