/** A backup that cannot be held against the one before it, for whatever reason, is told, and holds retention. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listManifests, openManifest } from '../../agent/src/manifest/file.ts'
import { acceptAnomalies } from '../../agent/src/run/anomaly.ts'
import { loadHold, releaseHold } from '../../agent/src/run/hold.ts'
import { overwrite, proofPlace } from '../kit/proof.ts'
import type { ProofPlace } from '../kit/proof.ts'
import { resticVersions } from '../kit/restic-versions.ts'

const { builds } = await resticVersions()
const build = builds.at(-1) ?? { version: '', binary: 'restic' }

interface Set extends ProofPlace {
  readonly stateDir: string
  /** All files, with new content: text, or bytes that look encrypted. */
  writeAll(content: 'text' | 'encrypted'): void
  manifests(): Promise<string[]>
  /** The kinds that a backup tells. */
  kindsOf(options?: Parameters<ProofPlace['backup']>[0]): Promise<string[]>
  holds(): string[] | null
}

async function twoHundredFiles(): Promise<Set> {
  const place = await proofPlace({ build })
  const stateDir = join(place.folder, 'state')
  let round = 0
  const set: Set = {
    ...place,
    stateDir,
    writeAll(content) {
      round += 1
      for (let n = 0; n < 200; n += 1)
        place.write(
          `f${n}`,
          content === 'text' ? `file ${n}, as of ${round}`.repeat(300) : randomBytes(6_000),
        )
    },
    manifests: async () => (await listManifests(join(stateDir, 'manifests', 'shop'))).map(({ file }) => file),
    async kindsOf(options) {
      const { outcome, tally, anomalies, error } = await place.backup(options)
      expect([outcome, tally?.files], error?.message).toEqual(['complete', 200])
      return anomalies.map(({ kind }) => kind)
    },
    holds: () => loadHold(stateDir, 'shop')?.reasons.map(({ kind }) => kind) ?? null,
  }
  set.writeAll('text')
  expect(await set.kindsOf()).toEqual([])
  place.write('f0', 'one that changed')
  expect(await set.kindsOf()).toEqual([])
  expect(set.holds()).toBeNull()
  return set
}

describe('everything is encrypted, and the manifest before', () => {
  test.each<[string, (manifests: readonly string[]) => void, readonly string[]]>([
    ['was damaged', (all) => flip(all.at(-1) ?? ''), ['memory']],
    // Then the one before it is what it is held against.
    ['is gone', (all) => rmSync(all.at(-1) ?? ''), ['memory', 'changeRate', 'encrypted']],
    ['is gone, as are all', (all) => all.forEach((file) => rmSync(file)), ['memory']],
  ])('%s', async (_, spoil, told) => {
    const set = await twoHundredFiles()
    spoil(await set.manifests())
    set.writeAll('encrypted')
    expect(await set.kindsOf()).toEqual(told)
    expect(set.holds()).toEqual(told)
    // Once: the next one is held against this one, and the hold stands until a person has looked.
    expect(await set.kindsOf()).toEqual([])
    expect(set.holds()).toEqual(told)
  })
})

test('a hold that could not be raised is raised by the next run, which is held against the one before it', async () => {
  const set = await twoHundredFiles()
  writeFileSync(join(set.stateDir, 'holds'), 'no folder')
  set.writeAll('encrypted')
  expect(await set.kindsOf()).toEqual(['changeRate', 'encrypted'])
  rmSync(join(set.stateDir, 'holds'))
  expect(set.holds()).toBeNull()
  expect(await set.kindsOf()).toEqual(['changeRate', 'encrypted'])
  expect(set.holds()).toEqual(['changeRate', 'encrypted'])
  acceptAnomalies(set.stateDir, 'shop')
  releaseHold(set.stateDir, 'shop')
  expect(await set.kindsOf()).toEqual([])
})

test('a run that ended between its manifest and the judgement hides nothing from the next one', async () => {
  const set = await twoHundredFiles()
  set.writeAll('encrypted')
  const before = (await set.manifests()).length
  // The first look at a clock after the manifest is the judgement's.
  const folder = join(set.stateDir, 'manifests', 'shop')
  const now = (): Date => {
    const count = readdirSync(folder).filter((name) => name.endsWith('.zst')).length
    if (count > before) throw new Error('killed here')
    return new Date()
  }
  await expect(set.backup({ now })).rejects.toThrow('killed here')
  expect(await set.manifests()).toHaveLength(before + 1)
  expect(set.holds()).toBeNull()
  expect(await set.kindsOf()).toEqual(['changeRate', 'encrypted'])
  expect(set.holds()).toEqual(['changeRate', 'encrypted'])
})

test('a manifest from a clock that was ahead is not the last for years: what comes is held against what came', async () => {
  const set = await twoHundredFiles()
  const ahead = (await set.manifests()).at(-1) ?? ''
  renameSync(ahead, ahead.replace(/\/\d{4}(\d{4}T[^/]*)$/, '/2099$1'))
  for (const name of ['f1', 'f2', 'f3']) {
    set.write(name, 'one that changed')
    expect(await set.kindsOf()).toEqual([])
  }
  expect(set.holds()).toBeNull()
  const turns = await Promise.all(
    (await listManifests(join(set.stateDir, 'manifests', 'shop'))).map(async (found) => {
      const { header, entries } = await openManifest(found)
      await entries.return(undefined)
      return header.turn
    }),
  )
  expect(turns).toEqual([0, 2, 3, 4, 1])
})

test('what cannot be remembered for the next run costs no manifest, and no judgement', async () => {
  const set = await twoHundredFiles()
  mkdirSync(join(set.stateDir, 'manifests', 'shop', 'first.json.part'))
  set.writeAll('encrypted')
  expect(await set.kindsOf()).toEqual(['changeRate', 'encrypted'])
  expect(set.holds()).toEqual(['changeRate', 'encrypted'])
})

function flip(file: string): void {
  const bytes = readFileSync(file)
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] ?? 0) ^ 1
  overwrite(file, bytes)
}
