/**
 * What the collector itself has logged, in a file beside the last signed head: what its office signed, with the
 * contract texts that it applied, and the tokens of outside clocks. Agents keep what they signed; of this, nobody else
 * has a copy, and without it a log whose database was set back could not be made whole again.
 */
import { createReadStream } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import { envelopeSchema } from '@bevis/shared/evidence/envelope'
import { count, hex64, instant } from '@bevis/shared/format'
import { z } from 'zod'

/** Of its first leaf, and when that was logged. */
const placed = { index: count, receivedAt: instant }

const textSchema = z.object({
  contract: z.string(),
  customerName: z.string(),
  revision: count.min(1),
  sha256: hex64,
  yaml: z.string(),
  appliedAt: instant,
  appliedBy: z.string(),
})
/** A contract's text, as it was applied. */
export type KeptText = z.output<typeof textSchema>

const stampSchema = z.object({
  /** The signed head that was stamped. */
  head: z.string(),
  /** DER, base64. */
  token: z.string(),
  url: z.string(),
  genTime: z.string(),
  accuracyMs: z.number(),
  validUntil: z.string(),
  authority: z.string(),
})
export type KeptStamp = z.output<typeof stampSchema>

const ownStatementSchema = z.object({
  ...placed,
  tenant: z.string(),
  envelope: envelopeSchema,
  /** Public keys of its signatures, base64, in their order. */
  keys: z.array(z.string()),
  /** The contract's text that it says was applied. */
  text: textSchema.optional(),
})
export type OwnStatement = z.output<typeof ownStatementSchema>

const ownEntrySchema = z.union([ownStatementSchema, z.object({ ...placed, stamp: stampSchema })])
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
  const lines = entries.map((entry) => `${encodeLine(entry)}\n`).join('')
  try {
    await appendFile(file, lines, { mode: 0o600, flush: true })
  } catch (cause) {
    throw new BevisError('STORE_FAILED', `${file} cannot be written: ${errorMessageOf(cause)}`, { cause })
  }
}

/** On one line for every reader: some end a line at these two as well. */
function encodeLine(entry: OwnEntry): string {
  return JSON.stringify(entry)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`)
}

/**
 * The entries from an index on, in the order in which they were written: of two for one place, the later one is in
 * the log, if any. A line that was cut off is none.
 */
export async function* readOwnEntries(file: string, from: number): AsyncGenerator<OwnEntry> {
  try {
    for await (const line of createInterface({
      input: createReadStream(file, 'utf8'),
      crlfDelay: Infinity,
    })) {
      const entry = readLine(line)
      if (entry !== null && entry.index >= from) yield entry
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

function readLine(line: string): OwnEntry | null {
  try {
    return ownEntrySchema.parse(JSON.parse(line))
  } catch {
    return null
  }
}
