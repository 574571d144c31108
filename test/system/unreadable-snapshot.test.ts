/** A snapshot file that restic cannot read: its own snapshot fails, the others are tested as ever, and nothing is hidden. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { flipBit } from '../kit/damage.ts'
import { proofPlace } from '../kit/proof.ts'
import type { ProofPlace } from '../kit/proof.ts'
import { resticVersions } from '../kit/restic-versions.ts'

const { builds, missing } = await resticVersions()
if (missing !== undefined) process.stderr.write(`not tested: ${missing}\n`)

describe.each(builds)('restic $version', (build) => {
  test('the one that is unreadable fails, with all its files missing, and the others keep their verdicts', async () => {
    const { place, ids } = await filled()
    const [oldest = '', , newest = ''] = ids
    spoil(place, oldest)
    expect(await tested(place)).toEqual({
      outcome: 'FAILED',
      code: 'RESTIC_REPOSITORY_DAMAGED',
      tests: [
        [newest, 'scheduled', 'PASSED'],
        [oldest, 'scheduled', 'FAILED'],
        [oldest, 'retest', 'FAILED'],
        [ids[1], 'ladder', 'PASSED'],
      ],
    })
    expect((await place.test({ snapshotId: ids[1] ?? '' })).outcome).toBe('PASSED')
    const named = await place.test({ snapshotId: oldest.slice(0, 10) })
    expect(named).toMatchObject({ outcome: 'FAILED', tests: [{ result: { classes: { missing: 2 } } }, {}] })
  })

  test('the newest is the newest, readable or not: a whole test and a drill fail with it', async () => {
    const { place, ids } = await filled()
    const [, before = '', newest = ''] = ids
    spoil(place, newest)
    const { outcome, tests } = await tested(place, { full: true })
    expect(outcome).toBe('FAILED')
    expect(tests).toEqual([
      [newest, 'scheduled', 'FAILED'],
      [newest, 'retest', 'FAILED'],
      [before, 'scheduled', 'PASSED'],
    ])
    const keepIn = join(place.folder, 'drill')
    mkdirSync(keepIn)
    const drill = await place.test({ full: true, reason: 'drill' }, { keepIn })
    expect(drill.tests.map(({ snapshotId, result }) => [snapshotId, result.result])).toEqual([
      [newest, 'FAILED'],
    ])
  })

  test('one that nobody knows keeps the set from PASSED: it may be the newest', async () => {
    const { place, ids } = await filled()
    const foreign = (await place.restic.backup({ paths: [place.source] })).snapshotId ?? ''
    spoil(place, foreign)
    const { outcome, code, tests } = await tested(place, { full: true })
    expect({ outcome, code, tests }).toEqual({
      outcome: 'INCONCLUSIVE',
      code: 'RESTIC_REPOSITORY_DAMAGED',
      tests: [[ids[2], 'scheduled', 'PASSED']],
    })
    await expect(place.test({ snapshotId: foreign })).rejects.toMatchObject({
      code: 'RESTIC_REPOSITORY_DAMAGED',
    })
  })

  async function filled(): Promise<{ place: ProofPlace; ids: string[] }> {
    const place = await proofPlace({ build })
    const ids: string[] = []
    for (let night = 0; night < 3; night += 1) {
      place.write('orders', `orders of night ${night}`)
      place.write('ledger', 'the same')
      ids.push((await place.backup()).snapshotId ?? '')
    }
    return { place, ids }
  }
})

function spoil({ repository }: ProofPlace, id: string): void {
  flipBit(join(repository, 'snapshots', id), 100)
}

async function tested(place: ProofPlace, wanted?: Parameters<ProofPlace['test']>[0]) {
  const { outcome, error, tests } = await place.test(wanted)
  return {
    outcome,
    code: error?.code,
    tests: tests.map(({ snapshotId, result }) => [snapshotId, result.reason, result.result]),
  }
}
