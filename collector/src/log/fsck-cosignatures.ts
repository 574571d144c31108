import { errorMessageOf } from '@bevis/shared/error'
import { parseCosignerKey, verifyCosignature } from '@bevis/shared/log/cosignature'
import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'

const PIECE = 500

/** Verifies every cosignature anew, over the head that the log signed. */
export async function checkCosignatures(
  db: Kysely<Schema>,
  tell: (place: string, problem: string) => void,
): Promise<void> {
  let after = { size: -1, vkey: '' }
  for (;;) {
    const { size, vkey } = after
    const rows = await db
      .selectFrom('log_cosignature as cosignature')
      .leftJoin('log_checkpoint as head', 'head.size', 'cosignature.size')
      .select(['cosignature.size', 'cosignature.vkey', 'cosignature.line', 'head.note'])
      .where((eb) =>
        eb.or([
          eb('cosignature.size', '>', size),
          eb.and([eb('cosignature.size', '=', size), eb('cosignature.vkey', '>', vkey)]),
        ]),
      )
      .orderBy('cosignature.size')
      .orderBy('cosignature.vkey')
      .limit(PIECE)
      .execute()
    for (const row of rows) {
      const problem = problemOf(row)
      if (problem !== null) tell(`cosignature of ${row.size} by ${row.vkey.split('+')[0] ?? ''}`, problem)
    }
    const last = rows.at(-1)
    if (last === undefined) return
    after = last
  }
}

function problemOf({ note, line, vkey }: { note: string | null; line: string; vkey: string }): string | null {
  if (note === null) return 'this log signed no such head'
  try {
    const said = verifyCosignature(note + line, parseCosignerKey(vkey))
    return said === null ? 'its line is of another key' : null
  } catch (error) {
    return errorMessageOf(error)
  }
}
