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

function witnessOf(flags: ManifestEntry['flags'], sha256: string | null): Witnessed {
  if (sha256 !== null) return { state: 'witness', sha256, racy: flags.includes('racy') }
  if (flags.includes('gap')) return { state: 'gap' }
  if (flags.includes('void')) return { state: 'void' }
  return { state: flags.includes('unreadable') ? 'unreadable' : 'none' }
}

const BATCH = 256

export async function* expectedOfListing(nodes: AsyncIterable<Node>): AsyncGenerator<Expected[]> {
  let batch: Expected[] = []
  for await (const node of nodes) {
    batch.push(ofNode(node))
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function ofNode(node: Node): Expected {
  const kind = node.type === '' ? 'irregular' : node.type
  return {
    path: bytePathOf(node.path),
    isResolved: !node.lossy,
    isListed: true,
    witness: { state: 'none' },
    kind,
    size: kind === 'file' ? Number(node.sizeBytes) : 0,
    mtimeNs: node.mtimeNs,
    ctimeNs: node.ctimeNs,
    inode: node.inode === undefined ? null : Number(node.inode),
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
  }
}
