/** The streamed restore must say what the restore onto a disk says: of any tree, any change since, and any damage. */
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filesBelow, lastOf, overwrite, proofPlace } from '../../../test/kit/proof.ts'
import { resticVersions } from '../../../test/kit/restic-versions.ts'

const { builds } = await resticVersions()
const build = builds.at(-1) ?? { version: '', binary: 'restic' }

type Fate = 'kept' | 'edited' | 'touched' | 'put back' | 'deleted'
type Harm = 'none' | 'flipped' | 'truncated' | 'deleted'

test('both methods come to one verdict, whatever happened to source and repository', async () => {
  const fates = fc.constantFrom<Fate>('kept', 'kept', 'edited', 'touched', 'put back', 'deleted')
  const file = fc.record({
    folder: fc.nat(3),
    bytes: fc.constantFrom(0, 1, 700, 5_000, 1_200_000),
    fate: fates,
  })
  const sources = fc.array(file, { minLength: 1, maxLength: 25 })
  const harms = fc.constantFrom<Harm>('none', 'none', 'flipped', 'truncated', 'deleted')
  await fc.assert(
    fc.asyncProperty(sources, harms, fc.nat(), fc.boolean(), async (files, harm, at, isBare) => {
      const place = await proofPlace({ build })
      const paths = files.map(({ folder, bytes }, n) =>
        place.write(`d${folder}/f${n}`, randomBytes(bytes)).toString(),
      )
      const backup = await place.backup()
      const bare = isBare ? await place.restic.backup({ paths: [place.source] }) : null
      for (const [n, { fate }] of files.entries()) meet(paths[n] ?? '', fate)
      const packs = filesBelow(join(place.repository, 'data'))
      spoil(packs[at % packs.length] ?? '', harm, at)
      const told = []
      for (const method of ['disk', 'stream'] as const) {
        const set = { ...place.set, restoreTest: { ...place.set.restoreTest, method } }
        const snapshotId = bare?.snapshotId ?? backup.snapshotId ?? ''
        const { result, classes, reference, exceptions, negativeControl, metadata } = lastOf(
          await place.test({ full: true, snapshotId }, { set }),
        )
        const named = exceptions.map((one) => `${one.class} ${one.path} ${one.actual ?? ''}`).toSorted()
        told.push({ result, classes, reference, named, negativeControl, metadata })
      }
      expect(told[1]).toEqual(told[0])
    }),
    { numRuns: 10 },
  )
}, 300_000)

function meet(path: string, fate: Fate): void {
  const { size, atime, mtime } = statSync(path)
  if (fate === 'edited') appendFileSync(path, 'more')
  if (fate === 'touched') utimesSync(path, new Date(), new Date())
  if (fate === 'deleted') rmSync(path)
  if (fate !== 'put back') return
  writeFileSync(path, randomBytes(size))
  utimesSync(path, atime, mtime)
}

function spoil(pack: string, harm: Harm, at: number): void {
  if (harm === 'flipped') flip(pack, at % statSync(pack).size)
  if (harm === 'deleted') rmSync(pack)
  if (harm !== 'truncated') return
  chmodSync(pack, 0o600)
  truncateSync(pack, at % statSync(pack).size)
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  overwrite(file, bytes)
}
