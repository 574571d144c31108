/** Verdicts by a forger who holds the collector's pen. */
import { describe, expect, test } from 'vitest'
import { describe as describePack, descriptionOf, packOf } from '../../../test/kit/pack.ts'
import { World, smallWorld } from '../../../test/kit/world.ts'
import type { PackOptions } from '../../../test/kit/pack.ts'
import { PACK_FILES } from './pack.ts'
import { parseTrust } from './trust.ts'
import { verifyPack } from './verify-pack.ts'

const encode = (text: string) => new TextEncoder().encode(text)

/** The ids of the checks that failed; with the trust file of the world unless another is given. */
async function failuresOf(world: World, options: PackOptions = {}, trust = world.trust()): Promise<string[]> {
  return failuresIn(await packOf(world, options), trust)
}

function failuresIn(files: ReadonlyMap<string, Uint8Array>, trust: string): string[] {
  const report = verifyPack({ files, trust: parseTrust(trust) })
  expect(report.exit).toBe(report.checks.some(({ outcome }) => outcome === 'failed') ? 1 : 0)
  return report.checks.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id)
}

describe('the verdict', () => {
  test('that claims more than the evidence gives is refused, and the place is named', async () => {
    const world = await smallWorld(1)
    const files = new Map(await packOf(world))
    const said = new TextDecoder().decode(files.get(PACK_FILES.verdict))
    const better = said.replace(/"headline":"[a-z-]+"/, '"headline":"splendid"')
    files.set(PACK_FILES.verdict, encode(better))
    const report = verifyPack({ files: describePack(files, descriptionOf(files)), trust: null })
    const check = report.checks.find(({ id }) => id === 'verdict.recomputed')
    expect(check).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(/at headline: "splendid"/),
    })
    expect(report.verdict).toBeNull()
  })

  test('of the year 9999 is refused at once, and not made', async () => {
    const files = new Map(await packOf(await smallWorld(1)))
    const description = descriptionOf(files)
    const verdict = { ...description.verdict, at: '9999-12-31T23:59:59.999Z' }
    const report = verifyPack({ files: describePack(files, { ...description, verdict }), trust: null })
    expect(report.checks.find(({ id }) => id === 'verdict.recomputed')).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('cannot name them'),
    })
  })

  test('by a contract that nobody signed is refused when the trust file names the one that was', async () => {
    const world = await smallWorld(1)
    const pinned = `${world.trust()}contracts:\n  - { id: AFT-2025-262, sha256: "${'0'.repeat(63)}1" }\n`
    expect(await failuresOf(world, {}, pinned)).toEqual(['contract.text'])
  })
})
