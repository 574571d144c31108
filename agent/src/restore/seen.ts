/** What a test has seen so far, and the result that it comes to, whatever ended it. */
import type { BevisError } from '@bevis/shared/error'
import type { BytePath } from '../tree/path.ts'
import type { ControlOutcome } from './control.ts'
import type { Population } from './draw.ts'
import { CONFIDENCE, defectLimit } from './limit.ts'
import { MetadataAccount } from './metadata-account.ts'
import type { TestRequest } from './request.ts'
import type { Stratum } from './strata.ts'
import { decide, openTally } from './verdict.ts'
import type { TestResult } from './verdict.ts'

/** What the rounds of one test have seen together. */
export interface Seen {
  readonly startedAt: Date
  rounds: number
  population: Population | null
  algorithm: string
  drawn: { files: number; bytes: number }
  /** What the draws were, the random one first. */
  strata: Stratum[]
  /** Of the random draws: with a certain answer, and the folders that they are in. */
  readonly random: { conclusive: number; readonly folders: Set<string> }
  /** Files that were judged although no random draw had come to them yet. */
  readonly besides: Set<BytePath>
  restoreSeconds: number
  control: ControlOutcome
  /** The budget kept some files from being drawn: what was drawn is no random sample of all. */
  isShaped: boolean
  /** restic was ended too early: what was read until then is no random part, and its time no time to restore. */
  isCut: boolean
  /** Every round's files were read as they came. */
  isStreamed: boolean
  error: BevisError | null
  readonly tally: ReturnType<typeof openTally>
  readonly metadata: MetadataAccount
}

export function nothingSeen(startedAt: Date): Seen {
  return {
    startedAt,
    rounds: 0,
    population: null,
    algorithm: 'none',
    drawn: { files: 0, bytes: 0 },
    strata: [],
    random: { conclusive: 0, folders: new Set() },
    besides: new Set(),
    restoreSeconds: 0,
    control: 'not-run',
    isShaped: false,
    isCut: false,
    isStreamed: true,
    error: null,
    tally: openTally(),
    metadata: new MetadataAccount(),
  }
}

export function wantedFiles({ wanted }: TestRequest): number {
  return wanted.mode === 'sample' ? wanted.files : Number.MAX_SAFE_INTEGER
}

export function resultOf(request: TestRequest, seen: Seen): TestResult {
  const { wanted, minimum, seed, reason, manifest } = request
  const { tally } = seen.tally
  const population = seen.population ?? { files: 0, bytes: 0, folders: 0, oversized: 0 }
  const randomFiles = seen.strata[0]?.files ?? seen.drawn.files
  const drawnOrAll = Math.min(wantedFiles(request), randomFiles)
  const verdict = decide({
    tally,
    control: seen.control,
    error: seen.error,
    minimum: Math.min(minimum ?? drawnOrAll, wanted.mode === 'sample' ? population.files : seen.drawn.files),
    metadata: request.metadataFails
      ? { different: seen.metadata.different, notCompared: seen.metadata.missing }
      : null,
  })
  return {
    reason,
    mode: wanted.mode === 'full' ? 'full' : 'sample',
    startedAt: seen.startedAt,
    endedAt: request.now(),
    population: { files: population.files, bytes: population.bytes, ...(manifest !== null && { manifest }) },
    selection: {
      algorithm: seen.algorithm,
      seed: seed.value,
      seedFrom: seed.from,
      strata: [
        ...(seen.strata.length > 0
          ? seen.strata
          : [{ name: wanted.mode === 'requested' ? 'requested' : 'random', files: 0 }]),
        ...(population.oversized > 0 ? [{ name: 'left-out-as-oversized', files: population.oversized }] : []),
      ],
      ...seen.drawn,
    },
    restored: {
      ...tally.restored,
      seconds: seen.restoreSeconds,
      method: seen.isStreamed && seen.restoreSeconds > 0 ? 'stream' : 'disk',
    },
    reference: tally.reference,
    classes: tally.classes,
    exceptions: [...tally.exceptions, ...seen.metadata.exceptions(tally.exceptions.length)],
    exceptionsTotal: tally.exceptionsTotal + seen.metadata.different,
    metadata: seen.metadata.told(),
    negativeControl: seen.control,
    ...(wanted.mode === 'full' &&
      tally.judged > 0 &&
      !seen.isCut && { rto: { measuredSeconds: seen.restoreSeconds } }),
    ...limitOf(request, seen, population),
    ...verdict,
  }
}

/** Only for what was drawn at random, and only while nothing failed: else the failures are the news. */
function limitOf(
  { wanted }: TestRequest,
  { tally: { tally }, random, isShaped, isCut }: Seen,
  population: { files: number; folders: number },
): {
  limit?: TestResult['limit']
} {
  if (wanted.mode === 'requested' || isShaped || isCut || tally.failed > 0 || random.conclusive === 0)
    return {}
  const byFiles = defectLimit(population.files, random.conclusive)
  // Damage comes in packs, and a pack holds neighbours: folders are the more careful unit.
  const byFolders = wanted.mode === 'full' ? byFiles : defectLimit(population.folders, random.folders.size)
  return {
    limit: { confidence: CONFIDENCE, maxDefectRate: Math.max(byFiles, byFolders), byFiles, byFolders },
  }
}
