import { expect, test } from 'vitest'
import { ledgerOf } from './ledger.ts'
import {
  Story,
  contractFor,
  contractOf,
  repositoryOf,
  setOf,
  sourceOf,
  versionOf,
} from './story-for-tests.ts'

test('what was done in each month of the contract’s own calendar', () => {
  const story = new Story()
  story.inventory('2025-03-01T06:00:00Z', { sizeBytes: 1_000 })
  const first = story.backup('2025-03-31T20:00:00Z', { source: sourceOf(10, 5_000) })
  story.drop(
    story.backup('2025-03-31T21:00:00Z', {
      outcome: 'failed',
      exitCode: 1,
      snapshot: undefined,
      source: undefined,
    }),
  )
  // In Denmark it is April: summer time has begun.
  story.backup('2025-03-31T22:30:00Z', { source: { ...sourceOf(12, 6_000), addedBytes: 700 } })
  story.inventory('2025-04-01T06:00:00Z', { sizeBytes: 2_000 })
  story.inventory('2025-04-02T06:00:00Z', { complete: false })
  story.test(first, '2025-04-03T06:00:00Z', 'PASSED')
  story.test(first, '2025-04-04T06:00:00Z', 'FAILED')
  const ledger = ledgerOf({
    contract: contractFor({ unit: 'ribe' }),
    facts: story.facts,
    from: '2025-03',
    to: '2025-05',
  })
  expect(ledger.rows).toMatchObject([
    {
      month: '2025-03',
      set: 'filer',
      unit: 'ribe',
      backups: { complete: 1, partial: 0, failed: 1 },
      protectedBytes: 5_000,
      inventories: { complete: 1, incomplete: 0 },
      storageBytes: 1_000,
      storedSnapshots: 0,
    },
    {
      month: '2025-04',
      backups: { complete: 1, failed: 0 },
      addedBytes: 700,
      protectedBytes: 6_000,
      protectedFiles: 12,
      restoreTests: { passed: 1, failed: 1, inconclusive: 0 },
      restoredFiles: 100,
      inventories: { complete: 1, incomplete: 1 },
      storageBytes: 2_000,
      storedSnapshots: 2,
    },
    // Nothing was told: nothing was done, and what is stored is not known to be nothing.
    {
      month: '2025-05',
      backups: { complete: 0 },
      addedBytes: null,
      protectedBytes: null,
      storageBytes: null,
    },
  ])
})

test('a statement is its own set’s; a repository’s services are those of every set in it', () => {
  const set = (id: string, path: string) =>
    setOf({ id, selector: { repository: 'vts-01', hosts: ['srv1'], requiredPaths: [path] } })
  const contract = contractOf([
    versionOf(1, '2025-01-01', { sets: [set('a', '/srv/a'), set('b', '/srv/b')] }),
  ])
  const story = new Story()
  // The agent calls its set otherwise than the contract does: the paths tell.
  story.backup('2025-03-05T20:00:00Z', { set: 'nightly', snap: { paths: ['/srv/b'] } })
  story.backup('2025-03-05T21:00:00Z', { set: 'a', outcome: 'failed', exitCode: 1, snapshot: undefined })
  story.inventory('2025-03-06T06:00:00Z', { sizeBytes: 9 })
  story.repository = repositoryOf('elsewhere', 'of-nobody')
  story.backup('2025-03-06T21:00:00Z')
  const { rows } = ledgerOf({ contract, facts: story.facts, from: '2025-03', to: '2025-03' })
  expect(rows).toMatchObject([
    { set: 'a', backups: { complete: 0, failed: 1 }, storageBytes: 9, inventories: { complete: 1 } },
    { set: 'b', backups: { complete: 1, failed: 0 }, storageBytes: 9, inventories: { complete: 1 } },
    { set: '', backups: { complete: 1 } },
  ])
})

test('a copy’s inventory is a service, and not what the set’s own repository holds', () => {
  const copies = [{ role: 'offsite', repository: 'vts-02', region: 'DK' }]
  const story = new Story()
  story.inventory('2025-03-05T06:00:00Z', { sizeBytes: 9 })
  story.repository = repositoryOf('vts-02', 'vts-02')
  story.inventory('2025-03-05T07:00:00Z', { sizeBytes: 4 })
  const { rows } = ledgerOf({
    contract: contractFor({ copies }),
    facts: story.facts,
    from: '2025-03',
    to: '2025-03',
  })
  expect(rows).toMatchObject([{ storageBytes: 9, inventories: { complete: 2 } }])
})

test('what a revoked key signs afterwards is no service', () => {
  const story = new Story()
  story.backup('2025-03-05T21:00:00Z')
  story.event('2025-03-06T00:00:00Z', 'key-revoked', 'provider', { agent: 'agent-1', epoch: 1 })
  story.backup('2025-03-06T21:00:00Z')
  const { rows } = ledgerOf({ contract: contractFor({}), facts: story.facts, from: '2025-03', to: '2025-03' })
  expect(rows).toMatchObject([{ backups: { complete: 1 } }])
})
