/**
 * A command that this machine's own configuration names, such as a hook: no shell, its own process group, a
 * time limit, and no more of its output than a log can bear.
 */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorMessageOf } from '@bevis/shared/error'

export interface CommandRequest {
  /** An absolute path, and arguments as they are. */
  readonly argv: readonly [string, ...string[]]
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly cwd?: string
  readonly signal?: AbortSignal
  /** Only root can give another one. */
  readonly uid?: number
  readonly gid?: number
  /** What it left running is killed when it ends; on a timeout or an abort that is done anyway. */
  readonly killsRest?: boolean
  /** From the signal that asks it to end to the one that ends it. */
  readonly killAfterMs?: number
}

export interface CommandEnding {
  /** `well` is exit status 0. */
  readonly ended: 'well' | 'badly' | 'timeout' | 'aborted' | 'not-started'
  /** In words, without its output: `ended with status 3`. */
  readonly how: string
  readonly status: number | null
  /** The end of what it wrote to both streams; control characters are blanks. */
  readonly output: string
}

const OUTPUT_CHARACTERS = 4_096
const KILL_AFTER_MS = 10_000
/** 24 days: of a longer timer Node makes one of a millisecond. */
const LONGEST_MS = 2 ** 31 - 1

/** Never rejects. */
export async function runCommand(request: CommandRequest): Promise<CommandEnding> {
  const { argv, env, cwd, timeoutMs, signal, uid, gid } = request
  if (signal?.aborted) return { ended: 'aborted', how: 'was not started', status: null, output: '' }
  const [program, ...args] = argv
  let child: ChildProcessByStdio<null, Readable, Readable>
  try {
    child = spawn(program, args, {
      env,
      detached: true, // a process group of its own: what it starts is stopped with it
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd !== undefined && { cwd }),
      ...(uid !== undefined && { uid }),
      ...(gid !== undefined && { gid }),
    })
  } catch (error) {
    return { ...endingOf({ status: null, signal: null, error }, null, 0), status: null, output: '' }
  }
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream
      .setEncoding('utf8')
      .on('data', (text: string) => (output = (output + text).slice(-OUTPUT_CHARACTERS)))
  }
  const killGroup = (kill: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, kill)
    } catch {
      // Nothing of the group is left.
    }
  }
  let stopped: 'timeout' | 'aborted' | null = null
  let force: NodeJS.Timeout | undefined
  const stop = (why: 'timeout' | 'aborted'): void => {
    if (stopped !== null) return
    stopped = why
    killGroup('SIGTERM')
    force = setTimeout(() => killGroup('SIGKILL'), request.killAfterMs ?? KILL_AFTER_MS)
  }
  const limit = setTimeout(() => stop('timeout'), Math.min(timeoutMs, LONGEST_MS))
  const onAbort = (): void => stop('aborted')
  signal?.addEventListener('abort', onAbort)
  const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()))
  const exit = await new Promise<{ status: number | null; signal: string | null; error?: unknown }>(
    (resolve) => {
      child.once('error', (error) => resolve({ status: null, signal: null, error }))
      child.once('exit', (status, by) => resolve({ status, signal: by }))
    },
  )
  clearTimeout(limit)
  clearTimeout(force)
  signal?.removeEventListener('abort', onAbort)
  if (stopped !== null || request.killsRest === true) killGroup('SIGKILL')
  // Something that it left running may hold the pipes open for ever.
  await Promise.race([closed, sleep(500, undefined, { ref: false })])
  child.stdout.destroy()
  child.stderr.destroy()
  return { ...endingOf(exit, stopped, timeoutMs), status: exit.status, output: printable(output) }
}

function endingOf(
  { status, signal, error }: { status: number | null; signal: string | null; error?: unknown },
  stopped: 'timeout' | 'aborted' | null,
  timeoutMs: number,
): Pick<CommandEnding, 'ended' | 'how'> {
  if (error !== undefined)
    return { ended: 'not-started', how: `could not be started: ${errorMessageOf(error)}` }
  if (stopped === 'timeout')
    return { ended: 'timeout', how: `took longer than ${timeoutMs / 1000} s, and was stopped` }
  if (stopped === 'aborted') return { ended: 'aborted', how: 'was stopped' }
  if (status === 0) return { ended: 'well', how: 'ended well' }
  return { ended: 'badly', how: signal === null ? `ended with status ${status}` : `was ended by ${signal}` }
}

/** What others wrote goes to a log and a terminal: no escapes, one line. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
}
