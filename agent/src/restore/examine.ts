/**
 * One test of one snapshot: draw -> restore -> judge -> control -> decide. It gives a result whatever happens:
 * what keeps it from a verdict makes it INCONCLUSIVE and says why.
 */
import { BevisError, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { Restic } from '../restic/restic.ts'
import type { DigestPool } from '../tree/digest-pool.ts'
import { READING } from '../tree/pair-table.ts'
import { parentOf, pathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { errnoOf } from '../tree/walk.ts'
import { AwaitedFiles } from './awaited.ts'
import { bring } from './bring.ts'
import type { BringRequest } from './bring.ts'
import { runControl, openSpecimen } from './control.ts'
import type { ControlOutcome } from './control.ts'
import { draw } from './draw.ts'
import type { ByteBudget, Choice, Drawn, Population } from './draw.ts'
import { hasContent } from './expected.ts'
import type { Expected } from './expected.ts'
import { COUNTS_AS } from './compare.ts'
import { Extras } from './extras.ts'
import type { ExtraItems } from './extras.ts'
import { judge } from './judge.ts'
import type { Judged } from './judge.ts'
import { CONFIDENCE, defectLimit } from './limit.ts'
import { openMetadata } from './metadata.ts'
import { IS_ROOT, MetadataAccount, withExtras } from './metadata-account.ts'
import { openRecheck, recheckTimes } from './recheck.ts'
import { makeScratch } from './scratch.ts'
import type { Scratch, ScratchRequest } from './scratch.ts'
import { Strata } from './strata.ts'
import type { Standing, StrataRequest, Stratum } from './strata.ts'
import { decide, openTally } from './verdict.ts'
import type { TestResult } from './verdict.ts'

export interface TestRequest {
  readonly restic: Restic
  readonly snapshotId: string
  /**
   * What the snapshot must give back: a new reading for each call, which counts only when it ends well. With
   * `isWanted` at least the items at these paths, and all that are known not to be in the snapshot.
   */
  readonly expected: (isWanted?: (path: BytePath) => boolean) => AsyncIterable<readonly Expected[]>
  /** The manifest's digest, where there is one. */
  readonly manifest: string | null
  readonly reason: TestResult['reason']
  readonly wanted: Wanted
  readonly seed: { readonly value: string; readonly from: 'agent' | 'collector' }
  /** The least number of drawn files that must be conclusive; null: all that were drawn. */
  readonly minimum: number | null
  readonly scratch: ScratchRequest
  /** Left out: `auto`. What restic or the scratch cannot do goes by the disk. */
  readonly method?: 'auto' | 'disk' | 'stream'
  readonly pool: DigestPool
  readonly now: () => Date
  readonly deadlineMs?: number
  /** At most so many restored bytes. What is not a sample, and larger, is not begun. */
  readonly budgetBytes?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: TestProgress) => void
  /** Whether a file that is whole but for its metadata fails the test. */
  readonly metadataFails?: boolean
  /** Hears of every file of the snapshot once, and of those that came back identical. */
  readonly coverage?: Coverage
}

/** Whoever keeps account of what was restored. */
export interface Coverage {
  /** All files of the snapshot follow, from the first. */
  restart(): void
  standingOf(item: Expected): Standing
  restored(item: Expected): void
}

export type Wanted =
  | { mode: 'full' }
  /** With strata, only the first draw has them: they are replaced by nothing. */
  | { mode: 'sample'; files: number; strata?: StrataRequest }
  | { mode: 'requested'; paths: readonly BytePath[] }

export interface TestProgress {
  readonly step: 'draw' | 'restore' | 'compare'
  readonly files: number
  /** 0 while it is not known. */
  readonly totalFiles: number
}

/** What the rounds of one test have seen together. */
interface Seen {
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
  /** Every round's files were read as they came. */
  isStreamed: boolean
  error: BevisError | null
  readonly tally: ReturnType<typeof openTally>
  readonly metadata: MetadataAccount
}

/** Never throws. */
export async function testSnapshot(request: TestRequest): Promise<TestResult> {
  const seen = nothingSeen(request.now())
  try {
    let after: string | null = ''
    // Inconclusive draws are replaced from the same order, until enough are certain or nothing is left to draw.
    while (after !== null) after = await playRound(request, seen, after)
  } catch (cause) {
    seen.error ??= asError(cause, request.signal)
  }
  return resultOf(request, seen)
}

/** The result of a test that could not even begin. */
export function refuseTest(request: TestRequest, error: BevisError): TestResult {
  return resultOf(request, { ...nothingSeen(request.now()), error })
}

function nothingSeen(startedAt: Date): Seen {
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
    isStreamed: true,
    error: null,
    tally: openTally(),
    metadata: new MetadataAccount(),
  }
}

/** Where the next round's draw goes on; null when there is no next round. */
async function playRound(request: TestRequest, seen: Seen, after: string): Promise<string | null> {
  const { wanted, minimum } = request
  const missing = wanted.mode === 'sample' ? wanted.files - seen.random.conclusive : 0
  // Twice as many each time: a snapshot that proves little is through after a few restores, not after hundreds.
  const files = missing * 2 ** seen.rounds
  seen.rounds += 1
  const { budgetBytes: bytes = Infinity } = request
  const budget = { bytes, leftBytes: bytes - seen.drawn.bytes }
  const choice = choiceOf(request, { files, after, budget })
  const { population, drawn, ...awaited } = await awaitedOf(request, choice, after === '')
  seen.population ??= population
  if (after === '') seen.algorithm = drawn.algorithm
  seen.isShaped ||= drawn.isCut || population.oversized > 0
  const isTooMuch = drawn.bytes > bytes
  if (drawn.files === 0 || isTooMuch) {
    if (isTooMuch || seen.isShaped) seen.error = spent(bytes, isTooMuch ? drawn.bytes : null)
    else if (wanted.mode === 'requested') seen.error = notFound(wanted.paths)
    return null
  }
  seen.drawn = { files: seen.drawn.files + drawn.files, bytes: seen.drawn.bytes + drawn.bytes }
  addStrata(seen, wanted, drawn)
  const scratch = await makeScratch(request.scratch)
  try {
    await restoreAndJudge(request, seen, { scratch, drawn, ...awaited, isFirst: after === '' })
  } finally {
    await scratch.wipe()
  }
  const { failed } = seen.tally.tally
  const { conclusive } = wanted.mode === 'sample' ? seen.random : seen.tally.tally
  const target = Math.min(minimum ?? wantedFiles(request), population.files)
  const isEnough = seen.error !== null || failed > 0 || conclusive >= target
  if (!isEnough && drawn.isCut) {
    seen.error = spent(bytes, null)
    return null
  }
  return isEnough || drawn.includes === null ? null : drawn.last
}

function choiceOf(
  { wanted, seed }: TestRequest,
  { files, after, budget }: { files: number; after: string; budget: ByteBudget },
): Choice {
  if (wanted.mode !== 'sample') return wanted
  const { strata: asked } = wanted
  const strata = asked && after === '' ? new Strata(asked, budget.bytes) : undefined
  return { mode: 'sample', files, seed: seed.value, after, budget, ...(strata && { strata }) }
}

/** Later draws replace what was inconclusive of the random one: they belong to it. */
function addStrata(seen: Seen, { mode }: Wanted, { files, besides }: Drawn): void {
  const [first, ...others] = seen.strata
  if (first) {
    seen.strata = [{ ...first, files: first.files + files }, ...others]
    return
  }
  const name = mode === 'requested' ? 'requested' : 'random'
  seen.strata = besides ? [...besides.strata] : [{ name, files }]
}

async function restoreAndJudge(
  request: TestRequest,
  seen: Seen,
  round: { scratch: Scratch; drawn: Drawn; isFirst: boolean } & Awaited,
): Promise<void> {
  const { pool, onProgress } = request
  const { scratch, drawn, files, kept, extras, isFirst } = round
  let restored = 0
  const bringing: BringRequest = {
    ...request,
    scratch,
    drawn: withExtras(drawn, extras),
    files,
    nodes: drawn.includes === null ? (seen.population?.nodes ?? 0) : drawn.files,
    remainingMs: () => remainingMs(request, seen.startedAt),
    ...(onProgress && {
      onFile: () => onProgress({ step: 'restore', files: (restored += 1), totalFiles: drawn.files }),
    }),
  }
  const brought = await bring(bringing)
  const { target, streamed, complaintOf, says } = brought
  seen.restoreSeconds += brought.seconds
  seen.isStreamed &&= streamed !== null
  seen.error ??= brought.error
  if (says === 'nothing') return

  const specimen = openSpecimen()
  const recheck = openRecheck()
  const metadata = openMetadata({
    comparesOwner: IS_ROOT,
    comparesFolders: drawn.includes === null && says === 'all',
  })
  const picked = kept ?? pick(request, drawn, isFirst && says === 'all')
  const items = says === 'all' || !streamed ? picked : onlyRead(picked, streamed)
  for await (const batch of judge({ target, items, complaintOf, pool, streamed })) {
    // After an end that was too early, a second one must not take away what was read before the first.
    if (says === 'all') request.signal?.throwIfAborted()
    for (const one of batch) {
      add(seen, drawn, one)
      if (one.comparison?.class === 'identical') request.coverage?.restored(one.item)
      if (says === 'all') {
        const difference = metadata.add(one)
        recheck.offer(one, difference)
        seen.metadata.note(one, difference)
      }
      specimen.offer(one)
    }
    onProgress?.({ step: 'compare', files: seen.tally.tally.judged, totalFiles: seen.drawn.files })
  }
  const { compared, different } = metadata.tally
  const timely = await recheckTimes(recheck.suspects, bringing)
  seen.metadata.count({ compared, different: different - timely })
  if (extras && says === 'all')
    await seen.metadata.compare({ target, extras, ...(request.signal && { signal: request.signal }) })
  if (seen.control === 'missed') return
  const { best } = specimen
  const control = { specimen: best, target, control: scratch.control, pool, isStreamed: streamed !== null }
  const outcome = await runControl(control)
  if (outcome !== 'not-run') seen.control = outcome
}

function add({ tally, random, besides, drawn: all }: Seen, drawn: Drawn, one: Judged): void {
  const { item, path, comparison } = one
  const isRandom = !drawn.besides || drawn.besides.isRandom(item)
  if (besides.has(item.path)) {
    // Judged once already; now chance has come to it too.
    all.files -= 1
    all.bytes -= item.size
  } else tally.add(one)
  if (!comparison || !item.isListed) return
  if (!isRandom) besides.add(item.path)
  if (!isRandom || COUNTS_AS[comparison.class] === 'inconclusive') return
  random.conclusive += 1
  if (random.folders.size < MAX_FOLDERS) random.folders.add(parentOf(path))
}

/** Only a sample's bound asks for folders, and a sample that has so many has a bound near 0. */
const MAX_FOLDERS = 100_000

function remainingMs({ deadlineMs = Infinity, now }: TestRequest, startedAt: Date): number {
  return deadlineMs - (now().getTime() - startedAt.getTime())
}

/** Files that were read to their end and came out well, or that nothing can be said of. */
async function* onlyRead(items: Items, files: AwaitedFiles): AsyncGenerator<Expected[]> {
  for await (const batch of items) {
    const read = batch.filter(({ path }) =>
      ([READING.clean, READING.known] as number[]).includes(files.readingOf(path)),
    )
    if (read.length > 0) yield read
  }
}

type Items = AsyncIterable<readonly Expected[]> | readonly (readonly Expected[])[]

interface Awaited {
  /** What a streamed restore waits for; null where it cannot be. */
  readonly files: AwaitedFiles | null
  /** The items of this round, where they are few; null: they have to be picked once more. */
  readonly kept: Items | null
  /** Of the first round: what is restored for its metadata. */
  readonly extras: ExtraItems | null
}

/** A sample of so many items is not read from the manifest again. */
const MAX_KEPT = 10_000

async function awaitedOf(
  request: TestRequest,
  choice: Choice,
  isFirst: boolean,
): Promise<{ population: Population; drawn: Drawn } & Awaited> {
  const { restic, method = 'auto' } = request
  const files = method !== 'disk' && restic.capabilities.restoreEvents ? new AwaitedFiles() : null
  const { coverage } = request
  const [isReplacement, isAsked] = choice.mode === 'sample' ? [choice.after !== '', choice.strata] : [false]
  if (!isReplacement) coverage?.restart()
  const extras = isFirst ? new Extras(request.seed.value, IS_ROOT) : null
  const drawing = await draw(
    request.expected(),
    choice,
    files ? (item) => files.add(item) : undefined,
    (item) => {
      extras?.offer(item)
      // Strata ask of every file themselves.
      if (coverage && !isReplacement && !isAsked && hasContent(item)) coverage.standingOf(item)
    },
  )
  let kept: (readonly Expected[])[] | null = choice.mode === 'full' ? null : []
  if (files && kept) {
    let count = 0
    for await (const batch of pick(request, drawing.drawn, isFirst)) {
      for (const item of batch) files.add(item)
      count += batch.length
      if (count > MAX_KEPT) kept = null
      kept?.push(batch)
    }
  }
  files?.close()
  // Who asks for a file gets that file: nothing else is restored for it.
  const taken = extras && (choice.mode === 'requested' ? { nodes: [], links: [] } : extras.take())
  return { ...drawing, files, kept: files && kept, extras: taken }
}

/** The items of a round; with the first one also what is known not to be in the snapshot. */
async function* pick({ expected }: TestRequest, drawn: Drawn, isFirst: boolean): AsyncGenerator<Expected[]> {
  const items = drawn.includes === null ? expected() : expected((path) => drawn.isDrawn({ path }))
  for await (const batch of items) {
    const picked = batch.filter((item) =>
      item.isListed
        ? drawn.isDrawn(item)
        : isFirst && (item.witness.state === 'gap' || drawn.includes === null),
    )
    if (picked.length > 0) yield picked
  }
}

function wantedFiles({ wanted }: TestRequest): number {
  return wanted.mode === 'sample' ? wanted.files : Number.MAX_SAFE_INTEGER
}

function resultOf(request: TestRequest, seen: Seen): TestResult {
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
    ...(wanted.mode === 'full' && tally.judged > 0 && { rto: { measuredSeconds: seen.restoreSeconds } }),
    ...limitOf(request, seen, population),
    ...verdict,
  }
}

/** Only for what was drawn at random, and only while nothing failed: else the failures are the news. */
function limitOf(
  { wanted }: TestRequest,
  { tally: { tally }, random, isShaped }: Seen,
  population: { files: number; folders: number },
): {
  limit?: TestResult['limit']
} {
  if (wanted.mode === 'requested' || isShaped || tally.failed > 0 || random.conclusive === 0) return {}
  const byFiles = defectLimit(population.files, random.conclusive)
  // Damage comes in packs, and a pack holds neighbours: folders are the more careful unit.
  const byFolders = wanted.mode === 'full' ? byFiles : defectLimit(population.folders, random.folders.size)
  return {
    limit: { confidence: CONFIDENCE, maxDefectRate: Math.max(byFiles, byFolders), byFiles, byFolders },
  }
}

function spent(budgetBytes: number, neededBytes: number | null): BevisError {
  const why = neededBytes === null ? 'was used up first' : `is less than the ${neededBytes} to be restored`
  return new BevisError('BUDGET_SPENT', `the budget of ${budgetBytes} bytes ${why}`)
}

function notFound(paths: readonly BytePath[]): BevisError {
  return new BevisError(
    'NOTHING_TO_TEST',
    `not in this snapshot: ${paths.map(pathText).join(', ')}`.slice(0, 2_000),
  )
}

function asError(cause: unknown, signal: AbortSignal | undefined): BevisError {
  if (signal?.aborted) return new BevisError('INTERRUPTED', 'the test was stopped', { cause })
  if (cause instanceof BevisError) return cause
  if (['ENOSPC', 'EDQUOT'].includes(errnoOf(cause)))
    return new BevisError('SCRATCH_FULL', errorMessageOf(cause), { cause })
  return new BevisError(errorCodeOf(cause), errorMessageOf(cause), { cause })
}
