import { BevisError } from '@bevis/shared/error'
import type { NodeId, ReadNodes } from '@bevis/shared/log/merkle'
import type { Kysely } from 'kysely'
import { chunksOf } from '../store/rows.ts'
import type { Schema } from '../store/schema.ts'

export interface TreeNode {
  readonly id: NodeId
  readonly hash: Uint8Array
}

/**
 * Reads the tree's nodes; what was read or is `fresh` is not asked for again.
 * @throws BevisError LOG_INCONSISTENT for a node that should be there and is not
 */
export function nodeReader(db: Kysely<Schema>, fresh: readonly TreeNode[] = []): ReadNodes {
  const known = new Map(fresh.map(({ id, hash }) => [nameOf(id), hash]))
  return async (ids) => {
    const missing = ids.filter((id) => !known.has(nameOf(id)))
    for (const chunk of chunksOf(missing)) {
      for (const { id, hash } of await readChunk(db, chunk)) known.set(nameOf(id), hash)
    }
    return ids.map((id) => {
      const hash = known.get(nameOf(id))
      if (hash !== undefined) return hash
      throw new BevisError(
        'LOG_INCONSISTENT',
        `the tree has no node ${nameOf(id)}: run \`bevis-collector fsck\``,
      )
    })
  }
}

async function readChunk(db: Kysely<Schema>, ids: readonly NodeId[]): Promise<TreeNode[]> {
  const byLevel = Map.groupBy(ids, (id) => id.level)
  const rows = await db
    .selectFrom('log_node')
    .selectAll()
    .where((eb) =>
      eb.or(
        Array.from(byLevel, ([level, there]) =>
          eb.and([
            eb('level', '=', level),
            eb(
              'node_index',
              'in',
              there.map((id) => id.index),
            ),
          ]),
        ),
      ),
    )
    .execute()
  return rows.map((row) => ({ id: { level: row.level, index: row.node_index }, hash: row.hash }))
}

function nameOf(id: NodeId): string {
  return `${id.level}/${id.index}`
}
