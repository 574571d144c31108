import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import type { BackupRequest, Restic } from './restic.ts'
import { testPlace, wrapped } from '../../../test/kit/restic-place.ts'
import type { TestPlace } from '../../../test/kit/restic-place.ts'

const { builds } = await resticVersions()

describe.each(builds)('restic $version', (build) => {
  test('a stopped backup ends cleanly, and its lock goes with it', async () => {
    const place = testPlace(build)
    const restic = await slow(place)
    const stop = new AbortController()
    const { run, started } = begin(restic, { paths: [place.source], signal: stop.signal })
    await started
    const checked = await (await place.open()).check()
    expect(checked.error?.code).toBe('RESTIC_REPOSITORY_LOCKED')
    stop.abort()
    expect(await run).toMatchObject({ outcome: 'failed', error: { code: 'RESTIC_INTERRUPTED' } })
    expect(await restic.locks()).toEqual([])
    expect(await restic.snapshots()).toEqual([])
    const late = await restic.backup({ paths: [place.source], signal: stop.signal })
    expect(late.error?.code).toBe('RESTIC_INTERRUPTED')
  })

  test('a lock that a killed restic of ours has left is removed, and nobody else’s', async () => {
    const place = testPlace(build)
    const restic = await slow(place)
    const run = restic.backup({ paths: [place.source] })
    const held = await lockOf(restic)
    expect(held).toMatchObject({ ours: true, stale: false })
    expect(await restic.unlockOwn()).toEqual([])
    process.kill(held.pid, 'SIGKILL')
    expect(await run).toMatchObject({ exitCode: 137, error: { code: 'RESTIC_INTERRUPTED' } })

    const another = await place.open({ cacheDir: join(place.folder, 'cache-of-another') })
    expect(await another.locks()).toMatchObject([{ id: held.id, ours: false, stale: false }])
    expect(await another.unlockOwn()).toEqual([])

    const restarted = await place.open()
    expect(await restarted.locks()).toMatchObject([{ id: held.id, ours: true, stale: true }])
    expect(await restarted.unlockOwn()).toEqual([held.id])
    expect(await restarted.locks()).toEqual([])
    expect(await restarted.unlockOwn()).toEqual([])
  })

  test('a restic that was held when its agent was killed is ended, and its lock removed', async () => {
    const place = testPlace(build)
    const restic = await slow(place)
    // While its agent lives it is held for a reason.
    const run = restic.backup({ paths: [place.source] })
    const own = await lockOf(restic)
    process.kill(own.pid, 'SIGSTOP')
    expect(await restic.unlockOwn()).toEqual([])
    process.kill(own.pid, 'SIGKILL')
    await run
    expect(await restic.unlockOwn()).toEqual([own.id])

    await killedAgent(build.binary, place)
    const restarted = await place.open()
    const [held] = await restarted.locks()
    expect(held).toMatchObject({ ours: true, stale: false })
    expect(await restarted.unlockOwn()).toEqual([held?.id])
    expect(await restarted.locks()).toEqual([])
    expect(() => process.kill(held?.pid ?? 0, 0)).toThrow('ESRCH')
  })

  test('a run that goes on for too long, or not at all, is ended by us', async () => {
    const place = testPlace(build)
    const restic = await slow(place)
    const request: BackupRequest = { paths: [place.source] }
    expect((await restic.backup({ ...request, deadlineMs: 1_500 })).error?.code).toBe('RESTIC_TIMEOUT')
    const repository = { ...secret(place), url: await silentServer() }
    const stuck = await place.open({ repository, killAfterMs: 2_000 })
    const started = performance.now()
    const run = await stuck.backup({ ...request, stallMs: 1_500 })
    expect(run).toMatchObject({ outcome: 'failed', error: { code: 'RESTIC_TIMEOUT' } })
    expect(performance.now() - started).toBeLessThan(30_000)
  })

  test('storage that refuses every connection is unreachable', async () => {
    const place = testPlace(build)
    const restic = await place.open({
      repository: { ...secret(place), url: await closedPort() },
      killAfterMs: 2_000,
    })
    const error = await restic.snapshots({ deadlineMs: 4_000 }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'RESTIC_REPOSITORY_UNREACHABLE' })
    expect(String(error)).not.toContain('sesame')
  })

  test('a held restore makes no step and is not taken for stalled', async () => {
    const place = testPlace(build)
    for (let n = 0; n < 50; n += 1) place.write(`file-${n}`, randomBytes(1_000))
    const restic = await place.make()
    const { snapshotId = '' } = await restic.backup({ paths: [place.source] })
    let heldUntil = 0
    const run = await restic.restore({
      snapshotId,
      target: join(place.folder, 'target'),
      cacheDir: join(place.folder, 'fresh'),
      stallMs: 1_000,
      onStart: ({ hold, resume }) => {
        hold()
        void sleep(2_500).then(() => {
          heldUntil = performance.now()
          resume()
        })
      },
    })
    expect(run.error).toBeUndefined()
    expect(performance.now()).toBeGreaterThan(heldUntil)
  })
})

test('a binary that is missing, no restic, or too old is refused', async () => {
  const place = testPlace({ version: 'none', binary: join('/nowhere', 'restic') })
  await expect(place.open()).rejects.toMatchObject({ code: 'RESTIC_MISSING' })
  await expect(place.open({ binary: 'echo' })).rejects.toMatchObject({ code: 'RESTIC_OUTPUT_INVALID' })
  const old = wrapped(
    place,
    { version: '0.13.1', binary: 'echo restic 0.13.1 compiled with go1.18;' },
    '',
    'true',
  )
  await expect(place.open({ binary: old })).rejects.toMatchObject({ code: 'RESTIC_TOO_OLD' })
  rmSync(join(place.folder, 'password'))
  await expect(place.open()).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' })
})

describe('restic that is interrupted ends early, says that all is well, and exits 0', () => {
  /** Stands for restic 0.14, which does so only when the signal finds it at the right place. */
  const opened = async (then: string): Promise<Restic> => {
    const place = testPlace({ version: '0.14.0', binary: 'early' })
    const binary = join(place.folder, 'early')
    const words = "kill \\$!; echo 'signal interrupt received, cleaning up' >&2; echo no errors were found"
    const lines = [
      '#!/bin/sh',
      'case "$*" in *version*) echo restic 0.14.0 compiled with go1.19 on linux/amd64; exit;; esac',
      `trap "${words}; exit 0" INT TERM`,
      'sleep 60 >/dev/null 2>&1 &',
      then,
      'wait',
    ]
    writeFileSync(binary, `${lines.join('\n')}\n`, { mode: 0o755 })
    return place.open({ binary })
  }
  const subset = { part: 1, of: 1 }

  test('by us, since it took too long', async () => {
    const restic = await opened('')
    const limits = { deadlineMs: 300 }
    expect(await restic.check({ subset, ...limits })).toMatchObject({
      exitCode: 0,
      isRead: false,
      error: { code: 'RESTIC_TIMEOUT' },
    })
    await expect(restic.snapshots(limits)).rejects.toMatchObject({ code: 'RESTIC_TIMEOUT' })
    expect(await restic.backup({ paths: ['/srv'], ...limits })).toMatchObject({ outcome: 'failed' })
  })

  test('by somebody else', async () => {
    const restic = await opened('kill -INT $$')
    expect(await restic.check({ subset })).toMatchObject({
      exitCode: 0,
      isRead: false,
      error: { code: 'RESTIC_INTERRUPTED' },
    })
  })
})

/** Minutes of work for restic, and nothing on the disk: a file that is one hole. */
async function slow(place: TestPlace): Promise<Restic> {
  place.write('hole', '')
  truncateSync(join(place.source, 'hole'), 300 * 2 ** 30)
  return place.make()
}

/** Started: it has its lock, and reads. In its first 200 ms restic 0.14 does not know yet of the lock it has made. */
function begin(restic: Restic, request: BackupRequest) {
  const { promise, resolve } = Promise.withResolvers<void>()
  const run = restic.backup({ ...request, onProgress: ({ bytes }) => bytes > 0 && resolve() })
  return { run, started: promise }
}

async function lockOf(restic: Restic) {
  for (;;) {
    const [lock] = await restic.locks()
    if (lock) return lock
  }
}

/** Begins a backup, holds it, and is killed. */
async function killedAgent(binary: string, place: TestPlace): Promise<void> {
  const repository = { ...secret(place), url: place.url }
  const environment = { PATH: process.env['PATH'] ?? '', HOME: place.folder }
  const options = { binary, repository, cacheDir: join(place.folder, 'cache'), environment }
  const program = `
    const { openRestic } = await import(${JSON.stringify(join(import.meta.dirname, 'restic.ts'))})
    const restic = await openRestic(${JSON.stringify(options)})
    void restic.backup({ paths: [${JSON.stringify(place.source)}] })
    for (let locks = []; ; locks = await restic.locks()) {
      if (locks.length === 0) continue
      process.kill(locks[0].pid, 'SIGSTOP')
      process.kill(process.pid, 'SIGKILL')
    }`
  const agent = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' })
  expect(await once(agent, 'close')).toEqual([null, 'SIGKILL'])
}

function secret({ folder }: TestPlace) {
  return { passwordFile: join(folder, 'password') }
}

/** Takes connections, and never answers. */
async function silentServer(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `rest:http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function closedPort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `rest:http://user:sesame@127.0.0.1:${port}/`
}
