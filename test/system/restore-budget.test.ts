/** The budget of bytes: what it leaves out is told, and never makes a test look whole. */
import { describe, expect, test } from 'vitest'
import { lastOf, proofPlace } from '../kit/proof.ts'
import { resticVersions } from '../kit/restic-versions.ts'

const { builds } = await resticVersions()

describe.each(builds.slice(-1))('restic $version', (build) => {
  const placeOf = async (budget: string, sizes: number[]) => {
    const place = await proofPlace({
      build,
      setting: `    restoreTest: { files: 5, budget: { bytes: ${budget} } }`,
    })
    for (const [index, size] of sizes.entries()) place.write(`f${index}`, Buffer.alloc(size, index))
    await place.backup()
    return place
  }

  test('a sample that fits passes, and says which files are too large ever to be drawn', async () => {
    const place = await placeOf('100kB', [...Array.from({ length: 8 }, () => 10_000), 500_000])
    const result = lastOf(await place.test())
    expect(result).toMatchObject({
      result: 'PASSED',
      selection: {
        strata: expect.arrayContaining([
          { name: 'random', files: 5 },
          { name: 'left-out-as-oversized', files: 1 },
        ]),
      },
    })
    expect(result?.selection.bytes).toBeLessThanOrEqual(100_000)
    // The bound is for files drawn at random from all.
    expect(result).not.toHaveProperty('limit')
  })

  test('a sample that the budget ends early is judged as far as it went, and is no pass', async () => {
    const place = await placeOf(
      '35kB',
      Array.from({ length: 8 }, () => 10_000),
    )
    expect(lastOf(await place.test())).toMatchObject({
      result: 'INCONCLUSIVE',
      error: { code: 'BUDGET_SPENT', message: 'the budget of 35000 bytes was used up first' },
      restored: { files: 3, bytes: 30_000 },
      classes: { identical: 3 },
    })
  })

  test('every file, or a file that was asked for, is not begun when it cannot be ended', async () => {
    const place = await placeOf(
      '35kB',
      Array.from({ length: 8 }, () => 10_000),
    )
    const error = {
      code: 'BUDGET_SPENT',
      message: 'the budget of 35000 bytes is less than the 80000 to be restored',
    }
    const nothing = { result: 'INCONCLUSIVE', error, restored: { files: 0 }, negativeControl: 'not-run' }
    expect(lastOf(await place.test({ full: true }))).toMatchObject(nothing)
    expect(lastOf(await place.test({ files: [place.source] }))).toMatchObject(nothing)
    expect(lastOf(await place.test({ files: [`${place.source}/f1`] }))).toMatchObject({ result: 'PASSED' })
  })
})
