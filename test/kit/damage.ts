/**
 * What the damage matrix is played on. A tree is backed up once by each restic, with its witness, and what lies
 * then in repository and state is linked, not copied, for each damage: so whoever damages a file replaces it.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Restic } from '../../agent/src/restic/restic.ts'
import type { BackupResult, BackupContext } from '../../agent/src/run/backup.ts'
import { filesBelow, openProof } from './proof.ts'
import type { ProofPlace } from './proof.ts'
import { QUICK_PASSWORD, quickRepository } from './quick-repository.ts'
import { openRestServer } from './rest-server.ts'
import type { RestServer } from './rest-server.ts'
import type { ResticBuild } from './restic-versions.ts'

const run = promisify(execFile)

export type Backend = 'local' | 'rest-server'

/** A tree in a repository: one snapshot with a manifest, and one that other hands made. */
export interface Base {
  readonly build: ResticBuild
  readonly folder: string
  readonly source: string
  readonly backup: BackupResult
  /** With a manifest. */
  readonly snapshotId: string
  /** Of the same tree, by other hands. */
  readonly bareId: string
}

/** One damage's own copy of a base. */
export interface Scene {
  readonly base: Base
  readonly backend: Backend
  readonly place: ProofPlace
  /** The repository's files, wherever restic reads them. */
  readonly repository: string
  remove(): void
}

export interface Stage {
  readonly folder: string
  readonly backends: readonly Backend[]
  base(name: string, build: ResticBuild, source: string, options?: BaseOptions): Promise<Base>
  scene(base: Base, backend: Backend, options?: SceneOptions): Promise<Scene>
  close(): Promise<void>
}

export interface BaseOptions {
  /** Around the backup that has a manifest. */
  readonly restic?: (place: ProofPlace) => Restic
}

export interface SceneOptions {
  /** The way to the server, for who has another than the straight one. */
  readonly way?: (url: string) => Promise<string>
  /** For who has another restic than the base's. */
  readonly build?: ResticBuild
}

export async function openStage(folder: string, program: string | undefined): Promise<Stage> {
  const served = join(folder, 'served')
  mkdirSync(served, { recursive: true })
  const server: RestServer | null = program === undefined ? null : await openRestServer(program, served)
  let scenes = 0
  return {
    folder,
    backends: server ? ['local', 'rest-server'] : ['local'],
    async base(name, build, source, options = {}) {
      const own = join(folder, `${name}-${build.version}`)
      mkdirSync(own)
      quickRepository(build, join(own, 'repository'))
      const place = await openProof({ build, folder: own, source })
      const more: Partial<BackupContext> = options.restic ? { restic: options.restic(place) } : {}
      const backup = await place.backup({ threads: 1, ...more })
      const bare = await place.restic.backup({ paths: [source] })
      const ids = { snapshotId: backup.snapshotId ?? '', bareId: bare.snapshotId ?? '' }
      return { build, folder: own, source, backup, ...ids }
    },
    async scene(base, backend, { way, build = base.build } = {}) {
      const name = `scene-${(scenes += 1)}`
      const own = join(folder, name)
      mkdirSync(own)
      const isLocal = backend === 'local'
      const repository = isLocal ? join(own, 'repository') : join(served, name)
      await run('cp', ['-al', join(base.folder, 'repository'), repository])
      await run('cp', ['-a', join(base.folder, 'state'), join(own, 'state')])
      const straight = server?.url.replace(/set$/, name) ?? ''
      const url = isLocal ? repository : await (way?.(straight) ?? straight)
      const options = { build, folder: own, source: base.source, repository: url, killAfterMs: 2_000 }
      const place = await openProof(options)
      const remove = (): void => {
        for (const path of [own, repository]) rmSync(path, { recursive: true, force: true })
      }
      return { base, backend, place, repository, remove }
    },
    async close() {
      await server?.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The bases' own files have a second name here: what changes gets an inode of its own. */
export function replace(file: string, change: (bytes: Buffer) => Buffer): void {
  const bytes = readFileSync(file)
  rmSync(file)
  writeFileSync(file, change(bytes), { mode: 0o600 })
}

/** Parts a scene's packs from the base's, for who truncates them. */
export function ownPacks({ repository }: Scene): void {
  for (const file of filesBelow(repository)) replace(file, (bytes) => bytes)
}

/** Before 0 it is counted from the end. */
export function flipBit(file: string, at: number): void {
  replace(file, (bytes) => {
    const place = at < 0 ? bytes.length + at : at
    bytes[place] = (bytes[place] ?? 0) ^ 1
    return bytes
  })
}

/** restic keeps trees apart from data, and its cache keeps trees alone. */
export function packsOf({ repository, base }: Scene): { data: string[]; trees: string[] } {
  const cached = new Set(readdirSync(join(base.folder, 'cache'), { recursive: true }).map(nameOf))
  const packs = filesBelow(join(repository, 'data'))
  return {
    data: packs.filter((pack) => !cached.has(nameOf(pack))),
    trees: packs.filter((pack) => cached.has(nameOf(pack))),
  }
}

function nameOf(path: string | Buffer): string {
  return path.toString().replace(/^.*\//, '')
}

/** The first file of a kind in the repository: `index`, `snapshots`, `keys`. */
export function fileOf({ repository }: Scene, kind: string): string {
  const [name] = readdirSync(join(repository, kind))
  if (name === undefined) throw new Error(`there is nothing in ${kind}`)
  return join(repository, kind, name)
}

/** The restic processes that work on a repository, as restic names it. */
export function resticsOn(url: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`RESTIC_REPOSITORY=${url}\0`)
      } catch {
        return false // it has ended meanwhile
      }
    })
    .map(Number)
}

/** Stops whatever restic works there, lets the change happen, and lets restic go on. */
export function whileStopped(url: string, change: () => void): void {
  const pids = resticsOn(url)
  if (pids.length === 0) throw new Error(`no restic works on ${url}`)
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  try {
    change()
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT')
  }
}

/** Makes something happen as soon as restic, which must be a slow one, has restored a first file. */
export function inMidRestore({ place }: Scene, change: () => void): Restic {
  return {
    ...place.restic,
    async restore(request) {
      let isOver = false
      const watch = async (): Promise<void> => {
        while (!isOver && !hasFile(request.target)) await sleep(2)
        whileStopped(place.repository, change)
      }
      const watched = watch()
      watched.catch(() => {}) // told below
      const ended = await place.restic.restore({ ...request, stallMs: STALL_MS })
      isOver = true
      await watched
      return ended
    },
  }
}

/** Like a disk that is pulled out: what restic has open already gives nothing more either. */
export function takeAway(repository: string): void {
  for (const file of filesBelow(repository)) truncateSync(file)
  rmSync(repository, { recursive: true })
}

/** A restic that gives up soon. 0.14 repeats each reading of a damaged pack for 45 s. */
export function impatient({ place: { restic } }: Scene): Restic {
  return { ...restic, restore: (request) => restic.restore({ ...request, stallMs: STALL_MS }) }
}

/** A restic that goes on until it gives up by itself, and is then asked a second time with less patience. */
export function patientOnce({ place: { restic } }: Scene): Restic {
  let restores = 0
  return {
    ...restic,
    restore(request) {
      restores += 1
      return restic.restore({ ...request, ...(restores > 1 && { stallMs: STALL_MS }) })
    },
  }
}

/** The same restic, with global options of the test's own. */
export function withOptions(build: ResticBuild, folder: string, options: string): ResticBuild {
  const binary = join(folder, `restic-${build.version}${options.replaceAll(' ', '')}`)
  writeFileSync(binary, `#!/bin/sh\nexec ${build.binary} ${options} "$@"\n`, { mode: 0o755 })
  return { ...build, binary }
}

/** Without progress for so long, a restore is ended; ten minutes in real life. */
export const STALL_MS = 6_000

function hasFile(folder: string): boolean {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).some((entry) => entry.isFile())
  } catch {
    return false
  }
}

/** Makes something happen while restic has a file open for its backup, and has read a part of it. */
export function inMidRead(place: ProofPlace, file: string, change: () => void): Restic {
  return {
    ...place.restic,
    async backup(request) {
      let state: 'waiting' | 'done' = 'waiting'
      const watch = async (): Promise<void> => {
        while (state === 'waiting') {
          const isReading = resticsOn(place.repository).some((pid) => hasRead(pid, file))
          if (isReading) {
            whileStopped(place.repository, change)
            state = 'done'
          } else await sleep(1)
        }
      }
      const watched = watch()
      watched.catch(() => {}) // told below
      const ended = await place.restic.backup(request)
      if (state === 'waiting') throw new Error(`restic was never seen reading ${file}`)
      await watched
      return ended
    },
  }
}

/** proc(5), fdinfo: how far a process is in a file that it has open. */
function hasRead(pid: number, file: string): boolean {
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1')
      if (!/^pos:\s+[1-9]/m.test(info)) continue
      const [open, wanted] = [statSync(`/proc/${pid}/fd/${fd}`), statSync(file)]
      if (open.ino === wanted.ino && open.dev === wanted.dev) return true
    }
  } catch {
    // It has ended, or has closed the file meanwhile.
  }
  return false
}

/** So slow that whoever looks for its lock finds it. */
const SLOW = '--limit-download 16'
const CHECK = ['check', '--read-data', '--no-cache', '--limit-download', '16']
const BACKUP = ['backup', '--stdin', '--no-cache']

/** A restic of somebody else's, in the middle of its work. Whoever calls the answer kills it. */
export async function lockBy(
  { base, repository, place }: Scene,
  kind: 'exclusive' | 'shared',
): Promise<() => Promise<void>> {
  const child = spawn(base.build.binary, kind === 'shared' ? BACKUP : CHECK, {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD_FILE: join(place.folder, 'password') },
  })
  const ended = once(child, 'exit')
  await untilLocked(repository)
  child.kill('SIGSTOP')
  return async () => {
    child.kill('SIGKILL')
    await ended
  }
}

/** As our own restic leaves it when it is killed. */
export async function leaveOwnLock({ base, place, repository }: Scene): Promise<void> {
  const { folder, source } = place
  const build = withOptions(base.build, folder, SLOW)
  const slow = await openProof({ build, folder, source, repository: place.repository })
  const run = slow.restic.check({ subset: { part: 1, of: 1 } })
  await untilLocked(repository)
  for (const pid of resticsOn(place.repository)) process.kill(pid, 'SIGKILL')
  await run
}

/** A file that is still being written has a longer name. */
async function untilLocked(repository: string): Promise<void> {
  while (!readdirSync(join(repository, 'locks')).some((name) => name.length === 64)) await sleep(5)
}

export function writePassword({ place }: Scene, password = QUICK_PASSWORD): void {
  writeFileSync(join(place.folder, 'password'), password)
}
