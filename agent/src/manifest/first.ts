/**
 * What moved during the last backup is hashed first in the next run, right after restic ends: a file that is
 * written every minute then has a chance of a witness that it would not have at its place in the tree.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DigestPool } from '../tree/digest-pool.ts'
import type { Digest } from '../tree/digest.ts'
import { fromPathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'

/** Remembers path texts for the next run; losing them costs nothing but that chance. */
export async function rememberFirst(folder: string, paths: readonly string[]): Promise<void> {
  const file = join(folder, 'first.json')
  await writeFile(`${file}.part`, JSON.stringify(paths), { mode: 0o600 })
  await rename(`${file}.part`, file)
}

/** The remembered files' digests as of now. */
export async function digestFirst(folder: string, pool: DigestPool): Promise<ReadonlyMap<BytePath, Digest>> {
  const paths = await recall(folder)
  const digests = await pool.digest(paths.map((path) => ({ path, readIf: 'always' })))
  return new Map(paths.flatMap((path, at) => (digests[at] ? [[path, digests[at]] as const] : [])))
}

async function recall(folder: string): Promise<BytePath[]> {
  try {
    const found: unknown = JSON.parse(await readFile(join(folder, 'first.json'), 'utf8'))
    return Array.isArray(found) ? found.filter((one) => typeof one === 'string').map(fromPathText) : []
  } catch {
    return []
  }
}
