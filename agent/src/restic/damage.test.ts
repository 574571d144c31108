import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import { filesBelow, testPlace } from '../../../test/kit/restic-place.ts'
import type { TestPlace } from '../../../test/kit/restic-place.ts'

const { builds } = await resticVersions()
const isRoot = process.getuid?.() === 0

describe.each(builds)('restic $version', (build) => {
  test('a flipped byte in a pack fails the restore, the dump and the check', async () => {
    const place = testPlace(build)
    const { restic, snapshotId } = await backedUp(place)
    damage(largestPack(place), 1_000)
    const run = await restic.restore(scratch(place, snapshotId))
    expect(run).toMatchObject({ exitCode: 1, error: { code: 'RESTIC_REPOSITORY_DAMAGED' } })
    expect(run.errorCount).toBeGreaterThan(0)
    expect(run.errors[0]?.path).toMatch(/\/source\/\w+$/)

    const checked = await restic.check({ subset: { part: 1, of: 1 } })
    expect(checked).toMatchObject({ exitCode: 1, error: { code: 'RESTIC_REPOSITORY_DAMAGED' } })
    expect(checked.errorCount).toBeGreaterThan(0)

    const ends = ['a', 'b', 'c'].map(async (name) => {
      const path = Buffer.from(join(place.source, name))
      const dumped = restic.dump({ snapshotId, path, cacheDir: join(place.folder, `dump-${name}`) })
      dumped.content.resume()
      return dumped.done.then(
        () => 'whole',
        (error: { code: string }) => error.code,
      )
    })
    const codes = await Promise.all(ends)
    expect(codes.filter((code) => code !== 'whole')).toEqual(['RESTIC_REPOSITORY_DAMAGED'])
  })

  test('a pack cut short ends in an error or at the deadline, never in a restore', async () => {
    const place = testPlace(build)
    const { restic, snapshotId } = await backedUp(place)
    const pack = largestPack(place)
    chmodSync(pack, 0o600)
    truncateSync(pack, 2_000)
    const run = await restic.restore({ ...scratch(place, snapshotId), deadlineMs: 8_000 })
    // 0.14 tries again for 45 s.
    const late = !restic.capabilities.restoreEvents
    expect(run.error?.code).toBe(late ? 'RESTIC_TIMEOUT' : 'RESTIC_REPOSITORY_DAMAGED')
    expect(run.exitCode).not.toBe(0)
    expect(await restic.locks()).toEqual([])
  })

  test('a snapshot that cannot be read is no shorter listing: restic exits 0 without it', async () => {
    const place = testPlace(build)
    const { restic, snapshotId } = await backedUp(place)
    place.write('d', 'more')
    await restic.backup({ paths: [place.source] })
    expect(await restic.snapshots()).toHaveLength(2)
    damage(join(place.url, 'snapshots', snapshotId), 40)
    await expect(restic.snapshots()).rejects.toMatchObject({ code: 'RESTIC_REPOSITORY_DAMAGED' })
  })

  test('a damaged tree shows with a fresh cache', async () => {
    const place = testPlace(build)
    const { restic, snapshotId } = await backedUp(place)
    for (const pack of filesBelow(join(place.url, 'data'))) damage(pack, statSync(pack).size / 2)
    const listing = async () => {
      for await (const nodes of restic.list(snapshotId, { cacheDir: join(place.folder, 'fresh') })) void nodes
    }
    await expect(listing()).rejects.toMatchObject({ code: 'RESTIC_REPOSITORY_DAMAGED' })
  })

  test('files that cannot be read make a partial run, with the snapshot and each of the files', async () => {
    const place = testPlace(build)
    const binary = unprivileged(place, build.binary)
    place.write('readable', 'a')
    place.write('secret', 'b')
    place.write(Buffer.from('s\xffcret', 'latin1'), 'c')
    for (const name of ['secret', 's\xffcret']) {
      chmodSync(Buffer.concat([Buffer.from(`${place.source}/`), Buffer.from(name, 'latin1')]), 0)
    }
    const restic = await place.make(binary)
    if (isRoot) execFileSync('chown', ['-R', '65534', place.folder])
    const run = await restic.backup({ paths: [place.source] })
    expect(run).toMatchObject({
      exitCode: 3,
      outcome: 'partial',
      errorCount: 2,
      summary: { files: 1 },
      error: { code: 'RESTIC_SOURCE_INCOMPLETE' },
    })
    expect(run.snapshot?.paths).toEqual([place.source])
    expect(new Set(run.errors.map(({ path }) => path))).toEqual(
      new Set([join(place.source, 'secret'), join(place.source, 's\u{fffd}cret')]),
    )
    for (const { message } of run.errors) expect(message).toMatch(/permission denied/)
  })

  test('a full scratch is told as that, whatever the summary counts as restored', async ({ skip }) => {
    skip(!isRoot, 'only root can mount a small disk')
    const place = testPlace(build)
    const { restic, snapshotId } = await backedUp(place)
    const small = join(place.folder, 'small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', small])
    onTestFinished(() => {
      execFileSync('umount', [small])
    })
    const run = await restic.restore({ ...scratch(place, snapshotId), target: join(small, 'target') })
    expect(run).toMatchObject({ exitCode: 1, error: { code: 'SCRATCH_FULL' } })
    expect(run.errorCount).toBeGreaterThan(0)
  })
})

async function backedUp(place: TestPlace) {
  for (const name of ['a', 'b', 'c']) place.write(name, randomBytes(300_000))
  const restic = await place.make()
  const { snapshotId = '' } = await restic.backup({ paths: [place.source] })
  return { restic, snapshotId }
}

function scratch({ folder }: TestPlace, snapshotId: string) {
  return { snapshotId, target: join(folder, 'target'), cacheDir: join(folder, 'fresh') }
}

function largestPack({ url }: TestPlace): string {
  const packs = filesBelow(join(url, 'data')).toSorted(
    (one, other) => statSync(other).size - statSync(one).size,
  )
  return packs[0] ?? ''
}

function damage(file: string, at: number): void {
  chmodSync(file, 0o600)
  execFileSync('dd', [`of=${file}`, 'bs=1', `seek=${Math.floor(at)}`, 'conv=notrunc', 'status=none'], {
    input: 'not what restic wrote',
  })
}

/** Root reads everything, so that restic runs as nobody; a user's own files of mode 0 are enough. */
function unprivileged(place: TestPlace, original: string) {
  if (!isRoot) return {}
  const copy = join(place.folder, 'restic-copy')
  copyFileSync(
    original.includes('/') ? original : execFileSync('which', [original], { encoding: 'utf8' }).trim(),
    copy,
  )
  const script = join(place.folder, 'restic-as-nobody')
  const nobody = 'setpriv --reuid 65534 --regid 65534 --clear-groups'
  writeFileSync(script, `#!/bin/sh\nexec ${nobody} ${copy} "$@"\n`)
  chmodSync(copy, 0o755)
  chmodSync(script, 0o755)
  return { binary: script }
}
