import { describe, expect, test } from 'vitest'
import { describe as describePack, descriptionOf, packOf } from '../../../test/kit/pack.ts'
import { smallWorld } from '../../../test/kit/world.ts'
import { zipOf } from '../../../test/kit/zip.ts'
import { errorCodeOf } from '../error.ts'
import { PACK_FILES, isPackFile } from './pack.ts'
import { parseTrust } from './trust.ts'
import { verifyPack } from './verify-pack.ts'
import { readZip } from './zip.ts'

const world = await smallWorld(1)
const honest = await packOf(world)
const trust = parseTrust(world.trust())
const description = descriptionOf(honest)

/** The same numbers in every run (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

function flip(files: ReadonlyMap<string, Uint8Array>, name: string, at: number, mask: number) {
  const flipped = new Map(files)
  const content = Uint8Array.from(files.get(name) ?? [])
  content[at] = (content[at] ?? 0) ^ mask
  flipped.set(name, content)
  return flipped
}

const names = [...honest.keys()]
const evidential = names.filter(
  (name) => name !== PACK_FILES.description && name !== PACK_FILES.seal && name !== PACK_FILES.readme,
)
const sizeOf = (name: string) => honest.get(name)?.length ?? 0
const sizeTotal = evidential.reduce((sum, name) => sum + sizeOf(name), 0)

/** A place in the files that hold evidence, every byte as likely as any other. */
function pick(random: (below: number) => number): { name: string; at: number } {
  let at = random(sizeTotal)
  for (const name of evidential) {
    if (at < sizeOf(name)) return { name, at }
    at -= sizeOf(name)
  }
  throw new RangeError('beyond the pack')
}

describe('one flipped byte', () => {
  test('in any file is refused, with and without a trust file', () => {
    for (const name of names) {
      const size = sizeOf(name)
      for (const at of [0, Math.floor(size / 3), Math.floor(size / 2), size - 2, size - 1]) {
        const files = flip(honest, name, at, 0x01)
        expect.soft(verifyPack({ files, trust }).exit, `${name} at ${at}`).toBe(1)
        expect.soft(verifyPack({ files, trust: null }).exit, `${name} at ${at}, no trust`).toBe(1)
      }
    }
  })

  test(
    'is refused by what it breaks, when a forger has mended the description for it (1,000 places)',
    { timeout: 400_000 },
    () => {
      const random = randomOf(1)
      const refusals = new Map<string, number>()
      for (let n = 0; n < 1_000; n += 1) {
        const { name, at } = pick(random)
        const mask = 1 << random(8)
        const files = describePack(flip(honest, name, at, mask), description)
        const report = verifyPack({ files, trust: n % 2 === 0 ? trust : null })
        if (report.exit !== 1) expect.soft(report.exit, `${name} at ${at}, mask ${mask}`).toBe(1)
        for (const { id, outcome } of report.checks) {
          if (outcome === 'failed') refusals.set(id, (refusals.get(id) ?? 0) + 1)
        }
      }
      expect([...refusals.keys()]).toEqual(
        expect.arrayContaining(['envelopes.signatures', 'log.inclusion', 'log.index', 'table.rederived']),
      )
    },
  )

  test('in every byte of a key, a checkpoint and a proof of each kind is refused, the description mended', () => {
    const kinds = [
      /\.pem$/,
      /^keys\/keys\.json$/,
      /\.vkey$/,
      /^checkpoints\//,
      /\.tlog-proof$/,
      /consistency/,
    ]
    const small = kinds.map((kind) => evidential.find((name) => kind.test(name)) ?? '')
    expect(small.every((name) => sizeOf(name) > 0)).toBe(true)
    const taken: string[] = []
    for (const name of small) {
      for (let at = 0; at < sizeOf(name); at += 1) {
        const files = describePack(flip(honest, name, at, 1 << (at % 8)), description)
        if (verifyPack({ files, trust: null }).exit !== 1) taken.push(`${name} at ${at}`)
      }
    }
    expect(taken).toEqual([])
  })

  test('anywhere in the zip is refused while it is unpacked (every byte of a small one, 2,000 places of a pack)', async () => {
    const small = zipOf(new Map([...honest].filter(([name]) => /\.jsonl$|checkpoints|vkey/.test(name))))
    const whole = zipOf(honest)
    const random = randomOf(2)
    const places = [
      ...Array.from(small, (_, at) => ({ zip: small, at, mask: 1 << (at % 8) })),
      ...Array.from({ length: 2_000 }, () => ({
        zip: whole,
        at: random(whole.length),
        mask: 1 << random(8),
      })),
    ]
    const taken: string[] = []
    for (const { zip, at, mask } of places) {
      const flipped = Buffer.from(zip)
      flipped[at] = (flipped[at] ?? 0) ^ mask
      await readZip(flipped, isPackFile).then(
        () => taken.push(`byte ${at}, mask ${mask}`),
        (error: unknown) => errorCodeOf(error) === 'PACK_INVALID' || taken.push(`byte ${at}: another error`),
      )
    }
    expect(taken).toEqual([])
  })
})

test.each(names)('without %s the pack is refused', (name) => {
  const files = new Map(honest)
  files.delete(name)
  expect(verifyPack({ files, trust }).exit).toBe(1)
  if (name === PACK_FILES.readme) return
  expect(verifyPack({ files: describePack(files, description), trust }).exit).toBe(
    name === PACK_FILES.description || name === PACK_FILES.seal ? 0 : 1,
  )
})
