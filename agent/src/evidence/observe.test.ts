import { PAYLOAD_LIMIT_BYTES, encodeStatement } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import { expect, test } from 'vitest'
import type { ManifestTally } from '../manifest/tally.ts'
import type { BackupRun, Snapshot } from '../restic/restic.ts'
import type { TestResult } from '../restore/verdict.ts'
import { observeBackup, observeRestoreTest, snapOf } from './observe.ts'
import type { ObservedBackup } from './observe.ts'
import type { Draft } from './record.ts'

const id = 'ab'.repeat(32)
const now = new Date('2026-11-23T04:05:06.789Z')
const snapshot: Snapshot = {
  id,
  time: '2026-11-23T05:05:06.123456789+01:00',
  timeNs: 1_795_406_706_123_456_789n,
  tree: 'cd'.repeat(32),
  hostname: 'web',
  paths: ['/srv'],
  tags: [],
}
const run: BackupRun = {
  exitCode: 0,
  outcome: 'complete',
  snapshot,
  startedAt: now,
  endedAt: now,
  errors: [],
  errorCount: 0,
}
const repository = { id: 'ef'.repeat(32), location: 'rest:https://backup.example.net/web' }

function backup(over: Partial<ObservedBackup>): Draft<'backup-run'> {
  return observeBackup({
    set: 'shop',
    setDigest: '12'.repeat(32),
    repository,
    resticVersion: '0.19.1',
    startedAt: now,
    endedAt: now,
    run,
    missingRoots: [],
    fileSystemSnapshot: null,
    witness: null,
    error: null,
    anomalies: [],
    ...over,
  })
}

/** As the recorder does it; throws when it does not fit. */
function encode(draft: Draft): number {
  const chain = { tenant: 't', agent: 'a', epoch: 1, seq: 1, prev: '0'.repeat(64), log: null }
  const predicate = {
    ...draft.predicate,
    chain,
    host: 'web',
    tools: { agent: '0.1.0', os: 'Linux', ...draft.predicate.tools },
  }
  const predicateType = predicateTypeOf(draft.name)
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [draft.subject],
    predicateType,
    predicate,
  }
  return encodeStatement(statement as unknown as Statement).length
}

/** A name of 4,096 bytes that are all escaped, twice over in JSON: nothing can be longer. */
const worst = `/${String.raw`\xff`.repeat(4_000)}`
const long = Array.from({ length: 100 }, (_, index) => `/${index}${'\u65e5'.repeat(500)}`)

test('a run without a snapshot is about the set, one with a snapshot about the snapshot', () => {
  expect(backup({}).subject).toEqual({ name: `snapshots/${id}`, digest: { sha256: id } })
  const failed = backup({ run: null })
  expect(failed.subject).toEqual({ name: 'sets/shop', digest: { sha256: '12'.repeat(32) } })
  expect(failed.predicate).toMatchObject({ outcome: 'failed', exitCode: -1 })
})

test('a snapshot’s time is the instant, to the millisecond and never later than it was', () => {
  expect(snapOf(snapshot)).toEqual({
    id,
    time: new Date(1_795_406_706_123).toISOString(),
    tree: 'cd'.repeat(32),
    host: 'web',
    paths: ['/srv'],
  })
})

test('a missing root makes a complete run partial, and is among what failed', () => {
  const { predicate } = backup({ missingRoots: ['/srv/gone'] })
  expect(predicate).toMatchObject({ outcome: 'partial', failed: { count: 1, paths: ['/srv/gone'] } })
})

test('the longest names there can be never keep a backup from being recorded', () => {
  const named = { count: 200, paths: [worst, ...long] }
  const counts = { files: 1, bytes: 1, witnessed: 0, carried: 0, racy: 0 }
  const tally: ManifestTally = {
    ...counts,
    torn: named,
    renamed: { count: 0, paths: [] },
    gaps: named,
    rot: named,
    unreadable: named,
    unresolved: named,
  }
  const errors = [worst, ...long].map((path) => ({ path, message: 'x' }))
  const manifest = { file: '/m', snapshot: id, sha256: id }
  const draft = backup({ run: { ...run, errors, errorCount: 9_999 }, witness: { manifest, tally } })
  expect(encode(draft)).toBeLessThan(PAYLOAD_LIMIT_BYTES / 2)
  expect(draft.predicate).toMatchObject({
    failed: { count: 9_999 },
    manifest: { torn: 200 },
    anomaly: { gaps: { count: 200 } },
  })
  expect(draft.predicate.torn?.length).toBeGreaterThan(10)
})

test('the same of a test; names that do not fit are told by their digest', () => {
  const exceptions = [worst, ...long.slice(1)].map((path) => ({
    path: path.slice(0, 250),
    class: 'damaged',
    expected: id,
    actual: id,
    detail: '\u65e5'.repeat(500),
  }))
  const result: TestResult = {
    reason: 'scheduled',
    mode: 'full',
    startedAt: now,
    endedAt: now,
    population: { files: 1, bytes: 1 },
    selection: { algorithm: 'all', seed: 's', seedFrom: 'agent', strata: [], files: 1, bytes: 1 },
    restored: { files: 1, bytes: 1, seconds: 1, method: 'disk' },
    reference: { manifest: 1, source: 0, none: 0 },
    classes: { damaged: 1 },
    exceptions: [...exceptions.slice(1), { path: worst, class: 'missing' }],
    exceptionsTotal: 100,
    negativeControl: 'caught',
    result: 'FAILED',
    error: { code: 'RESTIC_FAILED', message: 'x'.repeat(10_000) },
  }
  const draft = observeRestoreTest({
    set: 'shop',
    repository,
    resticVersion: '0.19.1',
    snapshot: snapOf(snapshot),
    result,
  })
  expect(encode(draft)).toBeLessThan(PAYLOAD_LIMIT_BYTES)
  const last = draft.predicate.exceptions.at(-1)
  expect(last).toEqual({ pathDigest: expect.stringMatching(/^[0-9a-f]{64}$/), class: 'missing' })
})
