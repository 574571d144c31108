import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AGENT, agentPlace } from './place-for-tests.ts'
import type { AgentPlace } from './place-for-tests.ts'

let place: AgentPlace
let { folder, log, agent } = {} as AgentPlace
let services: ChildProcess[]

/** Starts the service; what it logs is collected. */
function startService(): { child: ChildProcess; log: () => string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [AGENT, 'run', '--config', place.config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  services.push(child)
  let text = ''
  child.stdout.on('data', (chunk) => (text += String(chunk)))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return { child, log: () => text, ended }
}

interface Listed {
  epoch: number
  seq: number
  name: string
  state: string
  paeDigest: string
}

async function listEvidence(): Promise<Listed[]> {
  return JSON.parse((await agent('evidence', 'list', '--json', '--limit', '1000')).stdout) as Listed[]
}

async function until(what: () => boolean | Promise<boolean>, waitMs = 60_000): Promise<void> {
  const deadline = Date.now() + waitMs
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error('it did not come to pass')
    await sleep(50)
  }
}

/** A restic that does what the shell script says. */
function writeRestic(script: string): void {
  const file = join(folder, 'restic')
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}

beforeEach(async () => {
  place = await agentPlace()
  ;({ folder, log, agent } = place)
  services = []
  writeRestic('exit 1')
  place.configure({}, { restic: join(folder, 'restic') })
})

afterEach(async () => {
  for (const child of services) child.kill('SIGKILL')
  await place.remove()
})

test('the service says that it started, and that it stopped, and the log has both', async () => {
  const service = startService()
  await until(() => service.log().includes('"msg":"ended"') && log.leaves.length >= 3)
  const status = await agent('status', '--json')
  expect(JSON.parse(status.stdout)).toMatchObject({ service: { pid: service.child.pid } })
  expect(await agent('run', '--json')).toMatchObject({
    status: 2,
    stdout: expect.stringContaining('STATE_LOCKED'),
  })
  service.child.kill('SIGTERM')
  expect(await service.ended).toBe(0)
  const events = await listEvidence()
  expect(events.every(({ state }) => state === 'logged')).toBe(true)
  const [last] = events
  const shown = await agent('evidence', 'show', `${last?.epoch}/${last?.seq}`, '--json')
  expect(JSON.parse(shown.stdout)).toMatchObject({
    statement: {
      predicate: { event: 'stopped', spool: { depth: 0 }, versions: { agent: expect.any(String) } },
    },
  })
  expect(JSON.parse((await agent('status', '--json')).stdout)).toMatchObject({ service: null })
})

test('who retires while the service runs says nothing after it: it would be taken for a stolen key', async () => {
  const service = startService()
  await until(() => service.log().includes('"msg":"ended"') && log.leaves.length >= 3)
  expect((await agent('retire', '--reason', 'sold')).status).toBe(0)
  expect((await agent('evidence', 'send')).status).toBe(0)
  service.child.kill('SIGTERM')
  expect(await service.ended).toBe(0)
  const again = startService()
  await until(() => again.log().includes('this agent has retired'))
  again.child.kill('SIGTERM')
  expect(await again.ended).toBe(0)
  const [last] = await listEvidence()
  expect(last?.state).toBe('logged')
  const shown = await agent('evidence', 'show', `${last?.epoch}/${last?.seq}`, '--json')
  expect(JSON.parse(shown.stdout)).toMatchObject({ statement: { predicate: { event: 'retired' } } })
  expect((await agent('retire', '--reason', 'sold')).status).toBe(2)
  expect((await agent('status')).stdout).toContain('this agent retired at')
})

test('a run that is killed is an alarm in the log, and the service goes on', async () => {
  writeRestic('kill -9 $PPID')
  const service = startService()
  await until(async () => (await listEvidence()).filter(({ state }) => state === 'logged').length >= 3)
  const [alarm] = await listEvidence()
  const shown = await agent('evidence', 'show', alarm?.paeDigest ?? '', '--json')
  expect(JSON.parse(shown.stdout)).toMatchObject({
    statement: {
      predicate: { event: 'alarm', detail: { set: 'shop', what: 'inventory', signal: 'SIGKILL' } },
    },
  })
  expect(service.child.exitCode).toBeNull()
  const status = await agent('status', '--json')
  expect(status.status).toBe(1)
  expect(JSON.parse(status.stdout)).toMatchObject({
    problems: ['shop has never been backed up', 'the last inventory of shop crashed'],
  })
})

test('stopping takes a run that is at work along, and leaves it owed', async () => {
  const begun = join(folder, 'begun')
  writeRestic(`trap "exit 130" INT TERM; touch ${begun}; sleep 30 & wait`)
  const service = startService()
  await until(() => existsSync(begun))
  service.child.kill('SIGTERM')
  expect(await service.ended).toBe(0)
  expect(JSON.parse((await agent('status', '--json')).stdout)).toMatchObject({
    sets: [
      {
        work: expect.arrayContaining([
          expect.objectContaining({
            what: 'inventory',
            last: expect.objectContaining({ outcome: 'interrupted' }),
          }),
        ]),
      },
    ],
  })
})

test('kill -9 while evidence is on its way, again and again: each statement is in the log once', async () => {
  const service = startService()
  await until(() => service.log().includes('"msg":"ended"'))
  service.child.kill('SIGTERM')
  await service.ended
  for (let round = 0; round < 8; round++) {
    const one = startService() // its first words are one statement each time
    await until(() => one.log().includes('"started"'))
    await sleep(Math.random() * 500)
    one.child.kill('SIGKILL')
    await one.ended
  }
  await until(async () => (await agent('evidence', 'send', '--json')).status === 0)
  const stated = await listEvidence()
  expect(stated.map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual(stated.map((_, index) => index + 1))
  expect(stated.every(({ state }) => state === 'logged')).toBe(true)
  const [, , ...leaves] = log.leaves // the enrolment has two
  const digests = stated.filter(({ seq }) => seq > 1).map(({ paeDigest }) => paeDigest)
  expect(leaves.toSorted()).toEqual(digests.toSorted())
}, 180_000)
