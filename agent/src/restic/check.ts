import { errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { z } from 'zod'
import { assertEndedWell, failureOf } from './failure.ts'
import type { CheckRequest, CheckRun, Limits, RunError } from './interface.ts'
import { parseOutput } from './json.ts'
import { LineCutter } from './lines.ts'
import { checkSummary } from './messages.ts'
import { subsetBytes } from './packs.ts'
import type { Program } from './program.ts'
import { lockArgs } from './short.ts'
import { spawnRestic } from './spawn.ts'
import type { Ending, Running } from './spawn.ts'
import { isCheckedThrough, isFinding, isTransportFinding } from './stderr.ts'

const KEPT_MESSAGES = 100

/** restic's own check of its structure, and of a part of the packs byte by byte. Takes an exclusive lock. */
export async function check(program: Program, request: CheckRequest = {}): Promise<CheckRun> {
  const { subset } = request
  const startedAt = program.now()
  const found = new Findings()
  const running: Running = spawnRestic(program, {
    ...request,
    watchBytes: true,
    args: [
      'check',
      ...(program.capabilities.checkJson ? ['--json'] : []),
      ...lockArgs(program, request),
      ...(subset ? [`--read-data-subset=${subset.part}/${subset.of}`] : []),
    ],
    onSaid: (line) => {
      // 0.14 tries a missing pack for 50 s: that is work, too.
      if (found.take(line)) running.progress()
    },
  })
  const output = await readOutput(running).catch((): Output => ({ text: '' }))
  const ending = await running.ending
  for (const { message } of ending.items) found.take(message)
  const fault = errorOf(program, ending, output, found)
  const isReached = fault ? isReadThrough(ending, output, found) : true
  const sizeBytes = isReached && subset && !hasForeignPacks(output) ? subsetBytes(program, subset) : undefined
  // A slice may hold nothing; a repository that holds nothing has nothing that could be sound.
  const nothing = fault || !subset || (sizeBytes ?? 0) > 0 ? undefined : await lackOfPacks(program, request)
  const error = fault ?? nothing
  const isRead = isReached && !nothing
  const readBytes = isRead ? sizeBytes : undefined
  return {
    exitCode: ending.exitCode,
    startedAt,
    endedAt: program.now(),
    errorCount: error ? Math.max(1, output.summary?.num_errors ?? found.count) : 0,
    messages: error ? messagesOf(ending) : [],
    isRead: isRead && subset !== undefined,
    ...(readBytes !== undefined && { readBytes }),
    ...(error && { error }),
  }
}

/** Why a check without findings says nothing: there is no pack in the whole repository, or nobody can say. */
async function lackOfPacks(program: Program, limits: Limits): Promise<RunError | undefined> {
  try {
    if (await hasPacks(program, limits)) return undefined
    const message = `the repository ${program.location} holds no data at all, so there was nothing to read`
    return { code: 'NOTHING_TO_TEST', message }
  } catch (error) {
    return { code: errorCodeOf(error), message: errorMessageOf(error) }
  }
}

/** Ends restic at the first pack that it names. */
async function hasPacks(program: Program, { signal, stallMs, deadlineMs }: Limits): Promise<boolean> {
  const args = ['list', 'packs', '--no-lock']
  const limits = {
    ...(signal && { signal }),
    ...(stallMs !== undefined && { stallMs }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  }
  const running = spawnRestic(program, { ...limits, watchBytes: true, args })
  let isFound = false
  for await (const _ of running.stdout ?? []) {
    isFound = true
    running.stop('unwanted')
    break
  }
  const ending = await running.ending
  if (!isFound) assertEndedWell(ending, `restic list packs at ${program.location}`)
  return isFound
}

/** What restic complains about: counted as it comes, since only some lines are kept. */
class Findings {
  count = 0
  transport = 0

  take(line: string): boolean {
    if (!isFinding(line)) return false
    this.count += 1
    if (isTransportFinding(line)) this.transport += 1
    return true
  }
}

interface Output {
  /** What it printed before 0.18 */
  text: string
  /** Absent where there is none that can be read */
  summary?: z.infer<typeof checkSummary>
}

/** restic calls it damage, too, when it could not fetch what it wanted to look at. */
function errorOf(
  program: Program,
  ending: Ending,
  { text, summary }: Output,
  found: Findings,
): RunError | undefined {
  const failure = failureOf(ending)
  if (failure) {
    if (ending.stopped !== undefined || !isCheckedThrough(ending.text)) return failure
    const onlyTransport = found.count > 0 && found.transport === found.count
    const isBroken = (summary?.broken_packs ?? []).length > 0 || !onlyTransport
    return { ...failure, code: isBroken ? 'RESTIC_REPOSITORY_DAMAGED' : 'RESTIC_REPOSITORY_UNREACHABLE' }
  }
  if (program.capabilities.checkJson ? summary?.num_errors === 0 : /^no errors were found$/m.test(text))
    return undefined
  const message = `restic check ended with 0 and reports ${summary?.num_errors ?? 'no number of'} errors`
  return { code: 'RESTIC_OUTPUT_INVALID', message }
}

/** An index that cannot be loaded ends the check before it reads a pack. */
function isReadThrough(ending: Ending, { text, summary }: Output, { transport }: Findings): boolean {
  if (ending.stopped !== undefined || transport > 0 || !isCheckedThrough(ending.text)) return false
  if (!summary) return /^read group #/m.test(text)
  return !summary.suggest_repair_index || summary.broken_packs !== null
}

/** Packs that no index knows are not read, but have a size. */
function hasForeignPacks({ text, summary }: Output): boolean {
  return summary?.suggest_prune ?? /additional files were found/.test(text)
}

function messagesOf({ items, text }: Ending): string[] {
  const messages = [...items.map(({ message }) => message), ...text.split('\n')]
  return messages
    .map((message) => message.trim())
    .filter((message) => message !== '')
    .slice(0, KEPT_MESSAGES)
}

const LONGEST_TEXT = 64 * 1024

async function readOutput(running: Running): Promise<Output> {
  const cutter = new LineCutter()
  let json: string | undefined
  let text = ''
  for await (const chunk of running.stdout ?? []) {
    for (const line of cutter.push(chunk as Buffer)) {
      if (line.startsWith('{')) json = line
      else text = `${text}${line}\n`.slice(-LONGEST_TEXT)
    }
  }
  if (json === undefined) return { text }
  return { text, summary: parseOutput(checkSummary, json, 'restic check') }
}
