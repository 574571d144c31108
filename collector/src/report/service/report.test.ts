import { describe, expect, test } from 'vitest'
import { Story, contractOf, keeping, setOf, versionOf } from '@bevis/shared/contract/story-for-tests'
import type { Contract } from '@bevis/shared/contract/schema'
import { sha256Hex } from '@bevis/shared/crypto'
import { attachmentsOf, runOn } from '../../../../test/kit/pdf.ts'
import { voiceOf } from '../../pages/voice.ts'
import type { Matter } from '../facts.ts'
import { buildServiceReport } from './build.ts'
import { compareReports } from './compare.ts'
import { encodeServiceReport, serviceReportSchema } from './model.ts'
import type { ReportedLevel, ServiceReport } from './model.ts'
import { tellServiceReport } from './tell.ts'
import { tellTests } from './tell-tests.ts'
import { writeServiceReport } from './paper.ts'
import { tellCredits } from './tell-deviations.ts'

const LATER = new Date('2025-05-02T08:00:00Z')

/** Two units, a fee and clauses; the first set is the story's. */
const CONTRACT = contractOf(
  [
    versionOf(1, '2025-01-01', {
      units: [
        { id: 'ribe', name: 'Kontor Ribe', site: 'Ribe' },
        { id: 'vejle', name: 'Klinik Vejle' },
      ],
      sets: [
        setOf({
          unit: 'ribe',
          retention: keeping([{ per: 'day', keep: 30 }], { age: 'P3M' }),
          restoreTest: { every: 'P1M', rto: 'PT4H' },
        }),
        setOf({
          id: 'epj',
          unit: 'vejle',
          selector: { repository: 'epj', hosts: ['epj'], requiredPaths: ['/srv/epj'] },
        }),
      ],
      exclusions: [
        { sets: ['epj'], from: '2025-04-20', to: '2025-04-21', reason: 'planned', approvedBy: ['customer'] },
      ],
      penalties: [{ measure: 'points.missed', per: 'obligation', pctOfMonthlyFee: 5, capPct: 20 }],
    }),
  ],
  { monthlyFee: 4000 },
)

/** From March on, one failed night in April, and what a test adds; the second set's agent never says a word. */
function told(add: (story: Story) => void = () => {}): Story {
  const story = new Story()
  story.days('2025-03-01', '2025-04-04')
  story.drop(
    story.backup('2025-04-05T21:00:00Z', {
      outcome: 'failed',
      exitCode: 1,
      snapshot: undefined,
      source: undefined,
      error: { code: 'SOURCE_UNREADABLE', message: 'the disk is not there' },
    }),
  )
  story.days('2025-04-06', '2025-04-12')
  const newest = story.contents().at(-1)
  if (newest === undefined) throw new Error('no snapshot')
  story.test(newest, '2025-04-13T04:00:00Z', 'PASSED', { rto: { measuredSeconds: 90 } })
  add(story)
  story.days('2025-04-13', '2025-05-01')
  return story
}

function built(
  story: Story,
  {
    unit,
    month = '2025-04',
    at = LATER,
    knownAt = at,
    contract = CONTRACT,
  }: { unit?: string; month?: string; at?: Date; knownAt?: Date; contract?: Contract } = {},
): ServiceReport {
  const matter: Matter = {
    contract,
    tenant: 'havfruen',
    revision: 1,
    sha256: sha256Hex('text'),
    texts: [],
    facts: story.facts
      .toSorted((a, b) => Date.parse(a.receivedAt) - Date.parse(b.receivedAt))
      .map((fact) => ({ ...fact, paeDigest: sha256Hex(JSON.stringify(fact.statement)) })),
  }
  return buildServiceReport({ matter, month, unit, at, knownAt, voice: voiceOf('en') })
}

const levelOf = (report: ServiceReport, set: string, dimension: string): ReportedLevel => {
  const level = report.sets.find(({ id }) => id === set)?.levels.find((one) => one.dimension === dimension)
  if (level === undefined) throw new Error(`no ${set} ${dimension}`)
  return level
}

describe('what it says', () => {
  test('a missed night is a deviation with its cause, from the run that failed; the month is as bad as its worst day', () => {
    const report = built(told(), { unit: 'ribe' })
    const points = levelOf(report, 'filer', 'points')
    expect(points.month.state).toBe('breached')
    expect(points.figures).toEqual({ kept: 29, broken: 1, uncertain: 0, excused: 0, open: 0 })
    expect(points.data).toEqual({ received: 30, expected: 30 })
    expect(report.headline).toBe('breached')
    const missed = report.deviations.find(({ code }) => code === 'missed')
    expect(missed).toMatchObject({
      subject: 'dayx30/2025-04-05',
      until: null,
      owner: null,
      endsAt: '2025-05-05T22:00:00.000Z',
      cause: { kind: 'run-failed', code: 'SOURCE_UNREADABLE', message: 'the disk is not there' },
    })
    expect(report.credits).toMatchObject({ pct: 5, amount: 200 })
    expect(report.tests).toMatchObject([{ result: 'PASSED', seconds: 90, conclusive: 50 }])
  })

  test('a set of which nothing came is unknown, day for day, and never kept', () => {
    const report = built(told(), { unit: 'vejle' })
    expect(report.sets.map(({ id }) => id)).toEqual(['epj'])
    for (const { dimension, month, days } of report.sets[0]?.levels ?? []) {
      expect(month.state, dimension).not.toBe('compliant')
      expect(days, dimension).not.toContain('compliant')
      if (dimension === 'points') expect(new Set(days)).toEqual(new Set(['unknown']))
    }
    expect(report.deviations).toContainEqual(
      expect.objectContaining({ set: 'epj', code: 'unknown', days: 30 }),
    )
    expect(report.credits.clauses).toMatchObject([{ units: 0, undecidedDays: 30 }])
    // Approved by one party only: it is told, and excuses nothing.
    expect(report.changes).toMatchObject([
      { kind: 'exclusion', subject: 'epj', from: '2025-04-20', unapproved: true },
    ])
  })

  test.each([
    ['files that somebody picked', { reason: 'requested' }, 'not-due'],
    ['another set by its name, and this one by its snapshot', { set: 'epj' }, 'compliant'],
  ] as const)('a set is proven by a test that proves it: %s', (_, more, state) => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-20')
    const newest = story.contents().at(-1)
    if (newest !== undefined) story.test(newest, '2025-03-21T04:00:00Z', 'PASSED', more)
    story.days('2025-03-22', '2025-03-25')
    const report = built(story, { month: '2025-03', unit: 'ribe', at: new Date('2025-03-26T00:00:00Z') })
    expect(levelOf(report, 'filer', 'proof').month.state).toBe(state)
    expect(levelOf(report, 'filer', 'proof').days[18]).toBe('not-due')
  })

  test('damage that a data check found is told, with what came of it', () => {
    const damaged = told((story) => story.check('2025-04-13T08:00:00Z', 'FAILED'))
    expect(built(damaged).damage).toMatchObject([
      { repository: 'vts-01', subset: '3/8', errors: 2, over: null },
    ])
    damaged.check('2025-05-01T23:00:00Z', 'PASSED')
    const report = built(damaged)
    expect(report.damage).toMatchObject([{ over: '2025-05-01T23:10:00.000Z' }])
    const words = JSON.stringify(
      tellTests({ report, voice: voiceOf('en'), issued: null, corrections: null, replies: [] }),
    )
    expect(words).toContain('vts-01 3/8')
    expect(built(told())).not.toHaveProperty('damage')
  })

  test('who has signed to look at a deviation is named', () => {
    const report = built(
      told((story) =>
        story.event('2025-04-12T09:00:00Z', 'finding-acknowledged', 'provider', {
          finding: 'missed dayx30/2025-04-05',
          set: 'filer',
          note: 'ny disk den 20.',
        }),
      ),
    )
    expect(report.deviations.find(({ code }) => code === 'missed')?.owner).toMatchObject({
      person: 'provider',
      party: 'provider',
      note: 'ny disk den 20.',
    })
  })

  test('a month that has not begun or was before the contract, and a unit that nobody knows, are refused', () => {
    expect(() => built(told(), { at: new Date('2025-03-31T00:00:00Z') })).toThrow('has not begun')
    expect(() => built(told(), { month: '2024-12' })).toThrow('promises nothing before 2025-01-01')
    expect(built(told(), { month: '2025-01' }).month).toBe('2025-01')
    expect(() => built(told(), { unit: 'odense' })).toThrow('no unit odense')
  })
})

test('before its first day a set owes nothing, so none of those days was silent or waited for anything', () => {
  const contract = contractOf([versionOf(1, '2025-03-20', { sets: [setOf()] })])
  const story = new Story()
  story.days('2025-03-20', '2025-04-02')
  const report = built(story, { contract, month: '2025-03', at: new Date('2025-04-02T08:00:00Z') })
  const evidence = levelOf(report, 'filer', 'evidence')
  expect(evidence.figures['silentDays']).toBe(0)
  expect(evidence.days.filter((state) => state === 'not-applicable')).toHaveLength(19)
  expect(levelOf(report, 'filer', 'points').days.slice(0, 20)).toEqual([
    ...Array.from({ length: 19 }, () => 'not-applicable'),
    'compliant',
  ])
})

test('what was taken in time is told as that, also when nobody has listed the repository since', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-04-20')
  const points = levelOf(built(story, { unit: 'ribe' }), 'filer', 'points')
  expect(points.month.state).toBe('unknown')
  expect(points.figures).toMatchObject({ kept: 20, broken: 0, uncertain: 9 })
})

test('what is broken and owed no more before midnight is a breach of its day, and of the month', () => {
  const hourly = setOf({
    onboardedAt: '2025-04-08',
    schedule: { every: 'PT1H', lateGrace: 'PT1H' },
    retention: keeping([{ per: 'hour', keep: 6 }]),
  })
  const contract = contractOf([versionOf(1, '2025-01-01', { sets: [hourly] })])
  const story = new Story()
  const HOUR_MS = 3_600_000
  for (let at = Date.parse('2025-04-07T22:00Z'); at < Date.parse('2025-04-12T00:00Z'); at += HOUR_MS) {
    const hour = new Date(at).toISOString()
    if (hour !== '2025-04-10T05:00:00.000Z') story.backup(new Date(at + 60_000).toISOString())
    story.inventory(new Date(at + HOUR_MS / 2).toISOString())
    if (story.contents().length > 12) story.drop(...story.contents().slice(0, 1))
  }
  const report = built(story, { contract, at: new Date('2025-04-12T00:00Z') })
  const points = levelOf(report, 'filer', 'points')
  expect(report.deviations.filter(({ code }) => code === 'missed')).toHaveLength(1)
  expect(points.atEnd.state).toBe('compliant')
  expect(points.days.flatMap((state, place) => (state === 'breached' ? [place + 1] : []))).toEqual([10])
  expect([points.month.state, report.headline]).toEqual(['breached', 'breached'])
})

test('a test counts for the set of its snapshot, whatever the agent calls that', () => {
  const story = told((one) => {
    const [snapshot] = one.contents()
    if (snapshot === undefined) throw new Error('no snapshot')
    one.test(snapshot, '2025-04-13T05:00:00Z', 'FAILED', { set: 'agents-own-name' })
  })
  const report = built(story, { unit: 'ribe' })
  const proof = levelOf(report, 'filer', 'proof')
  expect(proof.figures).toMatchObject({ passed: 1, failed: 1 })
  expect(proof.data.received).toBe(2)
  expect(report.tests.map(({ set, result }) => `${set} ${result}`)).toEqual(['filer PASSED', 'filer FAILED'])
})

test('no deviation is told with a but where there is damage, and of nothing where nothing was promised', () => {
  const quiet = new Story()
  quiet.days('2025-03-01', '2025-05-01')
  const [newest] = quiet.contents()
  if (newest === undefined) throw new Error('no snapshot')
  for (const at of ['2025-03-15', '2025-04-13']) quiet.test(newest, `${at}T04:00:00Z`, 'PASSED')
  const tell = (report: ServiceReport) =>
    JSON.stringify(
      tellServiceReport({ report, voice: voiceOf('en'), issued: null, corrections: null, replies: [] }),
    )
  const [sound, but] = ['No deviation was found in this month.', 'but a repository has damage']
  const one = contractOf([versionOf(1, '2025-01-01', { sets: [setOf()] })])
  expect(tell(built(quiet, { contract: one }))).toContain(sound)
  quiet.check('2025-04-14T08:00:00Z', 'FAILED')
  const damaged = tell(built(quiet, { contract: one }))
  expect(damaged).toContain(but)
  expect(damaged).toContain('No service level tells of it')
  expect(damaged).toContain('The damage that data checks found')
  expect(damaged).not.toContain('No deviation: is the evidence plausible?')

  const late = contractOf([versionOf(1, '2025-01-01', { sets: [setOf({ onboardedAt: '2025-06-01' })] })])
  const nothing = tell(built(quiet, { contract: late }))
  expect(nothing).toContain('Nothing was promised in this month')
  expect(nothing).not.toContain(sound)
})

test('a void test, and what a revoked key signed, are not told as passed', () => {
  const story = told((one) => {
    const [first, second] = one.contents()
    if (first === undefined || second === undefined) throw new Error('no snapshot')
    one.test(first, '2025-04-13T05:00:00Z', 'PASSED', { negativeControl: 'missed' })
    one.event('2025-04-13T06:00:00Z', 'key-revoked', 'provider', { agent: 'agent-1', epoch: 1 })
    one.test(second, '2025-04-13T07:00:00Z', 'PASSED')
  })
  const report = built(story, { unit: 'ribe' })
  expect(levelOf(report, 'filer', 'proof').figures).toMatchObject({ passed: 1, failed: 0, inconclusive: 1 })
  expect(report.tests.map(({ result }) => result)).toEqual(['PASSED', 'INCONCLUSIVE'])
  const row = report.ledger.find(({ month, set }) => month === '2025-04' && set === 'filer')
  expect(row?.restoreTests).toEqual({ passed: 1, failed: 0, inconclusive: 1 })
})

test('what moved is told for the month in which it was elsewhere', () => {
  const [first] = CONTRACT.versions
  const [filer, epj] = first?.sets ?? []
  if (first === undefined || filer === undefined || epj === undefined) throw new Error('no set')
  const moved = { ...filer, selector: { ...filer.selector, hosts: ['srv2'] } }
  const second = { ...first, no: 2, effectiveFrom: '2025-04-25', sets: [moved, epj] }
  const report = built(told(), { unit: 'ribe', contract: { ...CONTRACT, versions: [first, second] } })
  expect(report.tests).toMatchObject([{ set: 'filer', result: 'PASSED' }])
})

test('a draft changes nothing, and what each version repeats is told once', () => {
  const [first] = CONTRACT.versions
  if (first === undefined) throw new Error('no version')
  const { acceptances: _, ...draft } = { ...first, no: 3, effectiveFrom: '2025-04-15' }
  const holds = [
    { sets: ['epj'], covers: { from: '2025-04-01', to: '2025-04-02' }, authority: 'x', start: '2025-04-03' },
  ]
  const versions = [first, { ...first, no: 2, effectiveFrom: '2025-04-10' }, { ...draft, holds }]
  const { changes } = built(told(), { contract: { ...CONTRACT, versions } })
  expect(changes.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual(['version 2', 'exclusion epj'])
})

test('what is known later stands beside what was said', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-04-28')
  // The last days arrive long after the month has been told.
  const late = story.facts.length
  story.days('2025-04-29', '2025-05-01')
  for (const fact of story.facts.slice(late)) fact.receivedAt = '2025-05-20T08:00:00.000Z'
  const issued = built(story, { unit: 'ribe' })
  expect(levelOf(issued, 'filer', 'points').month.state).toBe('unknown')
  const today = built(story, {
    unit: 'ribe',
    at: new Date(issued.at),
    knownAt: new Date('2025-05-21T00:00:00Z'),
  })
  const { levels, deviations, credits } = compareReports(issued, today)
  expect(levels).toContainEqual({ set: 'filer', dimension: 'points', was: 'unknown', is: 'compliant' })
  expect([deviations, credits]).toEqual([[], null])
  expect(compareReports(issued, issued).levels).toEqual([])
})

test('an agreed rate, and what it comes to, are told as they were agreed', () => {
  const [version] = CONTRACT.versions
  if (version === undefined) throw new Error('no version')
  const penalties = [
    {
      measure: 'points.missed',
      per: 'obligation' as const,
      pctOfMonthlyFee: 0.7,
      capPct: 5.8,
      mustBeClaimed: true,
    },
    { measure: 'points.missed', per: 'month' as const, pctOfMonthlyFee: 0.05, mustBeClaimed: true },
  ]
  const report = built(told(), { contract: { ...CONTRACT, versions: [{ ...version, penalties }] } })
  const tell = (language: 'da' | 'en') =>
    JSON.stringify(
      tellCredits({ report, voice: voiceOf(language), issued: null, corrections: null, replies: [] }),
    ).replaceAll('\u00A0', ' ')
  for (const words of ['0.7% of the monthly fee', 'at most 5.8%', '0.05% of the monthly fee', '(0.75%)'])
    expect(tell('en')).toContain(words)
  for (const words of ['0,7 % af månedsprisen', 'højst 5,8 %', '0,05 % af månedsprisen', '(0,75 %)'])
    expect(tell('da')).toContain(words)
})

describe('as a PDF', () => {
  test.for(['da', 'en'] as const)(
    '%s: sound, in its language, with its figures in it',
    async (language, context) => {
      const report = built(told())
      const voice = voiceOf(language)
      const write = () => writeServiceReport({ report, voice, issued: null, corrections: null, replies: [] })
      const pdf = await write()
      expect(pdf.equals(await write())).toBe(true)
      expect(runOn(context, pdf, 'qpdf', '--check', '{}')).toContain('No syntax or stream encoding errors')
      const text = runOn(context, pdf, 'pdftotext', '-layout', '{}', '-').replaceAll(/\s+/g, ' ')
      const said = {
        da: [
          'Driftsrapport',
          'ikke overholdt',
          '200,00 kr. (5 %)',
          'skal gøres gældende af kunden',
          'Et udkast',
          '30 dage ukendt',
        ],
        en: [
          'Monthly service report',
          'breached',
          'DKK 200.00 (5%)',
          'must be claimed by the customer',
          'A draft',
          'nobody can',
        ],
      }[language]
      for (const words of said) expect(text.replaceAll('\u00A0', ' ')).toContain(words)
      const attached = attachmentsOf(context, pdf).get('report.json')?.toString() ?? ''
      expect(attached).toBe(encodeServiceReport(report))
      expect(serviceReportSchema.parse(JSON.parse(attached))).toEqual(report)
    },
  )
})
