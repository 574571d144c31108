import { expect, test } from 'vitest'
import { judgeChange } from './judge.ts'
import type { AnomalyLimits, Measured } from './judge.ts'

const shares = { changeRate: 0.5, shrink: 0.2, deletion: 0.25, rename: 0.25, encrypted: 0.8 }
const limits: AnomalyLimits = { tell: shares, hold: shares, minFiles: 50 }
const none = { count: 0, paths: [] }
const quiet: Measured = {
  before: { files: 1_000, bytes: 1_000_000 },
  now: { files: 1_000, bytes: 1_000_000 },
  added: 0,
  changed: none,
  deleted: none,
  renamed: 0,
  encrypted: { looked: 0, ...none },
  emptied: none,
  canaries: [],
}

function kinds(change: Partial<Measured>, usual: number[] = [], some: Partial<AnomalyLimits> = {}): string[] {
  const runs = usual.map((changeRate) => ({ changeRate, encrypted: null }))
  return judgeChange({ ...quiet, ...change }, runs, { ...limits, ...some }).map(
    ({ kind, holds }) => `${kind}${holds ? ' holds' : ''}`,
  )
}

test.each<[string, Partial<Measured>, string[]]>([
  ['a quiet night', { changed: { count: 20, paths: [] }, added: 5 }, []],
  ['half of all files changed', { changed: { count: 500, paths: [] } }, ['changeRate holds']],
  [
    'a third gone',
    { now: { files: 700, bytes: 990_000 }, deleted: { count: 300, paths: [] } },
    ['shrink holds', 'deletion holds'],
  ],
  ['fewer bytes in as many files', { now: { files: 1_000, bytes: 800_000 } }, ['shrink holds']],
  ['a third under another name', { renamed: 300 }, ['rename holds']],
  [
    'no file left',
    { now: { files: 0, bytes: 0 }, deleted: { count: 1_000, paths: [] } },
    ['changeRate holds', 'shrink holds', 'deletion holds'],
  ],
  [
    'changed files that look encrypted',
    { encrypted: { looked: 25, count: 20, paths: [] } },
    ['encrypted holds'],
  ],
  ['too few to say', { encrypted: { looked: 19, count: 19, paths: [] } }, []],
  ['a path without its files', { emptied: { count: 1, paths: ['/mnt/nas'] } }, ['emptied holds']],
  ['a canary', { canaries: [{ path: '/srv/canary', what: 'gone' }] }, ['canary holds']],
])('%s', (_, change, expected) => {
  expect(kinds(change)).toEqual(expected)
})

test('few files make no share, but half their bytes do', () => {
  const few = { before: { files: 3, bytes: 1_000 }, now: { files: 3, bytes: 1_000 } }
  expect(kinds({ ...few, changed: { count: 3, paths: [] } })).toEqual([])
  expect(kinds({ ...few, now: { files: 2, bytes: 400 }, deleted: { count: 1, paths: [] } })).toEqual([
    'shrink holds',
  ])
})

test('what a set does every night is no news; far more of it is', () => {
  const changed = { changed: { count: 600, paths: [] } }
  expect(kinds(changed, [0.6, 0.55, 0.62])).toEqual([])
  expect(kinds(changed, [0.3, 0.35, 0.32])).toEqual(['changeRate holds'])
  // Two runs do not say what is usual.
  expect(kinds(changed, [0.6, 0.6])).toEqual(['changeRate holds'])
  const usual = [0.9, 0.9, 0.9].map((encrypted) => ({ changeRate: 0, encrypted }))
  expect(judgeChange({ ...quiet, encrypted: { looked: 50, count: 50, paths: [] } }, usual, limits)).toEqual(
    [],
  )
})

test('a hold may begin before a thing is told otherwise, or after', () => {
  const changed = { changed: { count: 450, paths: [] } }
  expect(kinds(changed, [], { hold: { ...shares, changeRate: 0.4 } })).toEqual(['changeRate holds'])
  expect(kinds({ changed: { count: 550, paths: [] } }, [], { hold: { ...shares, changeRate: 0.9 } })).toEqual(
    ['changeRate'],
  )
})

test('a first backup has nothing to be measured by', () => {
  const first = {
    before: { files: 0, bytes: 0 },
    added: 1_000,
    encrypted: { looked: 50, count: 50, paths: [] },
  }
  expect(kinds(first)).toEqual([])
})
