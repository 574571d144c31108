/**
 * Each attack on a pack is found, by its own check; none of them makes the verifier crash, or say yes.
 *
 * Here the packs are made by a kit and the verifier is called; attacks.test.ts makes the like against running programs.
 */
import { afterAll, expect, test } from 'vitest'
import { errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { Answer } from '@bevis/shared/contract/answer'
import { PACK_FILES, isPackFile } from '@bevis/shared/verify/pack'
import { parseTrust } from '@bevis/shared/verify/trust'
import { reportUnreadable, verifyPack } from '@bevis/shared/verify/verify-pack'
import type { Report } from '@bevis/shared/verify/report'
import { openZip, sourceOf } from '@bevis/shared/verify/zip'
import { attacks, honestPack } from '../kit/attacks.ts'
import { packOf } from '../kit/pack.ts'
import { KitAgent, START, World, daysOf, liveDays } from '../kit/world.ts'
import { zipOf } from '../kit/zip.ts'

const table: string[] = []
afterAll(() => process.stdout.write(`\nattacks on a pack, and what found them:\n${table.join('\n')}\n`))

function verify(zip: Uint8Array, trustText: string | null): Report {
  const trust = trustText === null ? null : parseTrust(trustText)
  try {
    return verifyPack({ files: openZip(sourceOf(zip), isPackFile), trust })
  } catch (error) {
    if (errorCodeOf(error) !== 'PACK_INVALID') throw error
    return reportUnreadable(errorMessageOf(error), trust)
  }
}

const failedIn = (report: Report) =>
  report.checks.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id)

test('without an attack it holds', async () => {
  const { zip, trust } = await honestPack()
  expect(failedIn(verify(zip, trust))).toEqual([])
  expect(verify(zip, trust).exit).toBe(0)
})

test.each(await attacks())('$name', ({ name, zip, trust, foundBy }) => {
  const report = verify(zip, trust)
  const failed = failedIn(report)
  expect(report).toMatchObject({ exit: 1, result: 'refused', verdict: null })
  expect(
    failed.filter((id) => foundBy.includes(id)),
    failed.join(),
  ).not.toEqual([])
  // Without a trust file less is found, but nothing is ever a yes.
  expect(verify(zip, null).exit).not.toBe(0)
  table.push(`  ${name.padEnd(58)}  ${failed.join(', ')}`)
})

test('a backup that is dated back into a missed day: the pack holds, and the verdict does not take it', async () => {
  const world = new World()
  const agent = new KitAgent('srv1')
  const day = (n: number) => START + n * 86_400_000
  await liveDays(world, agent, 3)
  await liveDays(world, agent, 1, day(9))
  const late = new Date(day(10)).toISOString()
  for (const { envelope } of daysOf(agent, 1, day(5))) world.receive(envelope, late)
  const files = await packOf(world)
  expect(failedIn(verify(zipOf(files), world.trust()))).toEqual([])
  const answer = JSON.parse(Buffer.from(files.get(PACK_FILES.verdict) ?? []).toString()) as Answer
  expect(answer.findings.map(({ code }) => code)).toContain('backdated')
  const missed = answer.sets[0]?.obligations.find(({ bucket }) => bucket === '2025-01-06')
  expect(missed?.state).not.toBe('met')
})
