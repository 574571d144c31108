/** What a digest is carried over for from the last manifest, and what it never is. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { sha256Hex } from '@bevis/shared/crypto'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { Node } from '../restic/restic.ts'
import { openDigestPool } from '../tree/digest-pool.ts'
import { bytePathOf, bytesOf, parentOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { statPath, walkTree } from '../tree/walk.ts'
import { formatEntry, parseEntry } from './entry.ts'
import type { ManifestFile } from './file.ts'
import { takeWitness } from './witness.ts'
import type { Witness } from './witness.ts'

const pool = openDigestPool(2)
const folder = mkdtempSync(join(tmpdir(), 'bevis-carry-'))
afterAll(async () => {
  await pool.close()
  rmSync(folder, { recursive: true })
})

let places = 0

/** A source, and runs over what it holds by then. */
function makePlace() {
  const place = join(folder, `${(places += 1)}`)
  const source = bytePathOf(join(place, 'source'))
  mkdirSync(source, { recursive: true })
  const list = (): Node[] => {
    const above: BytePath[] = []
    for (let at = source; at !== '/'; at = parentOf(at)) above.unshift(at)
    return [...above, ...[...walkTree(source)].map((one) => one.path)].map((at) => {
      const stat = statPath(at)
      if ('error' in stat) throw new Error(stat.error)
      return { ...stat, path: bytesOf(at).toString('utf8'), lossy: false }
    })
  }
  /** Nothing is racy: what was written last is as old as everything else. */
  const startedAt = new Date(Date.now() + 3_600_000).toISOString()
  const snapshot = {
    id: 'ab'.repeat(32),
    time: startedAt,
    tree: 'cd'.repeat(32),
    host: 'web',
    paths: [source],
  }
  const run = (name: string, previous: ManifestFile | null, nodes: Node[]): Promise<Witness> =>
    takeWitness({
      nodes: (async function* () {
        for (let at = 0; at < nodes.length; at += 7) yield nodes.slice(at, at + 7)
      })(),
      roots: [source],
      excludes: [],
      notJudged: [],
      unreadable: { paths: [], isComplete: true },
      header: { set: 'shop', snapshot, startedAt, restic: '0.19.1' },
      folder: join(place, name),
      previous,
      watch: [],
      pool,
    })
  return { source, list, run }
}

/** As restic 0.14 lists: the manifest has the inodes all the same, from the files themselves. */
function withoutInodes(nodes: readonly Node[]): Node[] {
  return nodes.map((node) => (node.kind === 'dir' ? node : { ...node, inode: null }))
}

function linesOf({ file }: ManifestFile): string[] {
  return zstdDecompressSync(readFileSync(file)).toString().split('\n').slice(1, -1)
}

function told({ tally, change, manifest }: Witness): unknown {
  return { tally, change, lines: linesOf(manifest) }
}

const NAMES = [
  'a',
  'b "quoted"',
  'back\\slash',
  'new\nline',
  'æøå',
  'c',
  'd',
  'e',
  'f',
  'g',
  'unresolved',
  'z',
]
const edit = fc.record({
  name: fc.constantFrom(...NAMES),
  how: fc.constantFrom('write', 'touch', 'mode', 'remove', 'replace', 'link'),
})

test('after any edits, a listing with inodes and one without make the very same manifests', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(edit, { maxLength: 4 }), { minLength: 3, maxLength: 4 }),
      async (runs) => {
        const { source, list, run } = makePlace()
        const at = (name: string): Buffer => bytesOf(bytePathOf(`${source}/${name}`))
        for (const name of NAMES) writeFileSync(at(name), `content of ${name}`)
        let [withInodes, without]: [ManifestFile | null, ManifestFile | null] = [null, null]
        for (const [turn, edits] of runs.entries()) {
          await sleep(10) // a clock whose ticks are coarse has gone on
          for (const { name, how } of edits) apply(at(name), how, turn)
          const nodes = list()
          const one = await run('with', withInodes, nodes)
          const other = await run('without', without, withoutInodes(nodes))
          expect(told(one)).toEqual(told(other))
          expect(one.manifest.sha256).toBe(other.manifest.sha256)
          for (const line of linesOf(one.manifest)) expect(formatEntry(parseEntry(line))).toBe(line)
          ;[withInodes, without] = [one.manifest, other.manifest]
        }
      },
    ),
    { numRuns: 12 },
  )
})

function apply(file: Buffer, how: string, turn: number): void {
  if (how !== 'touch' && how !== 'mode') rmSync(file, { force: true })
  if (how === 'remove') return
  if (how === 'link') return symlinkSync(`nowhere ${turn}`, file)
  if (how === 'replace') return writeFileSync(file, 'content of the same length')
  try {
    if (how === 'mode') return chmodSync(file, 0o600 + (turn % 2) * 0o44)
    writeFileSync(file, how === 'touch' ? readFileSync(file) : `turn ${turn}`)
  } catch {
    // It is gone, or a link to nowhere.
  }
}

test.each(['size', 'mtimeNs', 'ctimeNs', 'inode'] as const)(
  'a digest is not kept for a file whose %s alone is not what it was',
  async (field) => {
    const { source, list, run } = makePlace()
    for (const name of ['a', 'b', 'c']) writeFileSync(`${source}/${name}`, name)
    const one = await run('one', null, list())
    const two = await run('two', one.manifest, list())
    expect(two.tally).toMatchObject({ carried: 3, witnessed: 3 })
    const isB = (text: string): boolean => text.endsWith('/b')
    // The last manifest proves another file than the one that is there, and the listing has that one.
    const forged = linesOf(two.manifest).map((line) => {
      const read = parseEntry(line)
      const other = typeof read[field] === 'bigint' ? read[field] + 1n : Number(read[field]) + 1
      return isB(read.path) ? formatEntry({ ...read, [field]: other, sha256: 'ee'.repeat(32) }) : line
    })
    const three = await run('three', rewritten(two.manifest, forged), list())
    expect(three.tally).toMatchObject({ carried: 2, witnessed: 3 })
    const found = linesOf(three.manifest)
      .map(parseEntry)
      .find((read) => isB(read.path))
    expect(found).toMatchObject({ sha256: sha256Hex('b'), flags: ['witness'] })
  },
)

test('a last manifest that is damaged in any field of a line carries nothing over', async () => {
  const { source, list, run } = makePlace()
  for (const name of ['a', 'b', 'c']) writeFileSync(`${source}/${name}`, name)
  const one = await run('one', null, list())
  const two = await run('two', one.manifest, list())
  const lines = linesOf(two.manifest)
  const place = lines.findIndex((line) => line.includes('/b"'))
  const damages = [/"[0-9a-f]{64}"/, /"carried"/, /,\d+,/, /^\[/]
  for (const at of damages) {
    const changed = lines.with(
      place,
      (lines[place] ?? '').replace(at, (text) => damage(text)),
    )
    expect(changed).not.toEqual(lines)
    const { sha256 } = two.manifest
    const previous = { ...rewritten(two.manifest, changed), sha256 }
    await expect(run('three', previous, list())).rejects.toMatchObject({ code: 'MANIFEST_DAMAGED' })
  }
})

/** One character is another one. */
function damage(text: string): string {
  return text.replace(/[0-9a-f[]/, (one) => (one === '0' ? '1' : one === '[' ? '{' : '0'))
}

/** The same manifest with other lines, beside it, under its own digest. */
function rewritten({ file, snapshot }: ManifestFile, lines: readonly string[]): ManifestFile {
  const [header = ''] = zstdDecompressSync(readFileSync(file)).toString().split('\n')
  const text = `${[header, ...lines].join('\n')}\n`
  writeFileSync(`${file}.other`, zstdCompressSync(text))
  return { file: `${file}.other`, snapshot, sha256: sha256Hex(text) }
}
