/** Commands as somebody gives them who has never seen us: real processes, a real repository, things that go wrong. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { QUICK_PASSWORD } from '../../../test/kit/quick-repository.ts'
import { sendJson } from '../outbox/log-for-tests.ts'
import { AGENT, agentPlace } from './place-for-tests.ts'
import type { AgentPlace } from './place-for-tests.ts'

let place: AgentPlace

beforeEach(async () => {
  place = await agentPlace()
})

afterEach(() => place.remove())

/** A restic with something before it, as the configured one. */
function writeRestic(before: string): string {
  const file = join(place.folder, 'restic')
  writeFileSync(file, `#!/bin/sh\n${before}\nexec ${place.build.binary} "$@"\n`, { mode: 0o755 })
  return file
}

const problem = (status: number, code: string, detail: string): object => ({
  type: 'about:blank',
  title: code,
  status,
  code,
  detail,
})

test.each([
  [503, 'LOG_ROLLED_BACK', 'the database is older than the log'],
  [403, 'AGENT_REVOKED', 'the key was revoked yesterday'],
  [403, 'AGENT_UNKNOWN', 'nobody enrolled this key'],
  [409, 'LOG_INCONSISTENT', 'the history was changed'],
])(
  'a collector that answers %i %s is an alarm, told aloud, while the backup stays good',
  async (status, code, detail) => {
    place.log.faults.push((response) => sendJson(response, status, problem(status, code, detail)))
    const backup = await place.agent('backup', 'shop')
    expect(backup).toMatchObject({ status: 0, stdout: expect.stringContaining('✓ complete') })
    expect(backup.stderr).toMatch(new RegExp(`✗ ALARM ${code}: .*${detail}`))
    expect(existsSync(join(place.folder, 'state', 'ALARM.json'))).toBe(true)
    expect(await place.agent('status')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining(`✗ ${code}`),
    })
    expect(await place.agent('doctor')).toMatchObject({ status: 1, stdout: expect.stringContaining(code) })
  },
)

test('a backup that is killed is stated by the next command, and shown', async () => {
  await place.agent('backup', 'shop')
  mkdirSync(join(place.folder, 'hook'))
  const begun = join(place.folder, 'begun')
  const hook = join(place.folder, 'hook', 'before')
  writeFileSync(hook, `#!/bin/sh\ntouch ${begun}\nsleep 60\n`, { mode: 0o755 })
  place.configure({ hooks: { before: [hook] } })
  const child = spawn(process.execPath, [AGENT, 'backup', 'shop', '--config', place.config], {
    detached: true,
  })
  while (!existsSync(begun)) await sleep(50)
  process.kill(-(child.pid ?? 0), 'SIGKILL')
  await once(child, 'close')
  place.configure()
  expect(await place.agent('status')).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/the last backup of shop, begun .*, was interrupted/),
  })
  expect((await place.agent('inventory')).status).toBe(0)
  const died = place.statements().filter(({ predicate }) => predicate['reason'] === 'the run died')
  expect(died).toMatchObject([{ predicate: { event: 'alarm', detail: { set: 'shop', what: 'backup' } } }])
  expect((await place.agent('status')).status).toBe(1) // stated, and still to be done
  expect((await place.agent('backup', 'shop')).status).toBe(0)
  expect(await place.agent('status')).toMatchObject({ status: 0 })
})

test('a backup without a file is no backup', async () => {
  rmSync(join(place.source, 'orders'))
  const backup = await place.agent('backup', 'shop')
  expect(backup).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/✗ empty [^]*nothing was backed up/),
  })
  expect(backup.stdout).not.toContain('✓ complete')
  expect(await place.agent('status')).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('the last backup of shop held no file'),
  })
  expect((await place.agent('doctor')).stdout).toMatch(/✗ +shop: source +.*holds no file/)
  writeFileSync(join(place.source, 'orders'), 'orders')
  place.configure({ exclude: ['**'] })
  expect(await place.agent('backup', 'shop')).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('✗ empty'),
  })
  expect((await place.agent('doctor')).stdout).toMatch(/✗ +shop: source +.*excludes leave none/)
})

test('a snapshot that cannot be witnessed is not called complete', async () => {
  mkdirSync(join(place.folder, 'state', 'manifests'), { recursive: true })
  writeFileSync(join(place.folder, 'state', 'manifests', 'shop'), 'in the way')
  const backup = await place.agent('backup', 'shop')
  expect(backup).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('! complete, without a witness'),
  })
})

test('a name that is no snapshot is a slip, and no evidence', async () => {
  await place.agent('backup', 'shop')
  const before = place.statements().length
  expect(await place.agent('test', 'shop', '--snapshot', 'deadbeef')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^USAGE: no snapshot deadbeef/),
  })
  expect(place.statements()).toHaveLength(before)
  expect((await place.agent('status')).status).toBe(0)
})

test('a lock that another restic has just taken is waited for, and that is told', async () => {
  const locks = join(place.folder, 'repository', 'locks')
  const other = spawn(place.build.binary, ['-r', join(place.folder, 'repository'), 'backup', '--stdin'], {
    env: { RESTIC_PASSWORD: QUICK_PASSWORD, HOME: place.folder, PATH: process.env['PATH'] ?? '' },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const ended = once(other, 'close')
  while (!readdirSync(locks).some((name) => /^[0-9a-f]{64}$/.test(name))) await sleep(20)
  const check = place.agent('check', 'shop')
  await sleep(4_000)
  other.stdin?.end('data')
  const { status, stderr } = await check
  expect({ status, stderr }).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/the repository is locked by process \d+ .*waiting for at most 30 s/),
  })
  await ended
})

test('what restic says cannot steer the terminal', async () => {
  const restic = writeRestic(
    `case "$*" in *backup*) printf 'Fatal: \\033[2J\\033]0;owned\\007evil\\n' >&2; exit 1;; esac`,
  )
  const text = JSON.stringify({
    collector: { url: place.log.url },
    state: join(place.folder, 'state'),
    restic,
    sets: [
      {
        id: 'shop',
        paths: [place.source],
        repository: { url: join(place.folder, 'repository'), passwordFile: join(place.folder, 'pass') },
      },
    ],
  })
  writeFileSync(place.config, text)
  const { stdout, stderr } = await place.agent('backup', 'shop')
  expect(stdout + stderr).toContain('evil')
  for (const steering of ['\u001b', '\u0007', 'owned']) expect(stdout + stderr).not.toContain(steering)
  const [run] = place.statements().filter(({ name }) => name === 'backup-run')
  expect(JSON.stringify(run)).toContain('evil')
  expect(JSON.stringify(run)).not.toMatch(/\\u001b|\\u0007/)
})

test('doctor makes nothing where it looks', async () => {
  rmSync(join(place.folder, 'state'), { recursive: true })
  const { status, stdout } = await place.agent('doctor')
  expect({ status, stdout }).toMatchObject({ status: 1, stdout: expect.stringContaining('not enrolled') })
  expect(existsSync(join(place.folder, 'state'))).toBe(false)
})

test('who makes a repository is told how a contract names it, and every statement names it so', async () => {
  const repository = { url: join(place.folder, 'new'), passwordFile: join(place.folder, 'pass') }
  place.configure({ repository })
  expect((await place.agent('backup', 'shop', '--init')).stdout).toMatch(
    /repository [0-9a-f]{64}\n.*names it by this ID .*repository\.lineage/,
  )
  place.configure({ repository: { ...repository, lineage: 'hfk-web' } })
  expect((await place.agent('backup', 'shop', '--init')).stdout).toContain('A contract names it hfk-web')
  const [inventory, run, ...earlier] = place.statements()
  const named = { predicate: { repository: { lineage: 'hfk-web' } } }
  expect([inventory, run]).toMatchObject([named, named])
  expect(earlier.some(({ predicate }) => JSON.stringify(predicate).includes('lineage'))).toBe(false)
})

test('what cannot be done is told once, with a cure that fits', async () => {
  expect(await place.agent('--version')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^bevis-agent \d/),
  })
  await place.agent('backup', 'shop')
  rmSync(join(place.folder, 'repository'), { recursive: true })
  const { stdout, stderr } = await place.agent('test', 'shop')
  expect((stdout + stderr).match(/RESTIC_REPOSITORY_MISSING/g)).toHaveLength(1)
  expect(stdout + stderr).toContain('not run: nothing was judged')
  rmSync(place.config)
  expect((await place.agent('status')).stderr).toMatch(
    /^CONFIG_INVALID: .*is not there\n +Make it from deploy\/examples/,
  )
})
