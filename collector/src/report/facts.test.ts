import { sha256Hex } from '@bevis/shared/crypto'
import { inventoryDigest } from '@bevis/shared/evidence/inventory'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CONTRACT, makeCollector } from '../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../test/kit/collector.ts'
import { readLedger } from './facts.ts'

const now = () => new Date('2025-06-10T08:00:00.000Z')
let place: TestFolder
let collector: TestCollector

beforeEach(async () => {
  place = await makeCollector()
  collector = await place.start({ now })
})

afterEach(async () => {
  await collector.stop()
  place.remove()
})

const monthsOf = async (from: string, to: string) => {
  const ledger = await readLedger(
    { store: collector.store, scope: { all: true } },
    CONTRACT,
    { from, to },
    now(),
  )
  expect([ledger.rows.at(0)?.month, ledger.rows.at(-1)?.month]).toEqual([ledger.from, ledger.to])
  return [ledger.from, ledger.to]
}

test('a ledger begins with the contract and ends with this month, however much is asked for', async () => {
  expect(await monthsOf('0001-01', '9999-12')).toEqual(['2025-03', '2025-06'])
  expect(await monthsOf('2025-04', '2025-05')).toEqual(['2025-04', '2025-05'])
  expect(await monthsOf('2020-01', '2020-02')).toEqual(['2020-02', '2020-02'])
  await expect(monthsOf('2025-07', '9999-12')).rejects.toThrow('2025-07 has not begun')
})

test('what was done before the contract began is in it, and a clock of long ago makes it no longer', async () => {
  const agent = await collector.enrolled('web1')
  const listing = (takenAt: string) =>
    agent.say(
      'inventory',
      { name: 'sets/shop', digest: { sha256: sha256Hex('shop') } },
      {
        repository: { id: sha256Hex('repository'), lineage: 'hfk-web', location: '/srv/backup' },
        takenAt,
        complete: true,
        count: 0,
        digest: inventoryDigest([]),
        base: null,
        added: [],
        removed: [],
      },
    )
  await agent.send([listing('2025-01-15T08:00:00.000Z')])
  expect(await monthsOf('0001-01', '2025-06')).toEqual(['2025-01', '2025-06'])
  await agent.send([listing('1970-01-01T00:00:00.000Z')])
  expect(await monthsOf('0001-01', '2025-06')).toEqual(['2000-06', '2025-06'])
})
