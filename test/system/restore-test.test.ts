/** Backup, witness and restore test on real files with every restic that can be had. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { capabilitiesOf } from '../../agent/src/restic/capabilities.ts'
import { exceptionsOf, lastOf, proofPlace, settle, tampered } from '../kit/proof.ts'
import { resticVersions } from '../kit/restic-versions.ts'

const { builds, missing } = await resticVersions()
if (missing !== undefined) process.stderr.write(`not tested: ${missing}\n`)
const isRoot = process.getuid?.() === 0

/** Each version by its best way, and the newest by the other one too. */
const ways = [
  ...builds.map((build) => ({ build, version: build.version, method: 'auto' as const })),
  ...builds.slice(-1).map((build) => ({ build, version: build.version, method: 'disk' as const })),
]

describe.each(ways)('restic $version, $method', ({ build, method }) => {
  const expected = method === 'auto' && capabilitiesOf(build.version).restoreEvents ? 'stream' : 'disk'

  test('a good backup passes, by its witnesses, sampled and whole', async () => {
    const place = await proofPlace({ method, build, setting: '    restoreTest: { files: 20 }' })
    for (let index = 0; index < 40; index += 1)
      place.write(`dir-${index % 7}/file ${index}`, `content ${index}`)
    place.write('large', Buffer.alloc(3_000_000, 'large'))
    const first = await place.backup()
    expect(first).toMatchObject({
      outcome: 'complete',
      error: null,
      tally: { files: 41, witnessed: 41, torn: { count: 0 } },
    })
    place.write('later', 'new')
    const second = await place.backup()
    expect(second.tally).toMatchObject({ files: 42, gaps: { count: 0 } })

    const sample = await place.test()
    expect(sample.tests.map(({ result }) => result.result)).toEqual(['PASSED', 'PASSED'])
    expect(sample.tests.map(({ snapshotId }) => snapshotId)).toEqual([second.snapshotId, first.snapshotId])
    expect(sample.tests.map(({ result }) => result.reason)).toEqual(['scheduled', 'ladder'])
    expect(lastOf(sample)).toMatchObject({
      classes: { identical: 20 },
      reference: { manifest: 20, source: 0, none: 0 },
      negativeControl: 'caught',
      population: { files: 41 },
    })
    expect(lastOf(sample).limit?.maxDefectRate).toBeGreaterThan(0)

    const full = await place.test({ full: true })
    expect(lastOf(full)).toMatchObject({
      result: 'PASSED',
      mode: 'full',
      classes: { identical: 42 },
      metadata: { different: 0 },
      restored: { files: 42, method: expected },
    })
    expect(lastOf(full).limit?.maxDefectRate).toBe(0)
    expect(readdirSync(join(place.folder, 'state', 'scratch'))).toEqual([])
    expect(place.drafts.map(({ name }) => name)).toEqual([
      'backup-run',
      'backup-run',
      'restore-test',
      'restore-test',
      'restore-test',
    ])
  })

  test('bytes that change between repository and hasher are damage', async () => {
    const place = await proofPlace({ method, build })
    for (const name of ['a', 'b', 'c']) place.write(name, `content of ${name}`)
    await settle()
    await place.backup()
    const restic = tampered(place.restic, (target) => {
      const file = openSync(join(target, place.source, 'b'), 'r+')
      writeSync(file, 'C', 0)
      closeSync(file)
    })
    const result = await place.test({ full: true }, { restic })
    expect(lastOf(result)).toMatchObject({
      result: 'FAILED',
      reason: 'retest',
      classes: { identical: 2, damaged: 1 },
    })
    expect(exceptionsOf(result, 'damaged')).toEqual([join(place.source, 'b')])
  })

  test('wrong password, missing repository: inconclusive with the cause, recorded of the last known snapshot', async () => {
    const place = await proofPlace({ method, build })
    place.write('a', 'a')
    const { snapshotId } = await place.backup()
    writeFileSync(join(place.folder, 'password'), 'wrong')
    const wrong = await place.test()
    expect(wrong).toMatchObject({ outcome: 'INCONCLUSIVE', error: { code: 'RESTIC_PASSWORD_WRONG' } })
    expect(wrong.tests.map((one) => one.snapshotId)).toEqual([snapshotId])
    expect(await place.backup()).toMatchObject({
      outcome: 'failed',
      error: { code: 'RESTIC_PASSWORD_WRONG' },
    })

    writeFileSync(join(place.folder, 'password'), 'correct horse')
    renameSync(place.repository, `${place.repository}.gone`)
    expect(await place.test()).toMatchObject({
      outcome: 'INCONCLUSIVE',
      error: { code: 'RESTIC_REPOSITORY_MISSING' },
    })
    expect(await place.backup()).toMatchObject({
      outcome: 'failed',
      error: { code: 'RESTIC_REPOSITORY_MISSING' },
    })
    expect(place.drafts.map(({ name }) => name)).toEqual([
      'backup-run',
      'restore-test',
      'backup-run',
      'restore-test',
      'backup-run',
    ])
  })

  test('nothing to test is inconclusive', async () => {
    const place = await proofPlace({ method, build })
    expect(await place.backup()).toMatchObject({ outcome: 'complete', tally: { files: 0 } })
    for (const wanted of [{}, { full: true }]) {
      const result = await place.test(wanted)
      expect(result).toMatchObject({ outcome: 'INCONCLUSIVE', error: { code: 'NOTHING_TO_TEST' } })
    }
    const asked = await place.test({ files: [join(place.source, 'nowhere')] })
    expect(asked).toMatchObject({ outcome: 'INCONCLUSIVE', error: { code: 'NOTHING_TO_TEST' } })
  })

  test('what restic may not read is told, and is no gap', async ({ skip }) => {
    skip(!isRoot, 'only root can back up for a user without rights')
    const wrapper = join('/tmp', `bevis-nobody-${process.pid}`)
    writeFileSync(
      wrapper,
      `#!/bin/sh\ncase "$1" in restore) exec ${build.binary} "$@" ;; esac\nexec setpriv --reuid=65534 --clear-groups ${build.binary} "$@"\n`,
      {
        mode: 0o755,
      },
    )
    onTestFinished(() => rmSync(wrapper, { force: true }))
    const place = await proofPlace({ method, build })
    chmodSync(place.folder, 0o777)
    place.write('open', 'open')
    place.write('closed', 'closed')
    place.write('shut/inside', 'inside')
    chmodSync(join(place.source, 'closed'), 0)
    chmodSync(join(place.source, 'shut'), 0)
    await settle()
    const reader = await proofPlace({ method, build: { ...build, binary: wrapper }, source: place.source })
    chmodSync(join(reader.folder, 'password'), 0o644)
    execFileSync('chown', ['-R', '65534', reader.folder])
    const { outcome, tally } = await reader.backup()
    expect(outcome).toBe('partial')
    expect(tally).toMatchObject({ files: 1, witnessed: 1, gaps: { count: 0 } })
    expect(tally?.unreadable.paths).toContain(join(place.source, 'closed'))
    const full = await reader.test({ full: true })
    expect(lastOf(full).classes).toMatchObject({ identical: 1, unreadable: tally?.unreadable.count ?? 0 })
  })
})
