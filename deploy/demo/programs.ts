import { spawn, type ChildProcess } from 'node:child_process'
import { openSync } from 'node:fs'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export const clone = resolve(import.meta.dirname, '../..')

const PROGRAMS = {
  agent: 'agent/src/main.ts',
  collector: 'collector/src/main.ts',
  verify: 'shared/src/verify/main.ts',
} as const
export type Program = keyof typeof PROGRAMS

/** How a program answered. */
export interface Answer {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
  /** What it printed, where that is JSON; else null. */
  readonly json: unknown
}

/** The real programs of this clone, run as anyone would run them, each in its own process. */
export class Programs {
  readonly #env: NodeJS.ProcessEnv
  readonly #running = new Set<ChildProcess>()

  /** `env` is all that the programs see of the environment. */
  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env
  }

  /** How people run a program from the clone. */
  commandOf(program: Program, ...args: readonly string[]): string {
    return ['node_modules/.bin/node', PROGRAMS[program], ...args].join(' ')
  }

  /** Runs a program to its end. */
  async run(program: Program, args: readonly string[], extraEnv: NodeJS.ProcessEnv = {}): Promise<Answer> {
    const child = this.#spawn(program, args, extraEnv, 'pipe')
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
    const [exit] = (await once(child, 'close')) as [number | null]
    const text = stdout()
    return { exit: exit ?? 255, stdout: text, stderr: stderr(), json: parseOrNull(text) }
  }

  /** Starts a program that stays, with its output in `log`. It gets no Ctrl-C from the terminal, only ours. */
  start(program: Program, args: readonly string[], log: string): ChildProcess {
    const output = openSync(log, 'a', 0o600)
    return this.#spawn(program, args, {}, output)
  }

  /** Asks a program to end, and makes it after 30 seconds. @returns its exit status, null when it had to be made */
  async stop(child: ChildProcess): Promise<number | null> {
    if (!this.#running.has(child)) return child.exitCode
    const ended = once(child, 'close').then(() => child.exitCode)
    child.kill('SIGTERM')
    const exit = await Promise.race([ended, sleep(30_000, null, { ref: false })])
    if (exit === null) child.kill('SIGKILL')
    return exit
  }

  /** Ends what still runs, the last one first: the agent before its collector. */
  async stopAll(): Promise<void> {
    for (const child of [...this.#running].toReversed()) await this.stop(child)
  }

  #spawn(
    program: Program,
    args: readonly string[],
    extraEnv: NodeJS.ProcessEnv,
    output: 'pipe' | number,
  ): ChildProcess {
    const child = spawn(process.execPath, [join(clone, PROGRAMS[program]), ...args], {
      cwd: clone,
      env: { ...this.#env, ...extraEnv },
      stdio: ['ignore', output, output],
      detached: true,
    })
    this.#running.add(child)
    child.on('close', () => this.#running.delete(child))
    return child
  }
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = []
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

/** A value inside parsed JSON, or undefined where the way ends. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  )
}

/** A list inside parsed JSON; empty where there is none. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? (found as readonly unknown[]) : []
}
