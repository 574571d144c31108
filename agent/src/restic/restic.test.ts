import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import type { Node, RestoreEvent } from './restic.ts'
import { testPlace } from '../../../test/kit/restic-place.ts'

const { builds, missing } = await resticVersions()
if (missing !== undefined) process.emitWarning(`not tested: ${missing}`)

test('there is a restic to test with', () => {
  expect(builds, missing).not.toEqual([])
})

describe.each(builds)('restic $version', (build) => {
  test('a repository is made, known by its id, and empty', async () => {
    const restic = await testPlace(build).open()
    expect(restic.version).toBe(build.version)
    const id = await restic.init()
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    expect(await restic.repositoryId()).toBe(id)
    expect(await restic.snapshots()).toEqual([])
    await expect(restic.init()).rejects.toMatchObject({ code: 'RESTIC_FAILED' })
  })

  test('a missing repository and a wrong password are told apart, and nothing is created', async () => {
    const place = testPlace(build)
    const restic = await place.open()
    await expect(restic.snapshots()).rejects.toMatchObject({ code: 'RESTIC_REPOSITORY_MISSING' })
    const run = await restic.backup({ paths: [place.source] })
    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'RESTIC_REPOSITORY_MISSING' } })
    expect(readdirSync(place.folder)).not.toContain('repository')

    await place.make()
    writeFileSync(join(place.folder, 'password'), 'wrong')
    await expect(restic.repositoryId()).rejects.toMatchObject({ code: 'RESTIC_PASSWORD_WRONG' })
    const asked = await place.open({ repository: { url: place.url, passwordCommand: 'false' } })
    await expect(asked.snapshots()).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' })
  })

  test('a backup names its snapshot by the full id, and the snapshot lists what was there', async () => {
    const place = testPlace(build)
    place.write('plain', 'hello')
    place.write('big', randomBytes(3_000_000))
    place.write('nothing', '')
    chmodSync(join(place.source, 'nothing'), 0)
    chmodSync(join(place.source, 'plain'), 0o4755)
    symlinkSync('plain', join(place.source, 'link'))
    const restic = await place.make()
    const run = await restic.backup({
      paths: [place.source],
      tags: ['shop'],
      host: 'db-1',
      excludes: ['*.tmp'],
    })
    expect(run).toMatchObject({
      exitCode: 0,
      outcome: 'complete',
      errors: [],
      summary: { files: 3, bytes: 3_000_005, filesNew: 3 },
      snapshot: { hostname: 'db-1', tags: ['shop'], paths: [place.source] },
    })
    expect(run.snapshotId).toMatch(/^[0-9a-f]{64}$/)
    expect(await restic.snapshots()).toEqual([run.snapshot])

    const nodes = await all(restic.list(run.snapshotId ?? ''))
    const at = (name: string) => nodes.find(({ path }) => path === join(place.source, name))
    const stat = lstatSync(join(place.source, 'plain'), { bigint: true })
    expect(at('plain')).toEqual({
      path: join(place.source, 'plain'),
      lossy: false,
      kind: 'file',
      size: 5,
      mode: 0o4755,
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      mtimeNs: stat.mtimeNs,
      ctimeNs: stat.ctimeNs,
      inode: restic.capabilities.nodeInode ? Number(stat.ino) : null,
    })
    expect(at('nothing')).toMatchObject({ mode: 0, size: 0 })
    expect(at('link')).toMatchObject({ kind: 'symlink' })

    const content = restic.dump({
      snapshotId: run.snapshotId ?? '',
      path: Buffer.from(join(place.source, 'big')),
      cacheDir: join(place.folder, 'fresh'),
    })
    expect(await buffer(content.content)).toEqual(readFileSync(join(place.source, 'big')))
    await content.done
    expect(await restic.check({ subset: { part: 1, of: 1 } })).toMatchObject({ exitCode: 0, errorCount: 0 })
    expect(await restic.locks()).toEqual([])
  })

  test('a snapshot that is not there is an error, not an empty list', async () => {
    const restic = await testPlace(build).make()
    const codes = ['RESTIC_OUTPUT_INVALID', 'RESTIC_FAILED', 'RESTIC_REPOSITORY_DAMAGED']
    const code = await all(restic.list('0'.repeat(64))).catch((error: { code: string }) => error.code)
    expect(codes).toContain(code)
    await expect(all(restic.list('latest'))).rejects.toMatchObject({ code: 'USAGE' })
  })

  test('a restore brings back the chosen paths, whatever their names', async () => {
    const place = testPlace(build)
    const names = [
      'with\nfeed',
      'trailing blank ',
      'trailing tab\t',
      '$HOME ${x} $$',
      '*?[a-z]\\',
      '#comment',
      '!not',
      '-dash',
      'æøå €',
      '"quoted": 1',
      Buffer.from('bad\xff\xfename', 'latin1'),
      Buffer.from('half\xc3', 'latin1'),
      Buffer.from('bad\xffwith\nfeed', 'latin1'),
      'folder/inside',
    ]
    for (const name of names) place.write(name, `content of ${name.toString('hex')}`)
    for (const other of ['other', 'xHOME', 'Aa', 'folder2']) place.write(other, 'not chosen')
    const restic = await place.make()
    const { snapshotId = '' } = await restic.backup({ paths: [place.source] })
    const target = join(place.folder, 'target')
    const events: RestoreEvent[] = []
    const chosen = names.map((name) => (name === 'folder/inside' ? 'folder' : name))
    const run = await restic.restore({
      snapshotId,
      target,
      cacheDir: join(place.folder, 'fresh'),
      includes: chosen.map((name) => Buffer.concat([Buffer.from(`${place.source}/`), Buffer.from(name)])),
      onEvent: (event) => events.push(event),
    })
    expect(run).toMatchObject({ exitCode: 0, errors: [], filesSkipped: 0 })
    expect(run.error).toBeUndefined()
    const restored = readdirSync(join(target, place.source), { encoding: 'buffer' })
    const hex = (list: readonly (string | Buffer)[]) =>
      list.map((name) => Buffer.from(name).toString('hex')).toSorted()
    expect(hex(restored)).toEqual(hex(chosen))
    for (const name of names) {
      const path = Buffer.concat([Buffer.from(`${target}${place.source}/`), Buffer.from(name)])
      expect(readFileSync(path, 'utf8')).toBe(`content of ${name.toString('hex')}`)
    }
    if (restic.capabilities.restoreEvents) {
      const files = events.filter(({ sizeBytes, action }) => sizeBytes > 0 && action === 'restored')
      expect(files).toHaveLength(names.length)
      expect(files.map(({ path }) => path)).toContain(`${place.source}/with\nfeed`)
      expect(files.map(({ path }) => path)).toContain(`${place.source}/bad\u{fffd}\u{fffd}name`)
    }
    const lossy = (await all(restic.list(snapshotId))).filter((node) => node.lossy)
    expect(lossy).toHaveLength(3)
  })

  test('a target or a cache that is not empty is refused: restic would skip files and read trees from it', async () => {
    const place = testPlace(build)
    place.write('a', 'new')
    const restic = await place.make()
    const { snapshotId = '' } = await restic.backup({ paths: [place.source] })
    const target = join(place.folder, 'target')
    mkdirSync(target)
    writeFileSync(join(target, 'old'), '')
    const fresh = join(place.folder, 'fresh')
    const refused = { exitCode: -1, error: { code: 'SCRATCH_REFUSED' } }
    expect(await restic.restore({ snapshotId, target, cacheDir: fresh })).toMatchObject(refused)
    const again = { snapshotId, target: join(place.folder, 'empty') }
    expect(await restic.restore({ ...again, cacheDir: join(place.folder, 'cache') })).toMatchObject(refused)
    expect((await restic.restore({ ...again, cacheDir: fresh })).error).toBeUndefined()
    expect(statSync(again.target).mode & 0o777).toBe(0o700)
  })
})

async function all(batches: AsyncIterable<readonly Node[]>): Promise<Node[]> {
  const list: Node[] = []
  for await (const nodes of batches) list.push(...nodes)
  return list
}
