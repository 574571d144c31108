/** How much of a set is told to have been restored, by a real restic: never more than came back. */
import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readCoverage } from '../../agent/src/run/coverage-ledger.ts'
import { filesBelow, overwrite, proofPlace } from '../kit/proof.ts'
import { resticVersions } from '../kit/restic-versions.ts'

const build = (await resticVersions()).builds.at(-1) ?? { version: '', binary: 'restic' }

test('every file has its turn; what is renamed, new or damaged has not had it', async () => {
  const place = await proofPlace({ build, setting: '    restoreTest: { files: 1, cycle: 3, ladder: P365D }' })
  for (let at = 0; at < 24; at += 1) place.write(`d${at % 8}/f${at}`, `content ${at}`)
  await place.backup()
  const tested = async () => (await place.test()).tests[0]?.result
  const shares: (number | undefined)[] = []
  for (let n = 0; n < 3; n += 1) shares.push((await tested())?.coverage?.restored)
  expect(shares).toEqual([shares[0], shares[1], 24])
  expect(shares[0]).toBeLessThan(24)
  expect(readCoverage(join(place.folder, 'state'), 'shop')).toMatchObject({
    restored: 24,
    current: 24,
    lastCycle: { restored: 24, files: 24 },
  })

  renameSync(join(place.source, 'd0'), join(place.source, 'renamed'))
  rmSync(join(place.source, 'd1'), { recursive: true })
  place.write('d2/f2', 'other content')
  const bad = randomBytes(300_000)
  place.write('bad', bad)
  await place.backup()
  const [largest = ''] = filesBelow(join(place.repository, 'data'))
  const bytes = readFileSync(largest)
  bytes.fill(0, 1_000, 200_000)
  overwrite(largest, bytes)
  const result = await tested()
  // The new, damaged file is drawn for being new and the largest, and is not counted; nor is what has another name.
  expect(result).toMatchObject({ result: 'FAILED', classes: { missing: 1 } })
  const { files = 0, restored = 0, current = 0 } = result?.coverage ?? {}
  expect(files).toBe(22)
  const identical = result?.classes['identical'] ?? 0
  expect(restored).toBeLessThanOrEqual(18 + identical)
  expect(restored).toBeLessThan(22)
  expect(current).toBeLessThanOrEqual(restored)
}, 240_000)
