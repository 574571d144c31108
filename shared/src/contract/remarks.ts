/** What a contract of the right shape must not promise, and what it had better promise. */
import { z } from 'zod'
import { isAccepted } from './acceptance.ts'
import { parseMeasure } from './breach.ts'
import { canBeShorter, parseDuration } from './duration.ts'
import type { Duration } from './duration.ts'
import type { Path } from '../yaml.ts'
import type { Saying } from './problem.ts'
import { REMARK } from './remark-words.ts'
import type { ContractSet, Tier, Version } from './schema.ts'
import { setSchema, versionSchema } from './schema.ts'

export interface Remark {
  path: Path
  /** The key that the remark is about, where it is one. */
  key?: string
  say: Saying
}

export interface Remarks {
  errors: Remark[]
  warnings: Remark[]
}

/**
 * Looks at every part that has the right shape, so that one mistake does not hide another.
 * @param draft that nobody has accepted anything yet is a warning, and no error
 */
export function examine(value: unknown, draft: boolean): Remarks {
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
  if (rawVersions.length > 0 && whole.length === heads.length) examineVersions(whole, remarks, draft)
  examineOnboarding(rawVersions, remarks)
  const { start, end } = asMap(contract['term'])
  if (typeof start === 'string' && typeof end === 'string' && end < start) {
    remarks.errors.push({
      path: ['term', 'end'],
      say: REMARK.termReversed(start, end),
    })
  }
  return remarks
}

/** What says which version is in force when, whatever is wrong with its sets. */
const headSchema = z.object(versionSchema.pick({ no: true, effectiveFrom: true, acceptances: true }).shape)
type Head = z.infer<typeof headSchema>

function examineVersions(versions: Head[], { errors, warnings }: Remarks, draft: boolean): void {
  const accepted = versions
    .map((version, index) => ({ version, index }))
    .filter(({ version }) => isAccepted(version))
  if (accepted.length === 0) {
    const list = draft ? warnings : errors
    list.push({
      path: [],
      key: 'versions',
      say: REMARK.nothingAccepted,
    })
  }
  const byDay = new Map<string, number>()
  for (const { version, index } of accepted) {
    const earlier = byDay.get(version.effectiveFrom)
    if (earlier !== undefined) {
      errors.push({
        path: ['versions', index, 'effectiveFrom'],
        say: REMARK.sameDay(earlier, version.no, version.effectiveFrom),
      })
    }
    byDay.set(version.effectiveFrom, version.no)
  }
  const numbers = new Set<number>()
  versions.forEach(({ no }, index) => {
    if (numbers.has(no)) {
      errors.push({
        path: ['versions', index, 'no'],
        say: REMARK.versionTwice(no),
      })
    }
    numbers.add(no)
  })
}

/** Where nothing was tested or listed, the time runs from the onboarding: a later one would forgive it. */
function examineOnboarding(rawVersions: readonly unknown[], { warnings }: Remarks): void {
  const versions = rawVersions.map((raw) => versionSchema.safeParse(raw).data)
  versions.forEach((version, index) => {
    version?.sets.forEach(({ id, onboardedAt }, at) => {
      const isOlder = versions.some(
        (one) =>
          one !== undefined &&
          one.effectiveFrom < version.effectiveFrom &&
          one.sets.some((set) => set.id === id),
      )
      if (onboardedAt !== undefined || !isOlder) return
      const path = ['versions', index, 'sets', at]
      warnings.push({ path, key: 'id', say: REMARK.onboardedAgain(id, version.effectiveFrom) })
    })
  })
}

function examineVersion(version: Version, path: Path, regimes: readonly unknown[], remarks: Remarks): void {
  const ids = new Set<string>()
  version.sets.forEach(({ id, unit }, index) => {
    if (ids.has(id)) {
      remarks.errors.push({
        path: [...path, 'sets', index, 'id'],
        say: REMARK.setTwice(id),
      })
    }
    ids.add(id)
    if (unit !== undefined && version.units?.some((one) => one.id === unit) !== true) {
      remarks.warnings.push({
        path: [...path, 'sets', index, 'unit'],
        say: REMARK.unitUnknown(unit),
      })
    }
  })
  for (const list of ['exclusions', 'holds'] as const) {
    version[list].forEach(({ sets }, index) => {
      for (const set of sets.filter((one) => !ids.has(one))) {
        remarks.warnings.push({
          path: [...path, list, index],
          key: 'sets',
          say: REMARK.setUnknown(set),
        })
      }
    })
  }
  version.penalties.forEach(({ measure }, index) => {
    if (parseMeasure(measure) === null) {
      remarks.warnings.push({
        path: [...path, 'penalties', index],
        key: 'measure',
        say: REMARK.measureUnknown(measure),
      })
    }
  })
  const books = version.sets.some(({ retention }) =>
    retention.min.some(({ per, keep }) => per === 'fiscalYear' && keep >= 5),
  )
  if (regimes.includes('bogforingsloven') && !books) {
    remarks.errors.push({
      path,
      key: 'sets',
      say: REMARK.booksNotKept,
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
      say: REMARK.tooRare(schedule.every, schedule.rpo),
    })
  }
  min.forEach((tier, index) => {
    if (max !== undefined && canBeShorter(parseDuration(max.age), lengthOf(tier, tier.keep + 1))) {
      errors.push({
        path: [...path, 'retention', 'max', 'age'],
        say: REMARK.ceilingTooLow(max.age, tier.per, tier.keep),
      })
    }
    examineTier(tier, [...path, 'retention', 'min', index], warnings)
    if (canBeShorter(lengthOf(tier, tier.keep), parseDuration(schedule.lateGrace))) {
      warnings.push({
        path: [...path, 'retention', 'min', index],
        say: REMARK.graceTooLong(schedule.lateGrace, tier.per, tier.keep),
      })
    }
  })
  if (min.length === 0 && (max !== undefined || UP_TO.test(retention.wording))) {
    warnings.push({
      path: [...path, 'retention'],
      key: 'min',
      say: REMARK.ceilingAlone,
    })
  }
  if (set.personalData === 'special' && max === undefined) {
    warnings.push({
      path: [...path, 'personalData'],
      say: REMARK.specialForEver,
    })
  }
  if (selector.hosts.length > 1) {
    warnings.push({ path: [...path, 'selector', 'hosts'], say: REMARK.severalHosts(selector.hosts) })
  }
  for (const [index, { repository }] of (set.copies ?? []).entries()) {
    if (repository !== selector.repository) continue
    errors.push({
      path: [...path, 'copies', index, 'repository'],
      say: REMARK.copyAtHome(repository),
    })
  }
  if (regimes.includes('nis2') || regimes.includes('nis2-msp')) warnOfNis2(set, path, warnings)
}

function examineTier(tier: Tier, path: Path, warnings: Remark[]): void {
  const { per, anchor } = tier
  if (anchor !== undefined && (per === 'hour' || per === 'day')) {
    warnings.push({ path: [...path, 'anchor'], say: REMARK.anchorTooFine(per, anchor) })
  }
  if (tier.per === 'fiscalYear') {
    if (tier.closeAfter !== undefined) return
    warnings.push({
      path,
      say: REMARK.closeUnsaid,
    })
    return
  }
  for (const key of ['fyEnd', 'closeAfter'] as const) {
    if (tier[key] === undefined) continue
    warnings.push({
      path: [...path, key],
      say: REMARK.fiscalOnly(key),
    })
  }
}

function warnOfNis2(set: ContractSet, path: Path, warnings: Remark[]): void {
  const { id, restoreTest, copies } = set
  if (restoreTest === undefined)
    warnings.push({ path, say: REMARK.nis2('restore tests', 'gendannelsestest', 'restoreTest', id) })
  if (restoreTest?.rto === undefined) {
    warnings.push({
      path,
      say: REMARK.nis2('an agreed recovery time', 'en aftalt genopretningstid', 'restoreTest.rto', id),
    })
  }
  if (copies?.some(({ role }) => role === 'offsite') !== true) {
    warnings.push({
      path,
      say: REMARK.nis2('an off-site copy', 'en ekstern kopi', 'a copy with role offsite', id),
    })
  }
}

/** So many units of a tier. A snapshot is owed for those that it is kept for and the one bucket that it stands in. */
function lengthOf({ per }: Tier, units: number): Duration {
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
