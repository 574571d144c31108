/**
 * Random trees, random fates of their files after the backup, random damage to the repository: verdict and classes
 * of both ways to restore are what an oracle says that knows what was done. What the damage cost, it finds out by a
 * plain `restic restore` of its own and by looking at the bytes.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { flipBit, replace } from '../../../test/kit/damage.ts'
import { filesBelow, lastOf, proofPlace } from '../../../test/kit/proof.ts'
import type { ProofPlace } from '../../../test/kit/proof.ts'
import { resticVersions } from '../../../test/kit/restic-versions.ts'

const { builds } = await resticVersions()
const build = builds.at(-1) ?? { version: '', binary: 'restic' }

type Fate = 'kept' | 'edited' | 'touched' | 'put back' | 'deleted' | 'chmod'
type Harm = 'none' | 'flipped' | 'cut short' | 'deleted'

const file = fc.record({
  folder: fc.constantFrom('', 'd0/', 'd1/', 'd1/e/'),
  bytes: fc.constantFrom(0, 1, 700, 5_000, 1_200_000),
  fate: fc.constantFrom<Fate>('kept', 'kept', 'edited', 'touched', 'put back', 'deleted', 'chmod'),
})
const scenes = fc.record({
  files: fc.array(file, { minLength: 1, maxLength: 20 }),
  harm: fc.constantFrom<Harm>('none', 'none', 'flipped', 'cut short', 'deleted'),
  at: fc.nat(),
  hasWitness: fc.boolean(),
})

test('a real restic, whatever happened: verdict and classes are the oracle’s, streamed and on the disk', async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async ({ files, harm, at, hasWitness }) => {
      const place = await proofPlace({ build })
      // The negative control needs one file that comes out well.
      const stored = [{ folder: '', bytes: 900, fate: 'kept' as Fate }, ...files].map(
        ({ folder, bytes, fate }, n) => {
          const content = randomBytes(bytes)
          return { path: place.write(`${folder}f${n}`, content).toString(), content, fate }
        },
      )
      const backup = await place.backup()
      const bare = hasWitness ? null : await place.restic.backup({ paths: [place.source] })
      const snapshotId = bare?.snapshotId ?? backup.snapshotId ?? ''
      for (const { path, fate } of stored) meet(path, fate)
      const packs = filesBelow(join(place.repository, 'data'))
      spoil(packs[at % packs.length] ?? '', harm, at)

      const { target, endedWell, isListed } = await restoreAlone(place, snapshotId)
      const classes: Record<string, number> = {}
      for (const { path, content, fate } of stored) {
        const isBack = existsSync(target + path) && readFileSync(target + path).equals(content)
        const name = !isBack ? 'missing' : hasWitness || fate === 'kept' ? 'identical' : 'unverified'
        classes[name] = (classes[name] ?? 0) + 1
      }
      const isPassed = endedWell && classes['identical'] === stored.length
      const verdict = 'missing' in classes ? 'FAILED' : isPassed ? 'PASSED' : 'INCONCLUSIVE'
      // Without a manifest the listing says what is expected; where there is none, nothing is.
      const isKnown = hasWitness || isListed
      const expected = isKnown ? { verdict, classes } : { verdict: 'INCONCLUSIVE', classes: {} }

      const named: string[][] = []
      for (const method of ['disk', 'stream'] as const) {
        const set = { ...place.set, restoreTest: { ...place.set.restoreTest, method } }
        const result = lastOf(await place.test({ full: true, snapshotId }, { set }))
        expect({ verdict: result.result, classes: result.classes }).toEqual(expected)
        if ('identical' in expected.classes) expect(result.negativeControl).toBe('caught')
        named.push(result.exceptions.map((one) => `${one.class} ${one.path} ${one.actual ?? ''}`).toSorted())
      }
      expect(named[1]).toEqual(named[0])
    }),
    { numRuns: 8 },
  )
}, 600_000)

function meet(path: string, fate: Fate): void {
  const { size, atime, mtime, mode } = statSync(path)
  if (fate === 'edited') appendFileSync(path, 'more')
  if (fate === 'touched') utimesSync(path, new Date(), new Date())
  if (fate === 'deleted') rmSync(path)
  if (fate === 'chmod') chmodSync(path, mode ^ 0o020)
  if (fate !== 'put back') return
  writeFileSync(path, randomBytes(size))
  utimesSync(path, atime, mtime)
}

function spoil(pack: string, harm: Harm, at: number): void {
  const { size } = statSync(pack)
  if (harm === 'flipped') flipBit(pack, at % size)
  if (harm === 'deleted') rmSync(pack)
  if (harm === 'cut short') replace(pack, (bytes) => bytes.subarray(0, at % size))
}

/** Without the agent: what restic brings back by itself. */
async function restoreAlone(
  { folder, repository }: ProofPlace,
  snapshotId: string,
): Promise<{ target: string; endedWell: boolean; isListed: boolean }> {
  const target = join(folder, 'alone')
  const options = ['-q', '-r', repository, '-p', join(folder, 'password')]
  const restic = async (...args: string[]): Promise<boolean> => {
    try {
      await promisify(execFile)(build.binary, [...args, ...options])
      return true
    } catch {
      return false
    }
  }
  const endedWell = await restic('restore', snapshotId, '--target', target, '--no-cache')
  // A listing may come from the cache: what is in it and does not come back is missing all the same.
  return { target, endedWell, isListed: await restic('ls', snapshotId, '--cache-dir', join(folder, 'cache')) }
}
