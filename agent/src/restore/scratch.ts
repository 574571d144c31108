/**
 * Where a test restores to: new, empty, ours alone, away from the data and the repository, and gone afterwards.
 * Restoring as root brings back setuid programs and devices; mode 0700 keeps everybody else from them.
 */
import { chmodSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm, statfs, writeFile } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import { bytePathOf, bytesOf, isWithin } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { errnoOf, walkTree } from '../tree/walk.ts'
import { assertSafeBase, assertSafeTarget } from './safe-place.ts'

export interface ScratchRequest {
  /** Made when it is not there. */
  readonly base: string
  readonly roots: readonly string[]
  /** What the set excludes is not its data, so a scratch may be there. */
  readonly isExcluded: (path: BytePath) => boolean
  /** As in the configuration; an address that is no local path cannot hold a scratch. */
  readonly repositoryUrl: string
  /** A folder of memory, where files may be restored instead when there is room: /dev/shm. */
  readonly memory?: string
  /** An empty folder, where what is restored stays: a drill. */
  readonly keepIn?: string
}

export interface Scratch {
  /** The folder that all of them are in. */
  readonly folder: string
  /** Not yet there, or empty. */
  readonly target: BytePath
  readonly cacheDir: string
  readonly control: BytePath
  /** Null when there is none, or it is part of the data. */
  readonly memory: string | null
  /** A place for restored files in that memory, not yet there; null when none can be made. */
  takeMemory(): Promise<BytePath | null>
  /** @throws BevisError SCRATCH_FULL when so much does not fit */
  assertRoom(need: { bytes: number; files: number }): Promise<void>
  /** @throws BevisError SCRATCH_FULL when nothing more can be written, for want of room, inodes, quota or rights */
  assertWritable(): Promise<void>
  wipe(): Promise<void>
}

/** @throws BevisError SCRATCH_REFUSED inside the source or the repository, where others can meddle, or none can be made */
export async function makeScratch(request: ScratchRequest): Promise<Scratch> {
  const base = await prepareBase(request.base)
  assertSafeBase(base)
  await assertAway(base, request)
  await wipeLeftovers(base)
  const kept = request.keepIn === undefined ? null : await prepareKept(request.keepIn, request)
  const folder = await mkdtemp(join(base, ownPrefix()))
  const memory = await memoryOf(request)
  const taken: string[] = []
  const freeOf = async (): Promise<{ bytes: number; files: number }> => {
    const { bavail, bsize, ffree, files } = await statfs(kept ?? folder)
    // btrfs and others make inodes as they go, and say 0 of 0.
    return { bytes: bavail * bsize, files: files === 0 ? Number.MAX_SAFE_INTEGER : ffree }
  }
  return {
    folder,
    target: bytePathOf(kept ?? join(folder, 'restored')),
    cacheDir: join(folder, 'cache'),
    control: bytePathOf(join(folder, 'control')),
    async assertRoom(need) {
      const free = await freeOf()
      if (free.bytes >= need.bytes + MARGIN_BYTES && free.files >= need.files + 1_000) return
      throw new BevisError(
        'SCRATCH_FULL',
        `${kept ?? base} has ${free.bytes} bytes and ${free.files} inodes free; this test needs ${need.bytes + MARGIN_BYTES} and ${need.files}: name another place as scratch, or draw fewer files`,
      )
    },
    async assertWritable() {
      try {
        await mkdir(join(folder, 'probe'))
        await writeFile(join(folder, 'probe', 'file'), Buffer.alloc(PROBE_BYTES), { flush: true })
        await rm(join(folder, 'probe'), { recursive: true })
      } catch (cause) {
        throw new BevisError('SCRATCH_FULL', `nothing more can be written to ${folder}: ${errnoOf(cause)}`, {
          cause,
        })
      }
    },
    memory,
    async takeMemory() {
      if (memory === null) return null
      try {
        await wipeLeftovers(memory)
        const place = await mkdtemp(join(memory, ownPrefix()))
        taken.push(place)
        return bytePathOf(join(place, 'restored'))
      } catch {
        return null
      }
    },
    async wipe() {
      for (const place of taken) await wipe(place)
      await wipe(folder)
    },
  }
}

/** restic's cache, its output, and blocks that are not full. */
const MARGIN_BYTES = 64 * 1024 * 1024

/** Less room than that, and restic may have failed for it. */
const PROBE_BYTES = 1024 * 1024

const PREFIX = 'bevis-test-'

async function prepareBase(base: string): Promise<string> {
  try {
    await mkdir(base, { recursive: true, mode: 0o700 })
    return await realpath(base)
  } catch (cause) {
    throw new BevisError('SCRATCH_REFUSED', `${base} cannot be made: name another place as scratch`, {
      cause,
    })
  }
}

/** restic takes over what is there already, unread: then nothing would be proven. */
async function prepareKept(folder: string, request: ScratchRequest): Promise<string> {
  const kept = await prepareBase(folder)
  assertSafeTarget(kept)
  await assertAway(kept, request)
  if (readdirSync(kept).length === 0) return kept
  throw new BevisError('SCRATCH_REFUSED', `${kept} is not empty: name a folder that is, or is not there yet`)
}

async function memoryOf(request: ScratchRequest): Promise<string | null> {
  if (request.memory === undefined) return null
  try {
    const memory = await realpath(request.memory)
    assertSafeBase(memory)
    await assertAway(memory, request)
    return memory
  } catch {
    return null
  }
}

async function assertAway(base: string, { roots, isExcluded, repositoryUrl }: ScratchRequest): Promise<void> {
  const local = repositoryUrl.replace(/^local:/, '')
  const repository = isAbsolute(local) ? await realpath(local).catch(() => local) : null
  if (repository !== null && isWithin(base, repository)) {
    throw new BevisError(
      'SCRATCH_REFUSED',
      `${base} is inside the repository ${repository}: name another place as scratch`,
    )
  }
  for (const root of roots) {
    const real = await realpath(root).catch(() => root)
    if (isWithin(base, real) && !isOutOfSet(base, real, isExcluded)) {
      throw new BevisError(
        'SCRATCH_REFUSED',
        `${base} is inside ${root}, which is backed up: name another place as scratch, or exclude it`,
      )
    }
  }
}

function isOutOfSet(base: string, root: string, isExcluded: (path: BytePath) => boolean): boolean {
  for (let at = base; at !== root && at !== '/'; at = dirname(at)) if (isExcluded(bytePathOf(at))) return true
  return false
}

/**
 * What a killed run left behind: its name says whose it was. In a folder for everybody, only our own counts. What cannot
 * be taken away, or is gone by now, keeps no test from its own scratch.
 */
async function wipeLeftovers(base: string): Promise<void> {
  for (const name of readdirSync(base)) {
    const [, pid, startedAt] = new RegExp(`^${PREFIX}(\\d+)-(\\d+)-`).exec(name) ?? []
    if (pid === undefined || startedAt === undefined || isAlive(Number(pid), startedAt)) continue
    try {
      const { uid } = lstatSync(join(base, name))
      if (uid === (process.getuid?.() ?? uid)) await wipe(join(base, name))
    } catch {
      // Whether there is room in spite of it is asked before anything is restored.
    }
  }
}

function ownPrefix(): string {
  return `${PREFIX}${process.pid}-${startOf(process.pid) ?? 0}-`
}

function isAlive(pid: number, startedAt: string): boolean {
  const now = startOf(pid)
  if (now !== null) return now === startedAt
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

/** proc(5), field 22: numbers of processes are used again, a number with its start is not. Null where unknown. */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}

async function wipe(folder: string): Promise<void> {
  if (!basename(folder).startsWith(PREFIX))
    throw new BevisError('INTERNAL', `${folder} is no scratch of ours`)
  try {
    // Ten times as fast as by promises, a hundred thousand files in some tenths of a second.
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // Folders restored without write permission hold on to their content, unless root asks. Each is opened before
    // the walk enters it; links are never followed.
    for (const { path, stat } of walkTree(bytePathOf(folder)))
      if (stat.kind === 'dir') chmodSync(bytesOf(path), 0o700)
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
