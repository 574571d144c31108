import { randomBytes } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { holdLock } from '../../../test/kit/other-restic.ts'
import { quickRepository } from '../../../test/kit/quick-repository.ts'
import { filesBelow, testPlace } from '../../../test/kit/restic-place.ts'
import type { TestPlace } from '../../../test/kit/restic-place.ts'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import { faultyWay, restServer } from '../../../test/kit/rest-server.ts'
import type { Mishap } from '../../../test/kit/rest-server.ts'
import type { Lock } from '../restic/restic.ts'
import { storyContext } from '../../../test/kit/story-context.ts'
import { coverageOf, loadCheckLedger } from './check-ledger.ts'
import { runDataCheck } from './data-check.ts'

const { builds } = await resticVersions()
const server = builds.findLast(({ restServer: program }) => program !== undefined)?.restServer

describe.each(builds)('restic $version', (build) => {
  const places = server === undefined ? ['local'] : ['local', 'rest-server']

  test.each(places)(
    '%s: a flipped byte is found when its slice is read, and in a cycle every pack is',
    async (kind) => {
      const place = testPlace(build)
      const repository = await filled(place, kind === 'local' ? null : () => null, 5)
      const { context, drafts } = storyContext(place, repository.restic, repository.url)
      const packs = filesBelow(join(repository.folder, 'data'))
      const largest = packs.toSorted((one, other) => statSync(other).size - statSync(one).size)[0] ?? ''
      const bad = (Number.parseInt(basename(largest).slice(0, 2), 16) % 4) + 1
      flip(largest, 2_000)
      for (let part = 1; part <= 4; part += 1) {
        repository.asked.clear()
        const run = await runDataCheck({ ...context, cycle: 4 })
        expect(run).toMatchObject({ slice: { part, of: 4 }, result: part === bad ? 'FAILED' : 'PASSED' })
        expect(run.coverage).toMatchObject({ share: part / 4, damagedShare: part < bad ? 0 : 0.25 })
        const sliced = packs.filter(
          (file) => Number.parseInt(basename(file).slice(0, 2), 16) % 4 === part - 1,
        )
        const sizeBytes = sliced.reduce((sum, file) => sum + statSync(file).size, 0)
        if (kind === 'local') expect(run.bytes).toBe(sizeBytes)
        else {
          expect(run.bytes).toBeNull()
          for (const file of sliced) expect(repository.asked).toContain(basename(file))
        }
        expect(drafts.at(-1)?.predicate).toMatchObject({
          subset: `${part}/4`,
          exitCode: part === bad ? 1 : 0,
          result: run.result,
          errors: run.errors,
          ...(kind === 'local' && { bytes: sizeBytes }),
        })
        expect(run.errors > 0).toBe(part === bad)
        expect(run.error?.code).toBe(part === bad ? 'RESTIC_REPOSITORY_DAMAGED' : undefined)
      }
      const ledger = loadCheckLedger(context.stateDir, {
        id: await repository.restic.repositoryId(),
        location: repository.restic.location,
      })
      expect(ledger && coverageOf(ledger)).toMatchObject({ share: 1, completedAt: expect.any(String) })
      flip(largest, 2_000)
      expect(await runDataCheck({ ...context, cycle: 4, slice: { part: bad, of: 4 } })).toMatchObject({
        result: 'PASSED',
        coverage: { damagedShare: 0 },
      })
    },
  )

  test('damage outside of the packs fails the check, and claims no pack read that was not', async () => {
    const place = testPlace(build)
    const { restic, folder } = await filled(place, null)
    const { context } = storyContext(place, restic)
    const whole = join(place.folder, 'whole')
    cpSync(folder, whole, { recursive: true })
    const damage: Record<string, () => void> = {
      index: () => flip(filesBelow(join(folder, 'index'))[0] ?? '', 40),
      config: () => flip(join(folder, 'config'), 40),
    }
    for (const [what, strike] of Object.entries(damage)) {
      strike()
      const run = await runDataCheck({ ...context, cycle: 1 })
      expect(run, what).toMatchObject({
        result: 'FAILED',
        errors: expect.any(Number),
        coverage: { share: 0 },
      })
      expect(run.errors, what).toBeGreaterThan(0)
      rmSync(folder, { recursive: true })
      cpSync(whole, folder, { recursive: true })
    }
    flip(filesBelow(join(folder, 'snapshots'))[0] ?? '', 40)
    expect(await runDataCheck({ ...context, cycle: 1 })).toMatchObject({
      result: 'FAILED',
      coverage: { share: 1 },
    })
    // Until 0.16 restic asks 50 s for a pack that is gone.
    if (build.version.startsWith('0.14')) return
    for (const pack of filesBelow(join(folder, 'data'))) rmSync(pack)
    expect(await runDataCheck({ ...context, cycle: 1 })).toMatchObject({ result: 'FAILED' })
  })

  test.each(places)('%s: a repository that was emptied passes no check', async (kind) => {
    const place = testPlace(build)
    const { restic, url, folder } = await filled(place, kind === 'local' ? null : () => null)
    const { context, drafts } = storyContext(place, restic, url)
    const copy = { id: await restic.repositoryId(), location: restic.location }
    const bytesUsed = filesBelow(join(folder, 'data')).map((file) =>
      Number.parseInt(basename(file).slice(0, 2), 16),
    )
    const unused =
      Array.from({ length: 256 }, (_, byte) => byte).find((byte) => !bytesUsed.includes(byte)) ?? 0
    const hollow = await runDataCheck({ ...context, cycle: 256, slice: { part: unused + 1, of: 256 } })
    expect(hollow).toMatchObject({ result: 'PASSED', error: null, bytes: kind === 'local' ? 0 : null })
    const before = loadCheckLedger(context.stateDir, copy)
    const strike = (name: string): void => {
      rmSync(join(folder, name), { recursive: true })
      mkdirSync(join(folder, name))
    }
    for (const file of filesBelow(join(folder, 'data'))) rmSync(file, { force: true })
    for (const name of ['snapshots', 'index']) strike(name)
    for (let n = 0; n < 5; n += 1) {
      const run = await runDataCheck({ ...context, cycle: 4 })
      expect(run).toMatchObject({
        result: 'INCONCLUSIVE',
        errors: 0,
        bytes: null,
        error: { code: 'NOTHING_TO_TEST', message: expect.stringContaining('no data at all') },
      })
      expect(drafts.at(-1)?.predicate).toMatchObject({ result: 'INCONCLUSIVE', errors: 0 })
      if (n === 3) strike('data')
    }
    expect(loadCheckLedger(context.stateDir, copy)).toEqual(before)
  })

  test('of two byte copies of a repository each is read to its end', async () => {
    const place = testPlace(build)
    const { folder, restic } = await filled(place, null)
    const url = join(place.folder, 'copy')
    cpSync(folder, url, { recursive: true })
    const other = await place.open({ repository: { url, passwordFile: join(place.folder, 'password') } })
    const { context } = storyContext(place, restic)
    const { context: there } = storyContext(place, other, url)
    for (const part of [1, 2]) {
      const expected = { result: 'PASSED', slice: { part, of: 2 }, coverage: { share: part / 2 } }
      expect(await runDataCheck({ ...context, cycle: 2 })).toMatchObject(expected)
      expect(await runDataCheck({ ...there, cycle: 2 })).toMatchObject(expected)
    }
  })

  test('locked, shut, gone, stopped: no answer, and the slice stays owed', async () => {
    const place = testPlace(build)
    const { restic, folder } = await filled(place, null)
    const { context, drafts } = storyContext(place, restic)
    const release = await holdLock(place, build.binary)
    const tell = async (code: string, more: Partial<Parameters<typeof runDataCheck>[0]> = {}) => {
      const run = await runDataCheck({ ...context, cycle: 3, ...more })
      expect(run).toMatchObject({
        result: 'INCONCLUSIVE',
        slice: { part: 1, of: 3 },
        errors: 0,
        error: { code },
      })
      expect(run.coverage.share).toBe(0)
      expect(drafts.at(-1)?.predicate).toMatchObject({ result: 'INCONCLUSIVE', errors: 0, subset: '1/3' })
    }
    await tell('RESTIC_REPOSITORY_LOCKED')
    await release()
    await tell('RESTIC_INTERRUPTED', { signal: AbortSignal.abort() })
    await tell('RESTIC_TIMEOUT', { deadlineMs: 1 })
    writeFileSync(join(place.folder, 'password'), 'wrong')
    await tell('RESTIC_PASSWORD_WRONG')
    writeFileSync(join(place.folder, 'password'), 'correct horse')
    const aside = join(place.folder, 'aside')
    cpSync(folder, aside, { recursive: true })
    rmSync(folder, { recursive: true })
    await runDataCheck({ ...context, cycle: 3 }).then(({ result, error }) => {
      expect(result).toBe('INCONCLUSIVE')
      expect(error?.code).toBe('RESTIC_REPOSITORY_MISSING')
    })
    cpSync(aside, folder, { recursive: true })
    expect(await runDataCheck({ ...context, cycle: 3, slice: { part: 1, of: 3 } })).toMatchObject({
      result: 'PASSED',
    })
  })

  test.for(['stall', 'reset', 'cut', 500, 403] as const)(
    'packs that cannot be fetched (%s) accuse nobody',
    async (what, { skip }) => {
      skip(server === undefined, 'there is no rest-server here')
      const place = testPlace(build)
      let isFaulty = false
      const isPack: Mishap = ({ method, url }) =>
        isFaulty && method === 'GET' && /\/data\/[0-9a-f]/.test(url ?? '') ? what : null
      const { restic, url } = await filled(place, isPack)
      const { context } = storyContext(place, restic, url)
      isFaulty = true
      const run = await runDataCheck({ ...context, cycle: 1, deadlineMs: 6_000 })
      expect(run).toMatchObject({ result: 'INCONCLUSIVE', coverage: { share: 0 } })
      expect(run.error?.code).toMatch(/^RESTIC_(REPOSITORY_UNREACHABLE|TIMEOUT)$/)
      isFaulty = false
      expect(await runDataCheck({ ...context, cycle: 1 })).toMatchObject({
        result: 'PASSED',
        coverage: { share: 1 },
      })
    },
  )

  test('a check that was killed leaves a lock, which shuts no later run out', async ({ skip }) => {
    skip(server === undefined, 'there is no rest-server here')
    const place = testPlace(build)
    let isFaulty = true
    const { restic, url } = await filled(place, ({ method, url: path = '' }) =>
      isFaulty && method === 'GET' && /\/data\/[0-9a-f]/.test(path) ? 'stall' : null,
    )
    const { context } = storyContext(place, restic, url)
    const run = runDataCheck({ ...context, cycle: 1 })
    let held: Lock | undefined
    while (held === undefined) held = (await restic.locks()).find(({ exclusive }) => exclusive)
    process.kill(held.pid, 'SIGKILL')
    expect(await run).toMatchObject({ result: 'INCONCLUSIVE', error: { code: 'RESTIC_INTERRUPTED' } })
    isFaulty = false
    expect(await restic.locks()).toHaveLength(1)
    expect(await runDataCheck({ ...context, cycle: 1 })).toMatchObject({ result: 'PASSED' })
    expect(await restic.locks()).toEqual([])
  })

  async function filled(place: TestPlace, mishap: Mishap | null, backups = 2) {
    const asked = new Set<string>()
    let { url } = place
    let folder = url
    if (mishap !== null) {
      const served = join(place.folder, 'served')
      folder = join(served, 'set')
      quickRepository(build, folder)
      url = await faultyWay((await restServer(server ?? '', served)).url, (request, response) => {
        if (request.method === 'GET') asked.add(basename(request.url ?? ''))
        return mishap(request, response)
      })
    } else quickRepository(build, folder)
    const restic = await place.open({
      repository: { url, passwordFile: join(place.folder, 'password') },
      killAfterMs: 1_000,
    })
    for (let n = 0; n < backups; n += 1) {
      place.write(`file-${n}`, randomBytes(60_000 + n))
      expect((await restic.backup({ paths: [place.source] })).outcome).toBe('complete')
    }
    return { restic, url, folder, asked }
  }
})

/** Done twice it is undone. */
function flip(file: string, at: number): void {
  chmodSync(file, 0o600)
  const bytes = readFileSync(file)
  bytes[at] = (bytes[at] ?? 0) ^ 0xff
  writeFileSync(file, bytes)
}
