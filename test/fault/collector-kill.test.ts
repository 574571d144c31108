/** kill -9 of the collector at random moments of its intake: no answered statement is ever lost, none is twice. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { openEnvelope } from '@bevis/shared/evidence/envelope'
import { expect, onTestFinished, test } from 'vitest'
import { openSqliteStore } from '../../collector/src/store/sqlite/open.ts'
import { CONTRACT, contractYaml, freePort } from '../kit/collector.ts'
import { runCollector, startServe, writeConfig } from '../kit/collector-process.ts'
import { FakeAgent } from '../kit/fake-agent.ts'

const KILLS = 20
const AGENTS = 4

test(`kill -9 ${KILLS} times during intake`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-kill-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const config = writeConfig(folder, port)
  const run = async (...args: string[]) => {
    const ended = await runCollector([...args, '--config', config], { BEVIS_PASSWORD: 'a long password' })
    expect(ended.stderr).toBe('')
    return ended.stdout
  }
  await run('init', '--email', 'a@b.example')
  writeFileSync(join(folder, 'contract.yaml'), contractYaml())
  await run('contract', 'apply', join(folder, 'contract.yaml'))
  let serve = await startServe(config, url)
  onTestFinished(() => void serve.kill('SIGKILL'))
  const answered = new Set<string>()
  const signed = new Set<string>()
  const ending = { now: false }
  const agents = await Promise.all(
    Array.from({ length: AGENTS }, async (_, n) => {
      const agent = new FakeAgent(
        await run('invite', '--contract', CONTRACT, '--host', 'web1', '--agent', `web${n}`),
      )
      await agent.enrol()
      return agent
    }),
  )

  /** Sends the same batch until it is answered, as an outbox does; every answer is verified. */
  async function deliver(agent: FakeAgent, envelopes: readonly Envelope[]): Promise<void> {
    for (;;) {
      const response = await agent.send(envelopes).catch((error: unknown) => {
        if (error instanceof TypeError || /answered 503/.test(String(error))) return null // not there just now
        throw error
      })
      if (response === null) {
        await sleep(20)
        continue
      }
      for (const answer of response.answers) {
        expect(['logged', 'duplicate']).toContain(answer.outcome)
        if (answer.outcome !== 'refused') answered.add(answer.pae)
      }
      return
    }
  }

  const sending = agents.map(async (agent) => {
    while (!ending.now) {
      const envelopes = agent.many(1 + Math.floor(Math.random() * 20))
      for (const envelope of envelopes) signed.add(openEnvelope(envelope).paeDigest)
      await deliver(agent, envelopes)
    }
  })
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(100 + Math.random() * 400)
    serve.kill('SIGKILL')
    await once(serve, 'exit')
    serve = await startServe(config, url)
  }
  ending.now = true
  await Promise.all(sending)
  serve.kill('SIGTERM')
  expect(await once(serve, 'exit')).toEqual([0, null])

  expect(answered).toEqual(signed)
  expect(await run('fsck')).toMatch(/^Clean/)
  const store = await openSqliteStore({ stateFolder: join(folder, 'state') })
  const rows = await store.db
    .selectFrom('statement')
    .select('pae_digest')
    .where('name', '=', 'agent-lifecycle')
    .execute()
  const alarms = await store.db.selectFrom('alarm').select(['kind', 'detail']).execute()
  await store.close()
  expect(rows).toHaveLength(signed.size + AGENTS)
  expect(alarms).toEqual([])
  rmSync(folder, { recursive: true, force: true })
})
