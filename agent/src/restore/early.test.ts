import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { testPlace } from '../../../test/kit/restic-place.ts'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import type { RestoreControl } from '../restic/restic.ts'
import { beginEarly } from './early.ts'
import { makeScratch } from './scratch.ts'

const MEMORY = '/dev/shm'
const FILES = 3_000

const { builds } = await resticVersions()
const build = builds.at(-1)
const canStream = existsSync(MEMORY) && build !== undefined

async function begun() {
  if (!build) throw new Error('there is no restic')
  const place = testPlace(build)
  const restic = await place.make()
  for (let at = 0; at < FILES; at += 1) place.write(`d${at % 50}/f${at}`, `bytes of ${at};`.repeat(500))
  const backup = await restic.backup({ paths: [place.source] })
  const base = join(place.folder, 'scratch')
  const away = { roots: [place.source], isExcluded: () => false, repositoryUrl: place.url }
  const scratch = await makeScratch({ base, ...away, memory: MEMORY })
  onTestFinished(() => scratch.wipe())
  const snapshotId = backup.snapshotId ?? ''
  const early = await beginEarly({ restic, snapshotId, scratch, remainingMs: () => Infinity })
  if (!early) throw new Error('there is no place in memory')
  return { early, restic, source: place.source }
}

const filesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).length

test('what is begun early says all that it said before, and comes to its end', async ({ skip }) => {
  skip(!canStream, 'without /dev/shm nothing is restored early')
  const { early, source } = await begun()
  await sleep(1_500) // whoever reads a manifest takes his time
  const heard: string[] = []
  let control: RestoreControl | null = null
  early.goOn({
    onStart: (started) => (control = started),
    onEvent: ({ path }) => heard.push(path),
    onWritten: () => {},
  })
  expect(await early.run).toMatchObject({ exitCode: 0, errorCount: 0, filesSkipped: 0 })
  expect(control).not.toBeNull()
  const files = heard.filter((path) => /\/f\d+$/.test(path))
  expect(new Set(files).size).toBe(FILES)
  expect(files).toHaveLength(FILES)
  expect(filesIn(`${early.target}${source}`)).toBe(FILES)
  await early.cancel()
})

test('given up, held as it is, it ends at once and leaves no lock', async ({ skip }) => {
  skip(!canStream, 'without /dev/shm nothing is restored early')
  const { early, restic } = await begun()
  await sleep(1_500)
  await early.cancel()
  expect(await early.run).toMatchObject({ error: { code: 'RESTIC_INTERRUPTED' } })
  expect(await restic.locks()).toEqual([])
})
