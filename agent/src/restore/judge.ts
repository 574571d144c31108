/**
 * Restored, source and witness of each item, through {@link compareFile}. The negative control goes through
 * this same function: what it cannot see in a spoilt copy it would not see in the real thing either.
 */
import { digestInOrder, splitByBytes } from '../tree/digest-pool.ts'
import type { DigestPool } from '../tree/digest-pool.ts'
import type { Digest, DigestJob } from '../tree/digest.ts'
import { joinPath, lossyText, nameOf, parentOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { Stat } from '../tree/stat.ts'
import { listFolder } from '../tree/walk.ts'
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
}

export interface JudgeRequest {
  /** Restored paths stand below it as they stood below `/`. */
  readonly target: BytePath
  readonly items: AsyncIterable<readonly Expected[]>
  /** restic's error for a path as the listing shows it, or null. */
  readonly complaintOf: (text: BytePath) => string | null
  readonly pool: DigestPool
}

export async function* judge({ target, items, complaintOf, pool }: JudgeRequest): AsyncGenerator<Judged[]> {
  const resolver = openResolver(target)
  const located = locate(items, resolver)
  const batches = splitByBytes(located, ({ item }) => item.size * 2)
  for await (const results of digestInOrder(pool, batches, (one) => jobsOf(target, one))) {
    yield results.map(({ item: { item, path }, digests: [restored, source] }) => {
      const stat = restored?.state === 'read' ? restored.stat : null
      if (!hasContent(item)) return { item, path, comparison: null, restored: stat }
      const comparison = compareFile({
        node: item.isListed ? item : null,
        witness: item.witness,
        restored: restoredOf(item, restored, complaintOf(lossyText(item.path))),
        source: sourceOf(source),
      })
      return { item, path, comparison, restored: stat }
    })
  }
}

interface Located {
  readonly item: Expected
  readonly path: BytePath
}

async function* locate(
  items: AsyncIterable<readonly Expected[]>,
  resolve: (item: Expected) => BytePath,
): AsyncGenerator<Located[]> {
  for await (const batch of items) yield batch.map((item) => ({ item, path: resolve(item) }))
}

function jobsOf(target: BytePath, { item, path }: Located): DigestJob[] {
  const restored = { path: `${target}${path}` as BytePath, expected: item, readIf: 'always' as const }
  return hasContent(item) ? [restored, { path, expected: item, readIf: 'same-size' }] : [restored]
}

/**
 * An error event alone makes a file missing. Only a witness overrules it: when the very bytes are there, the
 * complaint was about something else (an attribute, an owner), and keeps the test from PASSED by itself.
 */
function restoredOf({ witness }: Expected, digest: Digest | undefined, complaint: string | null): Restored {
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
