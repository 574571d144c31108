/** The log's heads are cosigned: by outside log witnesses over their protocol, and by agents in their own requests. */
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { generateSigningKey, signerFromPem } from '@bevis/shared/crypto'
import { openCheckpoint, parseVkey, signCheckpoint } from '@bevis/shared/log/checkpoint'
import type { Checkpoint } from '@bevis/shared/log/checkpoint'
import { formatConsistency, parseConsistency } from '@bevis/shared/log/consistency'
import {
  agentCosignerName,
  formatCosignerKey,
  parseCosignerKey,
  signCosignature,
  verifyCosignature,
} from '@bevis/shared/log/cosignature'
import { parsePolicy, policySatisfied } from '@bevis/shared/log/policy'
import { assertExtends } from '@bevis/shared/log/receipt'
import { submitHead } from '../../collector/src/log/submit.ts'
import { withCosignatures } from '../../collector/src/store/read/cosignatures.ts'
import { assertClean, makeCollector } from '../kit/collector.ts'
import type { TestCollector, TestFolder } from '../kit/collector.ts'
import type { FakeAgent } from '../kit/fake-agent.ts'
import { startWitness } from '../kit/log-witness.ts'
import type { TestWitness } from '../kit/log-witness.ts'

const newSigner = () => signerFromPem(generateSigningKey().privatePem)

let witness: TestWitness
beforeEach(async () => {
  witness = await startWitness('witness.example/w1', newSigner())
})
afterEach(() => witness.close())

describe('a collector', () => {
  let place: TestFolder
  let collector: TestCollector
  let agent: FakeAgent
  const now = () => new Date()
  const parts = () => ({ store: collector.store, log: collector.log, now })
  const outside = () => ({ vkey: witness.vkey, url: witness.url })

  beforeEach(async () => {
    place = await makeCollector()
    collector = await place.start()
    agent = await collector.enrolled('web1')
    witness.logs.set(collector.log.origin, parseVkey(collector.log.vkey))
  })
  afterEach(async () => {
    await collector.stop()
    place.remove()
  })

  test('has its heads cosigned by a witness, one after the other, and publishes it', async () => {
    expect(await submitHead(parts(), outside(), await collector.log.head())).toBe('cosigned')
    await agent.send(agent.many(3))
    const head = await collector.log.head()
    expect(await submitHead(parts(), outside(), head)).toBe('cosigned')
    expect(await submitHead(parts(), outside(), head)).toBe('known')
    expect(witness.answers).toEqual([200, 200])
    const published = await (await fetch(`${collector.url}/log/checkpoint`)).text()
    expect(openCheckpoint(published, parseVkey(collector.log.vkey)).size).toBe(head.size)
    expect(verifyCosignature(published, parseCosignerKey(witness.vkey))).not.toBeNull()
    const policy = parsePolicy(`log ${collector.log.vkey}\nwitness w ${witness.vkey}\nquorum w\n`)
    expect(policySatisfied(policy, published).isSatisfied).toBe(true)
    expect(policySatisfied(policy, head.note).isSatisfied).toBe(false)
    await assertClean(collector)
  })

  test('that has lost what a witness said goes on from the size that the witness names', async () => {
    await submitHead(parts(), outside(), await collector.log.head())
    await collector.store.write((tx) => tx.deleteFrom('log_cosignature').execute())
    await agent.send(agent.many(3))
    expect(await submitHead(parts(), outside(), await collector.log.head())).toBe('cosigned')
    expect(witness.answers).toEqual([200, 409, 200])
  })

  test('that a witness can show a newer head of was set back, and signs nothing any more', async () => {
    const signer = newSigner()
    const root = new Uint8Array(32).fill(1)
    const stranger = signCheckpoint({ origin: collector.log.origin, size: 900, root }, signer)
    witness.cosigned.set(collector.log.origin, stranger)
    // The word of a witness alone stops nothing.
    await expect(submitHead(parts(), outside(), await collector.log.head())).rejects.toThrow('not signed')
    expect(collector.log.trouble).toBeNull()
    const key = signerFromPem(readFileSync(collector.opened.files.logKey, 'utf8'))
    const newer = signCheckpoint({ origin: collector.log.origin, size: 900, root }, key)
    witness.cosigned.set(collector.log.origin, newer)
    const attempt = submitHead(parts(), outside(), await collector.log.head())
    await expect(attempt).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' })
    await expect(agent.send(agent.many(1))).rejects.toThrow('LOG_ROLLED_BACK')
  })

  test('a witness that refuses, or answers with something else, leaves the log alone', async () => {
    witness.logs.clear()
    const head = await collector.log.head()
    await expect(submitHead(parts(), outside(), head)).rejects.toMatchObject({ code: 'COLLECTOR_REFUSED' })
    witness.logs.set(collector.log.origin, parseVkey(collector.log.vkey))
    const another = { vkey: formatCosignerKey('witness.example/w1', newSigner().spki), url: witness.url }
    await expect(submitHead(parts(), another, head)).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' })
    await witness.close()
    await expect(submitHead(parts(), outside(), head)).rejects.toMatchObject({
      code: 'COLLECTOR_UNREACHABLE',
    })
    witness = await startWitness('witness.example/w1', newSigner())
    expect(collector.log.trouble).toBeNull()
  })

  describe('and its agents', () => {
    const cosigner = { name: '', signer: newSigner() }
    const cosign = async (head: Checkpoint, who = cosigner, id = 'web1') => {
      const checkpoint = head.note + signCosignature(head.note, who, now())
      const response = await fetch(`${collector.url}/v1/agents/${id}/cosign`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
        body: formatConsistency({ from: head.size, hashes: [], checkpoint }),
      })
      return response.status === 204 ? 'taken' : ((await response.json()) as { code: string }).code
    }
    const vkeyOf = () => formatCosignerKey(cosigner.name, cosigner.signer.spki)

    beforeEach(async () => {
      cosigner.name = agentCosignerName(collector.log.origin, 'web1')
      await agent.send([agent.next({ event: 'started', cosigner: vkeyOf() })])
    })

    test('takes what an announced key cosigned, and shows it to its own tenant', async () => {
      const head = await collector.log.head()
      expect(await cosign(head)).toBe('taken')
      expect(await cosign(head)).toBe('taken')
      const { note } = await withCosignatures(collector.store.db, head, { tenant: agent.token.tenant })
      expect(verifyCosignature(note, parseCosignerKey(vkeyOf()))).not.toBeNull()
      const foreign = await withCosignatures(collector.store.db, head, { tenant: 'others' })
      expect(foreign.note).toBe(head.note)
      expect(await (await fetch(`${collector.url}/log/checkpoint`)).text()).toBe(head.note)
      await assertClean(collector)
    })

    test('takes no cosignature of another key, another name, another head, or a revoked agent', async () => {
      const head = await collector.log.head()
      expect(await cosign(head, { ...cosigner, signer: newSigner() })).toBe('AGENT_UNKNOWN')
      expect(await cosign(head, { ...cosigner, name: 'somebody' })).toBe('AGENT_UNKNOWN')
      expect(await cosign(head, cosigner, 'web2')).toBe('AGENT_UNKNOWN')
      const log = signerFromPem(readFileSync(collector.opened.files.logKey, 'utf8'))
      const other = signCheckpoint({ ...head, root: new Uint8Array(32) }, log)
      expect(await cosign(other)).toBe('CHECKPOINT_INVALID')
      await collector.store.write((tx) => tx.updateTable('agent').set({ state: 'revoked' }).execute())
      expect(await cosign(head)).toBe('AGENT_REVOKED')
    })

    test('asks all of them to cosign the last head of the hour before', async () => {
      const hourly = await collector.log.head()
      const earlier = new Date(Date.now() - 3_600_000).toISOString()
      await collector.store.write((tx) =>
        tx
          .updateTable('log_checkpoint')
          .set({ signed_at: earlier })
          .where('size', '<=', hourly.size)
          .execute(),
      )
      const before = agent.last
      await agent.send(agent.many(2))
      const ask = (from: number) => fetch(`${collector.url}/v1/agents/web1/cosign?from=${from}`)
      const { from, hashes, checkpoint } = parseConsistency(await (await ask(before?.size ?? 0)).text())
      expect(from).toBe(before?.size)
      const asked = openCheckpoint(checkpoint, parseVkey(collector.log.vkey))
      expect(asked.size).toBe(hourly.size)
      assertExtends(before, asked, hashes)
      expect((await ask(agent.last?.size ?? 0)).status).toBe(204)
    })
  })
})
