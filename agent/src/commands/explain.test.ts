/** explain as it is called, after real backups and tests. */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Explained } from '../run/explain.ts'
import { agentPlace } from './place-for-tests.ts'
import type { AgentPlace } from './place-for-tests.ts'

let place: AgentPlace

async function run(...args: string[]): Promise<void> {
  const { status, stderr, stdout } = await place.agent(...args)
  if (status !== 0) throw new Error(stderr + stdout)
}

async function explained(
  path: string,
  ...more: string[]
): Promise<{ status: number | null; snapshots: Explained[] }> {
  const { status, stdout } = await place.agent('explain', path, ...more, '--json')
  return { status, ...(JSON.parse(stdout) as { snapshots: Explained[] }) }
}

beforeAll(async () => {
  place = await agentPlace()
  writeFileSync(join(place.source, 'gone'), 'gone tomorrow')
  await run('backup', 'shop')
  await run('test', 'shop', '--full')
  writeFileSync(join(place.source, 'orders'), 'orders, and more of them')
  rmSync(join(place.source, 'gone'))
  await run('backup', 'shop')
})

afterAll(() => place.remove())

test('which snapshots hold a file, as what, with which witness, and how its tests came out', async () => {
  const { status, snapshots } = await explained(join(place.source, 'orders'))
  expect(status).toBe(0)
  expect(snapshots).toMatchObject([
    { set: 'shop', state: 'held', size: 24, isInRepository: true, sha256: expect.any(String), tests: [] },
    { state: 'held', size: 6, tests: [{ result: 'PASSED', mode: 'full', class: 'identical' }] },
  ])
  const { stdout } = await place.agent('explain', join(place.source, 'orders'))
  expect(stdout).toMatch(/2 snapshots have a manifest here, 2 of them hold it/)
  expect(stdout).toMatch(/tested +.* {2}identical {2}\(PASSED, scheduled, full/)
  const one = await explained(
    join(place.source, 'orders'),
    '--snapshot',
    snapshots[1]?.snapshot.slice(0, 8) ?? '',
  )
  expect(one.snapshots).toHaveLength(1)
})

test('what was deleted is told with the snapshots that still hold it; what nobody has is bad', async () => {
  const gone = await explained(join(place.source, 'gone'))
  expect(gone).toMatchObject({ status: 0, snapshots: [{ state: 'absent' }, { state: 'held', size: 13 }] })
  const never = await explained(join(place.source, 'never'))
  expect(never.status).toBe(1)
  // A full test that passed says nothing of what the snapshot does not hold.
  for (const one of [
    never,
    await explained(place.source),
    gone.snapshots[0] && { snapshots: [gone.snapshots[0]] },
  ])
    for (const { tests } of one?.snapshots ?? [])
      expect(tests.map((each) => each.class)).not.toContain('identical')
  const { stdout } = await place.agent('explain', join(place.source, 'never'))
  expect(stdout).toContain('nothing of it to compare')
  expect((await place.agent('explain', '/elsewhere')).stdout).not.toContain('tested')
  expect(await place.agent('explain', join(place.source, 'orders'), '--snapshot', 'x')).toMatchObject({
    status: 2,
  })
})

test('a manifest that was tampered with says nothing', async () => {
  const folder = join(place.folder, 'state', 'manifests', 'shop')
  const [first] = readdirSync(folder)
    .filter((name) => name.endsWith('.zst'))
    .toSorted()
  const file = join(folder, first ?? '')
  const bytes = readFileSync(file)
  const middle = bytes.length >> 1
  bytes[middle] = (bytes[middle] ?? 0) ^ 0xff
  writeFileSync(file, bytes)
  const { snapshots } = await explained(join(place.source, 'gone'))
  expect(snapshots.map(({ state }) => state)).toEqual(['absent', 'manifest-damaged'])
})
