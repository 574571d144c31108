/**
 * What the collector's own office has logged, in a file beside the last signed head. Agents keep what they signed;
 * of this, nobody else has a copy, and without it a log whose database was set back could not be made whole again.
 */
import { appendFile, readFile } from 'node:fs/promises'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import { envelopeSchema } from '@bevis/shared/evidence/envelope'
import { count, instant } from '@bevis/shared/format'
import { z } from 'zod'

const ownEntrySchema = z.object({
  /** Of its first leaf. */
  index: count,
  tenant: z.string(),
  receivedAt: instant,
  envelope: envelopeSchema,
  /** Public keys of its signatures, base64, in their order. */
  keys: z.array(z.string()),
})
export type OwnEntry = z.output<typeof ownEntrySchema>

export function ownEntriesFile(checkpointFile: string): string {
  return `${checkpointFile}.own`
}

/**
 * Adds entries, durably. Before the transaction commits: what is here and then not in the log does no harm.
 * @throws BevisError STORE_FAILED
 */
export async function appendOwnEntries(file: string, entries: readonly OwnEntry[]): Promise<void> {
  if (entries.length === 0) return
  const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
  try {
    await appendFile(file, lines, { mode: 0o600, flush: true })
  } catch (cause) {
    throw new BevisError('STORE_FAILED', `${file} cannot be written: ${errorMessageOf(cause)}`, { cause })
  }
}

/** The entries from an index on; of two for one place, the later one. A line that was cut off is none. */
export async function readOwnEntries(file: string, from: number): Promise<OwnEntry[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
  const byIndex = new Map<number, OwnEntry>()
  for (const line of text.split('\n')) {
    const entry = readLine(line)
    if (entry !== null && entry.index >= from) byIndex.set(entry.index, entry)
  }
  return [...byIndex.values()]
}

function readLine(line: string): OwnEntry | null {
  try {
    return ownEntrySchema.parse(JSON.parse(line))
  } catch {
    return null
  }
}
