import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCommand } from './local-command.ts'
import type { CommandRequest } from './local-command.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'bevis-command-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const env = { PATH: '/usr/bin:/bin', KNOWN: 'yes' }
const shell = (script: string, more: Partial<CommandRequest> = {}) =>
  runCommand({ argv: ['/bin/sh', '-c', script], env, timeoutMs: 10_000, cwd: folder, ...more })
const pidIn = (name: string) => Number(readFileSync(join(folder, name), 'utf8'))
const isAlive = (pid: number) => {
  try {
    // A zombie that nobody has buried yet is dead enough.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

test('status, output and nothing of our environment', async () => {
  expect(await shell('echo "$KNOWN$HOME"; exit 3')).toEqual({
    ended: 'badly',
    how: 'ended with status 3',
    status: 3,
    output: 'yes',
  })
  expect(await shell(':')).toMatchObject({ ended: 'well', output: '' })
  expect(await shell('kill -9 $$')).toMatchObject({ ended: 'badly', how: 'was ended by SIGKILL' })
})

test('arguments are no shell text', async () => {
  const { output } = await runCommand({ argv: ['/bin/echo', '$(id); *', '&'], env, timeoutMs: 5_000 })
  expect(output).toBe('$(id); * &')
})

test('what cannot be started says so', async () => {
  expect(await runCommand({ argv: ['/nowhere/x'], env, timeoutMs: 5_000 })).toMatchObject({
    ended: 'not-started',
    how: expect.stringContaining('ENOENT') as string,
  })
})

test('only the end of the output is kept, without what a terminal would obey', async () => {
  const { output } = await shell("yes line | head -n 5000; printf '\\033[2Jend\\n'")
  expect(output.length).toBeLessThanOrEqual(4_096)
  expect(output).toMatch(/line \[2Jend$/)
})

test.each<[string, (stopping: AbortController) => Partial<CommandRequest>, object]>([
  ['a timeout', () => ({ timeoutMs: 300 }), { ended: 'timeout' }],
  ['an abort', (stopping) => ({ signal: stopping.signal }), { ended: 'aborted', how: 'was stopped' }],
])('%s ends the whole process group, also what ignores SIGTERM', async (_, options, ending) => {
  const stopping = new AbortController()
  const running = shell(`trap '' TERM; (trap '' TERM; sleep 60) & echo $! > child; sleep 60`, {
    ...options(stopping),
    killAfterMs: 200,
  })
  await expect.poll(() => existsSync(join(folder, 'child'))).toBe(true)
  stopping.abort()
  expect(await running).toMatchObject(ending)
  await expect.poll(() => isAlive(pidIn('child'))).toBe(false)
})

test('a process that it leaves behind on purpose holds nobody up, and lives unless it is to be killed', async () => {
  const startedAt = performance.now()
  expect(await shell('sleep 5 & echo $! > child')).toMatchObject({ ended: 'well' })
  expect(performance.now() - startedAt).toBeLessThan(4_000)
  expect(isAlive(pidIn('child'))).toBe(true)
  process.kill(pidIn('child'))
  await shell('sleep 60 & echo $! > child', { killsRest: true })
  await sleep(50)
  await expect.poll(() => isAlive(pidIn('child'))).toBe(false)
})

test('a limit of months is none of a millisecond', async () => {
  expect(await shell('sleep 0.3', { timeoutMs: 90 * 86_400_000 })).toMatchObject({ ended: 'well' })
})

test('nothing is started once the run has been stopped', async () => {
  expect(await shell('touch here', { signal: AbortSignal.abort() })).toMatchObject({ ended: 'aborted' })
  expect(existsSync(join(folder, 'here'))).toBe(false)
})
