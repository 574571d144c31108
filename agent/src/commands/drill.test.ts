/** A drill as it is called: real processes, a real repository, a folder that somebody would go on from. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, onTestFinished } from 'vitest'
import { filesBelow } from '../../../test/kit/restic-place.ts'
import { AGENT, agentPlace } from './place-for-tests.ts'
import type { AgentPlace } from './place-for-tests.ts'

let place: AgentPlace
let target: string

beforeEach(async () => {
  place = await agentPlace()
  target = join(place.folder, 'restored')
  for (let n = 0; n < 30; n += 1) writeFileSync(join(place.source, `file-${n}`), `content ${n} `.repeat(200))
  const backup = await place.agent('backup', 'shop')
  if (backup.status !== 0) throw new Error(backup.stderr + backup.stdout)
})

afterEach(() => place.remove())

/** A restic that does this before a restore. */
function slowRestic(script: string): void {
  const file = join(place.folder, 'slow-restic')
  writeFileSync(file, `#!/bin/sh\ncase "$1" in restore) ${script};; esac\nexec ${place.build.binary} "$@"\n`)
  chmodSync(file, 0o755)
  const config = JSON.parse(readFileSync(place.config, 'utf8')) as object
  writeFileSync(place.config, JSON.stringify({ ...config, restic: file }))
}

const lastTest = () => place.statements().find(({ name }) => name === 'restore-test')?.predicate

test('restores everything and leaves it there, timed, compared and signed', async () => {
  const drilled = await place.agent('drill', 'shop', '--target', target, '--json')
  expect(drilled.status, drilled.stderr).toBe(0)
  const json = JSON.parse(drilled.stdout) as { measuredSeconds: number }
  expect(json).toMatchObject({ outcome: 'PASSED', target, agreedSeconds: null, isTooSlow: false })
  expect(readFileSync(join(target, place.source, 'file-7'), 'utf8')).toBe('content 7 '.repeat(200))
  expect(readdirSync(join(target, place.source))).toHaveLength(31)
  expect(statSync(target).mode & 0o077).toBe(0)
  expect(lastTest()).toMatchObject({
    reason: 'drill',
    mode: 'full',
    result: 'PASSED',
    negativeControl: 'caught',
    classes: { identical: 31 },
    restored: { files: 31, method: 'disk' },
    rto: { measuredSeconds: json.measuredSeconds },
  })
  // Once is enough: what is there is not taken for restored a second time.
  const again = await place.agent('drill', 'shop', '--target', target)
  expect(again).toMatchObject({ status: 2, stderr: expect.stringContaining('is not empty') })
  const inside = await place.agent('drill', 'shop', '--target', join(place.source, 'restored'))
  expect(inside).toMatchObject({ status: 2, stderr: expect.stringContaining('which is backed up') })
})

test('a folder that is not its to make is refused before anything begins', async () => {
  const shut = join(place.folder, 'shut')
  mkdirSync(shut)
  const isRoot = process.getuid?.() === 0 // who may write everywhere: the agent is somebody else then, as installed
  if (isRoot) execFileSync('chown', ['-R', 'nobody', place.folder])
  chmodSync(shut, 0o555)
  const { status, stderr } = spawnSync(
    process.execPath,
    [AGENT, 'drill', 'shop', '--target', join(shut, 'restored'), '--config', place.config],
    { encoding: 'utf8', ...(isRoot && { uid: Number(execFileSync('id', ['-u', 'nobody'])) }) },
  )
  expect(stderr).toContain(`install -d -m 700 -o bevis-agent ${join(shut, 'restored')}`)
  expect(status).toBe(2)
  if (isRoot) execFileSync('chown', ['-R', '0', place.folder])
  expect(lastTest()).toBeUndefined()
})

test('later than agreed is bad, however whole', async () => {
  const set = {
    id: 'shop',
    selector: { repository: 'any', hosts: ['web'], requiredPaths: [] },
    retention: { wording: '30 days', min: [{ per: 'day', keep: 30 }] },
    restoreTest: { rto: 'PT1S' },
  }
  const accepted = ['customer', 'provider'].map((party) => ({
    party,
    person: 'x',
    at: '2024-12-12T10:00:00Z',
  }))
  const contract = {
    id: 'AFT-1',
    provider: { name: 'Nordlys' },
    customer: { name: 'Havfruen' },
    term: { start: '2025-01-01' },
    versions: [{ no: 1, effectiveFrom: '2025-01-01', acceptances: accepted, sets: [set] }],
  }
  const contractFile = join(place.folder, 'contract.yaml')
  writeFileSync(contractFile, JSON.stringify(contract))
  place.configure({ contractFile })
  slowRestic('sleep 1.2')
  const { status, stdout } = await place.agent('drill', 'shop', '--target', target)
  expect(stdout).toMatch(/PASSED[^]*✗ [\d.]+ s, and 1\.0 s are agreed/)
  expect(status).toBe(1)
  expect(lastTest()).toMatchObject({ result: 'PASSED', rto: { agreedSeconds: 1 } })

  // What was agreed must not be lost with the file that says it.
  writeFileSync(contractFile, '{')
  const elsewhere = join(place.folder, 'elsewhere')
  expect(await place.agent('drill', 'shop', '--target', elsewhere)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('CONTRACT_INVALID'),
  })
  expect(existsSync(elsewhere)).toBe(false)
})

test('damage is FAILED, once, with what could be had left in place', async () => {
  for (const pack of filesBelow(join(place.folder, 'repository', 'data'))) {
    const bytes = readFileSync(pack)
    chmodSync(pack, 0o600)
    writeFileSync(
      pack,
      bytes.map((byte, at) => (at === 30 ? byte ^ 0xff : byte)),
    )
  }
  mkdirSync(target)
  const { status, stdout } = await place.agent('drill', 'shop', '--target', target, '--json')
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'FAILED', tests: [{ result: { reason: 'drill' } }] })
  expect(status).toBe(1)
  expect(existsSync(target)).toBe(true)
})

test('stopped: INCONCLUSIVE, recorded, and nothing of ours is left behind', async () => {
  slowRestic('exec sleep 60')
  const child = spawn(
    process.execPath,
    [AGENT, 'drill', 'shop', '--target', target, '--json', '--config', place.config],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  while (!existsSync(target)) await sleep(20)
  child.kill('SIGTERM')
  expect(await ended).toBe(2)
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'INCONCLUSIVE' })
  expect(lastTest()).toMatchObject({ reason: 'drill', result: 'INCONCLUSIVE' })
  expect(readdirSync(join(place.folder, 'state', 'scratch'))).toEqual([])
  rmSync(target, { recursive: true })
})
