/** What an attack looks like to the commands: real backups, an alarm, a hold, and a person who releases it. */
import { createCipheriv } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agentPlace } from './place-for-tests.ts'
import type { AgentPlace } from './place-for-tests.ts'

let place: AgentPlace

beforeAll(async () => {
  place = await agentPlace()
  for (let n = 0; n < 80; n += 1) {
    writeFileSync(join(place.source, `invoice-${n}.txt`), `invoice ${n} `.repeat(1_000))
  }
  writeFileSync(join(place.source, 'canary'), 'nobody ever changes this')
  place.configure({ anomaly: { canaries: [join(place.source, 'canary')] } })
  const first = await place.agent('backup', 'shop')
  if (first.status !== 0) throw new Error(first.stderr + first.stdout)
})

afterAll(() => place.remove())

test('a night like others: no alarm', async () => {
  writeFileSync(join(place.source, 'invoice-0.txt'), 'paid')
  renameSync(join(place.source, 'invoice-1.txt'), join(place.source, 'invoice-one.txt'))
  rmSync(join(place.source, 'invoice-2.txt'))
  expect(await place.agent('backup', 'shop')).toMatchObject({ status: 0 })
  expect(place.statements().find(({ name }) => name === 'backup-run')?.predicate).not.toHaveProperty(
    'anomaly',
  )
})

test('files that are encrypted under other names: told, stated, held until somebody has looked', async () => {
  const key = Buffer.alloc(32, 7)
  for (const name of readdirSync(place.source).filter((one) => one.startsWith('invoice'))) {
    const file = join(place.source, name)
    const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16, name.length + name.charCodeAt(8)))
    writeFileSync(`${file}.locked`, Buffer.concat([cipher.update(readFileSync(file)), cipher.final()]))
    rmSync(file)
  }
  writeFileSync(join(place.source, 'canary'), 'pay here')
  const { status, stdout } = await place.agent('backup', 'shop')
  expect(status).toBe(1)
  expect(stdout).toMatch(/ANOMALY_FOUND: 100 % of 81 files are new, changed or gone/)
  const run = place.statements().find(({ name }) => name === 'backup-run')?.predicate
  expect(run).toMatchObject({
    outcome: 'complete',
    anomaly: {
      changeRate: { holds: true, limit: 0.5 },
      deletion: { holds: true },
      encrypted: { text: expect.stringMatching(/\d+ of \d+ changed files look encrypted/) },
      canary: { text: expect.stringContaining('canary changed') },
    },
  })
  const alarm = place.statements().find(({ name }) => name === 'agent-lifecycle')?.predicate
  expect(alarm).toMatchObject({ event: 'alarm', reason: 'ANOMALY_FOUND', detail: { set: 'shop' } })
  const told = await place.agent('status')
  expect(told.status).toBe(1)
  expect(told.stdout).toContain('bevis-agent retention shop --release-hold --reason TEXT')

  // The next backup looks like the last one; what was seen stands all the same.
  expect((await place.agent('backup', 'shop')).status).toBe(1)
  expect(await place.agent('retention', 'shop', '--release-hold')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('say why'),
  })
  const released = await place.agent('retention', 'shop', '--release-hold', '--reason', 'a drill of ours')
  expect(released).toMatchObject({ status: 0, stdout: expect.stringContaining('released by') })
  expect(place.statements()[0]).toMatchObject({
    name: 'retention-run',
    predicate: {
      removed: [],
      pruned: false,
      policy: { reason: 'a drill of ours', released: expect.stringContaining('changed or gone') },
    },
  })
  expect((await place.agent('status')).stdout).not.toContain('held since')
  expect((await place.agent('backup', 'shop')).status).toBe(0)
})
