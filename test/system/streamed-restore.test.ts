/** The streamed restore where it can go wrong: restic's traps, ends that come too early, full and left scratches. */
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  cpSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Restic } from '../../agent/src/restic/restic.ts'
import { exceptionsOf, filesBelow, lastOf, overwrite, proofPlace, settle } from '../kit/proof.ts'
import type { ProofPlace } from '../kit/proof.ts'
import { makePair } from '../kit/pair.ts'
import { killHard, start } from '../kit/programs.ts'
import { resticVersions } from '../kit/restic-versions.ts'

const { builds } = await resticVersions()
const build = builds.at(-1) ?? { version: '', binary: 'restic' }
const canMount = process.getuid?.() === 0
const MEMORY = '/dev/shm'
const leftovers = (pid = process.pid): string[] =>
  readdirSync(MEMORY).filter((name) => name.startsWith(`bevis-test-${pid}-`))

/** A file system of its own that is gone with the test. */
function smallPlace(name: string, bytes: number): string {
  const folder = join('/tmp', `bevis-${name}-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder])
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** Changes what is asked of restic's restore, or what is done while it runs. */
function steered(
  restic: Restic,
  steer: (request: Parameters<Restic['restore']>[0]) => typeof request,
): Restic {
  return { ...restic, restore: (request) => restic.restore(steer(request)) }
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  overwrite(file, bytes)
}

describe('the seven traps', () => {
  test('1: what lies in the target already is skipped by restic, and proves nothing', async () => {
    const place = await proofPlace({ build })
    for (const name of ['a', 'b', 'c']) place.write(name, randomBytes(50_000))
    await place.backup()
    const restic = steered(place.restic, (request) => ({
      ...request,
      onStart: (control) => {
        cpSync(place.source, join(request.target, place.source), {
          recursive: true,
          preserveTimestamps: true,
        })
        request.onStart?.(control)
      },
    }))
    const result = await place.test({ full: true }, { restic })
    expect(lastOf(result)).toMatchObject({
      result: 'INCONCLUSIVE',
      classes: {},
      error: { code: 'SCRATCH_REFUSED' },
    })
  })

  test('2: a damaged tree that the usual cache still has is found', async () => {
    const place = await proofPlace({ build })
    for (let at = 0; at < 20; at += 1) place.write(`d${at}/f`, `content ${at}`)
    await place.backup()
    const trees = filesBelow(join(place.repository, 'data')).filter((pack) =>
      filesBelow(join(place.folder, 'cache')).some((cached) => cached.endsWith(pack.slice(-64))),
    )
    expect(trees.length).toBeGreaterThan(0)
    for (const pack of trees) flip(pack, 50)
    const result = await place.test({ full: true })
    expect(result.outcome).toBe('FAILED')
    expect(exceptionsOf(result, 'missing').length).toBeGreaterThan(0)
  })

  test('3: a full scratch is no verdict, whatever the summary counts as restored', async ({ skip }) => {
    skip(!canMount, 'only root can mount a small disk')
    const place = await proofPlace({ build })
    for (let at = 0; at < 400; at += 1) place.write(`f${at}`, randomBytes(100_000))
    await place.backup()
    const scratchDir = smallPlace('full', 180e6)
    // What the threads free is taken at once, so that restic cannot squeeze through.
    const fill = `while :; do cat /dev/zero >> ${join(scratchDir, 'filler')} 2> /dev/null; sleep 0.02; done`
    const restic = steered(place.restic, (request) => ({
      ...request,
      // restic tries for a quarter of an hour to write its cache; its target is what is full here.
      cacheDir: join(place.folder, 'fresh-cache'),
      onStart: (control) => {
        const filler = spawn('bash', ['-c', fill], { stdio: 'ignore', detached: true })
        onTestFinished(() => void process.kill(-(filler.pid ?? 0), 'SIGKILL'))
        request.onStart?.(control)
      },
    }))
    const result = await place.test({ full: true }, { restic, scratchDir })
    expect(lastOf(result)).toMatchObject({ result: 'INCONCLUSIVE', error: { code: 'SCRATCH_FULL' } })
    expect(Object.keys(lastOf(result).classes)).not.toContain('missing')
    expect(Object.keys(lastOf(result).classes)).not.toContain('damaged')
  })

  test('4: a dump that ends at a damaged blob gives no file', async ({ skip }) => {
    skip(!canMount, 'only root can mount a small disk')
    const place = await proofPlace({ build })
    place.write('large', randomBytes(72_000_000))
    for (const name of ['a', 'b']) place.write(name, name.repeat(1_000))
    await place.backup()
    const scratchDir = smallPlace('dump', 160e6)
    const good = await place.test({ full: true }, { scratchDir })
    expect(lastOf(good)).toMatchObject({
      result: 'PASSED',
      classes: { identical: 3 },
      restored: { files: 3, bytes: 72_002_000, method: 'stream' },
      metadata: { different: 0 },
    })
    flip(filesBelow(join(place.repository, 'data'))[0] ?? '', 5_000)
    const bad = await place.test({ full: true }, { scratchDir })
    expect(bad.outcome).toBe('FAILED')
    expect(exceptionsOf(bad, 'missing')).toEqual([join(place.source, 'large')])
    expect(lastOf(bad).classes).toMatchObject({ identical: 2 })
    expect(readdirSync(scratchDir)).toEqual([])
  })

  test('5: where a dry run sees nothing, a test does', async () => {
    const place = await proofPlace({ build })
    for (const name of ['a', 'b', 'c']) place.write(name, randomBytes(50_000))
    const { snapshotId } = await place.backup()
    flip(filesBelow(join(place.repository, 'data'))[0] ?? '', 1_000)
    const args = [
      '-r',
      place.repository,
      '-p',
      join(place.folder, 'password'),
      '--no-cache',
      'restore',
      '--dry-run',
    ]
    execFileSync(build.binary, [...args, '--target', join(place.folder, 'dry'), snapshotId ?? ''])
    expect((await place.test({ full: true })).outcome).toBe('FAILED')
  })

  test('6: the snapshot is named by its whole ID, whatever came last', async () => {
    const place = await proofPlace({ build })
    place.write('a', 'a')
    const { snapshotId } = await place.backup()
    await place.restic.backup({ paths: [place.source], host: 'elsewhere' })
    const named: string[] = []
    const restic = steered(place.restic, (request) => (named.push(request.snapshotId), request))
    await place.test({ full: true }, { restic })
    expect(named).toEqual([snapshotId])
  })

  // restic exits 0 on 0.14 and 0.18 when one of two paths is missing.
  test.each(builds)('7: a path that is not there is told, whatever restic $version says', async (one) => {
    const place = await proofPlace({ build: one })
    place.write('a', 'a')
    const paths = [place.source, join(place.folder, 'gone')]
    const result = await place.backup({ set: { ...place.set, paths } })
    expect(result).toMatchObject({ outcome: 'partial', error: { code: 'SOURCE_MISSING' } })
  })
})

describe('ends that come too early', () => {
  const files = 300
  const made = async (): Promise<ProofPlace> => {
    const place = await proofPlace({ build })
    for (let at = 0; at < files; at += 1) place.write(`d${at % 10}/f${at}`, randomBytes(200_000))
    await place.backup()
    return place
  }

  test.each([
    [
      'a deadline',
      'RESTIC_TIMEOUT',
      (request: Parameters<Restic['restore']>[0]) => ({ ...request, deadlineMs: 4_000 }),
    ],
    [
      'no progress',
      'RESTIC_TIMEOUT',
      (request: Parameters<Restic['restore']>[0]) => ({ ...request, stallMs: 2_000 }),
    ],
  ])('%s: what was read until then counts, what was not is not missing', async (what, code, limit) => {
    const place = await made()
    let events = 0
    const restic = steered(place.restic, (request) =>
      limit({
        ...request,
        // Without flow control, which would wake it.
        onStart: () => undefined,
        onEvent: (event) => {
          // restic is stopped by others: our own watchdogs wait only for what we stop ourselves.
          events += 1
          if (events === 15) process.kill(resticBelow(place), 'SIGSTOP')
          if (events <= 60) request.onEvent?.(event)
        },
      }),
    )
    const wakes = setInterval(() => tryKill(resticBelow(place, 0), 'SIGCONT'), 6_000)
    onTestFinished(() => clearInterval(wakes))
    const result = await place.test({ full: true }, { restic })
    expect(what && lastOf(result)).toMatchObject({ result: 'INCONCLUSIVE', error: { code } })
    const { identical = 0, ...others } = lastOf(result).classes
    expect(others).toEqual({})
    expect(identical).toBeGreaterThan(10)
    expect(identical).toBeLessThan(files)
    expect(lastOf(result)).toMatchObject({ negativeControl: 'caught', restored: { method: 'stream' } })
    expect(leftovers()).toEqual([])
  })

  test('an abort leaves nothing behind, and is told', async () => {
    const place = await made()
    const stop = new AbortController()
    let events = 0
    const restic = steered(place.restic, (request) => ({
      ...request,
      onEvent: (event) => {
        request.onEvent?.(event)
        if ((events += 1) === 40) stop.abort()
      },
    }))
    const result = await place.test({ full: true }, { restic, signal: stop.signal })
    expect(result.outcome).toBe('INCONCLUSIVE')
    expect(Object.keys(lastOf(result).classes)).not.toContain('missing')
    expect(leftovers()).toEqual([])
  })
})

/** The restic that runs on the place's repository. */
function resticBelow({ repository }: ProofPlace, otherwise = -1): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const isRestic = readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('\0restore\0')
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1')
      if (isRestic || environment.includes(`RESTIC_REPOSITORY=${repository}\0`)) {
        if (environment.includes(`RESTIC_REPOSITORY=${repository}\0`)) return Number(pid)
      }
    } catch {
      // It has ended meanwhile.
    }
  }
  if (otherwise === -1) throw new Error('restic does not run')
  return otherwise
}

function tryKill(pid: number, signal: 'SIGCONT'): void {
  if (pid > 0) process.kill(pid, signal)
}

/** What lies below the folder now; what goes meanwhile is not there any more. */
function usedBytes(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { recursive: true })) {
    bytes += (lstatSync(join(folder, String(entry)), { throwIfNoEntry: false })?.blocks ?? 0) * 512
  }
  return bytes
}

test('two hundred megabytes pass through sixty-four', async () => {
  const place = await proofPlace({ build })
  for (let at = 0; at < 2_000; at += 1) place.write(`d${at % 20}/f${at}`, randomBytes(100_000))
  await place.backup()
  let peak = 0
  const sampler = setInterval(() => {
    for (const name of leftovers()) peak = Math.max(peak, usedBytes(join(MEMORY, name)))
  }, 10)
  try {
    const result = await place.test({ full: true })
    expect(lastOf(result)).toMatchObject({ result: 'PASSED', restored: { files: 2_000, method: 'stream' } })
  } finally {
    clearInterval(sampler)
  }
  expect(peak).toBeGreaterThan(0)
  expect(peak).toBeLessThan(64 * 1024 * 1024)
  expect(leftovers()).toEqual([])
})

test('a killed test leaves its scratch, and the next one takes it away', async () => {
  const pair = await makePair({ restic: build.binary })
  onTestFinished(() => pair.remove())
  for (let at = 0; at < 4_000; at += 1) writeFileSync(join(pair.source, `f${at}`), randomBytes(2_000))
  const collector = await pair.startCollector()
  expect((await pair.agent('backup', 'shop', '--init', '--json')).exit).toBe(0)
  await killHard(collector)
  const args = ['test', 'shop', '--full', '--no-send', '--config', pair.agentConfig]
  const child = start('agent', args, join(pair.folder, 'killed.log'))
  for (let tries = 0; tries < 6_000 && leftovers(child.pid).length === 0; tries += 1) await sleep(5)
  await killHard(child)
  expect(leftovers(child.pid)).toHaveLength(1)
  expect(await pair.agent(...args)).toMatchObject({ exit: 0 })
  expect(leftovers(child.pid)).toEqual([])
  expect(readdirSync(join(pair.folder, 'agent', 'scratch'))).toEqual([])
})

test.each([
  ['with the same lossy text', 'a\xfe'],
  ['whose real name is that text', Buffer.from('a\uFFFD').toString('latin1')],
])('a file whose name was never resolved is not told by the record of one %s', async (_, name) => {
  const place = await proofPlace({ build })
  place.write(Buffer.from(name, 'latin1'), 'the sibling')
  const moved = place.write(Buffer.from('a\xff', 'latin1'), 'read by restic')
  await settle()
  const restic: Restic = {
    ...place.restic,
    async backup(request) {
      const run = await place.restic.backup(request)
      // Another file takes the name before the walk: no stat says any more which one restic saw.
      const other = join(place.folder, 'other')
      writeFileSync(other, 'another file')
      renameSync(other, moved)
      return run
    },
  }
  const { tally } = await place.backup({ restic })
  expect(tally).toMatchObject({ files: 2, unresolved: { count: 1 } })
  expect(lastOf(await place.test({ full: true })).classes).toEqual({ identical: 1, unverified: 1 })
})
