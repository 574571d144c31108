import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseConfig } from '../config.ts'
import { acceptAnomalies, findAnomalies } from './anomaly.ts'
import type { Anomaly } from '../anomaly/judge.ts'
import { bytePathOf } from '../tree/path.ts'
import type { AnomalyRequest } from './anomaly.ts'

interface Nights {
  /** So many of a hundred files change; the kinds that are told. */
  readonly night: (changed: number, scope?: string) => string[]
  /** What is told of the canary with that digest; null: it is not there; `unseen`: there, and its digest is not known. */
  readonly canary: (digest: string | null) => string[]
  /** Somebody has looked. */
  readonly look: () => void
  /** Where what is usual is kept. */
  readonly ledger: string
}

const digest = (n: number): string => String(n).padStart(64, '0')

function openNights(): Nights {
  const stateDir = mkdtempSync(join(tmpdir(), 'bevis-anomaly-'))
  onTestFinished(() => rmSync(stateDir, { recursive: true }))
  const setOf = (exclude: string, canaries: string[] = []): AnomalyRequest['set'] => {
    const repository = { url: '/repository', passwordFile: '/pass' }
    const sets = [{ id: 'shop', paths: ['/srv'], exclude: [exclude], repository, anomaly: { canaries } }]
    const text = JSON.stringify({ collector: { url: 'http://127.0.0.1:1' }, state: '/state', sets })
    const [set] = parseConfig(text, 'agent.yaml').sets
    if (!set) throw new Error('no set')
    return set
  }
  const files = { files: 100, bytes: 1_000 }
  const none = { count: 0, paths: [] }
  const judged = (changed: number, scope: string, held?: string | null): readonly Anomaly[] => {
    const change = {
      before: files,
      now: files,
      added: 0,
      changed: { count: changed, paths: [] },
      deleted: none,
      emptied: none,
      renamed: 0,
      sample: [],
      watched: new Map(
        typeof held === 'string' ? [[bytePathOf('/srv/canary'), held === 'unseen' ? null : held]] : [],
      ),
    }
    const logger = { info: () => {}, warn: () => {} }
    const now = new Date('2026-11-23T02:00:00.000Z')
    const request = {
      set: setOf(scope, held === undefined ? [] : ['/srv/canary']),
      stateDir,
      change,
      mustBeThere: [],
      now,
      logger,
    }
    const { anomalies, keep } = findAnomalies({ ...request, manifest: digest(1), against: digest(1) })
    keep()
    return anomalies
  }
  const night = (changed: number, scope = '*.tmp'): string[] => judged(changed, scope).map(({ kind }) => kind)
  const canary = (held: string | null): string[] =>
    judged(0, '*.tmp', held).map(({ text, holds }) => `${text}${holds ? ', holds' : ''}`)
  const ledger = join(stateDir, 'anomalies', 'shop.json')
  return { night, canary, look: () => acceptAnomalies(stateDir, 'shop'), ledger }
}

test('a set that is rewritten every night is told until a person has looked, and then no more', () => {
  const { night, look } = openNights()
  expect([night(90), night(95), night(92), night(91)].flat()).toEqual(
    Array.from({ length: 4 }, () => 'changeRate'),
  )
  look()
  expect(night(93)).toEqual([])
})

test('one migration that was looked at does not make the next attack usual', () => {
  const { night, look } = openNights()
  for (let n = 0; n < 5; n += 1) expect(night(2)).toEqual([])
  expect(night(100)).toEqual(['changeRate'])
  look()
  expect(night(2)).toEqual([])
  expect(night(80)).toEqual(['changeRate'])
})

test('with another scope the manifest before is no measure', () => {
  const { night } = openNights()
  expect(night(2)).toEqual([])
  expect(night(90, '*.log')).toEqual([])
  expect(night(90, '*.log')).toEqual(['changeRate'])
})

test('a ledger that cannot be read is told, and held, until a person has looked: it does not begin anew by itself', () => {
  const { night, look, ledger } = openNights()
  for (let n = 0; n < 5; n += 1) expect(night(40)).toEqual([])
  const whole = readFileSync(ledger, 'utf8')
  for (const spoil of [
    () => writeFileSync(ledger, whole.slice(0, 30)),
    () => writeFileSync(ledger, ''),
    // Whatever else keeps it from being read: here it is no file.
    () => (rmSync(ledger), mkdirSync(ledger)),
  ]) {
    spoil()
    expect(night(40)).toEqual(['memory'])
    expect(night(80)).toEqual(['memory', 'changeRate'])
    rmSync(ledger, { recursive: true })
    writeFileSync(ledger, '{')
    expect(night(40)).toEqual(['memory'])
    look()
    expect(night(40)).toEqual([])
  }
})

test('a canary that was never seen is told as not there, one that was as gone, and both hold', () => {
  const { canary, look } = openNights()
  expect(canary(null)).toEqual(['the canary /srv/canary is not there, holds'])
  expect(canary(digest(2))).toEqual([])
  expect(canary(null)).toEqual(['the canary /srv/canary is gone, holds'])
  look()
  expect(canary(null)).toEqual(['the canary /srv/canary is not there, holds'])
})

test('a canary whose content is not known any more is told, and holds: somebody may be writing it', () => {
  const { canary, look } = openNights()
  const told = 'the canary /srv/canary could not be read, or moved while it was read, holds'
  // It never was: then it says nothing, and never did.
  expect(canary('unseen')).toEqual([])
  expect(canary(digest(2))).toEqual([])
  expect(canary('unseen')).toEqual([told])
  expect(canary('unseen')).toEqual([told])
  expect(canary(digest(2))).toEqual([])
  look()
  expect(canary('unseen')).toEqual([])
})
