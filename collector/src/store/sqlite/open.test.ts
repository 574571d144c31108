import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Store } from '../store.ts'
import { openSqliteStore } from './open.ts'

let stateFolder: string
const opened: Store[] = []

async function open(create = true): Promise<Store> {
  const store = await openSqliteStore({ stateFolder, create })
  opened.push(store)
  return store
}

function leafless(id: number, seq: number, counted: number) {
  return {
    id,
    leaf_index: id - 1,
    pae_digest: `digest-${id}`,
    payload: Buffer.from('{}'),
    envelope: '{}',
    received_at: '2026-11-23T04:05:06.000Z',
    counted,
    tenant: 'hfk',
    agent: 'web',
    epoch: 1,
    seq,
    prev: '0'.repeat(64),
    keyid: 'k',
    name: 'inventory',
    stated_at: '2026-11-23T04:05:06.000Z',
    contract_id: null,
    set_id: null,
    repository_id: null,
    lineage: null,
    snapshot_id: null,
    outcome: null,
  }
}

beforeEach(() => {
  stateFolder = mkdtempSync(join(tmpdir(), 'bevis-store-'))
})

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
  rmSync(stateFolder, { recursive: true, force: true })
})

describe('the embedded store', () => {
  test('is not made by accident', async () => {
    await expect(open(false)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  test('writes in the order asked for, and forgets what fails', async () => {
    const store = await open()
    const order: number[] = []
    const results = await Promise.allSettled(
      [1, 2, 3].map((n) =>
        store.write(async (tx) => {
          order.push(n)
          await tx
            .insertInto('statement')
            .values(leafless(n, n, 1))
            .execute()
          if (n === 2) throw new Error('no')
        }),
      ),
    )
    expect(order).toEqual([1, 2, 3])
    expect(results.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    const rows = await store.db.selectFrom('statement').select('id').execute()
    expect(rows.map((row) => row.id)).toEqual([1, 3])
  })

  test('refuses writes beside the queue', async () => {
    const store = await open()
    await expect(
      store.db.insertInto('agent_contract').values({ tenant: 'a', agent: 'b', contract_id: 'c' }).execute(),
    ).rejects.toThrow(/readonly/)
  })

  test('keeps one counted statement for one place in a chain', async () => {
    const store = await open()
    await store.write((tx) =>
      tx
        .insertInto('statement')
        .values(leafless(1, 7, 1))
        .execute(),
    )
    await store.write((tx) =>
      tx
        .insertInto('statement')
        .values(leafless(2, 7, 0))
        .execute(),
    )
    await expect(
      store.write((tx) =>
        tx
          .insertInto('statement')
          .values(leafless(3, 7, 1))
          .execute(),
      ),
    ).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  test('is opened by several at once, each making the schema if need be', async () => {
    const stores = await Promise.all([open(), open(), open()])
    await Promise.all(
      stores.map((store, n) =>
        store.write((tx) =>
          tx
            .insertInto('agent_contract')
            .values({ tenant: 't', agent: `a${n}`, contract_id: 'c' })
            .execute(),
        ),
      ),
    )
    const rows = await stores[0]?.db.selectFrom('agent_contract').selectAll().execute()
    expect(rows).toHaveLength(3)
  })

  test('gives a lock to one holder', async () => {
    const one = await open()
    const other = await open()
    const held = await one.lock('serve', 0)
    await expect(other.lock('serve', 0)).rejects.toMatchObject({ code: 'STATE_LOCKED' })
    held.release()
    const second = await other.lock('serve', 0)
    second.release()
  })

  test('copies itself while it is used', async () => {
    const store = await open()
    await store.write((tx) =>
      tx
        .insertInto('statement')
        .values(leafless(1, 1, 1))
        .execute(),
    )
    await store.backup(join(stateFolder, 'copy.db'))
    const copyFolder = join(stateFolder, 'restored')
    mkdirSync(copyFolder)
    renameSync(join(stateFolder, 'copy.db'), join(copyFolder, 'collector.db'))
    const copy = await openSqliteStore({ stateFolder: copyFolder })
    opened.push(copy)
    expect(await copy.db.selectFrom('statement').select('pae_digest').execute()).toHaveLength(1)
  })
})
