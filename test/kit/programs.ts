/** The real programs of this workspace, each in its own process, as anyone would run them. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const PROGRAMS = {
  agent: join(root, 'agent/src/main.ts'),
  collector: join(root, 'collector/src/main.ts'),
  verify: join(root, 'shared/src/verify/main.ts'),
}

export type Program = keyof typeof PROGRAMS

/** The command line of a program, for whoever starts it otherwise. */
export function commandOf(program: Program, ...args: string[]): string[] {
  return [process.execPath, PROGRAMS[program], ...args]
}

/**
 * Starts a program in a process group of its own, with its output in a file. It ends with the test, however
 * that ends: a service that outlives an interrupted run would hold its port and its files.
 */
export function start(program: Program, args: readonly string[], log: string): ChildProcess {
  const output = openSync(log, 'a')
  return spawn('setpriv', ['--pdeathsig', 'KILL', ...commandOf(program, ...args)], {
    stdio: ['ignore', output, output],
    detached: true,
  })
}

/** Ends a program and everything it started, without a chance to say goodbye. */
export async function killHard(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = once(child, 'exit')
  process.kill(-child.pid, 'SIGKILL')
  await gone
}

/** Runs a program to its end. */
export async function run(
  program: Program,
  args: readonly string[],
): Promise<{ exit: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAMS[program], ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  const [exit] = (await once(child, 'close')) as [number | null]
  return { exit, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
}

/** Runs a program that must end well, and reads what it printed as JSON. */
export async function runJson(program: Program, ...args: string[]): Promise<unknown> {
  const { exit, stdout, stderr } = await run(program, [...args, '--json'])
  if (exit !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${exit}: ${stderr}${stdout}`)
  return JSON.parse(stdout) as unknown
}
