/** Backup, witness and restore test on real files with every restic that can be had. */
import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { capabilitiesOf } from '../../agent/src/restic/capabilities.ts'
import type { Restic } from '../../agent/src/restic/restic.ts'
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

  test('a file overwritten while restic reads it is listed, and never identical by a witness', async () => {
    const place = await proofPlace({ method, build })
    place.write('still', 'still')
    const path = place.write('moving', Buffer.alloc(96_000_000, 'a'))
    await settle()
    const writer = spawn(process.execPath, ['-e', WRITER, path.toString()], { stdio: 'ignore' })
    onTestFinished(() => void writer.kill())
    await sleep(100)
    const restic: Restic = {
      ...place.restic,
      async backup(request) {
        const run = await place.restic.backup(request)
        const ended = new Promise((resolve) => writer.once('exit', resolve))
        writer.kill()
        await ended
        return run
      },
    }
    const { outcome, tally } = await place.backup({ restic })
    expect(outcome).toBe('complete')
    expect(tally?.torn).toEqual({ count: 1, paths: [join(place.source, 'moving')] })
    expect(place.drafts.at(-1)?.predicate).toMatchObject({
      torn: [join(place.source, 'moving')],
      manifest: { torn: 1, witnessed: 1 },
    })
    const result = await place.test({ full: true })
    expect(lastOf(result)).toMatchObject({ result: 'INCONCLUSIVE', classes: { identical: 1, unverified: 1 } })
    expect(lastOf(result).exceptions[0]?.detail).toContain('changed during the backup')
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

  test('names, kinds and shapes of every sort come back and are compared', async () => {
    const place = await proofPlace({ method, build })
    const { source } = place
    place.write('plain', 'plain')
    place.write('empty', '')
    place.write('new\nline', 'newline')
    place.write('dollar $HOME *?[x] \\ "quoted" ', 'odd')
    place.write('æøå/日本', 'unicode')
    place.write(Buffer.from([0x62, 0xff, 0xfe]), 'invalid one')
    place.write(Buffer.from([0x62, 0xff, 0xfd]), 'invalid two')
    mkdirSync(Buffer.concat([Buffer.from(`${source}/dir-`), Buffer.from([0xe6])]))
    writeFileSync(
      Buffer.concat([Buffer.from(`${source}/dir-`), Buffer.from([0xe6]), Buffer.from('/inside')]),
      'in latin1',
    )
    mkdirSync(join(source, 'empty-folder'))
    linkSync(join(source, 'plain'), join(source, 'hard-link'))
    symlinkSync('plain', join(source, 'link'))
    symlinkSync('/nowhere/at/all', join(source, 'dangling'))
    execFileSync('mkfifo', [join(source, 'fifo')])
    const server = createServer().listen(join(source, 'socket'))
    onTestFinished(() => void server.close())
    place.write('sparse', '')
    truncateSync(join(source, 'sparse'), 20_000_000)
    place.write('setuid', 'setuid')
    chmodSync(join(source, 'setuid'), 0o4755)
    await settle()

    const { outcome, tally } = await place.backup()
    expect(outcome).toBe('complete')
    expect(tally).toMatchObject({
      files: 13,
      witnessed: 13,
      gaps: { count: 0 },
      unresolved: { count: 0 },
      unreadable: { count: 0 },
      torn: { count: 0 },
    })
    const full = await place.test({ full: true })
    expect(lastOf(full)).toMatchObject({
      result: 'PASSED',
      classes: { identical: 13 },
      metadata: { different: 0 },
      exceptionsTotal: 0,
    })
    const sample = await place.test()
    expect(lastOf(sample)).toMatchObject({ result: 'PASSED', classes: { identical: 13 } })

    const asked = await place.test({ files: [String.raw`${source}/b\xff\xfe`, `${source}/æøå`] })
    expect(lastOf(asked)).toMatchObject({ result: 'PASSED', reason: 'requested', restored: { files: 2 } })

    // Without a manifest the invalid names are found among what was restored, and compared with the source.
    const { snapshot } = await place.restic.backup({ paths: [source] })
    const bare = await place.test({ full: true, snapshotId: snapshot?.id ?? '' })
    expect(lastOf(bare)).toMatchObject({
      result: 'PASSED',
      classes: { identical: 13 },
      reference: { source: 13 },
    })
  })

  test.runIf(isRoot)('what restic may not read is told, and is no gap', async () => {
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

/** Overwrites a file's start and end, over and over, as a program does that does not know of backups. */
const WRITER = `
const { openSync, writeSync, fstatSync } = require('node:fs')
const file = openSync(process.argv[1], 'r+')
const { size } = fstatSync(file)
let letter = 0
setInterval(() => {
  letter = (letter + 1) % 26
  const bytes = Buffer.alloc(4096, 97 + letter)
  writeSync(file, bytes, 0, bytes.length, 0)
  writeSync(file, bytes, 0, bytes.length, size - bytes.length)
}, 5)
`
