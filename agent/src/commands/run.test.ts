import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { signerFromSeed } from '@bevis/shared/crypto'
import { formatToken } from '@bevis/shared/evidence/enrolment'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startTestLog } from '../outbox/log-for-tests.ts'
import type { TestLog } from '../outbox/log-for-tests.ts'

const main = fileURLToPath(import.meta.resolve('../main.ts'))
let folder: string
let log: TestLog
let services: ChildProcess[]

interface Ended {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs one command to its end, as a shell would. */
function agent(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const config = ['--config', join(folder, 'agent.yaml')]
    const child = execFile(process.execPath, [main, ...args, ...config], (_, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    )
  })
}

/** Starts the service; what it logs is collected. */
function startService(): { child: ChildProcess; log: () => string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [main, 'run', '--config', join(folder, 'agent.yaml')], {
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
  folder = mkdtempSync(join(tmpdir(), 'bevis-run-'))
  services = []
  log = await startTestLog()
  mkdirSync(join(folder, 'source'))
  writeFileSync(join(folder, 'pass'), 'secret', { mode: 0o600 })
  writeRestic('exit 1')
  writeFileSync(
    join(folder, 'agent.yaml'),
    JSON.stringify({
      collector: { url: log.url },
      state: join(folder, 'state'),
      restic: join(folder, 'restic'),
      sets: [
        {
          id: 'shop',
          paths: [join(folder, 'source')],
          repository: { url: join(folder, 'repository'), passwordFile: join(folder, 'pass') },
        },
      ],
    }),
  )
  const seed = new Uint8Array(32).fill(9)
  const { spki, keyid } = signerFromSeed(seed)
  log.trust(spki, keyid)
  const token = formatToken({
    collector: log.url,
    vkey: log.vkey,
    tenant: 'acme',
    agent: 'web',
    host: hostname(),
    contracts: ['AFT-1'],
    seed: seed.toBase64({ alphabet: 'base64url', omitPadding: true }),
    expiresAt: '2099-01-01T00:00:00.000Z',
  })
  writeFileSync(join(folder, 'token'), token)
  const enrolled = await agent('enroll', '--token-file', join(folder, 'token'))
  if (enrolled.status !== 0) throw new Error(enrolled.stderr)
})

afterEach(async () => {
  for (const child of services) child.kill('SIGKILL')
  await log.close()
  rmSync(folder, { recursive: true, maxRetries: 5, retryDelay: 200 })
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
  expect(JSON.parse(status.stdout)).toMatchObject({ problems: ['the last inventory of shop crashed'] })
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
