/** The stamps that a pack brings: those that bound its statements, and those over its own head. */
import type { Statement } from '@bevis/shared/evidence/statement'
import type { Checkpoint } from '@bevis/shared/log/checkpoint'
import { inclusionProof } from '@bevis/shared/log/merkle'
import type { ReadNodes } from '@bevis/shared/log/merkle'
import { formatProof } from '@bevis/shared/log/proof'
import { formatResponse } from '@bevis/shared/time/query'
import { checkpointFile, proofFile, stampFile } from '@bevis/shared/verify/pack'
import type { Kysely } from 'kysely'
import { findCheckpointNote } from '../store/read/checkpoints.ts'
import { findStamp } from '../store/read/stamps.ts'
import type { StampLine } from '../store/read/stamps.ts'
import type { Schema } from '../store/schema.ts'
import type { ArchiveFile } from './archive.ts'

/**
 * For every statement the newest token inside of the head that it embeds, the newest before its leaf, and the first
 * stamp over it; of several authorities each. Beside them, those over the pack's own head.
 */
export class StampChoice {
  readonly #authorities: readonly { readonly byLeaf: StampLine[]; readonly bySize: StampLine[] }[]
  readonly #needed = new Set<StampLine>()

  /** @param stamps all of the log's */
  constructor(stamps: readonly StampLine[], head: Checkpoint) {
    const all = stamps.filter(({ size }) => size <= head.size)
    this.#authorities = [...Map.groupBy(all, ({ url }) => url).values()].map((own) => ({
      byLeaf: own.toSorted((a, b) => a.leaf_index - b.leaf_index),
      bySize: own.toSorted((a, b) => a.size - b.size),
    }))
    for (const one of all) if (one.size === head.size) this.#needed.add(one)
  }

  add(leafIndex: number, statement: Statement): void {
    const embedded = 'chain' in statement.predicate ? (statement.predicate.chain.log?.size ?? 0) : 0
    for (const { byLeaf, bySize } of this.#authorities) {
      const inside = (size: number): StampLine | undefined =>
        byLeaf[firstFrom(byLeaf.length, (n) => (byLeaf[n]?.leaf_index ?? 0) >= size) - 1]
      const over = bySize[firstFrom(bySize.length, (n) => (bySize[n]?.size ?? 0) > leafIndex)]
      for (const one of [inside(embedded), inside(leafIndex), over])
        if (one !== undefined) this.#needed.add(one)
    }
  }

  /** In log order. */
  needed(): StampLine[] {
    return [...this.#needed].toSorted((a, b) => a.leaf_index - b.leaf_index)
  }
}

function firstFrom(length: number, isTrue: (n: number) => boolean): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isTrue(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** Each stamp as an answer that openssl reads, the head that it stamps, and the place of its token in the log. */
export async function* stampFilesOf(
  db: Kysely<Schema>,
  stamps: readonly StampLine[],
  head: Checkpoint,
  read: ReadNodes,
): AsyncGenerator<ArchiveFile> {
  for (const size of new Set(stamps.map((stamp) => stamp.size))) {
    const note = size === head.size ? null : await findCheckpointNote(db, size)
    if (note !== null) yield { path: checkpointFile(size), content: note }
  }
  for (const { leaf_index, size } of stamps) {
    const row = await findStamp(db, leaf_index)
    if (row === undefined) continue
    yield { path: stampFile(size, leaf_index), content: Buffer.from(formatResponse(row.token)) }
    if (leaf_index >= head.size) continue
    const hashes = await inclusionProof(leaf_index, head.size, read)
    yield {
      path: proofFile(leaf_index),
      content: formatProof({ index: leaf_index, hashes, checkpoint: head.note }),
    }
  }
}
