/** How many rows one statement inserts, and how many values one `in` names: far below every engine's limit. */
const CHUNK_ROWS = 100

/** Cuts a list into pieces that one SQL statement can take. */
export function chunksOf<T>(rows: readonly T[], size = CHUNK_ROWS): T[][] {
  const chunks: T[][] = []
  for (let at = 0; at < rows.length; at += size) chunks.push(rows.slice(at, at + size))
  return chunks
}
