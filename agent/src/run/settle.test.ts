import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { lastOf, proofPlace } from '../../../test/kit/proof.ts'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import { mountsOf } from './settle.ts'

const build = (await resticVersions()).builds.at(-1)
/** statfs(2). In memory nothing is ever written out. */
const isMemory = statfsSync(tmpdir()).type === 0x01021994

test('what is written through a memory map after restic read it is told as moved, and is no damage', async ({
  skip,
}) => {
  skip(isMemory, `${tmpdir()} is in memory, where no map moves a file's times`)
  if (!build) throw new Error('no restic')
  const place = await proofPlace({ build })
  place.write('orders', 'orders')
  const database = new Sqlite(join(place.source, 'shop.db'))
  onTestFinished(() => void database.close())
  database.pragma('journal_mode = wal')
  database.exec('create table item (name text)')
  const write = (): void => void database.prepare("insert into item values ('later')").run()
  write()
  await sleep(2_500) // a younger witness is in doubt anyway
  const restic: typeof place.restic = {
    ...place.restic,
    backup: async (request) => {
      const run = await place.restic.backup(request)
      write()
      return run
    },
  }
  const run = await place.backup({ restic })
  const inSource = (name: string): string => join(place.source, name)
  expect(run.tally?.torn.paths).toEqual([inSource('shop.db-shm'), inSource('shop.db-wal')])
  expect(lastOf(await place.test({ full: true })).classes).toEqual({ identical: 2, unverified: 2 })
  // restic sees the change, too: the next backup holds it.
  await place.backup()
  expect(lastOf(await place.test({ full: true }))).toMatchObject({ classes: { identical: 4 } })
})

test('mounts are read as the kernel writes them', () => {
  const table = String.raw`27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
31 27 8:1 /x /srv/my\040disk rw shared:1 master:2 - xfs /dev/mapper/b\134c rw
32 27 0:50 / /mnt/nas rw - nfs4 nas:/export rw
`
  expect(mountsOf(table)).toEqual([
    { folder: '/', disk: '/dev/vda' },
    { folder: '/srv/my disk', disk: String.raw`/dev/mapper/b\c` },
    { folder: '/mnt/nas', disk: 'nas:/export' },
  ])
})
