/** retention as it is called: shown, applied, by hand and by the service, and what the collector can and cannot do to it. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { setSchema } from '@bevis/shared/contract/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { raiseHold, releaseHold } from '../run/hold.ts'
import { knownRepository } from '../run/repository.ts'
import { openState } from '../state.ts'
import { AGENT, agentPlace } from './place-for-tests.ts'
import type { AgentPlace } from './place-for-tests.ts'

let place: AgentPlace
let repository: string
const DAY_MS = 86_400_000

function termsOf(keep: number): Record<string, unknown> {
  return {
    id: 'shop',
    selector: { repository, hosts: [hostname()], requiredPaths: [place.source] },
    onboardedAt: '2025-01-01',
    retention: { wording: `${keep} days`, min: [{ per: 'day', keep }] },
  }
}

function writeContract(keep: number): string {
  const file = join(place.folder, 'contract.yaml')
  const at = '2024-12-12T10:00:00Z'
  const contract = {
    id: 'AFT-1',
    provider: { name: 'Nordlys' },
    customer: { name: 'Havfruen' },
    term: { start: '2025-01-01' },
    versions: [
      {
        no: 1,
        effectiveFrom: '2025-01-01',
        acceptances: ['customer', 'provider'].map((party) => ({ party, person: 'x', at })),
        sets: [termsOf(keep)],
      },
    ],
  }
  writeFileSync(file, JSON.stringify(contract))
  return file
}

/** A snapshot of so many days ago, made by hand. */
function takeOld(days: number): void {
  const time = new Date(Date.now() - days * DAY_MS).toISOString().replace('T', ' ').slice(0, 19)
  const access = ['-r', join(place.folder, 'repository'), '-p', join(place.folder, 'pass'), '--no-cache']
  execFileSync(place.build.binary, [...access, 'backup', '-q', '--time', time, place.source], {
    env: { PATH: process.env['PATH'], HOME: place.folder, TZ: 'UTC' },
  })
}

async function answer(...args: string[]): Promise<Record<string, unknown>> {
  const { status, stdout } = await place.agent('retention', 'shop', ...args, '--json')
  return { status, ...(JSON.parse(stdout) as object) }
}

/** As the collector would have told it. */
function tell(keep: number, more: object = {}, at = new Date().toISOString()): void {
  const state = openState(join(place.folder, 'state'))
  const terms = {
    contract: 'AFT-1',
    sha256: 'a'.repeat(64),
    version: 2,
    timezone: 'Europe/Copenhagen',
    holidays: 'DK',
    set: setSchema.parse(termsOf(keep)),
    ...more,
  }
  const work = { agent: 'web', at, terms: [terms], seeds: [], requests: [] }
  state.put('work', JSON.stringify({ at, work }))
  state.close()
}

beforeAll(async () => {
  place = await agentPlace()
  takeOld(40)
  takeOld(20)
  takeOld(2)
  const backup = await place.agent('backup', 'shop')
  if (backup.status !== 0) throw new Error(backup.stderr + backup.stdout)
  repository = knownRepository(join(place.folder, 'state'), 'shop') ?? ''
})

afterAll(() => place.remove())

test('without the text on this machine nothing goes, whatever the collector tells', async () => {
  tell(1)
  expect(await answer('--apply')).toMatchObject({
    status: 2,
    removed: [],
    error: { code: 'RETENTION_REFUSED', message: expect.stringContaining('contractFile') },
  })
  expect(place.statements()[0]).toMatchObject({
    name: 'retention-run',
    predicate: { exitCode: -1, removed: [], heldBy: expect.stringContaining('RETENTION_REFUSED') },
  })
})

test('what is told can keep more than the text, and never less', async () => {
  place.configure({ contractFile: writeContract(5) })
  tell(1)
  expect(await answer()).toMatchObject({ status: 0, go: [expect.anything(), expect.anything()] })
  tell(30)
  expect(await answer()).toMatchObject({ status: 0, go: [expect.anything()] })
  const [from, to] = [41, 39].map((days) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10))
  tell(1, { holds: [{ covers: { from, to }, authority: 'Tvist 2025-88' }] })
  expect(await answer()).toMatchObject({ status: 0, go: [expect.anything()] })
  expect((await place.agent('retention', 'shop')).stdout).toContain('held: Tvist 2025-88')
  tell(5)
})

test('of holds only the collector knows: long silence, or another set’s terms, keep everything', async () => {
  tell(5, {}, new Date(Date.now() - 4 * DAY_MS).toISOString())
  expect(await answer()).toMatchObject({
    status: 2,
    error: { message: expect.stringContaining('is not known') },
  })
  tell(5, { contract: 'AFT-2' })
  place.configure({ contract: 'AFT-1', contractFile: join(place.folder, 'contract.yaml') })
  expect(await answer()).toMatchObject({
    status: 2,
    error: { message: expect.stringContaining('no terms that are about this set') },
  })
  tell(5)
})

test('what holds another set of the repository holds this one, however its URL is spelt there', async () => {
  place.configure({ contractFile: join(place.folder, 'contract.yaml') })
  const state = join(place.folder, 'state')
  const config = JSON.parse(readFileSync(place.config, 'utf8')) as { sets: { repository: object }[] }
  const [shop] = config.sets
  const url = `local:${place.folder}/repository/`
  const other = { ...shop, id: 'other', repository: { ...shop?.repository, url } }
  writeFileSync(place.config, JSON.stringify({ ...config, sets: [shop, other] }))
  const reasons = [{ kind: 'deletion', text: 'half of the files are gone' }]
  raiseHold(state, 'other', { reasons, snapshot: null, now: new Date() })
  expect(await answer()).toMatchObject({ hold: { reasons } })
  releaseHold(state, 'other')
})

test('shown with its reasons, then removed, and both are evidence', async () => {
  place.configure({ contractFile: writeContract(5), retention: { fromContract: true } })
  const shown = await place.agent('retention', 'shop')
  expect(shown.stdout).toMatch(/AFT-1, version 1: shop/)
  expect(shown.stdout).toMatch(/restic forget --host \S+ --group-by '' --keep-daily 6/)
  expect(shown.stdout).toMatch(/would go: 2\n.*dayx5 \d{4}-\d\d-\d\d was owed until/)
  expect(shown.stdout).toMatch(/stay for another reason: 1\n.*nothing in it is certain/)
  const before = place.statements().length
  const applied = await answer('--apply')
  expect(applied).toMatchObject({
    status: 0,
    pruned: true,
    error: null,
    inventory: { complete: true, count: 2 },
  })
  expect(applied['removed']).toHaveLength(2)
  expect(place.statements().slice(0, place.statements().length - before)).toMatchObject([
    { name: 'inventory', predicate: { complete: true, count: 2 } },
    {
      name: 'retention-run',
      predicate: {
        set: 'shop',
        removed: applied['removed'],
        kept: 2,
        pruned: true,
        freedBytes: expect.any(Number),
      },
    },
  ])
  const status = await place.agent('status', '--json')
  expect(JSON.parse(status.stdout)).toMatchObject({
    sets: [
      {
        hold: null,
        work: expect.arrayContaining([
          expect.objectContaining({
            what: 'retention',
            last: expect.objectContaining({ outcome: 'passed' }),
          }),
        ]),
      },
    ],
  })
  const doctor = await place.agent('doctor')
  expect(doctor.stdout).toContain('no backup is scheduled, and the contract has an RPO of 1 day')
})

test('the service shows what would go at its first run, and removes it at the next that its schedule owes', async () => {
  takeOld(40)
  takeOld(20)
  tell(5)
  place.configure({
    contractFile: writeContract(5),
    retention: { fromContract: true, every: 'PT5S' },
  })
  const runs = () =>
    place
      .statements()
      .filter(({ name }) => name === 'retention-run')
      .toReversed()
      .map(({ predicate }) => predicate)
  const before = runs().length
  const service = spawn(process.execPath, [AGENT, 'run', '--config', place.config], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = once(service, 'exit')
  try {
    // The second comes with a minute's tick.
    while (runs().length < before + 2) await sleep(500)
  } finally {
    service.kill('SIGTERM')
  }
  expect(await ended).toEqual([0, null])
  expect(runs().slice(before, before + 2)).toMatchObject([
    { removed: [], kept: 4 },
    { removed: [expect.anything(), expect.anything()], kept: 2 },
  ])
  for (const run of runs().slice(before)) expect(run).not.toHaveProperty('heldBy')
  expect(await answer()).toMatchObject({ status: 0, go: [] })
}, 300_000)
