import { BevisError } from '@bevis/shared/error'
import { expect, test } from 'vitest'
import { bytePathOf } from '../tree/path.ts'
import type { Comparison, FileClass } from './compare.ts'
import type { Expected } from './expected.ts'
import type { Judged } from './judge.ts'
import { decide, openTally } from './verdict.ts'
import type { Conditions } from './verdict.ts'

const stat = {
  kind: 'file',
  size: 4,
  mtimeNs: 0n,
  ctimeNs: 0n,
  inode: 1,
  mode: 0o644,
  uid: 0,
  gid: 0,
} as const

function judged(name: FileClass, over: Partial<Comparison> = {}, isListed = true): Judged {
  const path = bytePathOf(`/srv/${name}`)
  const item: Expected = { ...stat, path, isListed, isResolved: true, witness: { state: 'none' } }
  const reference = name === 'identical' || name === 'damaged' ? 'manifest' : 'none'
  return { item, path, comparison: { class: name, reference, source: 'same', ...over }, restored: stat }
}

function decideOn(files: Judged[], over: Partial<Conditions> = {}) {
  const tally = openTally()
  for (const file of files) tally.add(file)
  return decide({ tally: tally.tally, control: 'caught', error: null, minimum: 1, metadata: null, ...over })
}

const many = (count: number, name: FileClass): Judged[] => Array.from({ length: count }, () => judged(name))

test('all identical, control caught, enough: PASSED', () => {
  expect(decideOn(many(50, 'identical'), { minimum: 50 })).toEqual({ result: 'PASSED' })
})

test.each<FileClass>(['damaged', 'diverged', 'missing', 'gap'])(
  'one %s among ten thousand: FAILED',
  (name) => {
    expect(decideOn([...many(10_000, 'identical'), judged(name)]).result).toBe('FAILED')
  },
)

test.each<FileClass>(['raced', 'unverified', 'unreadable'])('%s neither passes nor fails', (name) => {
  expect(decideOn([...many(3, 'identical'), judged(name)], { minimum: 3 }).result).toBe('PASSED')
  expect(decideOn([...many(3, 'identical'), judged(name)], { minimum: 4 })).toMatchObject({
    result: 'INCONCLUSIVE',
    error: { code: 'NOT_ENOUGH_CONCLUSIVE' },
  })
  expect(decideOn([judged(name)], { minimum: 0 }).result).toBe('INCONCLUSIVE')
})

test('nothing tested: INCONCLUSIVE, whatever the minimum', () => {
  expect(decideOn([], { minimum: 0 })).toMatchObject({
    result: 'INCONCLUSIVE',
    error: { code: 'NOTHING_TO_TEST' },
  })
})

test('a control that was not caught voids the run, even a failed one', () => {
  const voided = { result: 'INCONCLUSIVE', error: { code: 'CONTROL_MISSED' } }
  expect(decideOn(many(50, 'identical'), { control: 'missed' })).toMatchObject(voided)
  expect(decideOn(many(50, 'damaged'), { control: 'missed' })).toMatchObject(voided)
  expect(decideOn(many(50, 'identical'), { control: 'not-run' })).toMatchObject(voided)
})

test('an error keeps a run from PASSED, not from FAILED', () => {
  const error = new BevisError('RESTIC_FAILED', 'restic ended with 1')
  expect(decideOn(many(50, 'identical'), { error })).toMatchObject({
    result: 'INCONCLUSIVE',
    error: { code: 'RESTIC_FAILED' },
  })
  expect(decideOn(many(1, 'missing'), { error })).toMatchObject({
    result: 'FAILED',
    error: { code: 'RESTIC_FAILED' },
  })
})

test('failures come first among at most a hundred exceptions, and the total says how many there are', () => {
  const tally = openTally()
  for (const file of [...many(150, 'unverified'), ...many(7, 'damaged')]) tally.add(file)
  const { exceptions, exceptionsTotal, classes, reference } = tally.tally
  expect(exceptions).toHaveLength(100)
  expect(exceptions.slice(0, 8).map((one) => one.class)).toEqual([
    ...Array<string>(7).fill('damaged'),
    'unverified',
  ])
  expect(exceptionsTotal).toBe(157)
  expect(classes).toEqual({ unverified: 150, damaged: 7 })
  expect(reference).toEqual({ manifest: 7, source: 0, none: 150 })
})

test('a source that rotted or went back in time is told, and the good backup still passes', () => {
  const tally = openTally()
  tally.add(judged('identical', { source: 'rot' }))
  tally.add(judged('identical', { source: 'changed', movedBack: 'put-back' }))
  tally.add(judged('identical', { source: 'changed', movedBack: 'older' }))
  expect(tally.tally.exceptions.map((one) => one.class)).toEqual(['rot', 'moved-back', 'moved-back'])
  expect(
    decide({ tally: tally.tally, control: 'caught', error: null, minimum: 3, metadata: null }).result,
  ).toBe('PASSED')
})

test('metadata decides only where the set says so, and then nothing is taken for granted', () => {
  const files = many(50, 'identical')
  const metadata = { different: 1, notCompared: null }
  expect(decideOn(files, { metadata })).toMatchObject({
    result: 'FAILED',
    error: { code: 'METADATA_DIFFERS' },
  })
  expect(decideOn(files, { metadata: { ...metadata, different: 0 } })).toEqual({ result: 'PASSED' })
  expect(decideOn(files, { metadata: { different: 0, notCompared: 'no tar here' } })).toMatchObject({
    result: 'INCONCLUSIVE',
    error: { message: expect.stringContaining('no tar here') },
  })
})

test('a gap fails, and does not count as drawn', () => {
  const tally = openTally()
  tally.add(judged('gap', {}, false))
  expect(tally.tally).toMatchObject({ judged: 0, conclusive: 0, failed: 1 })
})
