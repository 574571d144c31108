/**
 * The Merkle tree of RFC 6962 (section 2.1), over nodes that may lie in any store.
 * A node (level, index) is the root of the complete subtree over leaves [index·2^level, (index+1)·2^level).
 */
import { sha256 } from '../crypto.ts'

export interface NodeId {
  readonly level: number
  readonly index: number
}

/** Reads the hashes of complete subtrees, in the order asked for. */
export type ReadNodes = (ids: readonly NodeId[]) => Promise<Uint8Array[]>

/** The root of a tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array())

export function leafHash(entry: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + entry.length)
  bytes.set(entry, 1)
  return sha256(bytes)
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + left.length + right.length)
  bytes[0] = 1
  bytes.set(left, 1)
  bytes.set(right, 1 + left.length)
  return sha256(bytes)
}

// Sizes and indexes are whole numbers below 2^53: bit operators would cut them at 2^32, so division is used.

function isTreeNumber(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** The largest power of two below `size` (size >= 2). */
function splitPoint(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}

/** The complete subtrees that make up leaves [from, to), left to right; `from` is where such a run can begin. */
function subtreesOf(from: number, to: number): NodeId[] {
  const nodes: NodeId[] = []
  let at = from
  while (at < to) {
    let level = 0
    let width = 1
    while (at % (width * 2) === 0 && at + width * 2 <= to) {
      level += 1
      width *= 2
    }
    nodes.push({ level, index: at / width })
    at += width
  }
  return nodes
}

/** The hash over subtrees left to right, as RFC 6962 joins them: the rightmost two first. */
function joinSubtrees(hashes: readonly Uint8Array[]): Uint8Array {
  const last = hashes.at(-1)
  if (last === undefined) return EMPTY_ROOT
  return hashes.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last)
}

async function readRanges(ranges: readonly (readonly [number, number])[], read: ReadNodes) {
  const plans = ranges.map(([from, to]) => subtreesOf(from, to))
  const hashes = await read(plans.flat())
  let at = 0
  return plans.map((plan) => joinSubtrees(hashes.slice(at, (at += plan.length))))
}

/** The root of the tree's first `size` leaves. */
export async function rootOf(size: number, read: ReadNodes): Promise<Uint8Array> {
  const [root] = await readRanges([[0, size]], read)
  return root ?? EMPTY_ROOT
}

/** The audit path of one leaf in the tree's first `size` leaves, from the leaf upwards (RFC 6962, 2.1.1). */
export async function inclusionProof(index: number, size: number, read: ReadNodes): Promise<Uint8Array[]> {
  if (!isTreeNumber(index) || !isTreeNumber(size) || index >= size) {
    throw new RangeError(`leaf ${index} is not in a tree of ${size}`)
  }
  const ranges: [number, number][] = []
  let [from, to] = [0, size]
  while (to - from > 1) {
    const middle = from + splitPoint(to - from)
    if (index < middle) {
      ranges.unshift([middle, to])
      to = middle
    } else {
      ranges.unshift([from, middle])
      from = middle
    }
  }
  return readRanges(ranges, read)
}

/** The proof that the tree of `from` leaves is the beginning of the tree of `to` leaves (RFC 6962, 2.1.2). */
export async function consistencyProof(from: number, to: number, read: ReadNodes): Promise<Uint8Array[]> {
  if (!isTreeNumber(from) || !isTreeNumber(to) || from < 1 || from > to) {
    throw new RangeError(`no consistency proof leads from ${from} to ${to}`)
  }
  const ranges: [number, number][] = []
  let [begin, end] = [0, to]
  while (from !== end) {
    const middle = begin + splitPoint(end - begin)
    if (from <= middle) {
      ranges.unshift([middle, end])
      end = middle
    } else {
      ranges.unshift([begin, middle])
      begin = middle
    }
  }
  // The old tree's own root is known to the verifier when it is a complete subtree from the very start.
  if (begin !== 0) ranges.unshift([begin, end])
  return readRanges(ranges, read)
}

/**
 * The nodes that appending `leaves` to a tree of `size` leaves completes, the leaves themselves (level 0) first.
 * `edge` are the hashes of the complete subtrees of [0, size), left to right ({@link edgeOf}).
 */
export function appendLeaves(
  size: number,
  edge: readonly Uint8Array[],
  leaves: readonly Uint8Array[],
): { nodes: { id: NodeId; hash: Uint8Array }[]; edge: Uint8Array[]; size: number; root: Uint8Array } {
  const stack = [...edge]
  const nodes: { id: NodeId; hash: Uint8Array }[] = []
  let next = size
  for (const leaf of leaves) {
    let hash = leaf
    let id: NodeId = { level: 0, index: next }
    nodes.push({ id, hash })
    while (id.index % 2 === 1) {
      const left = stack.pop()
      if (left === undefined) throw new RangeError(`the edge of a tree of ${size} leaves is too short`)
      hash = nodeHash(left, hash)
      id = { level: id.level + 1, index: (id.index - 1) / 2 }
      nodes.push({ id, hash })
    }
    stack.push(hash)
    next += 1
  }
  return { nodes, edge: stack, size: next, root: joinSubtrees(stack) }
}

/** The complete subtrees of a tree of `size` leaves, left to right: all that appending needs to know. */
export function edgeOf(size: number): NodeId[] {
  return subtreesOf(0, size)
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

const allHashes = (...hashes: readonly Uint8Array[]) => hashes.every((hash) => hash.length === 32)

/** RFC 9162, section 2.1.3.2: true only if the leaf is at `index` in the tree with this size and root. */
export function verifyInclusion(claim: {
  index: number
  size: number
  leafHash: Uint8Array
  proof: readonly Uint8Array[]
  root: Uint8Array
}): boolean {
  const { index, size, proof, root } = claim
  if (!isTreeNumber(index) || !isTreeNumber(size) || index >= size) return false
  if (!allHashes(claim.leafHash, root, ...proof)) return false
  let [node, last] = [index, size - 1]
  let hash = claim.leafHash
  for (const sibling of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash)
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 && equalBytes(hash, root)
}

/** RFC 9162, section 2.1.4.2: true only if the tree (from, fromRoot) is the beginning of the tree (to, toRoot). */
export function verifyConsistency(claim: {
  from: number
  to: number
  fromRoot: Uint8Array
  toRoot: Uint8Array
  proof: readonly Uint8Array[]
}): boolean {
  const { from, to, fromRoot, toRoot } = claim
  if (!isTreeNumber(from) || !isTreeNumber(to) || from < 1 || from > to) return false
  if (!allHashes(fromRoot, toRoot, ...claim.proof)) return false
  if (from === to) return claim.proof.length === 0 && equalBytes(fromRoot, toRoot)
  const roots = rootsOfConsistency(from, to, isWholeSubtree(from) ? [fromRoot, ...claim.proof] : claim.proof)
  return roots !== null && equalBytes(roots.fromRoot, fromRoot) && equalBytes(roots.toRoot, toRoot)
}

/** A power of two: then a consistency proof leaves the old root out, since the verifier has it. */
function isWholeSubtree(size: number): boolean {
  return Number.isInteger(Math.log2(size)) && 2 ** Math.log2(size) === size
}

/** What a consistency proof says of both roots; null when it is no proof between trees of these sizes. */
function rootsOfConsistency(
  from: number,
  to: number,
  proof: readonly Uint8Array[],
): { fromRoot: Uint8Array; toRoot: Uint8Array } | null {
  let [node, last] = [from - 1, to - 1]
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  const [first, ...rest] = proof
  if (first === undefined) return null
  let [oldHash, newHash] = [first, first]
  for (const sibling of rest) {
    if (last === 0) return null
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sibling, oldHash)
      newHash = nodeHash(sibling, newHash)
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)]
    } else {
      newHash = nodeHash(newHash, sibling)
    }
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 ? { fromRoot: oldHash, toRoot: newHash } : null
}

/**
 * The root that the first `from` leaves of the tree (to, toRoot) have, where a consistency proof leads to that tree
 * without being told it: what a log says of its own past. Null when the proof does not say.
 */
export function pastRootOf(claim: {
  from: number
  to: number
  toRoot: Uint8Array
  proof: readonly Uint8Array[]
}): Uint8Array | null {
  const { from, to, toRoot, proof } = claim
  if (!isTreeNumber(from) || !isTreeNumber(to) || from < 1 || from >= to) return null
  if (!allHashes(toRoot, ...proof) || isWholeSubtree(from)) return null
  const roots = rootsOfConsistency(from, to, proof)
  return roots !== null && equalBytes(roots.toRoot, toRoot) ? roots.fromRoot : null
}
