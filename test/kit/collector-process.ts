/** The collector as its own process, as systemd would run it. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const MAIN = resolve(import.meta.dirname, '../../collector/src/main.ts')

export interface Ended {
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs one command to its end. */
export async function runCollector(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } })
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)]
  const [exit] = (await once(child, 'close')) as [number | null]
  return { exit, stdout: await stdout, stderr: await stderr }
}

/** Starts `serve`; somebody else finds out when it is ready. */
export function spawnServe(config: string): ChildProcess {
  return spawn(process.execPath, [MAIN, 'serve', '--config', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** Starts `serve`, and waits until it takes evidence. */
export async function startServe(config: string, url: string): Promise<ChildProcess> {
  const child = spawnServe(config)
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) throw new Error(`serve ended with ${child.exitCode}`)
    const ready = await fetch(`${url}/readyz`).catch(() => null)
    if (ready?.status === 200) return child
    await sleep(50)
  }
  child.kill('SIGKILL')
  throw new Error('serve did not become ready')
}

export function writeConfig(folder: string, port: number, more: readonly string[] = []): string {
  const file = join(folder, 'collector.yaml')
  const lines = [
    `listen: 127.0.0.1:${port}`,
    'origin: collector.test/log',
    `publicUrl: http://127.0.0.1:${port}`,
    `state: ${join(folder, 'state')}`,
    `checkpointFile: ${join(folder, 'elsewhere', 'checkpoint.latest')}`,
    'requestsPerMinute: 1000000',
    'logLevel: fatal',
    ...more,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}
