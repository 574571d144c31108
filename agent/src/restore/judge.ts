/**
 * Restored, source and witness of each item, through {@link compareFile}. The negative control goes through
 * this same function: what it cannot see in a spoilt copy it would not see in the real thing either.
 */
import { digestInOrder, splitByBytes } from '../tree/digest-pool.ts'
import type { DigestPool } from '../tree/digest-pool.ts'
import type { Digest, DigestJob } from '../tree/digest.ts'
import { joinPaths } from '../tree/pair.ts'
import { MARK, READING } from '../tree/pair-table.ts'
import type { Reading } from '../tree/pair-table.ts'
import { joinPath, lossyText, nameOf, parentOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { Stat } from '../tree/stat.ts'
import { listFolder, statPath } from '../tree/walk.ts'
import type { AwaitedFiles } from './awaited.ts'
import { compareFile } from './compare.ts'
import type { Comparison, Restored, SourceNow } from './compare.ts'
import { hasContent } from './expected.ts'
import type { Expected } from './expected.ts'

export interface Judged {
  readonly item: Expected
  /** Where the item is below the target; the name's real bytes, once something was restored under it. */
  readonly path: BytePath
  /** Null for what has no content: folders, devices. */
  readonly comparison: Comparison | null
  /** Null when nothing is there. */
  readonly restored: Stat | null
  /**
   * What is left of a file that was read while restic still ran. `emptied`: no bytes, and a time that may be
   * ours; `dumped`: it never was a file.
   */
  readonly left?: 'emptied' | 'dumped'
}

export interface JudgeRequest {
  /** Restored paths stand below it as they stood below `/`. */
  readonly target: BytePath
  readonly items: AsyncIterable<readonly Expected[]> | Iterable<readonly Expected[]>
  /** restic's error for a path as the listing shows it, or null. */
  readonly complaintOf: (text: BytePath) => string | null
  readonly pool: DigestPool
  /** Files that were read as they came, and need no second reading. */
  readonly streamed?: AwaitedFiles | null
}

export async function* judge(request: JudgeRequest): AsyncGenerator<Judged[]> {
  const { target, items, complaintOf, pool, streamed = null } = request
  const resolver = openResolver(target)
  const located = locate(items, resolver, streamed)
  const batches = splitByBytes(located, (one) => bytesToRead(one, streamed))
  const look = (batch: readonly Located[]): Promise<void> => lookAt(batch, request)
  const jobs = (one: Located): DigestJob[] => jobsOf(one, request)
  for await (const results of digestInOrder(pool, batches, jobs, streamed ? look : undefined)) {
    yield results.map(({ item: one, digests }) => {
      const { item, path } = one
      const seen = (streamed && seenBefore(one, request, digests)) ?? {
        restored: digests[0],
        source: digests[1],
      }
      const { restored, source } = seen
      const stat = restored?.state === 'read' ? restored.stat : null
      if (!hasContent(item)) return { item, path, comparison: null, restored: stat }
      const comparison = compareFile({
        node: item.isListed ? item : null,
        witness: item.witness,
        restored: restoredOf(
          item,
          restored,
          complaintOf(lossyText(item.path)),
          `${target}${path}` as BytePath,
        ),
        source: sourceOf(source),
      })
      return { item, path, comparison, restored: stat, ...('left' in seen && { left: seen.left }) }
    })
  }
}

interface Located {
  readonly item: Expected
  readonly path: BytePath
  /** Its record among what was streamed, or -1. */
  readonly index: number
}

async function* locate(
  items: JudgeRequest['items'],
  resolve: (item: Expected) => BytePath,
  streamed: AwaitedFiles | null,
): AsyncGenerator<Located[]> {
  for await (const batch of items) {
    yield batch.map((item) => {
      const path = resolve(item)
      // A name that is not certain may be another file's: its record tells nothing of this one.
      const isKnown = streamed && item.isResolved && item.kind === 'file'
      return { item, path, index: isKnown ? streamed.find(path) : -1 }
    })
  }
}

function readingOf({ index }: Located, streamed: AwaitedFiles | null | undefined): Reading {
  return index < 0 || !streamed ? READING.none : streamed.table.readingOf(index)
}

function jobsOf(one: Located, { target, streamed }: JudgeRequest): DigestJob[] {
  const { item, path } = one
  const reading = readingOf(one, streamed)
  if (reading === READING.clean) return []
  if (reading === READING.known) return [{ path, expected: item, readIf: 'same-size' }]
  const restored = { path: `${target}${path}` as BytePath, expected: item, readIf: 'always' as const }
  return hasContent(item) ? [restored, { path, expected: item, readIf: 'same-size' }] : [restored]
}

function bytesToRead(one: Located, streamed: AwaitedFiles | null): number {
  return readingOf(one, streamed) === READING.clean ? 0 : one.item.size * 2
}

/** In one message for many files: is what is left of each as expected? Most are, and need no more. */
async function lookAt(batch: readonly Located[], { target, streamed, pool }: JudgeRequest): Promise<void> {
  if (!streamed) return
  const { table } = streamed
  const [indices, paths]: [number[], BytePath[]] = [[], []]
  for (const { path, index } of batch) {
    if (index < 0 || table.readingOf(index) !== READING.clean || !table.has(index, MARK.emptied)) continue
    indices.push(index)
    paths.push(path)
  }
  if (indices.length === 0) return
  const places = { table: { id: table.id, chunks: table.chunks }, target, indices, paths: joinPaths(paths) }
  await pool.look({ kind: 'look', ...places })
}

/** As if both had been digested now; null where they have to be. */
function seenBefore(
  { item, path, index }: Located,
  { target, streamed }: JudgeRequest,
  digests: readonly Digest[],
): { restored: Digest; source: Digest | undefined; left?: 'emptied' | 'dumped' } | null {
  if (!streamed || index < 0) return null
  const { table } = streamed
  const reading = table.readingOf(index)
  if (reading !== READING.clean && reading !== READING.known) return null
  const sha256 = table.digestOf(index).toString('hex')
  const source: Digest | undefined =
    reading === READING.clean ? { state: 'read', stat: item, sha256 } : digests[0]
  if (table.has(index, MARK.dumped)) {
    return { restored: { state: 'read', stat: item, sha256 }, source, left: 'dumped' }
  }
  const isEmptied = table.has(index, MARK.emptied)
  const found =
    isEmptied && table.has(index, MARK.asExpected) ? item : statPath(`${target}${path}` as BytePath)
  if ('error' in found) return { restored: { state: 'unreadable', detail: found.error }, source }
  const mtimeNs = table.has(index, MARK.timely) ? item.mtimeNs : found.mtimeNs
  const stat = isEmptied ? { ...found, size: item.size, mtimeNs } : found
  return { restored: { state: 'read', stat, sha256 }, source, ...(isEmptied && { left: 'emptied' }) }
}

/** limits.h: bytes of a path, with the NUL at its end. A longer one can be backed up and restored to `/`, not to here. */
const PATH_MAX = 4_096

/**
 * An error event alone makes a file missing. Only a witness overrules it: when the very bytes are there, the
 * complaint was about something else (an attribute, an owner), and keeps the test from PASSED by itself.
 */
function restoredOf(
  { witness }: Expected,
  digest: Digest | undefined,
  complaint: string | null,
  place: BytePath,
): Restored {
  if (place.length >= PATH_MAX)
    return {
      state: 'unreadable',
      detail: `below the scratch its path has ${place.length} bytes, too many for Linux`,
    }
  const isRead = digest?.state === 'read' && digest.sha256 !== null
  if (complaint !== null) {
    const isWhole = isRead && witness.state === 'witness' && digest.sha256 === witness.sha256
    if (!isWhole) return { state: 'missing', detail: complaint }
  }
  if (!digest || digest.state === 'deleted') return { state: 'missing' }
  if (digest.state === 'moving') return { state: 'unreadable', detail: 'it changed while it was read' }
  if (digest.state === 'unreadable') return digest
  if (digest.sha256 === null)
    return { state: 'missing', detail: `a ${digest.stat.kind} was restored in its place` }
  return { state: 'restored', sha256: digest.sha256 }
}

function sourceOf(digest: Digest | undefined): SourceNow {
  return digest ?? { state: 'deleted' }
}

/**
 * Names that the listing shows lossily are found among what was restored. The n-th listed of several with one
 * text is the n-th in order, since both come in the order of their bytes.
 */
function openResolver(target: BytePath): (item: Expected) => BytePath {
  const folders = new Map<BytePath, { path: BytePath; taken: Map<string, number> }>()
  const folderOf = (text: BytePath): { path: BytePath; taken: Map<string, number> } => {
    const known = folders.get(text)
    if (known) return known
    const path = text === '/' ? text : find(text)
    const folder = { path, taken: new Map<string, number>() }
    folders.set(text, folder)
    return folder
  }
  const find = (text: BytePath): BytePath => {
    const { path: parent, taken } = folderOf(parentOf(text))
    const name = nameOf(text)
    const same = listFolder(`${target}${parent}` as BytePath).names.filter((real) => lossyText(real) === name)
    const at = taken.get(name) ?? 0
    taken.set(name, at + 1)
    return joinPath(parent, same[at] ?? name)
  }
  return (item) => {
    if (item.isResolved) return item.path
    if (item.kind !== 'dir') return find(item.path)
    const path = find(item.path)
    folders.set(item.path, { path, taken: new Map() })
    return path
  }
}
