/** Generations: kept until one complete inventory lists enough later ones. */
import { describe, expect, test } from 'vitest'
import { Story, askAt, contractFor, keeping, obligationIn, setAt } from './story-for-tests.ts'

const contract = contractFor({
  schedule: { rpo: 'P9D' },
  retention: keeping([{ per: 'day', keep: 3, basis: 'generations' }]),
})

/** A backup at 21:00Z and a listing at 22:00Z of each of these days of March. */
function told(...days: string[]): Story {
  const story = new Story()
  for (const day of days) tell(story, day)
  return story
}

function tell(story: Story, day: string) {
  story.backup(`2025-03-${day}T21:00:00Z`)
  story.inventory(`2025-03-${day}T22:00:00Z`)
}

function on(story: Story, at: string, day: string) {
  const { state, keepUntil } = obligationIn(setAt(contract, story, `2025-03-${at}Z`), `2025-03-${day}`)
  return [state, keepUntil]
}

test('what goes in the very inventory that lists the third later one was kept long enough', () => {
  const story = told('01', '02', '03')
  expect(on(story, '03T22:00:00', '01')).toEqual(['met', null])
  const [first] = story.contents()
  story.drop(first!)
  tell(story, '04')
  expect(on(story, '04T21:59:59.999', '01')).toEqual(['met', null])
  expect(on(story, '04T22:00:00', '01')).toEqual(['discharged', '2025-03-04T22:00:00.000Z'])
  expect(setAt(contract, story, '2025-03-04T22:00:00Z')).toMatchObject({
    counts: { met: 3, discharged: 1, lost: 0 },
    rate: 1,
  })
})

test('what goes an inventory earlier is lost, and stays so once enough later ones are there', () => {
  const story = told('01', '02', '03')
  story.drop(story.contents()[0]!)
  story.inventory('2025-03-04T06:00:00Z')
  expect(on(story, '04T06:00:00', '01')).toEqual(['lost', null])
  expect(setAt(contract, story, '2025-03-04T07:00:00Z').dimensions.retention).toBe('breached')
  tell(story, '04')
  expect(on(story, '04T22:00:00', '01')).toEqual(['lost', '2025-03-04T22:00:00.000Z'])
  const after = setAt(contract, story, '2025-03-04T22:00:00Z')
  expect(after.dimensions.retention).toBe('compliant')
  expect(after.counts.lost).toBe(0)
  expect(after.rate).toBe(0.75)
})

test('a missed day is no generation, and is missed until three later ones are there', () => {
  const story = told('01', '02', '04')
  expect(on(story, '04T22:00:00', '01')).toEqual(['met', null])
  tell(story, '05')
  expect(on(story, '05T22:00:00', '01')).toEqual(['discharged', '2025-03-05T22:00:00.000Z'])
  expect(on(story, '05T22:00:00', '03')).toEqual(['missed', null])
  expect(setAt(contract, story, '2025-03-05T22:00:00Z').dimensions.points).toBe('breached')
  tell(story, '06')
  expect(on(story, '06T22:00:00', '03')).toEqual(['missed', '2025-03-06T22:00:00.000Z'])
  expect(setAt(contract, story, '2025-03-06T22:00:00Z').dimensions.points).toBe('compliant')
})

test('the later ones must be there at once: one that was lost meanwhile is none', () => {
  const story = told('01', '02', '03')
  story.drop(story.contents()[1]!)
  tell(story, '04')
  expect(on(story, '04T22:00:00', '01')).toEqual(['met', null])
  expect(on(story, '04T23:59:00', '02')).toEqual(['lost', null])
  tell(story, '05')
  expect(on(story, '05T22:00:00', '01')).toEqual(['discharged', '2025-03-05T22:00:00.000Z'])
  expect(on(story, '05T22:00:00', '02')).toEqual(['lost', '2025-03-05T22:00:00.000Z'])
})

test('two snapshots of a day are one generation', () => {
  const story = told('01', '02')
  story.backup('2025-03-03T10:00:00Z')
  tell(story, '03')
  expect(on(story, '03T22:00:00', '01')).toEqual(['met', null])
})

test('a filtered listing ends nothing', () => {
  const story = told('01', '02', '03')
  story.backup('2025-03-04T21:00:00Z')
  story.inventory('2025-03-04T22:00:00Z', { complete: false })
  expect(on(story, '04T22:30:00', '01')).toEqual(['met', null])
  story.forgetBase()
  story.inventory('2025-03-05T06:00:00Z')
  expect(on(story, '05T06:00:00', '01')).toEqual(['discharged', '2025-03-05T06:00:00.000Z'])
})

describe('a report that was late', () => {
  const story = told('01', '02', '03')
  const first = story.contents()[0]!
  story.backup('2025-03-04T21:00:00Z', { receivedAt: '2025-03-10T08:00:00Z' })
  story.inventory('2025-03-04T22:00:00Z')
  story.drop(first)
  story.inventory('2025-03-05T06:00:00Z')

  test('until it is there the third later one is not attested, and the first is lost', () => {
    const { sets } = askAt(contract, story, '2025-03-05T07:00:00Z', '2025-03-10T07:59:59Z')
    expect(obligationIn(sets[0]!, '2025-03-01')).toMatchObject({ state: 'lost', keepUntil: null })
  })

  test('then the first had been kept to the end, and a correction says so', () => {
    const { sets, corrections } = askAt(contract, story, '2025-03-05T07:00:00Z', '2025-03-10T08:00:00Z')
    expect(obligationIn(sets[0]!, '2025-03-01')).toMatchObject({
      state: 'discharged',
      keepUntil: '2025-03-04T22:00:00.000Z',
    })
    expect(corrections).toContainEqual(
      expect.objectContaining({ bucket: '2025-03-01', was: 'lost', is: 'discharged' }),
    )
  })
})

test('without news they are live for ever: stale, then unknown', () => {
  const story = told('01')
  expect(on(story, '03T00:00:00', '01')).toEqual(['met', null])
  expect(on(story, '03T00:00:00.001', '01')).toEqual(['stale', null])
  expect(on(story, '04T22:00:00', '01')).toEqual(['stale', null])
  expect(on(story, '04T22:00:00.001', '01')).toEqual(['unknown', null])
})

test('where backups have stopped, the ceiling is reached by what is still owed', () => {
  const capped = contractFor({
    schedule: { rpo: 'P9D' },
    retention: keeping([{ per: 'day', keep: 3, basis: 'generations' }], { age: 'P4D', purgeGrace: 'P2D' }),
  })
  const story = told('01')
  story.inventory('2025-03-05T20:00:00Z')
  story.inventory('2025-03-07T20:00:00Z')
  const at = (instant: string) => {
    const set = setAt(capped, story, instant)
    return [obligationIn(set, '2025-03-01').state, set.dimensions.ceiling]
  }
  expect(at('2025-03-05T20:59:59Z')).toEqual(['met', 'compliant'])
  expect(at('2025-03-05T21:00:00Z')).toEqual(['met', 'at-risk'])
  expect(at('2025-03-07T21:00:00Z')).toEqual(['met', 'breached'])
})

test('where an anchor is agreed, only what was taken on that day is a generation', () => {
  const anchored = contractFor({
    onboardedAt: '2025-03-03',
    schedule: { rpo: 'P90D' },
    retention: keeping([{ per: 'week', keep: 2, basis: 'generations', anchor: 'SAT' }]),
  })
  const story = new Story()
  for (const day of ['08', '12', '15', '19']) tell(story, day) // two Saturdays, two Wednesdays
  const ofW10 = () => obligationIn(setAt(anchored, story, '2025-03-22T22:00:00Z'), '2025-W10').keepUntil
  expect(ofW10()).toBeNull()
  tell(story, '22')
  expect(ofW10()).toBe('2025-03-22T22:00:00.000Z')
})
