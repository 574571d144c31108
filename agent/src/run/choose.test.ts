import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256Hex } from '@bevis/shared/crypto'
import { expect, onTestFinished, test } from 'vitest'
import type { Snapshot } from '../restic/restic.ts'
import { nanosecondsOf } from '../restic/time.ts'
import { chooseSnapshots } from './choose.ts'

const at = new Date('2026-11-23T04:05:06.000Z')

/** A snapshot of this set, by its time. */
function snapshotOf(time: string): Snapshot {
  const id = sha256Hex(time)
  return { id, time, timeNs: nanosecondsOf(time), tree: id, hostname: 'web1', paths: ['/srv'], tags: [] }
}

async function chosenOf(...times: string[]) {
  const offered: string[] = []
  const { snapshots, older } = await chooseSnapshots({
    listed: { snapshots: times.map(snapshotOf), unreadable: [] },
    folder: '/nowhere',
    paths: ['/srv'],
    host: 'web1',
    at,
    olderOf: (ids) => (offered.push(...ids), ids),
  })
  const timeOf = (id: string) => times.find((time) => sha256Hex(time) === id)
  return { newest: timeOf(snapshots[0]?.id ?? ''), offered: offered.map(timeOf), older: older.size }
}

test('a snapshot from the future is not the newest, and has its turn among the others', async () => {
  const [ahead, last, before] = [
    '2030-01-01T00:00:00.5+01:00',
    '2026-11-23T04:00:00.123456789+01:00',
    '2026-11-22T04:00:00+01:00',
  ] as const
  const chosen = { newest: last, offered: [ahead, before], older: 2 }
  expect(await chosenOf(before, last, ahead)).toEqual(chosen)
  expect(await chosenOf(ahead, last, before)).toEqual(chosen)
})

test('where all are from the future, or by minutes only, the newest is the newest', async () => {
  const [early, late] = ['2030-01-01T00:00:00Z', '2030-01-02T00:00:00Z'] as const
  expect(await chosenOf(early, late)).toMatchObject({ newest: late, offered: [early] })
  const [last, soon] = ['2026-11-23T03:00:00Z', '2026-11-23T04:09:00Z'] as const
  expect(await chosenOf(last, soon)).toMatchObject({ newest: soon, offered: [last] })
})

test('what another set backed up above this set’s paths is not its newest, and alone not its backup', async () => {
  const above = mkdtempSync(join(tmpdir(), 'bevis-choose-'))
  onTestFinished(() => rmSync(above, { recursive: true }))
  const claim = (set: string, ...snapshots: Snapshot[]): void => {
    mkdirSync(join(above, set))
    for (const { id } of snapshots)
      writeFileSync(join(above, set, `20261123T030000.000Z.${id}.${'0'.repeat(64)}.zst`), '')
  }
  const own = snapshotOf('2026-11-23T02:00:00Z')
  const all = { ...snapshotOf('2026-11-23T03:00:00Z'), paths: ['/'] }
  const tagged = { ...snapshotOf('2026-11-23T03:30:00Z'), paths: ['/'], original: all.id }
  const renamed = snapshotOf('2026-11-23T03:45:00Z')
  claim('all', all)
  claim('shop')
  claim('called shop before', renamed)
  const choose = (...snapshots: Snapshot[]) =>
    chooseSnapshots({
      listed: { snapshots, unreadable: [] },
      folder: join(above, 'shop'),
      paths: ['/srv/'],
      host: 'web1',
      at,
      olderOf: (ids) => ids,
    })
  const idsOf = async (...snapshots: Snapshot[]) => (await choose(...snapshots)).snapshots.map(({ id }) => id)
  expect(await idsOf(own, all, tagged)).toEqual([own.id, all.id, tagged.id])
  await expect(choose(all, tagged)).rejects.toMatchObject({
    code: 'NOTHING_TO_TEST',
    message: expect.stringContaining('but those of other sets'),
  })
  expect((await choose(own, renamed)).snapshots[0]?.id).toBe(renamed.id)
  // What nobody claims may be from before the agent.
  expect(await idsOf(own, { ...all, id: sha256Hex('older') })).toEqual([sha256Hex('older'), own.id])
})
