/**
 * What a snapshot must give back, one item per line of its manifest; of a snapshot without one (taken before
 * Bevis, or by other hands) per node of restic's listing, which has stats but no digests.
 */
import type { ManifestEntry } from '../manifest/entry.ts'
import type { Node } from '../restic/restic.ts'
import { bytePathOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { Kind, Stat } from '../tree/stat.ts'
import type { Witnessed } from './compare.ts'

export interface Expected extends Stat {
  readonly path: BytePath
  /** False: `path` is what the listing shows of a name whose bytes are not known. */
  readonly isResolved: boolean
  /** False: at the source, but known not to be in the snapshot. */
  readonly isListed: boolean
  readonly witness: Witnessed
}

/** Has bytes to compare: a file its content, a symbolic link its target. */
export function hasContent({ kind }: { kind: Kind }): boolean {
  return kind === 'file' || kind === 'symlink'
}

export async function* expectedOfManifest(
  entries: AsyncIterable<readonly ManifestEntry[]>,
): AsyncGenerator<Expected[]> {
  for await (const batch of entries) yield batch.map(ofEntry)
}

/** Field by field: what is left of an object, spread into another, takes five times as long. */
function ofEntry(entry: ManifestEntry): Expected {
  const { path, kind, size, mtimeNs, ctimeNs, inode, mode, uid, gid, sha256, flags } = entry
  const isListed = !flags.includes('unlisted')
  const isResolved = !flags.includes('unresolved')
  const stat = { kind, size, mtimeNs, ctimeNs, inode, mode, uid, gid }
  return { path, isResolved, isListed, witness: witnessOf(flags, sha256), ...stat }
}

/** Of a listing's item: the witness that the manifest has of the path whose snapshot this one was made of. */
export function withWitness(item: Expected, { kind, size, flags, sha256 }: ManifestEntry): Expected {
  if (kind !== item.kind) return item
  const witness = witnessOf(flags, sha256)
  // What has another size was cut since: no write beside the backup explains that.
  return { ...item, witness: size !== item.size && 'racy' in witness ? { ...witness, racy: false } : witness }
}

function witnessOf(flags: ManifestEntry['flags'], sha256: string | null): Witnessed {
  if (sha256 !== null) return { state: 'witness', sha256, racy: flags.includes('racy') }
  if (flags.includes('gap')) return { state: 'gap' }
  if (flags.includes('void')) return { state: 'void' }
  return { state: flags.includes('unreadable') ? 'unreadable' : 'none' }
}

export async function* expectedOfListing(nodes: AsyncIterable<readonly Node[]>): AsyncGenerator<Expected[]> {
  for await (const batch of nodes) yield batch.map(ofNode)
}

function ofNode(node: Node): Expected {
  const { kind, size, mtimeNs, ctimeNs, inode, mode, uid, gid } = node
  const stat = { kind, size, mtimeNs, ctimeNs, inode, mode, uid, gid }
  const path = bytePathOf(node.path)
  return { path, isResolved: !node.lossy, isListed: true, witness: { state: 'none' }, ...stat }
}
