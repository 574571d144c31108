/** What the last inventory of a repository listed, kept so that the next one can say only what has changed. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inventoryDigest } from '@bevis/shared/evidence/inventory'
import { hex64 } from '@bevis/shared/format'
import { z } from 'zod'
import { nameOfCopy } from './repository.ts'
import type { Copy } from './repository.ts'

const schema = z.object({
  /** Inventories since the last one that was a whole list. */
  deltas: z.int().min(0),
  ids: z.array(hex64).max(1_000_000),
})

export interface InventoryBase {
  readonly deltas: number
  readonly digest: string
  readonly ids: ReadonlySet<string>
}

/** Null when there is none that can be used: the next inventory is then a whole list. */
export async function loadInventoryBase(stateDir: string, repository: Copy): Promise<InventoryBase | null> {
  try {
    const { deltas, ids } = schema.parse(JSON.parse(await readFile(fileOf(stateDir, repository), 'utf8')))
    return { deltas, digest: inventoryDigest(ids), ids: new Set(ids) }
  } catch {
    return null
  }
}

export async function saveInventoryBase(
  stateDir: string,
  repository: Copy,
  { deltas, ids }: Omit<InventoryBase, 'digest'>,
): Promise<void> {
  const file = fileOf(stateDir, repository)
  await mkdir(join(stateDir, 'inventories'), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.part`, JSON.stringify({ deltas, ids: [...ids] }), { mode: 0o600, flush: true })
  await rename(`${file}.part`, file)
}

function fileOf(stateDir: string, repository: Copy): string {
  return join(stateDir, 'inventories', `${nameOfCopy(repository)}.json`)
}
