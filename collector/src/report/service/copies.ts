/**
 * What was issued, once more: files beside the log's last signed head, each named by its SHA-256. The log has only these
 * digests, and a database that is set back has lost the rest.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256Hex } from '@bevis/shared/crypto'
import { BevisError, errorMessageOf } from '@bevis/shared/error'

export function copiesFolder(checkpointFile: string): string {
  return `${checkpointFile}.reports`
}

/** Keeps each of them, durably. @throws BevisError STORE_FAILED */
export async function keepCopies(folder: string, contents: readonly Uint8Array[]): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    for (const content of contents) await keep(join(folder, sha256Hex(content)), content)
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw new BevisError('STORE_FAILED', `${folder} cannot be written: ${errorMessageOf(cause)}`, { cause })
  }
}

async function keep(file: string, content: Uint8Array): Promise<void> {
  const draft = `${file}.${randomUUID()}` // two may be asked for the same at once
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, file)
}

/** Null where there is none, or it is not what its name says. */
export async function readCopy(folder: string, sha256: string): Promise<Buffer | null> {
  const content = await readFile(join(folder, sha256)).catch(() => null)
  return content !== null && sha256Hex(content) === sha256 ? content : null
}
