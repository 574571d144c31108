/** The heads of a pack that others have cosigned. */
import { openCheckpoint } from '@bevis/shared/log/checkpoint'
import type { Checkpoint, VerificationKey } from '@bevis/shared/log/checkpoint'
import { cosignedFile } from '@bevis/shared/verify/pack'
import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import type { ArchiveFile } from './archive.ts'

/** Cosigners meet at one head an hour; whoever was down for two days is still found among these. */
const HEADS = 48

export interface CosignedHead {
  readonly size: number
  readonly file: ArchiveFile
}

/** The newest cosigned heads up to the pack's own, each with all of its cosignatures. */
export async function cosignedHeads(
  db: Kysely<Schema>,
  head: Checkpoint,
  key: VerificationKey,
): Promise<CosignedHead[]> {
  const sizes = await db
    .selectFrom('log_cosignature as cosignature')
    .innerJoin('log_checkpoint as checkpoint', 'checkpoint.size', 'cosignature.size')
    .select(['checkpoint.size', 'checkpoint.note'])
    .where('checkpoint.size', '<=', head.size)
    .where('checkpoint.size', '>', 0)
    .groupBy(['checkpoint.size', 'checkpoint.note'])
    .orderBy('checkpoint.size', 'desc')
    .limit(HEADS)
    .execute()
  const heads: CosignedHead[] = []
  for (const { size, note } of sizes.toReversed()) {
    const lines = await db
      .selectFrom('log_cosignature')
      .select('line')
      .where('size', '=', size)
      .orderBy('vkey')
      .execute()
    const content = `${note}${lines.map(({ line }) => line).join('')}`
    // A head from before the log's present key is one that a reader cannot check by it.
    if (!isSignedBy(content, key)) continue
    heads.push({ size, file: { path: cosignedFile(size), content } })
  }
  return heads
}

function isSignedBy(note: string, key: VerificationKey): boolean {
  try {
    openCheckpoint(note, key)
    return true
  } catch {
    return false
  }
}
