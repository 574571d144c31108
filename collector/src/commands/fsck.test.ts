import { signEnvelope } from '@bevis/shared/evidence/envelope'
import { formatCosignerKey, signCosignature } from '@bevis/shared/log/cosignature'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { assertClean, makeCollector } from '../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../test/kit/collector.ts'
import { signerOf } from '../../../test/kit/register.ts'
import { keepCosignature } from '../log/cosignatures.ts'
import { agentRevokeCommand } from './agent.ts'
import { fsckCommand, rebuildCommand } from './fsck.ts'

let place: TestFolder
let collector: TestCollector

beforeEach(async () => {
  place = await makeCollector()
  collector = await place.start()
})

afterEach(async () => {
  await collector.stop()
  place.remove()
})

const utf8 = (text: string) => new TextEncoder().encode(text)

describe('fsck and rebuild', () => {
  async function fill(): Promise<void> {
    const agents = [await collector.enrolled('web1'), await collector.enrolled('web2')]
    for (const agent of agents) {
      await agent.send([...agent.many(3), signEnvelope(agent.payload({ chain: { seq: 2 } }), [agent.signer])])
      agent.next()
      await agent.send(agent.many(2))
    }
    await agentRevokeCommand(collector.opened, { agent: 'web2', reason: 'gone', person: 'Lind' })
  }

  /** Somebody outside cosigns the newest head. */
  async function cosign(): Promise<void> {
    const [cosigner, { note }] = [
      { name: 'witness.example', signer: signerOf('witness') },
      await collector.log.head(),
    ]
    const vkey = formatCosignerKey(cosigner.name, cosigner.signer.spki)
    const now = new Date()
    await keepCosignature(collector.store, { note: note + signCosignature(note, cosigner, now), vkey }, now)
  }

  const dump = async () => {
    const { db } = collector.store
    return {
      statements: await db.selectFrom('statement').selectAll().orderBy('id').execute(),
      agents: await db.selectFrom('agent').selectAll().orderBy('id').execute(),
      keys: await db.selectFrom('agent_key').selectAll().orderBy('keyid').execute(),
      bindings: await db.selectFrom('agent_contract').selectAll().orderBy('agent').execute(),
      alarms: await db.selectFrom('alarm').selectAll().orderBy('id').execute(),
      invitations: await db.selectFrom('invitation').selectAll().orderBy('keyid').execute(),
    }
  }

  test('rebuild derives exactly what intake had derived', async () => {
    await fill()
    const before = await dump()
    expect(before.alarms.map(({ kind }) => kind)).toContain('equivocation')
    await rebuildCommand(collector.opened)
    expect(await dump()).toEqual(before)
    await assertClean(collector)
  })

  test('fsck finds what was changed, wherever it was', async () => {
    await fill()
    await cosign()
    const { store } = collector
    const findings = async () => {
      const { exit, lines } = await fsckCommand(collector.opened, {})
      expect(exit).toBe(1)
      return lines.join('\n')
    }
    /** Changes a row behind the collector's back, looks, and puts it back. */
    const damage = async (table: string, column: string, where: string, value: unknown) => {
      const [from, name, rows] = [sql.table(table), sql.ref(column), sql.raw(where)]
      const set = (next: unknown) =>
        store.write((tx) => sql`update ${from} set ${name} = ${next} where ${rows}`.execute(tx))
      const before = await sql<{ old: unknown }>`select ${name} as old from ${from} where ${rows}`.execute(
        store.db,
      )
      await set(value)
      const said = await findings()
      await set(before.rows[0]?.old)
      return said
    }
    expect(await damage('log_leaf', 'entry', 'leaf_index = 3', new Uint8Array(113))).toMatch(
      /leaf 3 is not the entry/,
    )
    expect(await damage('log_node', 'hash', 'level = 2 and node_index = 0', new Uint8Array(32))).toMatch(
      /node 2\/0/,
    )
    expect(await damage('log_checkpoint', 'root', 'size = 3', new Uint8Array(32))).toMatch(/head of 3/)
    expect(await damage('statement', 'payload', 'id = 2', utf8('{}'))).toMatch(/statement 2: its payload/)
    expect(await damage('statement', 'pae_digest', 'id = 2', 'ab'.repeat(32))).toMatch(
      /statement 2: its digest/,
    )
    expect(await damage('statement', 'received_at', 'id = 3', '2020-01-01T00:00:00.000Z')).toMatch(
      /statement 3: received/,
    )
    expect(await damage('statement', 'set_id', 'id = 3', 'other')).toMatch(
      /statement 3: is not what the log leads to/,
    )
    const { line: before } = await store.db
      .selectFrom('log_cosignature')
      .select('line')
      .executeTakeFirstOrThrow()
    const spoilt = before.replace(/(.)(?=.{8}\n$)/, (letter) => (letter === 'A' ? 'B' : 'A'))
    expect(await damage('log_cosignature', 'line', 'size > 0', spoilt)).toMatch(
      /cosignature of \d+ by witness.example/,
    )
    expect(await damage('log_cosignature', 'size', 'size > 0', 999)).toMatch(/signed no such head/)
    await assertClean(collector)
    await store.write(async (tx) => {
      await tx.deleteFrom('log_leaf').where('statement_id', '=', 2).execute()
      await tx.deleteFrom('statement').where('id', '=', 2).execute()
    })
    expect(await findings()).toMatch(/number 2 was due/)
  })
})
