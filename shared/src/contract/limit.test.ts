/** Limits of what satisfies: at the limit itself, and just beyond it. */
import { describe, expect, test } from 'vitest'
import { Story, contractFor, obligationIn, setAt, sourceOf } from './story-for-tests.ts'

const MINUTE_MS = 60_000

function shift(instant: string, ms: number): string {
  return new Date(Date.parse(instant) + ms).toISOString()
}

describe('partial runs', () => {
  const contract = contractFor({ partial: { maxFailedPct: 0.5, neverPaths: ['/srv/data/db'] } })
  const state = (failed: { count: number; paths: string[] } | undefined) => {
    const story = new Story()
    story.backup('2025-03-01T21:00:00Z', {
      outcome: 'partial',
      source: sourceOf(4200),
      ...(failed && { failed }),
    })
    story.inventory('2025-03-02T05:00:00Z')
    return obligationIn(setAt(contract, story, '2025-03-02T05:00:00Z'), '2025-03-01').state
  }
  const some = (count: number) => ({
    count,
    paths: Array.from({ length: count }, (_, n) => `/srv/data/a${n}`),
  })

  test.each([
    ['21 of 4200 are half a percent', some(21), 'met'],
    ['22 are more', some(22), 'missed'],
    ['the path that may never fail', { count: 1, paths: ['/srv/data/db'] }, 'missed'],
    ['below it', { count: 1, paths: ['/srv/data/db/x'] }, 'missed'],
    ['one that only begins alike', { count: 1, paths: ['/srv/data/db2/x'] }, 'met'],
    ['nothing said of what failed', undefined, 'missed'],
  ])('%s', (_, failed, expected) => {
    expect(state(failed)).toBe(expected)
  })
})

describe('the content guard', () => {
  const contract = contractFor({ content: { maxDropPct: 20, minFiles: 700 } })
  test.each([
    [800, 800_000, 'met'],
    [799, 800_000, 'late'],
    [800, 799_999, 'late'],
    [2000, 799_999, 'late'],
    [799, 2_000_000, 'late'],
  ])('after 1000 files and a million bytes, %i files and %i bytes', (files, bytes, expected) => {
    const story = new Story()
    story.backup('2025-03-01T21:00:00Z', { source: sourceOf(1000, 1_000_000) })
    story.inventory('2025-03-01T22:00:00Z')
    story.backup('2025-03-02T21:00:00Z', { source: sourceOf(files, bytes) })
    story.inventory('2025-03-03T06:00:00Z')
    expect(obligationIn(setAt(contract, story, '2025-03-03T06:00:00Z'), '2025-03-02').state).toBe(expected)
  })

  test.each([
    [700, 'met'],
    [699, 'late'],
  ])('first run with %i files of at least 700', (files, expected) => {
    const story = new Story()
    story.backup('2025-03-01T21:00:00Z', { source: sourceOf(files) })
    story.inventory('2025-03-02T06:00:00Z')
    expect(obligationIn(setAt(contract, story, '2025-03-02T06:00:00Z'), '2025-03-01').state).toBe(expected)
  })
})

describe('clocks', () => {
  /** A backup at three past midnight of 6 March by the agent's clock, which is off by this much. */
  const states = (offset: number, time = '2025-03-05T23:03:00Z', receivedAt?: string) => {
    const contract = contractFor({ onboardedAt: '2025-03-05', schedule: { rpo: 'P9D' } })
    const story = new Story()
    story.heartbeat('2025-03-05T22:30:00Z', offset)
    story.backup(time, receivedAt === undefined ? {} : { receivedAt })
    story.heartbeat('2025-03-06T05:00:00Z', 0)
    story.inventory('2025-03-06T05:30:00Z')
    const set = setAt(contract, story, '2025-03-06T05:30:00Z')
    return ['2025-03-05', '2025-03-06'].map((day) => obligationIn(set, day).state)
  }

  test('five minutes are within the tolerance, a millisecond more is taken off', () => {
    expect(states(5 * MINUTE_MS)).toEqual(['missed', 'met'])
    expect(states(5 * MINUTE_MS + 1)).toEqual(['met', 'pending'])
  })

  test('an hour is taken off, a millisecond more is quarantined: unknown', () => {
    expect(states(60 * MINUTE_MS)).toEqual(['met', 'pending'])
    expect(states(60 * MINUTE_MS + 1)).toEqual(['unknown', 'pending'])
  })

  test('a clock that is slow is put forward', () => {
    expect(states(-20 * MINUTE_MS, '2025-03-05T22:50:00Z', '2025-03-05T23:19:05Z')).toEqual(['missed', 'met'])
  })

  test('the listing’s own time too: by a fast clock it was taken before the due', () => {
    const story = new Story()
    const contract = contractFor({ onboardedAt: '2025-03-05' })
    story.heartbeat('2025-03-06T04:00:00Z', 20 * MINUTE_MS)
    story.inventory('2025-03-06T05:19:59Z', { receivedAt: '2025-03-06T05:00:05Z' })
    const state = () => obligationIn(setAt(contract, story, '2025-03-06T06:00:00Z'), '2025-03-05').state
    expect(state()).toBe('unknown')
    story.inventory('2025-03-06T05:20:00Z', { receivedAt: '2025-03-06T05:00:06Z' })
    expect(state()).toBe('missed')
  })

  test('the newest word before the run in its chain decides, whenever it arrives', () => {
    const contract = contractFor({ onboardedAt: '2025-03-05', schedule: { rpo: 'P9D' } })
    const story = new Story()
    story.heartbeat('2025-03-05T22:00:00Z', 10 * MINUTE_MS)
    story.heartbeat('2025-03-05T22:30:00Z', 0, { receivedAt: '2025-03-07T00:00:00Z' })
    story.backup('2025-03-05T23:03:00Z')
    story.inventory('2025-03-06T05:30:00Z')
    const state = (known: string) =>
      obligationIn(
        setAt(
          contract,
          story.facts.filter(({ receivedAt }) => receivedAt < known),
          '2025-03-06T05:30:00Z',
        ),
        '2025-03-06',
      ).state
    expect(state('2025-03-06T23:00:00Z')).toBe('pending') // ten minutes taken off: of the 5th
    expect(state('2025-03-08T00:00:00Z')).toBe('met')
  })
})

describe('the collector’s receipt', () => {
  test.each([
    [-5 * MINUTE_MS, 'met'],
    [-5 * MINUTE_MS - 1, 'unknown'],
  ])('received %i ms after its start', (ms, expected) => {
    const story = new Story()
    const time = '2025-03-01T21:00:00Z'
    story.backup(time, { endedAt: '2025-03-01T21:00:00.000Z', receivedAt: shift(time, ms) })
    story.inventory('2025-03-02T06:00:00Z')
    const { state } = obligationIn(setAt(contractFor({}), story, '2025-03-02T06:00:00Z'), '2025-03-01')
    expect(state === 'met').toBe(expected === 'met')
  })
})

describe('the signed sequence', () => {
  const run = (startedAt: string, endedAt: string, time: string) => {
    const story = new Story()
    story.inventory('2025-03-01T20:00:00Z')
    story.backup(startedAt, { endedAt, snap: { time: new Date(time).toISOString() } })
    story.inventory('2025-03-02T06:00:00Z')
    return obligationIn(setAt(contractFor({}), story, '2025-03-02T06:00:00Z'), '2025-03-01').state
  }

  test.each([
    ['ends five minutes before the listing before it', '19:40:00.000', '19:55:00.000', '19:40:00.000', true],
    ['ends earlier', '19:40:00.000', '19:54:59.999', '19:40:00.000', false],
    ['begins five minutes after its snapshot', '21:05:00.000', '21:09:00.000', '21:00:00.000', true],
    ['begins later', '21:05:00.001', '21:09:00.000', '21:00:00.000', false],
    ['ends five minutes before its snapshot', '21:00:00.000', '21:01:00.000', '21:06:00.000', true],
    ['ends earlier than that', '21:00:00.000', '21:01:00.000', '21:06:00.001', false],
  ])('a run that %s', (_, start, end, time, fits) => {
    const on = (at: string) => `2025-03-01T${at}Z`
    expect(run(on(start), on(end), on(time)) === 'met').toBe(fits)
  })
})

describe('required paths', () => {
  const state = (requiredPaths: string[], paths: string[]) => {
    const contract = contractFor({ selector: { repository: 'vts-01', hosts: ['srv1'], requiredPaths } })
    const story = new Story()
    story.backup('2025-03-01T21:00:00Z', { snap: { paths } })
    story.inventory('2025-03-02T06:00:00Z')
    return obligationIn(setAt(contract, story, '2025-03-02T06:00:00Z'), '2025-03-01').state
  }

  test.each([
    [['/srv/data'], ['/'], 'met'],
    [['/srv/data'], ['/srv'], 'met'],
    [['/srv/data'], ['/srv/data/part'], 'missed'],
    [['/srv/data'], ['/srv/dat'], 'missed'],
    [['/srv/data'], ['/srv/database'], 'missed'],
    [['/srv/data', '/etc'], ['/srv/data'], 'missed'],
    [['/srv/data', '/etc'], ['/etc', '/srv'], 'met'],
    [['D:\\C5Data', 'D:\\Bilag'], ['D:\\'], 'met'],
    [['D:\\C5Data'], ['D:\\C5Data\\2025'], 'missed'],
    [[], ['/anything'], 'met'],
  ])('%j of a snapshot of %j: %s', (required, paths, expected) => {
    expect(state(required, paths)).toBe(expected)
  })
})
