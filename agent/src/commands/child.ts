import { spawn } from 'node:child_process'
import { ERROR_CODES, ERRORS } from '@bevis/shared/error'
import type { ErrorCode } from '@bevis/shared/error'

/** How a command that ran in a process of its own ended. */
export interface ChildEnding {
  /** The exit status; null when a signal ended it. */
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  /** Its error's code, where it told one. */
  readonly code: ErrorCode | null
  /** It ended in a way that our commands never do: a fault of ours, or somebody killed it. */
  readonly isCrash: boolean
  /** What it printed. */
  readonly output: string
  /** The end of what it wrote to standard error. */
  readonly said: string
}

export interface Child {
  readonly ended: Promise<ChildEnding>
  /** Asks it to end cleanly. */
  readonly stop: () => void
}

const MOST_OUTPUT = 4 * 1024 * 1024

/** Runs one of our commands with --json in a process of its own, so that what it loads and leaks ends with it. */
export function startChild(program: string, args: readonly string[]): Child {
  const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let said = ''
  child.stdout
    .setEncoding('utf8')
    .on('data', (text: string) => (output = (output + text).slice(-MOST_OUTPUT)))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4096)))
  const ended = new Promise<ChildEnding>((resolve) => {
    child.on('error', (error) => {
      resolve({ status: null, signal: null, code: 'INTERNAL', isCrash: true, output, said: error.message })
    })
    child.on('close', (status, signal) => {
      const answer = readAnswer(output)
      // Node's own status for an exception that nobody caught is 1 too: only an answer makes it ours.
      const isOurs =
        answer !== null && (status === 0 || status === 1 || (status === 2 && answer.code !== null))
      const code = answer?.code ?? null
      resolve({ status, signal, code, isCrash: !isOurs, output, said: said.trim() })
    })
  })
  return { ended, stop: () => void child.kill('SIGTERM') }
}

/** What was found, rather than what hindered finding: the same again tonight would find the same. */
const FINDINGS: ReadonlySet<ErrorCode> = new Set([
  'NOTHING_TO_TEST',
  'NOT_ENOUGH_CONCLUSIVE',
  'BUDGET_SPENT',
  'PROBE_INCONCLUSIVE',
  'RESTIC_SOURCE_INCOMPLETE',
])

/** Whether what hindered it may pass by itself, so that trying again soon is worth it. */
export function isPassing({ status, isCrash, code }: ChildEnding): boolean {
  if (isCrash) return true
  return status === 2 && code !== null && ERRORS[code].retry !== 'never' && !FINDINGS.has(code)
}

/** The answer of a command, or null when it gave none. */
function readAnswer(output: string): { code: ErrorCode | null } | null {
  try {
    const { error } = JSON.parse(output) as { error?: { code?: string } | null }
    return { code: ERROR_CODES.find((code) => code === error?.code) ?? null }
  } catch {
    return null
  }
}
