import { expect, test } from 'vitest'
import { creditsOf, judgeMonth } from './credit.ts'
import { evaluate } from './evaluate.ts'
import { Story, contractOf, keeping, repositoryOf, setOf, versionOf } from './story-for-tests.ts'

/** Daily, kept thirty days, with clauses; 8,000 a month unless something else is said. */
function promised(penalties: object[], more: object = {}, set: Record<string, unknown> = {}) {
  return contractOf([versionOf(1, '2025-01-01', { sets: [setOf(set)], penalties })], {
    monthlyFee: 8000,
    ...more,
  })
}

function credits(
  contract: ReturnType<typeof promised>,
  story: Story,
  month: string,
  asOf: string,
  known?: string,
) {
  const judged = judgeMonth({
    contract,
    facts: story.facts,
    month,
    asOf: new Date(asOf),
    ...(known !== undefined && { knownAt: new Date(known) }),
  })
  return creditsOf(contract, judged)
}

const LATER = '2025-06-01T00:00:00Z'

/** Everything well from 1 March through May, but for the days that are left out. */
function told(without: string[] = []): Story {
  const story = new Story()
  story.days('2025-03-01', '2025-05-31', { without })
  return story
}

test('each day that was not backed up costs its per cent, up to the cap, in the month that it was missed', () => {
  const clause = { measure: 'points.missed', per: 'obligation', pctOfMonthlyFee: 5, capPct: 12 }
  // Of 5 to 7 April and 30 April: the last is due on 1 May at 06:00, and missed in May.
  const story = told(['2025-04-05', '2025-04-06', '2025-04-07', '2025-04-30'])
  const contract = promised([clause])
  const april = credits(contract, story, '2025-04', LATER)
  expect(april.clauses).toMatchObject([
    { units: 3, pct: 12, isCapped: true, amount: 960, mustBeClaimed: true },
  ])
  expect(april.clauses[0]?.breaches.map(({ subject }) => subject)).toEqual([
    'dayx30/2025-04-05',
    'dayx30/2025-04-06',
    'dayx30/2025-04-07',
  ])
  // What was missed in April is still owed in May, and was counted.
  const may = credits(contract, story, '2025-05', LATER)
  expect(may.clauses).toMatchObject([{ units: 1, pct: 5, isCapped: false, amount: 400 }])
  expect(credits(contract, story, '2025-03', LATER)).toMatchObject({ pct: 0, amount: 0, isOver: true })
})

test('by the day, each day on which something stood broken; by the month, once', () => {
  const clauses = ['day', 'month'].map((per) => ({ measure: 'points', per, pctOfMonthlyFee: 1 }))
  // 5 April is missed on the 6th at 06:00, and owed until 5 May has ended: the ends of 6 to 30 April and of 1 to 4 May.
  const story = told(['2025-04-05'])
  const contract = promised(clauses)
  const april = credits(contract, story, '2025-04', LATER)
  expect(april.clauses).toMatchObject([
    { units: 25, pct: 25, amount: 2000 },
    { units: 1, pct: 1, amount: 80 },
  ])
  expect(april).toMatchObject({ pct: 26, amount: 2080, currency: 'DKK' })
  expect(credits(contract, story, '2025-05', LATER).clauses).toMatchObject([{ units: 4 }, { units: 1 }])
})

test('one lost snapshot that served a day, a week and a month breaks three promises', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-04-10')
  const lost = story.contents().find(({ time }) => time.startsWith('2025-03-31'))
  if (lost === undefined) throw new Error('no such snapshot')
  story.drop(lost)
  story.days('2025-04-11', '2025-04-30')
  const min = [
    { per: 'day', keep: 30 },
    { per: 'week', keep: 8, anchor: 'MON' },
    { per: 'month', keep: 6 },
  ]
  const clause = { measure: 'retention.lost', per: 'obligation', pctOfMonthlyFee: 2, mustBeClaimed: false }
  const contract = promised([clause], {}, { retention: keeping(min) })
  const { clauses } = credits(contract, story, '2025-04', '2025-05-01T00:00:00Z')
  // The other days of March still serve the month; 31 March is a Monday, and no other day may serve its week.
  expect(clauses).toMatchObject([{ units: 2, pct: 4, amount: 320, mustBeClaimed: false }])
  expect(clauses[0]?.breaches.map(({ subject }) => subject)).toEqual(['dayx30/2025-03-31', 'weekx8/2025-W14'])
})

test('silence earns nothing and hides nothing: the days that nobody can judge are told', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-04-09')
  const contract = promised([
    { measure: 'points', per: 'obligation', pctOfMonthlyFee: 5 },
    { measure: 'evidence.silence', per: 'month', pctOfMonthlyFee: 10 },
  ])
  const { clauses } = credits(contract, story, '2025-04', '2025-05-01T00:00:00Z')
  expect(clauses).toMatchObject([
    // The last day known is 9 April; from the 11th on, at 06:00, that of the 10th is overdue, and nobody knows.
    { units: 0, undecidedDays: 20 },
    // Seven days after the last inventory.
    { units: 1, undecidedDays: 0, pct: 10, amount: 800 },
  ])
})

test('late evidence takes a credit back, and what was known then still says what it said', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-04-04')
  story.backup('2025-04-05T21:00:00Z', { receivedAt: '2025-04-20T08:00:00Z' })
  story.inventory('2025-04-05T22:00:00Z')
  story.days('2025-04-06', '2025-04-30')
  const facts = story.facts.toSorted((a, b) => Date.parse(a.receivedAt) - Date.parse(b.receivedAt))
  const contract = promised([{ measure: 'points.missed', per: 'obligation', pctOfMonthlyFee: 5 }])
  const of = (known: string) =>
    creditsOf(
      contract,
      judgeMonth({
        contract,
        facts,
        month: '2025-04',
        asOf: new Date('2025-04-19T00:00:00Z'),
        knownAt: new Date(known),
      }),
    ).clauses[0]
  // Listed but not reported: nobody knows. Reported: met.
  expect(of('2025-04-19T00:00:00Z')).toMatchObject({ units: 0, undecidedDays: 14 })
  expect(of('2025-04-30T00:00:00Z')).toMatchObject({ units: 0, undecidedDays: 0 })
})

test('what both parties excuse before the month is over costs nothing; what one excuses, or both too late, does', () => {
  const contract = promised([
    { measure: 'points.missed', per: 'obligation', pctOfMonthlyFee: 5 },
    { measure: 'points.missed', per: 'day', pctOfMonthlyFee: 1 },
  ])
  const excused = (...said: [string, 'customer' | 'provider'][]) => {
    const story = told(['2025-04-05'])
    const day = { sets: ['filer'], from: '2025-04-05', to: '2025-04-05' }
    for (const [at, party] of said) story.event(at, 'exclusion-approved', party, day)
    return credits(contract, story, '2025-04', LATER).clauses.map(({ units }) => units)
  }
  expect(excused(['2025-04-10T08:00:00Z', 'provider'])).toEqual([1, 25])
  expect(excused(['2025-04-10T08:00:00Z', 'provider'], ['2025-04-28T08:00:00Z', 'customer'])).toEqual([0, 0])
  expect(excused(['2025-04-10T08:00:00Z', 'provider'], ['2025-05-02T08:00:00Z', 'customer'])).toEqual([1, 25])
})

test('an amendment changes the clauses from its day on, and does not count again what was counted', () => {
  const clause = (pctOfMonthlyFee: number) => ({
    measure: 'points.missed',
    per: 'obligation',
    pctOfMonthlyFee,
  })
  const keep = (days: number) => setOf({ retention: keeping([{ per: 'day', keep: days }]) })
  const contract = contractOf(
    [
      versionOf(1, '2025-01-01', { sets: [keep(30)], penalties: [clause(5)] }),
      versionOf(2, '2025-04-15', { sets: [keep(60)], penalties: [clause(8)] }),
    ],
    { monthlyFee: 1000 },
  )
  const { clauses, pct } = credits(contract, told(['2025-04-05', '2025-04-20']), '2025-04', LATER)
  expect(clauses).toMatchObject([
    { version: 1, units: 1, pct: 5 },
    { version: 2, units: 1, pct: 8 },
  ])
  expect(pct).toBe(13)
})

test('a clause that nothing can count is told so, and without a fee there is no amount', () => {
  const contract = contractOf([
    versionOf(1, '2025-01-01', {
      penalties: [
        { measure: 'customer satisfaction', per: 'month', pctOfMonthlyFee: 5 },
        { measure: 'points.missed', per: 'obligation', pctOfMonthlyFee: 5 },
      ],
    }),
  ])
  const { clauses, amount } = credits(contract, told(['2025-04-05']), '2025-04', LATER)
  expect(clauses).toMatchObject([
    { units: null, pct: null, amount: null },
    { units: 1, pct: 5, amount: null },
  ])
  expect(amount).toBeNull()
})

test('a month that runs is counted so far, and each of its days is what a clean evaluation says', () => {
  const story = told(['2025-04-05', '2025-04-11'])
  const contract = promised([{ measure: 'points', per: 'day', pctOfMonthlyFee: 1 }])
  const judged = judgeMonth({
    contract,
    facts: story.facts,
    month: '2025-04',
    asOf: new Date('2025-04-10T12:00:00Z'),
  })
  expect(judged.isOver).toBe(false)
  expect(judged.days.map(({ date }) => date.slice(8)).join(' ')).toBe('01 02 03 04 05 06 07 08 09 10')
  expect(creditsOf(contract, judged).clauses).toMatchObject([{ units: 5 }])
  for (const { answer } of judged.days) {
    expect({ ...answer, corrections: [] }).toEqual({
      ...evaluate({ contract, facts: story.facts, at: new Date(answer.at) }),
      corrections: [],
    })
  }
})

test('a copy that stays deletable costs once, however often it is probed; once it was refused, again', () => {
  const contract = promised(
    [{ measure: 'copies.deletion-allowed', per: 'obligation', pctOfMonthlyFee: 1 }],
    {},
    { copies: [{ role: 'offsite', repository: 'vault', region: 'EEA', immutableFor: 'P14D' }] },
  )
  const story = told()
  const vault = repositoryOf('copies', 'vault')
  for (const day of ['04', '05', '06', '07']) story.probe(`2025-04-${day}T10:00:00Z`, 'allowed', vault)
  const units = () => credits(contract, story, '2025-04', LATER).clauses[0]
  expect(units()).toMatchObject({ units: 1, breaches: [{ since: '2025-04-04T10:00:00.000Z' }] })
  story.probe('2025-04-08T10:00:00Z', 'refused', vault)
  expect(units()?.units).toBe(1)
  for (const day of ['09', '10']) story.probe(`2025-04-${day}T10:00:00Z`, 'allowed', vault)
  expect(units()?.units).toBe(2)
  expect(credits(contract, story, '2025-05', LATER).clauses[0]?.units).toBe(0)
})

test('a snapshot that stays refuted costs once, however often its test fails; once it passed, again', () => {
  const contract = promised(
    [{ measure: 'proof.refuted', per: 'obligation', pctOfMonthlyFee: 1 }],
    {},
    { restoreTest: { every: 'P1M' } },
  )
  const story = told()
  const snapshot = story.contents().find(({ time }) => time.startsWith('2025-04-02'))
  if (snapshot === undefined) throw new Error('no snapshot')
  const fail = (...days: string[]) => {
    for (const day of days) story.test(snapshot, `2025-04-${day}T04:00:00Z`, 'FAILED')
  }
  fail('04', '05', '06', '07')
  const units = () => credits(contract, story, '2025-04', LATER).clauses[0]
  expect(units()).toMatchObject({ units: 1, breaches: [{ since: '2025-04-05T04:05:00.000Z' }] })
  story.test(snapshot, '2025-04-08T04:00:00Z', 'PASSED')
  fail('09', '10', '11')
  expect(units()?.units).toBe(2)
  expect(credits(contract, story, '2025-05', LATER).clauses[0]?.units).toBe(0)
})
