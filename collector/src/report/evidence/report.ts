/** The evidence report: what an auditor samples first, drawn from the same survey and verdict as the pack around it. */
import { PACK_FILES } from '@bevis/shared/verify/pack'
import type { Voice } from '../../pages/voice.ts'
import type { ArchiveFile } from '../archive.ts'
import type { PackTold } from '../pack.ts'
import { plainly } from '../pdf/seal.ts'
import type { Seal } from '../pdf/seal.ts'
import { writeControls, writeVerification } from './closing.ts'
import { openDesk } from './desk.ts'
import { writeExceptions } from './exceptions.ts'
import { writePopulation } from './population.ts'
import { writePromised, writeSummary } from './summary.ts'
import { writeIndependence, writeLimits, writeResults, writeSelection } from './testing.ts'

/** More signed statements than this are left to the pack. */
const ENVELOPES_LIMIT_BYTES = 4 * 1024 * 1024
/** A table of more rows, some 4 MiB, is left to it too. */
const ROWS_LIMIT = 12_000

/** How a report speaks, and what seals it. */
export interface EvidenceReportOptions {
  /** The pages' words, in the contract's own zone. */
  readonly voice: (timezone: string) => Voice
  readonly seal?: Seal | undefined
}

/** Writes the report as a PDF. The same inputs give the same bytes, a seal with a random part aside. */
export async function writeEvidenceReport(told: PackTold, options: EvidenceReportOptions): Promise<Buffer> {
  const desk = openDesk(told, options.voice(told.contract.timezone))
  writeSummary(desk)
  writePromised(desk)
  writePopulation(desk)
  writeSelection(desk)
  writeResults(desk)
  writeExceptions(desk)
  writeLimits(desk)
  writeIndependence(desk)
  writeControls(desk)
  const isShort = told.pack.population.statements <= ROWS_LIMIT
  writeVerification(desk, {
    envelopes: await wholeOf(told.envelopes(), ENVELOPES_LIMIT_BYTES),
    table: isShort ? await wholeOf(told.table(), Infinity) : null,
  })
  const { seal = plainly } = options
  return seal(desk.sheet, new Date(told.pack.madeAt))
}

/** The papers of a pack: the report. */
export function evidencePapers(options: EvidenceReportOptions) {
  return async function* papers(told: PackTold): AsyncGenerator<ArchiveFile> {
    yield { path: PACK_FILES.report, content: await writeEvidenceReport(told, options) }
  }
}

async function wholeOf(pieces: AsyncIterable<string>, limitBytes: number): Promise<string | null> {
  const read: string[] = []
  let sizeBytes = 0
  for await (const piece of pieces) {
    sizeBytes += Buffer.byteLength(piece)
    if (sizeBytes > limitBytes) return null
    read.push(piece)
  }
  return read.join('')
}
