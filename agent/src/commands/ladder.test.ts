/** Which older snapshots a scheduled test takes along: by the contract's text here, by what the collector told, by none. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setSchema } from '@bevis/shared/contract/schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { knownRepository } from '../run/repository.ts'
import { openState } from '../state.ts'
import { agentPlace } from './place-for-tests.ts'
import type { AgentPlace } from './place-for-tests.ts'

const DAY_MS = 86_400_000
const BY_HAND = [400, 40, 20, 2]
let place: AgentPlace
/** By how many days ago they were taken. */
const snapshots = new Map<string, number>()

beforeAll(async () => {
  place = await agentPlace()
  for (const days of BY_HAND) {
    const time = new Date(Date.now() - days * DAY_MS).toISOString().replace('T', ' ').slice(0, 19)
    restic('backup', '-q', '--time', time, place.source)
  }
  const backup = await place.agent('backup', 'shop')
  if (backup.status !== 0) throw new Error(backup.stderr + backup.stdout)
  const listed = JSON.parse(restic('snapshots', '--json')) as { id: string; time: string }[]
  for (const { id, time } of listed) snapshots.set(id, Math.round((Date.now() - Date.parse(time)) / DAY_MS))
})

afterAll(() => place.remove())

function restic(...args: string[]): string {
  const access = ['-r', join(place.folder, 'repository'), '-p', join(place.folder, 'pass'), '--no-cache']
  return execFileSync(place.build.binary, [...access, ...args], {
    env: { PATH: process.env['PATH'], HOME: place.folder, TZ: 'UTC' },
    encoding: 'utf8',
  })
}

function termsOf(keep: number): Record<string, unknown> {
  const repository = knownRepository(join(place.folder, 'state'), 'shop') ?? ''
  return {
    id: 'shop',
    selector: { repository, hosts: [hostname()], requiredPaths: [place.source] },
    onboardedAt: '2025-01-01',
    retention: { wording: `${keep} days`, min: [{ per: 'day', keep }] },
    restoreTest: { ladder: 'P30D' },
  }
}

/** How many days ago what is tested now was taken, and why it is tested. */
async function tested(): Promise<[number | undefined, string][]> {
  const { stdout } = await place.agent('test', 'shop', '--json')
  const { tests } = JSON.parse(stdout) as { tests: { snapshotId: string; result: { reason: string } }[] }
  return tests.map(({ snapshotId, result }) => [snapshots.get(snapshotId), result.reason])
}

test('with a contract’s text here: the oldest that is owed; then a tier that is proven has its time', async () => {
  const at = '2024-12-12T10:00:00Z'
  const acceptances = ['customer', 'provider'].map((party) => ({ party, person: 'x', at }))
  const contract = {
    id: 'AFT-1',
    provider: { name: 'Nordlys' },
    customer: { name: 'Havfruen' },
    term: { start: '2025-01-01' },
    versions: [{ no: 1, effectiveFrom: '2025-01-01', acceptances, sets: [termsOf(30)] }],
  }
  const file = join(place.folder, 'contract.yaml')
  writeFileSync(file, JSON.stringify(contract))
  place.configure({ contractFile: file })
  expect(await tested()).toEqual([
    [0, 'scheduled'],
    [20, 'ladder'],
  ])
  // One of those that are owed all the same: what has had no turn yet.
  expect(await tested()).toEqual([
    [0, 'scheduled'],
    [2, 'ladder'],
  ])
})

test('what the collector told serves too, and a text that cannot be read is told', async () => {
  place.configure({ contractFile: join(place.folder, 'missing.yaml') })
  const state = openState(join(place.folder, 'state'))
  const terms = {
    contract: 'AFT-2',
    sha256: 'a'.repeat(64),
    version: 2,
    timezone: 'Europe/Copenhagen',
    holidays: 'DK',
    set: setSchema.parse(termsOf(60)),
  }
  const work = { agent: 'web', at: new Date().toISOString(), terms: [terms], seeds: [], requests: [] }
  state.put('work', JSON.stringify({ at: new Date().toISOString(), work }))
  state.close()
  expect(await tested()).toEqual([
    [0, 'scheduled'],
    [40, 'ladder'],
  ])
})

test('without a contract every snapshot has its turn', async () => {
  const state = openState(join(place.folder, 'state'))
  state.put('work', null)
  state.close()
  place.configure({})
  expect(await tested()).toEqual([
    [0, 'scheduled'],
    [400, 'ladder'],
  ])
})

test('by schedule everything is restored when that is due, and older snapshots have their turn all the same', async () => {
  place.configure({ restoreTest: { cron: '0 5 * * *', fullEvery: 'P7D' } })
  const modes = async () => {
    const { stdout } = await place.agent('test', 'shop', '--full-if-due', '--json')
    const { tests } = JSON.parse(stdout) as { tests: { result: { reason: string; mode: string } }[] }
    return tests.map(({ result: { reason, mode } }) => `${reason} ${mode}`)
  }
  expect(await modes()).toEqual(['scheduled full', 'ladder sample'])
  // It passed: for six nights a sample will do.
  expect(await modes()).toEqual(['scheduled sample', 'ladder sample'])
  const refused = await place.agent('test', 'shop', '--full-if-due', '--file', '/x')
  expect(refused.status).toBe(2)
})
