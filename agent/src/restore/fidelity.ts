/**
 * Metadata that a restore of files does not show by itself: extended attributes and ACLs, hard links, empty folders,
 * FIFOs, the targets of links. What cannot be compared here is told as such.
 */
import { readlinkSync } from 'node:fs'
import { hash } from 'node:crypto'
import { bytesOf, pathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { sameStat } from '../tree/stat.ts'
import { listFolder, statPath } from '../tree/walk.ts'
import { readAttributes } from './attributes.ts'
import type { Attributes } from './attributes.ts'
import type { Expected } from './expected.ts'
import type { ExtraItems } from './extras.ts'
import { differenceOf } from './metadata.ts'

export interface Difference {
  /** Path text. */
  readonly path: string
  readonly detail: string
}

export interface Fidelity {
  readonly compared: number
  readonly differences: readonly Difference[]
  /** Files and folders whose attributes were read on both sides; null: none could be, and `why`. */
  readonly attributes: { readonly compared: number; readonly different: number } | null
  readonly why: string | null
}

/** So many files' attributes are read: contents that were not emptied pass through tar. */
const MOST_FILES = 100
const MOST_BYTES = 32 * 1024 * 1024

export interface FidelityRequest {
  /** Restored paths stand below it as they stood below `/`. */
  readonly target: BytePath
  readonly extras: ExtraItems
  /** Restored files of the draw. */
  readonly files: readonly { readonly item: Expected; readonly path: BytePath }[]
  readonly isRoot: boolean
  readonly signal?: AbortSignal
}

export async function compareFidelity(request: FidelityRequest): Promise<Fidelity> {
  const { target, extras, isRoot } = request
  const differences: Difference[] = []
  const note = (path: BytePath, detail: string | null): void => {
    if (detail !== null) differences.push({ path: pathText(path), detail })
  }
  for (const item of extras.nodes) note(item.path, nodeDifference(target, item, isRoot))
  for (const { one, other } of extras.links) note(other.path, linkDifference(target, one.path, other.path))
  const attributes = await compareAttributes(request)
  const compared = extras.nodes.length + extras.links.length
  if (typeof attributes === 'string') return { compared, differences, attributes: null, why: attributes }
  for (const path of attributes.different) note(path, 'other extended attributes or ACLs')
  const counts = { compared: attributes.compared, different: attributes.different.length }
  const left = attributes.left > 0 ? `attributes of ${attributes.left} whose source has changed since` : null
  return { compared, differences, attributes: counts, why: left }
}

function nodeDifference(target: BytePath, item: Expected, isRoot: boolean): string | null {
  const place = `${target}${item.path}` as BytePath
  const found = statPath(place)
  const restored = 'error' in found ? null : found
  const difference = differenceOf(item, restored, isRoot)
  if (difference !== null || !restored) return difference
  if (item.kind === 'dir') return listFolder(place).names.length === 0 ? null : 'an empty folder is not empty'
  if (item.kind !== 'symlink' || item.witness.state !== 'witness') return null
  const link = readlinkSync(bytesOf(place), { encoding: 'buffer' })
  return hash('sha256', link) === item.witness.sha256 ? null : 'another link target'
}

function linkDifference(target: BytePath, one: BytePath, other: BytePath): string | null {
  const [first, second] = [one, other].map((path) => statPath(`${target}${path}` as BytePath))
  if (!first || !second || 'error' in first || 'error' in second) return 'one name of a file was not restored'
  return first.inode === second.inode ? null : 'a hard link came back as a copy'
}

interface ComparedAttributes {
  readonly compared: number
  readonly different: readonly BytePath[]
  /** Their source is no longer as it was: nothing says what they had. */
  readonly left: number
}

/** An attribute that is set moves ctime: a source with the snapshot's ctime has the snapshot's attributes. */
async function compareAttributes({
  target,
  extras,
  files,
  isRoot,
  signal,
}: FidelityRequest): Promise<ComparedAttributes | string> {
  const folders = extras.nodes.filter(({ kind }) => kind === 'dir').map((item) => ({ item, path: item.path }))
  let bytes = 0
  const all = [...folders, ...files]
    .filter(({ item }) => item.kind === 'dir' || (item.kind === 'file' && (bytes += item.size) <= MOST_BYTES))
    .slice(0, MOST_FILES)
  const still = all.filter(({ item, path }) => {
    const now = statPath(path)
    return !('error' in now) && sameStat(item, now) && !('error' in statPath(`${target}${path}` as BytePath))
  })
  const options = { isRoot, ...(signal && { signal }) }
  const sources = await readAttributes(onePerFile(still.map(({ path }) => path)), options)
  if (typeof sources === 'string') return sources
  const places = new Map(still.map(({ path }) => [`${target}${path}` as BytePath, path]))
  const restored = await readAttributes(onePerFile([...places.keys()]), options)
  if (typeof restored === 'string') return restored
  const both = [...places].filter(([place, path]) => restored.has(place) && sources.has(path))
  const different = both
    .filter(([place, path]) => isOther(restored, place, sources, path))
    .map(([, path]) => path)
  return { compared: both.length, different, left: all.length - still.length }
}

function isOther(restored: Attributes, place: BytePath, sources: Attributes, path: BytePath): boolean {
  return restored.get(place) !== sources.get(path)
}

/** tar tells the attributes of a file once, under the first of its names. */
function onePerFile(paths: readonly BytePath[]): BytePath[] {
  const seen = new Set<number>()
  return paths.filter((path) => {
    const found = statPath(path)
    if ('error' in found || found.inode === null || seen.has(found.inode)) return false
    seen.add(found.inode)
    return true
  })
}
