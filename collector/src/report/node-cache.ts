import { BevisError } from '@bevis/shared/error'
import type { NodeId, ReadNodes } from '@bevis/shared/log/merkle'
import type { Kysely } from 'kysely'
import { chunksOf } from '../store/rows.ts'
import type { Schema } from '../store/schema.ts'

/** Some 4 MB; the proofs of leaves side by side share nearly all of their nodes, so that few are read twice. */
const LIMIT_NODES = 20_000

/**
 * Reads the log's nodes for many proofs in a row, asking the store for those only that no proof had yet.
 * @throws BevisError LOG_INCONSISTENT for a node that should be there and is not
 */
export function nodeCache(db: Kysely<Schema>): ReadNodes {
  const known = new Map<string, Uint8Array>()
  return async (ids) => {
    if (known.size > LIMIT_NODES) known.clear()
    const missing = ids.filter((id) => !known.has(nameOf(id)))
    for (const [level, nodes] of Map.groupBy(missing, (id) => id.level)) {
      for (const chunk of chunksOf(nodes)) {
        const indexes = chunk.map(({ index }) => index)
        const rows = await db
          .selectFrom('log_node')
          .select(['node_index', 'hash'])
          .where('level', '=', level)
          .where('node_index', 'in', indexes)
          .execute()
        for (const { node_index, hash } of rows) known.set(nameOf({ level, index: node_index }), hash)
      }
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

function nameOf(id: NodeId): string {
  return `${id.level}/${id.index}`
}
