/** What a witness proves when the source, the snapshot or the manifest itself is not what it was; with the newest restic. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Restic } from '../../agent/src/restic/restic.ts'
import { lastOf, proofPlace, settle, tampered } from '../kit/proof.ts'
import { resticVersions } from '../kit/restic-versions.ts'

const { builds } = await resticVersions()
const isRoot = process.getuid?.() === 0

describe('the newest restic', () => {
  const build = builds.at(-1) ?? { version: '', binary: 'restic' }

  test('only what changed is hashed again, and a seed draws the same files again', async () => {
    const place = await proofPlace({ build, setting: '    restoreTest: { files: 5 }' })
    for (let index = 0; index < 30; index += 1) place.write(`f${index}`, `content ${index}`)
    await settle()
    await place.backup()
    place.write('f3', 'changed')
    const { tally } = await place.backup()
    expect(tally).toMatchObject({ files: 30, witnessed: 30 })
    // One in thirty of the unchanged is hashed again in turn; it counts as carried, since its witness is old.
    expect(tally?.carried).toBe(29)
    const drawn = async () => {
      const seen: string[] = []
      const restic: Restic = {
        ...place.restic,
        restore: (request) => {
          seen.push(...(request.includes ?? []).map((path) => Buffer.from(path).toString('latin1')))
          return place.restic.restore(request)
        },
      }
      // Named, it is a draw by chance alone: what else a test looks at depends on the tests before it.
      const snapshotId = (await place.restic.snapshots({})).at(-1)?.id ?? ''
      await place.test({ seed: { value: 'the same', inventory: 'ab'.repeat(32) }, snapshotId }, { restic })
      return seen
    }
    expect(await drawn()).toEqual(await drawn())
  })

  test('a source that is gone altogether is proven by the manifest', async () => {
    const place = await proofPlace({ build })
    place.write('a', 'a')
    place.write('b/c', 'c')
    await place.backup()
    rmSync(place.source, { recursive: true })
    expect(lastOf(await place.test())).toMatchObject({
      result: 'PASSED',
      classes: { identical: 2 },
      reference: { manifest: 2 },
    })
  })

  test('the same on a witness taken right after a write is raced, and no verdict', async () => {
    const place = await proofPlace({ build })
    for (const name of ['a', 'b', 'c']) place.write(name, `content of ${name}`)
    await place.backup()
    const restic = tampered(place.restic, (target) => writeFileSync(join(target, place.source, 'b'), 'x'))
    expect(lastOf(await place.test({ full: true }, { restic }))).toMatchObject({
      result: 'INCONCLUSIVE',
      classes: { raced: 1 },
    })
  })

  test('inconclusive draws are replaced from the same order, until enough are certain', async () => {
    const place = await proofPlace({ build, setting: '    restoreTest: { files: 4 }' })
    for (let index = 0; index < 30; index += 1) place.write(`f${index}`, `content ${index}`)
    const { snapshot } = await place.restic.backup({ paths: [place.source] })
    for (let index = 0; index < 20; index += 1) place.write(`f${index}`, `edited since ${index}`)
    const test = async () => lastOf(await place.test({ snapshotId: snapshot?.id ?? '' }))
    const enough = await test()
    expect(enough).toMatchObject({ result: 'PASSED', mode: 'sample', negativeControl: 'caught' })
    expect(enough.classes.identical).toBeGreaterThanOrEqual(4)
    expect(enough.selection.files).toBe((enough.classes.identical ?? 0) + (enough.classes.unverified ?? 0))
    for (let index = 20; index < 30; index += 1) place.write(`f${index}`, `edited since ${index}`)
    expect(await test()).toMatchObject({
      result: 'INCONCLUSIVE',
      error: { code: 'NOT_ENOUGH_CONCLUSIVE' },
      classes: { unverified: 30 },
      selection: { files: 30 },
      negativeControl: 'not-run',
    })
  })

  test('what moved in one backup is hashed first in the next', async () => {
    const place = await proofPlace({ build })
    place.write('busy', 'one')
    place.write('calm', 'calm')
    await settle()
    const restic: Restic = {
      ...place.restic,
      // Written to between restic's end and the walk, as a busy file is.
      async *list(...request) {
        // Asked for as soon as restic has ended, and read when the walk begins.
        yield []
        place.write('busy', `later ${performance.now()}`)
        yield* place.restic.list(...request)
      },
    }
    expect((await place.backup({ restic })).tally).toMatchObject({ witnessed: 1, torn: { count: 1 } })
    expect((await place.backup({ restic })).tally).toMatchObject({ witnessed: 2, torn: { count: 0 } })
    expect(lastOf(await place.test({ full: true })).classes).toEqual({ identical: 2 })
  })

  test('a file that is lost on the way is missing', async () => {
    const place = await proofPlace({ build })
    for (const name of ['a', 'b', 'c']) place.write(name, name)
    await place.backup()
    const restic = tampered(place.restic, (target) => rmSync(join(target, place.source, 'b')))
    const result = await place.test({}, { restic })
    expect(lastOf(result)).toMatchObject({ result: 'FAILED', classes: { identical: 2, missing: 1 } })
  })

  test('a file that restic left out for no reason is a gap, and fails every test of that snapshot', async () => {
    const place = await proofPlace({ build })
    for (const name of ['a', 'b', 'left-out', 'skipped.tmp']) place.write(name, name)
    await settle()
    const restic: Restic = {
      ...place.restic,
      backup: (request) => place.restic.backup({ ...request, excludes: ['left-out', '*.tmp'] }),
    }
    const set = { ...place.set, exclude: ['*.tmp'] }
    const { tally } = await place.backup({ restic, set })
    expect(tally?.gaps).toEqual({ count: 1, paths: [join(place.source, 'left-out')] })
    const result = await place.test()
    expect(lastOf(result)).toMatchObject({ result: 'FAILED', classes: { identical: 2, gap: 1 } })
  })

  test('what came after the start, by writing or by moving, is no gap', async () => {
    const place = await proofPlace({ build })
    place.write('a', 'a')
    mkdirSync(join(place.folder, 'elsewhere/deep'), { recursive: true })
    writeFileSync(join(place.folder, 'elsewhere/deep/old'), 'old')
    await settle()
    const restic: Restic = {
      ...place.restic,
      async backup(request) {
        const run = await place.restic.backup(request)
        renameSync(join(place.folder, 'elsewhere'), join(place.source, 'moved-in'))
        place.write('b', 'b')
        return run
      },
    }
    const { tally } = await place.backup({ restic })
    expect(tally).toMatchObject({ files: 1, gaps: { count: 0 } })
  })

  test('a scratch in the source or in the repository is refused; a full one is inconclusive', async () => {
    const place = await proofPlace({ build })
    place.write('a', Buffer.alloc(1_000_000, 'a'))
    await place.backup()
    for (const scratchDir of [join(place.source, 'scratch'), join(place.repository, 'scratch')]) {
      const result = await place.test({ full: true }, { scratchDir })
      expect(result).toMatchObject({ outcome: 'INCONCLUSIVE', error: { code: 'SCRATCH_REFUSED' } })
      rmSync(scratchDir, { recursive: true, force: true })
    }
    if (!isRoot) return
    const small = join(place.folder, 'small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small])
    onTestFinished(() => void execFileSync('umount', ['-l', small]))
    expect(await place.test({ full: true }, { scratchDir: small })).toMatchObject({
      outcome: 'INCONCLUSIVE',
      error: { code: 'SCRATCH_FULL' },
    })
  })

  test('a damaged manifest proves nothing, and the next backup makes a whole one', async () => {
    const place = await proofPlace({ build })
    place.write('a', 'a')
    await place.backup()
    const folder = join(place.folder, 'state/manifests/shop')
    const [name = ''] = readdirSync(folder)
    const bytes = readFileSync(join(folder, name))
    bytes[bytes.length - 8] = (bytes[bytes.length - 8] ?? 0) ^ 1
    writeFileSync(join(folder, name), bytes)
    expect(await place.test()).toMatchObject({ outcome: 'INCONCLUSIVE', error: { code: 'MANIFEST_DAMAGED' } })
    expect((await place.backup()).tally).toMatchObject({ witnessed: 1, carried: 0 })
    expect((await place.test({ full: true })).outcome).toBe('PASSED')
  })
})
