/**
 * What a test looks at. A sample is the first n of all files ordered by SHA-256(seed || path): whoever has the
 * manifest and the seed can draw it again, and nobody who does not have the seed can know it beforehand.
 */
import { bytePathOf, isWithin } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { hasContent } from './expected.ts'
import type { Expected } from './expected.ts'
import { orderKey, Smallest } from './order.ts'
import { Parts } from './strata.ts'
import type { Strata, Stratum, Unit } from './strata.ts'

export type Choice =
  | { mode: 'full' }
  /** At least this many files, from the seed's order after `after` (a key; '' from its start). */
  | { mode: 'sample'; files: number; seed: string; after: string; budget?: ByteBudget; strata?: Strata }
  /** Files, or folders with all in them. */
  | { mode: 'requested'; paths: readonly BytePath[] }

/** What a sample may restore. The draw ends at the first file that does not fit into what is left. */
export interface ByteBudget {
  /** Of the whole test. A file that is larger by itself could never be drawn, and is left out. */
  readonly bytes: number
  readonly leftBytes: number
}

export interface Drawn {
  readonly algorithm: 'all' | 'requested' | 'sha256-order/files' | 'sha256-order/folders'
  /** Null: everything is restored. */
  readonly includes: readonly BytePath[] | null
  /** Whether the item is to be compared, once restored. */
  readonly isDrawn: (item: Pick<Expected, 'path'>) => boolean
  readonly files: number
  readonly bytes: number
  /** Of a sample: the key of its last file, where the next draw goes on; null when nothing is left. */
  readonly last: string | null
  /** The budget ended the draw before there were as many as wanted. */
  readonly isCut: boolean
  /** Of a sample that is less than everything. */
  readonly parts?: Parts
  /** With strata: which of them are random, and what was drawn besides. */
  readonly besides?: Besides
  /** Of what was requested: what the snapshot does not have. */
  readonly absent?: readonly BytePath[]
}

export interface Besides {
  readonly isRandom: (item: Expected) => boolean
  readonly strata: readonly Stratum[]
}

export interface Population {
  /** Regular files and symbolic links in the snapshot, and their bytes. */
  readonly files: number
  readonly bytes: number
  /** All nodes, folders too: what a restore has to match its patterns with. */
  readonly nodes: number
  /** Folders that hold at least one file. */
  readonly folders: number
  /** Files that are larger than the whole budget. */
  readonly oversized: number
}

/** restic compares every node with every pattern: beyond this many pairs, whole folders are cheaper. */
const MAX_PAIRS = 10_000_000

/** Where no folders serve, so many single files still cost less than to restore everything (measured: 90 ns a pair). */
const MAX_SCATTERED = 500

/** A folder counts as a unit only if it is not itself most of the work. */
const FOLDER_FACTOR = 4

const ROOT = bytePathOf('/')

/** One pass over the population: counts it, and draws. */
export async function draw(
  items: AsyncIterable<readonly Expected[]>,
  choice: Choice,
  /** Called with each item that is certain to be drawn before the draw is over: in a full test all, else none. */
  onDrawn?: (item: Expected) => void,
  /** Called with each node of the snapshot, whether drawn or not. */
  onNode?: (item: Expected) => void,
): Promise<{ population: Population; drawn: Drawn }> {
  const population = { files: 0, bytes: 0, nodes: 0, folders: 0, oversized: 0 }
  const requested = { files: 0, bytes: 0, found: new Set<BytePath>() }
  const sample = choice.mode === 'sample' ? choice : null
  const files = new Smallest<Expected>(sample?.files ?? 0)
  const folders = new Smallest<Folder>(sample?.files ?? 0)
  const loose = { files: 0, drawn: new Smallest<Expected>(sample ? MAX_SCATTERED : 0) }
  const open: Folder[] = [emptyFolder(ROOT)]
  const close = (folder: Folder | undefined): void => {
    if (!folder) return
    if (folder.direct > 0) population.folders += 1
    if (!sample) return
    const parent = open.at(-1)
    if (parent) {
      parent.files += folder.files
      parent.bytes += folder.bytes
    }
    const most = Math.max(sample.files * FOLDER_FACTOR, 1_000)
    if (folder.direct === 0) return
    if (folder.files <= most) {
      folder.first = null
      return folders.offer(orderKey(sample.seed, folder.path), folder)
    }
    // Too large to come as a whole: the files directly in it are units of their own, or they never came.
    loose.files += folder.direct
    for (const { key, value } of folder.first?.take() ?? []) loose.drawn.offer(key, value)
  }
  for await (const batch of items) {
    for (const item of batch) {
      if (!item.isListed) continue
      population.nodes += 1
      const asked =
        choice.mode === 'requested' ? choice.paths.filter((path) => isWithin(item.path, path)) : []
      for (const path of asked) requested.found.add(path)
      let known = ''
      const key = (): string => (known ||= orderKey(sample?.seed ?? '', item.path))
      sample?.strata?.offer(item, key)
      onNode?.(item)
      while (!isWithin(item.path, open.at(-1)?.path ?? ROOT)) close(open.pop())
      if (item.kind === 'dir') open.push(emptyFolder(item.path))
      if (!hasContent(item)) continue
      population.files += 1
      population.bytes += item.size
      if (choice.mode === 'full') onDrawn?.(item)
      const folder = open.at(-1)
      if (folder) {
        folder.files += 1
        folder.bytes += item.size
        folder.direct += 1
      }
      if (item.size > (sample?.budget?.bytes ?? Infinity)) population.oversized += 1
      else if (sample) {
        if (key() > sample.after) files.offer(key(), item)
        if (folder) (folder.first ??= new Smallest(Math.min(sample.files, MAX_SCATTERED))).offer(key(), item)
      }
      if (asked.length > 0) {
        requested.files += 1
        requested.bytes += item.size
      }
    }
  }
  while (open.length > 0) close(open.pop())
  return { population, drawn: settle() }

  function settle(): Drawn {
    if (choice.mode === 'full') return everything(population, 'all')
    if (choice.mode === 'requested') {
      const isDrawn: Drawn['isDrawn'] = (item) => choice.paths.some((path) => isWithin(item.path, path))
      const { files: count, bytes } = requested
      const includes = choice.paths
      const absent = choice.paths.filter((path) => !requested.found.has(path))
      return {
        algorithm: 'requested',
        includes,
        isDrawn,
        files: count,
        bytes,
        last: null,
        isCut: false,
        absent,
      }
    }
    const chosen = files.take()
    const drawn = ofSample(chosen)
    const leftBytes = choice.budget?.leftBytes ?? Infinity
    const random = drawn.bytes <= leftBytes ? drawn : ofFitting(chosen, leftBytes)
    return choice.strata ? withStrata(random, choice.strata, population, leftBytes) : random
  }

  function ofSample(chosen: { key: string; value: Expected }[]): Drawn {
    if (chosen.length * population.nodes <= MAX_PAIRS) return ofFiles(chosen)
    const wanted = sample?.files ?? 0
    const share = Math.ceil((wanted * loose.files) / population.files)
    const most = Math.min(MAX_SCATTERED, Math.max(1, Math.floor(MAX_PAIRS / population.nodes)))
    const singles = loose.drawn.take().slice(0, Math.min(share, most))
    // A folder that is all loose files is no better as its files.
    const ofWhole = loose.files < population.files ? ofFolders(folders.take(), singles, wanted) : null
    if (ofWhole) return ofWhole
    return chosen.length <= MAX_SCATTERED ? ofFiles(chosen) : everything(population, 'sha256-order/files')
  }
}

interface Folder {
  readonly path: BytePath
  /** With all below it. */
  files: number
  bytes: number
  /** Files directly in it. */
  direct: number
  /** The first of those in the seed's order. */
  first: Smallest<Expected> | null
}

function emptyFolder(path: BytePath): Folder {
  return { path, files: 0, bytes: 0, direct: 0, first: null }
}

function everything({ files, bytes }: Population, algorithm: Drawn['algorithm']): Drawn {
  return { algorithm, includes: null, isDrawn: () => true, files, bytes, last: null, isCut: false }
}

function ofFiles(chosen: { key: string; value: Expected }[]): Drawn {
  const paths = new Set(chosen.map(({ value }) => value.path))
  const parts = new Parts()
  for (const { value } of chosen) parts.add(unitOf(value))
  return {
    algorithm: 'sha256-order/files',
    includes: [...paths],
    isDrawn: ({ path }) => paths.has(path),
    files: parts.files,
    bytes: parts.bytes,
    parts,
    last: chosen.at(-1)?.key ?? null,
    isCut: false,
  }
}

function unitOf({ path, size }: Expected): Unit {
  return { path, isFolder: false, files: 1, bytes: size }
}

function ofFitting(chosen: { key: string; value: Expected }[], leftBytes: number): Drawn {
  let room = leftBytes
  const end = chosen.findIndex(({ value }) => (room -= value.size) < 0)
  return { ...ofFiles(chosen.slice(0, end === -1 ? chosen.length : end)), isCut: end !== -1 }
}

/**
 * Folders in the seed's order until they hold enough, beside single files of folders that are too large, as many
 * as are their share; null when all of them together do not.
 */
function ofFolders(
  ordered: { value: Folder }[],
  singles: { value: Expected }[],
  wanted: number,
): Drawn | null {
  const chosen: Folder[] = []
  const parts = new Parts()
  for (const { value } of singles) parts.add(unitOf(value))
  const paths = new Set(singles.map(({ value }) => value.path))
  let files = singles.length
  let bytes = singles.reduce((sum, { value }) => sum + value.size, 0)
  for (const { value: folder } of ordered) {
    if (files >= wanted) break
    if (chosen.some(({ path }) => isWithin(folder.path, path) || isWithin(path, folder.path))) continue
    chosen.push(folder)
    parts.add({ ...folder, isFolder: true })
    files += folder.files
    bytes += folder.bytes
  }
  if (files < wanted) return null
  const isDrawn: Drawn['isDrawn'] = ({ path }) =>
    paths.has(path) || chosen.some((folder) => isWithin(path, folder.path))
  const includes = [...chosen.map(({ path }) => path), ...paths]
  return {
    algorithm: 'sha256-order/folders',
    includes,
    isDrawn,
    files,
    bytes,
    parts,
    last: null,
    isCut: false,
  }
}

/** The random part, and beside it what each stratum adds, as far as the budget has room. */
function withStrata(random: Drawn, strata: Strata, population: Population, leftBytes: number): Drawn {
  const { parts, isDrawn: isRandom, files: randomFiles } = random
  const told: Stratum[] = [{ name: 'random', files: randomFiles }]
  if (!parts) return { ...random, besides: { isRandom, strata: told } }
  const mostSingle = Math.max(LEAST_SINGLE, Math.floor(MAX_PAIRS / 4 / population.nodes))
  for (const { name, units: all, detail } of strata.take()) {
    let [files, leftOut] = [0, 0]
    const units = MANY_SINGLE.has(name) ? all.slice(0, mostSingle) : all
    for (const unit of units) {
      const cost = parts.costOf(unit)
      if (parts.bytes + cost.bytes > leftBytes) leftOut += cost.files
      else {
        parts.add(unit, cost)
        files += cost.files
      }
    }
    if (units.length > 0 || 'absent' in detail || name === 'rotation')
      told.push({ name, files, ...detail, ...(leftOut > 0 && { leftOut }) })
  }
  const { includes } = parts
  const besides = { isRandom, strata: told }
  const { files, bytes } = parts
  const pairs = includes.length * population.nodes
  const isWholeCheaper = costOf(population) < costOf({ files, bytes }) + pairs / PAIRS_PER_FILE
  if (pairs > MAX_PAIRS && isWholeCheaper && population.bytes <= leftBytes) {
    told.push({ name: 'rest', files: population.files - files })
    return { ...everything(population, random.algorithm), besides }
  }
  return { ...random, includes, isDrawn: ({ path }) => parts.has(path), files, bytes, besides }
}

/** Strata that would fill up with single files, each of them one more pattern for every node of the set. */
const MANY_SINGLE: ReadonlySet<string> = new Set(['new', 'never-restored'])
const LEAST_SINGLE = 5

/** restic looks at so many pairs of node and pattern, or restores so many bytes, in the time of one small file. */
const PAIRS_PER_FILE = 800
const BYTES_PER_FILE = 14_000

function costOf({ files, bytes }: { files: number; bytes: number }): number {
  return files + bytes / BYTES_PER_FILE
}
