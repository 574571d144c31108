/**
 * One test of one snapshot: draw -> restore -> judge -> control -> decide. It gives a result whatever happens:
 * what keeps it from a verdict makes it INCONCLUSIVE and says why.
 */
import { BevisError, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import { parentOf, pathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { errnoOf } from '../tree/walk.ts'
import { bring } from './bring.ts'
import type { BringRequest } from './bring.ts'
import { COUNTS_AS } from './compare.ts'
import { openSpecimen, runControl } from './control.ts'
import type { ByteBudget, Choice, Drawn } from './draw.ts'
import { awaitedOf, onlyRead, pick } from './drawing.ts'
import type { Awaited } from './drawing.ts'
import { beginEarly } from './early.ts'
import type { Early } from './early.ts'
import { judge } from './judge.ts'
import type { Judged } from './judge.ts'
import { openMetadata } from './metadata.ts'
import { IS_ROOT, withExtras } from './metadata-account.ts'
import { openRecheck, recheckTimes } from './recheck.ts'
import type { TestRequest, Wanted } from './request.ts'
import { makeScratch } from './scratch.ts'
import type { Scratch } from './scratch.ts'
import { nothingSeen, resultOf, wantedFiles } from './seen.ts'
import type { Seen } from './seen.ts'
import { lookAtAll, openSound } from './sound.ts'
import type { SoundFiles } from './sound.ts'
import { Strata } from './strata.ts'
import type { TestResult } from './verdict.ts'

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

/** Where the next round's draw goes on; null when there is no next round. */
async function playRound(request: TestRequest, seen: Seen, after: string): Promise<string | null> {
  const { wanted } = request
  const missing = wanted.mode === 'sample' ? wanted.files - seen.random.conclusive : 0
  // Twice as many each time: a snapshot that proves little is through after a few restores, not after hundreds.
  const files = missing * 2 ** seen.rounds
  seen.rounds += 1
  const { budgetBytes: bytes = Infinity } = request
  const budget = { bytes, leftBytes: bytes - seen.drawn.bytes }
  const choice = choiceOf(request, { files, after, budget })
  const begun = await beginNow(request, seen)
  try {
    return await playDrawn(request, seen, { after, choice, bytes, begun })
  } finally {
    await begun?.early.cancel()
    await begun?.scratch.wipe()
  }
}

/** A full test needs no draw to know what to restore. Null where it is to wait for one all the same. */
async function beginNow(
  request: TestRequest,
  seen: Seen,
): Promise<{ scratch: Scratch; early: Early } | null> {
  const { wanted, restic, method = 'auto', budgetBytes } = request
  const canBegin = wanted.mode === 'full' && method !== 'disk' && restic.capabilities.restoreEvents
  if (!canBegin || budgetBytes !== undefined) return null
  // What is wrong with the scratch is told when the draw is there to be told with it.
  const scratch = await makeScratch(request.scratch).catch(() => null)
  if (!scratch) return null
  const remaining = (): number => remainingMs(request, seen.startedAt)
  const early = await beginEarly({ ...request, scratch, remainingMs: remaining })
  if (early) return { scratch, early }
  await scratch.wipe()
  return null
}

interface Drawing {
  readonly after: string
  readonly choice: Choice
  /** Of the budget. */
  readonly bytes: number
  readonly begun: { scratch: Scratch; early: Early } | null
}

async function playDrawn(
  request: TestRequest,
  seen: Seen,
  { after, choice, bytes, begun }: Drawing,
): Promise<string | null> {
  const { wanted, minimum } = request
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
  // Those that are there are restored all the same, and may fail; that all of them came back nobody may believe.
  if (drawn.absent && drawn.absent.length > 0) seen.error = notFound(drawn.absent)
  seen.drawn = { files: seen.drawn.files + drawn.files, bytes: seen.drawn.bytes + drawn.bytes }
  addStrata(seen, wanted, drawn)
  const scratch = begun?.scratch ?? (await makeScratch(request.scratch))
  const early = begun ? { early: begun.early } : {}
  try {
    await restoreAndJudge(request, seen, { scratch, drawn, ...awaited, ...early, isFirst: after === '' })
  } finally {
    if (!begun) await scratch.wipe()
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
  round: { scratch: Scratch; early?: Early; drawn: Drawn; isFirst: boolean } & Awaited,
): Promise<void> {
  const { pool, wanted, onProgress } = request
  const { scratch, early, drawn, files, kept, extras, isFirst } = round
  let restored = 0
  const bringing: BringRequest = {
    ...request,
    scratch,
    drawn: withExtras(drawn, extras),
    files,
    ...(early && { early }),
    ...(files &&
      wanted.mode === 'full' && {
        look: (target, isOver) => lookAtAll({ ...request, files, target, isOver }),
      }),
    nodes: drawn.includes === null ? (seen.population?.nodes ?? 0) : drawn.files,
    remainingMs: () => remainingMs(request, seen.startedAt),
    ...(onProgress && {
      onFile: () => onProgress({ step: 'restore', files: (restored += 1), totalFiles: drawn.files }),
    }),
  }
  const brought = await bring(bringing)
  const { target, streamed, complaintOf, says, isLooked } = brought
  seen.restoreSeconds += brought.seconds
  seen.isStreamed &&= streamed !== null
  seen.isCut ||= says !== 'all'
  seen.error ??= brought.error
  if (says === 'nothing') return

  const specimen = openSpecimen()
  const recheck = openRecheck()
  const metadata = openMetadata({
    comparesOwner: IS_ROOT,
    comparesFolders: drawn.includes === null && says === 'all',
  })
  const isWhole = wanted.mode === 'full' && says === 'all'
  const sound = isWhole && streamed ? openSound({ ...request, files: streamed, complaintOf }) : null
  if (sound && streamed && !isLooked)
    await lookAtAll({ ...request, files: streamed, target, isOver: () => true })
  const picked = kept ?? pick(request, drawn, isFirst && says === 'all', sound?.isLeft)
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
    if (sound) addSound(seen, sound)
    onProgress?.({ step: 'compare', files: seen.tally.tally.judged, totalFiles: seen.drawn.files })
  }
  if (sound) {
    addSound(seen, sound)
    assertAllJudged(seen)
  }
  const { compared, different } = metadata.tally
  const timely = await recheckTimes(recheck.suspects, bringing)
  seen.metadata.count({ compared, different: different - timely.length })
  for (const one of recheck.suspects) if (!timely.includes(one)) seen.metadata.noteTime(one)
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

function addSound({ tally, random, metadata }: Seen, sound: SoundFiles): void {
  const some = sound.take()
  tally.addSound(some)
  random.conclusive += some.files
  metadata.count({ compared: some.files, different: 0 })
}

/** What is told in numbers must be as many as what was drawn. */
function assertAllJudged({ tally: { tally }, drawn }: Seen): void {
  if (tally.judged === drawn.files) return
  throw new BevisError('INTERNAL', `${tally.judged} of ${drawn.files} files were judged`)
}

/** Only a sample's bound asks for folders, and a sample that has so many has a bound near 0. */
const MAX_FOLDERS = 100_000

function remainingMs({ deadlineMs = Infinity, now }: TestRequest, startedAt: Date): number {
  return deadlineMs - (now().getTime() - startedAt.getTime())
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
