/** What a contract of the right shape must not promise, and what it had better promise. */
import { z } from 'zod'
import { canBeShorter, parseDuration } from './duration.ts'
import type { Duration } from './duration.ts'
import type { Path } from '../yaml.ts'
import type { ContractSet, Tier, Version } from './schema.ts'
import { setSchema, versionSchema } from './schema.ts'

export interface Remark {
  path: Path
  /** The key that the remark is about, where it is one. */
  key?: string
  message: string
  cure: string
}

export interface Remarks {
  errors: Remark[]
  warnings: Remark[]
}

/** Looks at every part that has the right shape, so that one mistake does not hide another. */
export function examine(value: unknown): Remarks {
  const remarks: Remarks = { errors: [], warnings: [] }
  const contract = asMap(value)
  const regimes = asList(contract['regimes']).filter((regime) => typeof regime === 'string')
  const rawVersions = asList(contract['versions'])
  rawVersions.forEach((raw, index) => {
    asList(asMap(raw)['sets']).forEach((rawSet, at) => {
      const set = setSchema.safeParse(rawSet)
      if (set.success) examineSet(set.data, ['versions', index, 'sets', at], regimes, remarks)
    })
    const parsed = versionSchema.safeParse(raw)
    if (parsed.success) examineVersion(parsed.data, ['versions', index], regimes, remarks)
  })
  const heads = rawVersions.map((raw) => headSchema.safeParse(raw).data)
  const whole = heads.filter((head) => head !== undefined)
  if (rawVersions.length > 0 && whole.length === heads.length) examineVersions(whole, remarks)
  const { start, end } = asMap(contract['term'])
  if (typeof start === 'string' && typeof end === 'string' && end < start) {
    remarks.errors.push({
      path: ['term', 'end'],
      message: `the term ends on ${end}, before it starts on ${start}`,
      cure: 'Put the dates in order.',
    })
  }
  return remarks
}

/** What says which version is in force when, whatever is wrong with its sets. */
const headSchema = z.object(versionSchema.pick({ no: true, effectiveFrom: true, acceptances: true }).shape)
type Head = z.infer<typeof headSchema>

/** Both parties have accepted it; else it is a draft. */
export function isAccepted(version: Pick<Version, 'acceptances'>): boolean {
  const parties = new Set(version.acceptances?.map(({ party }) => party))
  return parties.has('customer') && parties.has('provider')
}

function examineVersions(versions: Head[], { errors }: Remarks): void {
  const accepted = versions
    .map((version, index) => ({ version, index }))
    .filter(({ version }) => isAccepted(version))
  if (accepted.length === 0) {
    errors.push({
      path: [],
      key: 'versions',
      message: 'no version has been accepted by both parties, so nothing is in force',
      cure: 'Add acceptances of the customer and of the provider to a version.',
    })
  }
  const byDay = new Map<string, number>()
  for (const { version, index } of accepted) {
    const earlier = byDay.get(version.effectiveFrom)
    if (earlier !== undefined) {
      errors.push({
        path: ['versions', index, 'effectiveFrom'],
        message: `versions ${earlier} and ${version.no} are both accepted from ${version.effectiveFrom}`,
        cure: 'Let one of them take effect on another day.',
      })
    }
    byDay.set(version.effectiveFrom, version.no)
  }
  const numbers = new Set<number>()
  versions.forEach(({ no }, index) => {
    if (numbers.has(no)) {
      errors.push({
        path: ['versions', index, 'no'],
        message: `version ${no} is there twice`,
        cure: 'Number the versions differently.',
      })
    }
    numbers.add(no)
  })
}

function examineVersion(version: Version, path: Path, regimes: readonly unknown[], remarks: Remarks): void {
  const ids = new Set<string>()
  version.sets.forEach(({ id, unit }, index) => {
    if (ids.has(id)) {
      remarks.errors.push({
        path: [...path, 'sets', index, 'id'],
        message: `the set "${id}" is there twice`,
        cure: 'Give each set of a version its own id.',
      })
    }
    ids.add(id)
    if (unit !== undefined && version.units !== undefined && !version.units.some((one) => one.id === unit)) {
      remarks.warnings.push({
        path: [...path, 'sets', index, 'unit'],
        message: `the unit "${unit}" is not among the version's units`,
        cure: 'Add the unit, or correct its id.',
      })
    }
  })
  for (const list of ['exclusions', 'holds'] as const) {
    version[list].forEach(({ sets }, index) => {
      for (const set of sets.filter((one) => !ids.has(one))) {
        remarks.warnings.push({
          path: [...path, list, index],
          key: 'sets',
          message: `no set of this version is called "${set}"`,
          cure: 'Correct the id, or leave it out.',
        })
      }
    })
  }
  const books = version.sets.some(({ retention }) =>
    retention.min.some(({ per, keep }) => per === 'fiscalYear' && keep >= 5),
  )
  if (regimes.includes('bogforingsloven') && !books) {
    remarks.errors.push({
      path,
      key: 'sets',
      message:
        'bogforingsloven asks for five years from the end of the fiscal year; no set of this version keeps them',
      cure: 'Add a tier {per: fiscalYear, keep: 5, fyEnd, closeAfter} to the set that holds the books.',
    })
  }
}

const UP_TO = /\b(up to|at most|op til|højst|maks(imalt|\.)?|max\.?|indtil)\b/i

function examineSet(set: ContractSet, path: Path, regimes: readonly unknown[], remarks: Remarks): void {
  const { errors, warnings } = remarks
  const { schedule, retention, selector } = set
  const { max, min } = retention
  if (
    schedule.rpo !== undefined &&
    canBeShorter(parseDuration(schedule.rpo), parseDuration(schedule.every))
  ) {
    errors.push({
      path: [...path, 'schedule', 'rpo'],
      message: `a backup every ${schedule.every} cannot keep a recovery point of ${schedule.rpo}`,
      cure: `Shorten "every" to ${schedule.rpo}, or allow an rpo of ${schedule.every}.`,
    })
  }
  min.forEach((tier, index) => {
    if (max !== undefined && canBeShorter(parseDuration(max.age), spanOf(tier))) {
      errors.push({
        path: [...path, 'retention', 'max', 'age'],
        message: `a ceiling of ${max.age} is below ${tier.per} x ${tier.keep} and the one bucket that runs`,
        cure: 'Raise max.age, or keep fewer buckets.',
      })
    }
    examineTier(tier, [...path, 'retention', 'min', index], warnings)
  })
  if (min.length === 0 && (max !== undefined || UP_TO.test(retention.wording))) {
    warnings.push({
      path: [...path, 'retention'],
      key: 'min',
      message: 'this is a ceiling without a floor: nothing need be kept at all',
      cure: 'Say in "min" how many days, weeks or months must be there.',
    })
  }
  if (set.personalData === 'special' && max === undefined) {
    warnings.push({
      path: [...path, 'personalData'],
      message: 'special-category data without a ceiling is kept for ever',
      cure: 'Add retention.max.age.',
    })
  }
  for (const [index, { repository }] of (set.copies ?? []).entries()) {
    if (repository !== selector.repository) continue
    errors.push({
      path: [...path, 'copies', index, 'repository'],
      message: `the copy lies in ${repository}, which is the repository that it should be a copy of`,
      cure: 'Name the repository or lineage of the copy.',
    })
  }
  if (regimes.includes('nis2') || regimes.includes('nis2-msp')) warnOfNis2(set, path, warnings)
}

function examineTier(tier: Tier, path: Path, warnings: Remark[]): void {
  if (tier.per === 'fiscalYear') {
    if (tier.closeAfter !== undefined) return
    warnings.push({
      path,
      message: 'it is not said how long after its end a fiscal year may be closed; one year is taken',
      cure: 'Add closeAfter, such as P5M.',
    })
    return
  }
  for (const key of ['fyEnd', 'closeAfter'] as const) {
    if (tier[key] === undefined) continue
    warnings.push({
      path: [...path, key],
      message: `"${key}" means something for fiscal years only`,
      cure: 'Remove it, or make the tier one of fiscalYear.',
    })
  }
}

function warnOfNis2(set: ContractSet, path: Path, warnings: Remark[]): void {
  const lacking = [
    [set.restoreTest === undefined, 'restore tests', 'Add restoreTest.'],
    [set.restoreTest?.rto === undefined, 'an agreed recovery time', 'Add restoreTest.rto.'],
    [
      !set.copies?.some(({ role }) => role === 'offsite'),
      'an off-site copy',
      'Add a copy with role offsite.',
    ],
  ] as const
  for (const [lacks, what, cure] of lacking) {
    if (lacks) warnings.push({ path, message: `NIS2 asks for ${what}; the set "${set.id}" has none`, cure })
  }
}

/** How long a snapshot from a bucket's first instant is owed: the tier and the one bucket that it stands in. */
function spanOf({ per, keep }: Tier): Duration {
  const units = keep + 1
  switch (per) {
    case 'hour':
      return { months: 0, days: 0, elapsedMs: units * 3_600_000 }
    case 'day':
      return { months: 0, days: units, elapsedMs: 0 }
    case 'week':
      return { months: 0, days: units * 7, elapsedMs: 0 }
    case 'month':
      return { months: units, days: 0, elapsedMs: 0 }
    case 'year':
    case 'fiscalYear':
      return { months: units * 12, days: 0, elapsedMs: 0 }
  }
}

function asMap(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
