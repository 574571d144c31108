/** The log as C2SP tlog-tiles has it: what was signed once can be read by anybody, and be kept for ever. */
import { BevisError } from '@bevis/shared/error'
import { encodeBundle, encodeTile, nodesOfTile, TILE_WIDTH, widthIn } from '@bevis/shared/log/tile'
import type { TileId } from '@bevis/shared/log/tile'
import type { Kysely } from 'kysely'
import { newestCheckpoint } from '../store/read/checkpoints.ts'
import type { Schema } from '../store/schema.ts'

/**
 * The bytes of a tile or a bundle. A partial one exists for the sizes that were signed, and for no others.
 * @throws BevisError NOT_FOUND
 */
export async function readTile(db: Kysely<Schema>, id: TileId): Promise<Uint8Array> {
  if (!(await isPublished(db, id))) {
    throw new BevisError('NOT_FOUND', 'the log has no such tile, or none of this width was ever signed')
  }
  const { level, index, width } = id
  if (level === 'entries') {
    const from = index * TILE_WIDTH
    const rows = await db
      .selectFrom('log_leaf')
      .select('entry')
      .where('leaf_index', '>=', from)
      .where('leaf_index', '<', from + width)
      .orderBy('leaf_index')
      .execute()
    return whole(encodeBundle(rows.map(({ entry }) => entry)), rows.length === width)
  }
  const [first] = nodesOfTile({ level, index, width: 1 })
  const rows = await db
    .selectFrom('log_node')
    .select('hash')
    .where('level', '=', first?.level ?? 0)
    .where('node_index', '>=', first?.index ?? 0)
    .where('node_index', '<', (first?.index ?? 0) + width)
    .orderBy('node_index')
    .execute()
  return whole(encodeTile(rows.map(({ hash }) => hash)), rows.length === width)
}

function whole(bytes: Uint8Array, isWhole: boolean): Uint8Array {
  if (isWhole) return bytes
  throw new BevisError('LOG_INCONSISTENT', 'the log has lost a part of a tile: run `bevis-collector fsck`')
}

async function isPublished(db: Kysely<Schema>, { level, index, width }: TileId): Promise<boolean> {
  const head = await newestCheckpoint(db)
  const widest = widthIn({ level, index }, head?.size ?? 0)
  if (width > widest) return false
  if (width === TILE_WIDTH) return true
  // All sizes in which the tile has just this width.
  const span = TILE_WIDTH ** (level === 'entries' ? 0 : level)
  const from = (index * TILE_WIDTH + width) * span
  const signed = await db
    .selectFrom('log_checkpoint')
    .select('size')
    .where('size', '>=', from)
    .where('size', '<', from + span)
    .limit(1)
    .executeTakeFirst()
  return signed !== undefined
}
