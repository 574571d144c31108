/**
 * Lays restic's listing beside the real folders, both in tree order, one path of folders in memory at a time.
 * It answers two questions: which bytes are behind a name that the listing shows lossily, and what is there
 * that the snapshot does not have.
 */
import type { Node } from '../restic/restic.ts'
import { REPLACEMENT, bytePathOf, isWithin, joinPath, lossyText, nameOf, parentOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { sameStat } from '../tree/stat.ts'
import type { Stat } from '../tree/stat.ts'
import { listFolder, rootNames, statPath } from '../tree/walk.ts'

export interface Listed {
  readonly state: 'listed'
  /** Null: the name is lossy, and no real entry is certainly the one that restic saw. */
  readonly path: BytePath | null
  /** The path as the listing shows it. */
  readonly text: BytePath
  readonly node: Stat
}

/** In a folder that the snapshot has, or below it, yet not in the snapshot, and no pattern excludes it. */
export interface Unlisted {
  readonly state: 'unlisted'
  readonly path: BytePath
  readonly stat: Stat
}

export type Matched = Listed | Unlisted

export interface MatchScope {
  /** Absolute; as given to restic. */
  readonly roots: readonly BytePath[]
  /** What restic leaves out on purpose, and what is not to be judged. */
  readonly isExcluded: (path: BytePath) => boolean
  /** Nothing is looked for in an unlisted folder that is newer: it may have been moved there since, content and all. */
  readonly isOld: (stat: Stat) => boolean
}

interface Frame {
  readonly text: BytePath
  /** Null when the folder's own name is not resolved. */
  readonly path: BytePath | null
  readonly names: BytePath[]
  /** Of `names`: all before it are listed or told as unlisted. */
  at: number
  /** The listing shows this very folder, so that what it does not show was not there for it. */
  readonly isSame: boolean
  /** Real names by what the listing would show; made when the first lossy name comes. */
  byText?: Map<string, BytePath[]>
  /** Lossy texts that stand for one of several names, none of which may then be called unlisted. */
  readonly unresolved: Set<string>
}

/** Yields a batch for each, and one at the end; the listing's own errors pass through. */
export async function* matchTree(
  batches: AsyncIterable<readonly Node[]>,
  scope: MatchScope,
): AsyncGenerator<Matched[]> {
  const stack: Frame[] = [openFrame(bytePathOf('/'), bytePathOf('/'), null, scope)]
  for await (const nodes of batches) {
    const batch: Matched[] = []
    for (const node of nodes) {
      const text = bytePathOf(node.path)
      const parent = parentOf(text)
      while (stack.length > 1 && stack.at(-1)?.text !== parent) closeFrame(stack.pop(), scope, batch)
      const frame = stack.at(-1)
      if (!frame || text === '/') continue
      const listed = resolveNode(frame, text, node, scope, batch)
      batch.push(listed)
      if (node.kind === 'dir') stack.push(openFrame(text, listed.path, node, scope))
    }
    if (batch.length > 0) yield batch
  }
  const last: Matched[] = []
  while (stack.length > 0) closeFrame(stack.pop(), scope, last)
  if (last.length > 0) yield last
}

function openFrame(text: BytePath, path: BytePath | null, node: Stat | null, scope: MatchScope): Frame {
  const frame = { text, path, at: 0, unresolved: new Set<string>() }
  if (path === null) return { ...frame, names: [], isSame: false }
  const onTheWay = rootNames(scope.roots, path)
  if (onTheWay) return { ...frame, names: onTheWay, isSame: true }
  const now = statPath(path)
  const isSame =
    !('error' in now) &&
    now.kind === 'dir' &&
    (node === null || node.inode === null || node.inode === now.inode)
  return { ...frame, names: listFolder(path).names, isSame }
}

function resolveNode(frame: Frame, text: BytePath, node: Node, scope: MatchScope, into: Matched[]): Listed {
  const name = nameOf(text)
  const shown = { state: 'listed' as const, text, node }
  // Only this name counts: a folder above with a lossy name has been resolved in its frame, or has not.
  const real = name.includes(REPLACEMENT) ? findReal(frame, name, node) : name
  if (frame.path === null || real === null) {
    frame.unresolved.add(name)
    return { ...shown, path: null }
  }
  passOver(frame, real, scope, into)
  const path = frame.path === frame.text && real === name ? text : joinPath(frame.path, real)
  return { ...shown, path }
}

/** The one real name behind a lossy text. A guess would be told as a fact, so only the stat decides. */
function findReal(frame: Frame, name: BytePath, node: Stat): BytePath | null {
  const { path } = frame
  if (path === null) return null
  frame.byText ??= Map.groupBy(frame.names, lossyText)
  const candidates = (frame.byText.get(name) ?? []).map((real) => ({
    real,
    stat: statPath(joinPath(path, real)),
  }))
  const exact = candidates.find(({ stat }) => !('error' in stat) && sameStat(stat, node))
  const moved = candidates.find(
    ({ stat }) =>
      !('error' in stat) && node.inode !== null && stat.inode === node.inode && stat.kind === node.kind,
  )
  const found = (exact ?? moved)?.real ?? null
  // Two names of one file (hard links) have one stat: each is taken once, in the listing's order.
  if (found !== null)
    frame.byText.set(
      name,
      (frame.byText.get(name) ?? []).filter((real) => real !== found),
    )
  return found
}

/** Everything before `name` is not in the listing: it comes in the order of names. */
function passOver(frame: Frame, name: BytePath | null, scope: MatchScope, into: Matched[]): void {
  for (;;) {
    const next = frame.names[frame.at]
    if (next === undefined || (name !== null && next > name)) return
    frame.at += 1
    if (next !== name) tellUnlisted(frame, next, scope, into)
  }
}

function closeFrame(frame: Frame | undefined, scope: MatchScope, into: Matched[]): void {
  if (frame) passOver(frame, null, scope, into)
}

function tellUnlisted(frame: Frame, name: BytePath, scope: MatchScope, into: Matched[]): void {
  if (frame.path === null || !frame.isSame || frame.unresolved.has(lossyText(name))) return
  const path = joinPath(frame.path, name)
  if (!isInScope(path, scope)) return
  const stat = statPath(path)
  if ('error' in stat) return
  into.push({ state: 'unlisted', path, stat })
  if (stat.kind !== 'dir' || !scope.isOld(stat)) return
  const inside = openFrame(path, path, null, scope)
  passOver(inside, null, scope, into)
}

/** On the way to a root nothing is in scope but what leads to it. */
function isInScope(path: BytePath, { roots, isExcluded }: MatchScope): boolean {
  return roots.some((root) => isWithin(path, root) || isWithin(root, path)) && !isExcluded(path)
}
