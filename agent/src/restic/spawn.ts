import { readFileSync } from 'node:fs'
import type { WriteStream } from 'node:fs'
import { constants } from 'node:os'
import { isAbsolute } from 'node:path'
import type { Readable } from 'node:stream'
import { execa } from 'execa'
import type { ItemError, Limits } from './interface.ts'
import { LineCutter } from './lines.ts'
import { errorMessage } from './messages.ts'
import type { ErrorMessage } from './messages.ts'
import type { Program } from './program.ts'
import { itemErrorOf } from './stderr.ts'
import { messageOfItem } from './item-error.ts'

const KEPT_ITEMS = 10_000
const KEPT_LINES = 60
/** Moved through system calls between two looks; less than that is a retry, not progress. */
const MOVED_BYTES = 64 * 1024

export interface SpawnOptions extends Limits {
  /** Beside the global options, which stand before */
  args: readonly string[]
  /** Instead of the usual one */
  cacheDir?: string
  /** Open already: restic writes into the file itself, not through us */
  stdoutFile?: WriteStream
  /** restic works on one processor at a time: where it does one thing after the other, more only cost */
  isSerial?: boolean
  /** How often restic tells how far it is; once a second when left out */
  statusPerSecond?: number
  /** The command gives no sign of progress of its own: the bytes that the process moves are taken for it */
  watchBytes?: boolean
  /** Each line of stderr that is no item's error, as it comes */
  onSaid?: (line: string) => void
}

export type StopReason = 'abort' | 'deadline' | 'stall' | 'unwanted'

/** How a restic process ended. */
export interface Ending {
  exitCode: number
  signalled: boolean
  /** The storage is no folder of this machine */
  isRemote: boolean
  stopped?: StopReason
  /** Could not be started at all, or was ended at once */
  failure?: NodeJS.ErrnoException
  /** The last lines of stderr that are no JSON, and the message that restic ended with */
  text: string
  items: ItemError[]
  itemCount: number
}

export interface Running {
  readonly pid: number | undefined
  /** undefined when stdout goes to a file, or restic could not be started */
  readonly stdout: Readable | undefined
  /** Never rejects. Resolves when the process has ended and its pipes are empty */
  readonly ending: Promise<Ending>
  /** Something new came: the stall watchdog starts anew */
  progress: () => void
  /** What came is being used: until the next progress it is not restic that others wait for */
  rest: () => void
  stop(reason: StopReason): void
  hold: () => void
  resume: () => void
}

/** Starts restic: stdin closed, the environment exactly as in `program`, two watchdogs, a clean stop. */
export function spawnRestic(program: Program, options: SpawnOptions): Running {
  const { signal, deadlineMs, stallMs } = options
  const startedAt = program.now()
  const child = execa(program.binary, [...options.args], {
    env: {
      ...program.variables,
      ...(options.cacheDir !== undefined && { RESTIC_CACHE_DIR: options.cacheDir }),
      ...(options.statusPerSecond !== undefined && { RESTIC_PROGRESS_FPS: `${options.statusPerSecond}` }),
      ...(options.isSerial === true && { GOMAXPROCS: '1' }),
    },
    extendEnv: false,
    stdin: 'ignore',
    stdout: options.stdoutFile ?? 'pipe',
    stderr: 'pipe',
    buffer: false,
    reject: false,
    encoding: 'buffer',
    forceKillAfterDelay: false,
  })
  const { pid } = child
  const ended = new AbortController()
  let stopped: StopReason | undefined
  let held = false
  let idleSince = performance.now()
  const since = idleSince
  let unnoted: Error | undefined
  let forget: (() => void) | undefined
  try {
    if (pid !== undefined) forget = program.ownProcesses.remember(pid, startedAt)
  } catch (cause) {
    // Nobody would know its lock again. It has none yet, so it can end at once.
    unnoted = new Error(`it was ended, because its process could not be noted: ${String(cause)}`, { cause })
    stopped = 'unwanted'
    child.kill('SIGKILL')
  }

  const stop = (reason: StopReason): void => {
    if (stopped !== undefined || ended.signal.aborted) return
    stopped = reason
    // Before 0.17 SIGTERM ends restic on the spot and leaves its lock behind (restic issue 4703).
    child.kill(program.capabilities.cleanSigterm ? 'SIGTERM' : 'SIGINT')
    if (held) child.kill('SIGCONT')
    const force = setTimeout(() => child.kill('SIGKILL'), program.killAfterMs)
    ended.signal.addEventListener('abort', () => clearTimeout(force))
  }

  let moved = 0
  const look = (): void => {
    const time = performance.now()
    if (held) idleSince = time
    if (options.watchBytes === true && pid !== undefined) {
      const bytes = movedBytes(pid)
      if (bytes - moved > MOVED_BYTES) idleSince = time
      moved = Math.max(moved, bytes)
    }
    if (deadlineMs !== undefined && time - since > deadlineMs) stop('deadline')
    else if (stallMs !== undefined && time - idleSince > stallMs) stop('stall')
  }
  const everyMs = Math.max(20, Math.min(1_000, (stallMs ?? 10_000) / 5, (deadlineMs ?? 10_000) / 5))
  const watchdog = setInterval(look, everyMs)
  const onAbort = (): void => stop('abort')
  signal?.addEventListener('abort', onAbort)
  if (signal?.aborted === true) stop('abort')

  const said = readStderr(child.stderr, program.redact, options.onSaid)
  const ending = (async (): Promise<Ending> => {
    const result = await child
    const { text, items, itemCount } = await said
    ended.abort()
    clearInterval(watchdog)
    signal?.removeEventListener('abort', onAbort)
    const signalled = result.signal !== undefined
    // Whatever did not end with 0 may have left a lock; unlockOwn looks, and forgets.
    if (result.exitCode === 0) forget?.()
    const code =
      result.exitCode ?? (result.signal === undefined ? -1 : 128 + constants.signals[result.signal])
    const failure = pid === undefined ? (result.cause as NodeJS.ErrnoException | undefined) : unnoted
    return {
      exitCode: code,
      signalled,
      isRemote: !isAbsolute(program.location.replace(/^local:/, '')),
      text,
      items,
      itemCount,
      ...(stopped !== undefined && { stopped }),
      ...(failure && { failure }),
    }
  })()

  return {
    pid,
    stdout: child.stdout ?? undefined,
    ending,
    stop,
    progress: () => {
      idleSince = performance.now()
    },
    rest: () => {
      idleSince = Number.POSITIVE_INFINITY
    },
    hold: () => {
      if (held || ended.signal.aborted || stopped !== undefined) return
      held = child.kill('SIGSTOP')
    },
    resume: () => {
      if (!held) return
      held = false
      idleSince = performance.now()
      if (!ended.signal.aborted) child.kill('SIGCONT')
    },
  }
}

/** Errors per item, the message that restic ended with, and the last lines of anything else. */
async function readStderr(
  stderr: Readable | null,
  redact: (text: string) => string,
  onSaid: ((line: string) => void) | undefined,
): Promise<Pick<Ending, 'text' | 'items' | 'itemCount'>> {
  const lines: string[] = []
  const items: ItemError[] = []
  let itemCount = 0
  const takeItem = (item: ItemError): void => {
    itemCount += 1
    if (items.length < KEPT_ITEMS) items.push({ ...item, message: redact(item.message) })
  }
  const take = (line: string): void => {
    const message = line.startsWith('{') ? parseErrorMessage(line) : undefined
    if (message?.message_type === 'error') return takeItem(messageOfItem(message))
    // An error that we do not understand is an error still.
    if (!message && line.startsWith('{')) takeItem({ message: line.slice(0, 2_000) })
    const text = message?.message ?? line
    const item = message ? undefined : itemErrorOf(text)
    if (item) takeItem(item)
    if (text.trim() === '') return
    const said = redact(text.slice(0, 4_000))
    onSaid?.(said)
    lines.push(said)
    if (lines.length > KEPT_LINES) lines.splice(KEPT_LINES / 2, 1) // the first lines tell the cause, the last the end
  }
  const cutter = new LineCutter()
  try {
    for await (const chunk of stderr ?? []) for (const line of cutter.push(chunk as Buffer)) take(line)
    take(cutter.end())
  } catch (error) {
    lines.push(`what restic said further could not be read: ${String(error)}`)
    stderr?.destroy()
  }
  return { text: lines.join('\n'), items, itemCount }
}

function parseErrorMessage(
  line: string,
): ErrorMessage | { message_type: 'exit_error'; message: string } | undefined {
  try {
    return errorMessage.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}

/** proc(5): bytes read and written through system calls, sockets included; 0 where the system does not say. */
function movedBytes(pid: number): number {
  try {
    const io = readFileSync(`/proc/${pid}/io`, 'latin1')
    return Number(/^rchar: (\d+)/m.exec(io)?.[1] ?? 0) + Number(/^wchar: (\d+)/m.exec(io)?.[1] ?? 0)
  } catch {
    return 0
  }
}
