/**
 * The last signed head, outside the database (as Sunlight's lock backend): a database that was restored
 * from an old backup is found out by it, before it can sign a second history.
 */
import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BevisError, errorMessageOf } from '@bevis/shared/error'

/** The note in the file; null when there is none. */
export async function readCheckpointFile(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/**
 * Replaces `expected` by `next`, durably: it is one or the other after a power cut.
 * The caller holds the log's lock; the second reading catches a file that two databases share.
 * @throws BevisError LOG_INCONSISTENT when the file holds something else, STORE_FAILED when the disk fails
 */
export async function swapCheckpointFile(file: string, expected: string | null, next: string): Promise<void> {
  try {
    await swap(file, expected, next)
  } catch (cause) {
    if (cause instanceof BevisError) throw cause
    throw new BevisError('STORE_FAILED', `${file} cannot be written: ${errorMessageOf(cause)}`, { cause })
  }
}

async function swap(file: string, expected: string | null, next: string): Promise<void> {
  const temporary = `${file}.next`
  await writeDurably(temporary, next)
  if ((await readCheckpointFile(file)) !== expected) {
    throw new BevisError(
      'LOG_INCONSISTENT',
      `${file} was changed by somebody else: do two collectors share it?`,
    )
  }
  await rename(temporary, file)
  await syncFolder(dirname(file))
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
