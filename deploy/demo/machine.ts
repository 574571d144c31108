import { execFileSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A port of the loopback address that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/**
 * Empties the demo's folder and makes it anew, for its owner only.
 * @throws Error when another demo of this clone still runs
 */
export function makeFolder(folder: string): void {
  const pidFile = join(folder, 'pid')
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0
  if (pid > 0 && isAlive(pid))
    throw new Error(`another demo of this clone runs (process ${pid}): end it with Ctrl-C`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { mode: 0o700 })
  for (const inner of ['home', 'tmp', 'repositories']) mkdirSync(join(folder, inner), { mode: 0o700 })
  writeFileSync(pidFile, String(process.pid))
}

function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('deploy/demo.ts')
  } catch {
    return false
  }
}

/** Makes a restic repository. @returns its ID, 64 hex digits */
export function makeRepository(repository: string, passwordFile: string, env: NodeJS.ProcessEnv): string {
  const restic = (...args: string[]) =>
    execFileSync('restic', ['-r', repository, '--password-file', passwordFile, '--no-cache', ...args], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  restic('init')
  const { id } = JSON.parse(restic('cat', 'config')) as { id: string }
  return id
}

/** Asks again until `isSo`, or until the time is over or the program that it waits for has ended. */
export async function waitUntil(
  isSo: () => Promise<boolean>,
  seconds: number,
  program?: ChildProcess,
): Promise<boolean> {
  const until = performance.now() + seconds * 1000
  while (performance.now() < until && (program === undefined || program.exitCode === null)) {
    if (await isSo()) return true
    await sleep(250)
  }
  return isSo()
}

/** Whether an address answers with success. */
export async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok
  } catch {
    return false
  }
}
