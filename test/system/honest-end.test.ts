/** What ends a restore before it has said anything of the backup: told as such, never as damage and never as a pass. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openRestic } from '../../agent/src/restic/restic.ts'
import type { Restic } from '../../agent/src/restic/restic.ts'
import { exceptionsOf, filesBelow, lastOf, openProof, proofPlace } from '../kit/proof.ts'
import type { ProofPlace } from '../kit/proof.ts'
import { faultyWay, restServer } from '../kit/rest-server.ts'
import { resticVersions } from '../kit/restic-versions.ts'

const { builds, missing } = await resticVersions()
if (missing !== undefined) process.stderr.write(`not tested: ${missing}\n`)

/** Whether this file system can fix a file as it is, for root too. */
const canFix = (() => {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-fixed-'))
  try {
    execFileSync('chattr', ['+i', folder], { stdio: 'ignore' })
    execFileSync('chattr', ['-i', folder])
    return true
  } catch {
    process.stderr.write('not tested: what nobody can remove, since chattr +i does not work here\n')
    return false
  } finally {
    rmSync(folder, { recursive: true })
  }
})()

const backedUp = async (build: (typeof builds)[number], files: number): Promise<ProofPlace> => {
  const place = await proofPlace({ build })
  for (let at = 0; at < files; at += 1) place.write(`d${at % 30}/f${at}`, randomBytes(4_000))
  await place.backup()
  return place
}

describe.each(builds)('restic $version', (build) => {
  test('a path that is too long below the scratch is no damage', async () => {
    const place = await proofPlace({ build })
    const [plain, deep] = [`${place.source}/plain`, pathOf(`${place.source}/`, 4_090)]
    writeFileSync(plain, 'plain')
    mkdirSync(dirname(deep), { recursive: true })
    writeFileSync(deep, 'deep')
    await place.backup()
    const result = await place.test({ full: true })
    expect(lastOf(result)).toMatchObject({
      result: 'INCONCLUSIVE',
      classes: { identical: 1, unreadable: 1 },
    })
    expect(exceptionsOf(result, 'unreadable')).toEqual([deep])
  })

  test('a restic that gets no memory is no damage', async () => {
    const place = await backedUp(build, 20)
    const binary = join(place.folder, 'restic-without-memory')
    const limited = `#!/bin/sh\n[ "$1" = restore ] && ulimit -v 600000\nexec ${build.binary} "$@"\n`
    writeFileSync(binary, limited, { mode: 0o755 })
    const restic = await openRestic({
      binary,
      repository: place.set.repository,
      cacheDir: join(place.folder, 'cache'),
      environment: { PATH: process.env['PATH'] ?? '', HOME: place.folder },
    })
    expect(lastOf(await place.test({ full: true }, { restic }))).toMatchObject({
      result: 'INCONCLUSIVE',
      error: { code: 'RESTIC_INTERRUPTED', message: expect.stringContaining('fatal error') },
      classes: {},
    })
  })

  test('rights taken away in mid-restore are no damage', async ({ skip }) => {
    skip(build.restServer === undefined, 'there is no rest-server for this restic')
    const { folder } = await backedUp(build, 300)
    const server = await restServer(build.restServer ?? '', folder)
    let packs = 0
    const way = await faultyWay(server.url.replace(/set$/, 'repository'), ({ url = '' }) => {
      if (url.includes('/data/') && url.length > 80) packs += 1
      return packs > 0 ? 401 : null
    })
    const place = await openProof({ build, folder, repository: way, killAfterMs: 2_000 })
    expect(lastOf(await place.test({ full: true }))).toMatchObject({
      result: 'INCONCLUSIVE',
      error: { code: 'RESTIC_REPOSITORY_UNREACHABLE' },
      classes: {},
    })
  })
})

describe.each(builds.slice(-1))('restic $version', (build) => {
  test('a snapshot that somebody tagged has its witnesses still', async () => {
    const place = await backedUp(build, 5)
    for (const file of filesBelow(place.source)) writeFileSync(file, 'changed since')
    const access = ['-r', place.repository, '-p', join(place.folder, 'password'), '--no-cache']
    execFileSync(build.binary, ['tag', '-q', '--add', 'month-end', ...access])
    const [tagged] = await place.restic.snapshots()
    expect(tagged?.original).toBeDefined()
    expect(lastOf(await place.test({ full: true }))).toMatchObject({
      result: 'PASSED',
      reference: { manifest: 5, source: 0, none: 0 },
    })
  })

  const resticOn =
    ({ repository, folder }: ProofPlace) =>
    (...args: string[]): void => {
      const access = ['-r', repository, '-p', join(folder, 'password'), '--no-cache']
      execFileSync(build.binary, [...args, ...access], { stdio: 'ignore' })
    }

  test('of a snapshot that was repaired, what was cut is damage', async () => {
    const place = await backedUp(build, 150)
    const restic = resticOn(place)
    const packs = new Set(filesBelow(join(place.repository, 'data')))
    const large = place.write('large', randomBytes(2_000_000)).toString()
    await place.backup()
    const [pack = ''] = filesBelow(join(place.repository, 'data'))
      .filter((file) => !packs.has(file))
      .toSorted((one, other) => statSync(other).size - statSync(one).size)
    rmSync(pack)
    restic('repair', 'index')
    restic('repair', 'snapshots', '--forget')
    const repaired = await place.test({ full: true })
    expect(lastOf(repaired)).toMatchObject({ result: 'FAILED', classes: { identical: 150, damaged: 1 } })
    expect(exceptionsOf(repaired, 'damaged')).toEqual([large])
  })

  test('of a snapshot that was rewritten, what is left has its witnesses still', async () => {
    const place = await backedUp(build, 5)
    resticOn(place)('rewrite', '--forget', '--exclude', `${place.source}/d3`)
    for (const file of filesBelow(place.source)) writeFileSync(file, 'changed since')
    expect(lastOf(await place.test({ full: true }))).toMatchObject({
      result: 'PASSED',
      reference: { manifest: 4, source: 0, none: 0 },
    })
  })

  test('what a killed run left, and nobody can remove, hinders no test', async ({ skip }) => {
    skip(!canFix, 'only root can make a file immutable, and not on every file system')
    const place = await backedUp(build, 3)
    const left = join(place.folder, 'state/scratch/bevis-test-999999999-1-left')
    mkdirSync(left, { recursive: true })
    execFileSync('chattr', ['+i', left])
    onTestFinished(() => void execFileSync('chattr', ['-i', left]))
    expect(lastOf(await place.test({ full: true }))).toMatchObject({ result: 'PASSED' })
  })

  test('of two files that were asked for, one is in the snapshot: no pass', async () => {
    const place = await backedUp(build, 2)
    const [there, absent] = [`${place.source}/d0/f0`, `${place.source}/d0/other`]
    expect(lastOf(await place.test({ files: [there, absent] }))).toMatchObject({
      result: 'INCONCLUSIVE',
      error: { code: 'NOTHING_TO_TEST', message: `not in this snapshot: ${absent}` },
      classes: { identical: 1 },
    })
    expect(lastOf(await place.test({ files: [there] }))).toMatchObject({ result: 'PASSED' })
  })

  test('a full test that was cut tells no time to restore, and no bound', async () => {
    const place = await backedUp(build, 1_500)
    const whole = lastOf(await place.test({ full: true }))
    expect(whole).toMatchObject({ result: 'PASSED', rto: {}, limit: {} })
    const restic = cutAfter(place.restic, 200)
    const cut = lastOf(await place.test({ full: true }, { restic }))
    expect(cut).toMatchObject({ result: 'INCONCLUSIVE', error: { code: 'RESTIC_INTERRUPTED' } })
    expect(cut.classes.identical).toBeGreaterThan(0)
    expect(cut).not.toHaveProperty('rto')
    expect(cut).not.toHaveProperty('limit')
  })

  test('a second try that comes to no answer takes no failure back', async () => {
    const place = await backedUp(build, 50)
    rmSync(filesBelow(join(place.repository, 'data'))[0] ?? '')
    let tries = 0
    const restic: Restic = {
      ...place.restic,
      restore: (request) => place.restic.restore((tries += 1) > 1 ? { ...request, deadlineMs: 1 } : request),
    }
    const { outcome, tests } = await place.test({ full: true }, { restic })
    expect(tests.map(({ result }) => result.result)).toEqual(['FAILED', 'INCONCLUSIVE'])
    expect(outcome).toBe('FAILED')
  })
})

function pathOf(start: string, bytes: number): string {
  let path = start
  while (bytes - path.length > 220) path += `${'d'.repeat(200)}/`
  return path + 'f'.repeat(bytes - path.length)
}

/** Stops restic once it has named so many files. */
function cutAfter(restic: Restic, files: number): Restic {
  return {
    ...restic,
    restore(request) {
      const stopping = new AbortController()
      let seen = 0
      return restic.restore({
        ...request,
        signal: request.signal ? AbortSignal.any([request.signal, stopping.signal]) : stopping.signal,
        onEvent: (event) => {
          if ((seen += 1) >= files) stopping.abort()
          request.onEvent?.(event)
        },
      })
    },
  }
}
