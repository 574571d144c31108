/** Each attack on a pack is found, by its own check; none of them makes the verifier crash, or say yes. */
import { afterAll, expect, test } from 'vitest'
import { errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import { isPackFile } from '@bevis/shared/verify/pack'
import { parseTrust } from '@bevis/shared/verify/trust'
import { reportUnreadable, verifyPack } from '@bevis/shared/verify/verify-pack'
import type { Report } from '@bevis/shared/verify/report'
import { openZip, sourceOf } from '@bevis/shared/verify/zip'
import { attacks, honestPack } from '../kit/attacks.ts'

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
