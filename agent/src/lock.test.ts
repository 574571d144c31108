import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { lock, readHolder, tryLock } from './lock.ts'

const now = (): Date => new Date()
let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bevis-lock-'))
  file = join(folder, 'a.lock')
})

afterEach(() => rmSync(folder, { recursive: true }))

const HOLDING = `
  import { tryLock } from ${JSON.stringify(import.meta.resolve('./lock.ts'))}
  process.stdout.write(tryLock(process.argv[1], 'backup of shop', new Date()) === null ? 'no' : 'yes')
  setInterval(() => {}, 1000)
`

test('another process’s lock holds until that process is gone, kill -9 included', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDING, file], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  expect(said.toString()).toBe('yes')
  expect(tryLock(file, 'mine', now())).toBeNull()
  expect(readHolder(file)).toMatchObject({ pid: child.pid, what: 'backup of shop' })
  await expect(lock(file, 'mine', { waitMs: 0, now })).rejects.toMatchObject({
    code: 'STATE_LOCKED',
    message: expect.stringMatching(/^backup of shop \(process \d+, since .*\) is at work$/),
  })
  const waiting = lock(file, 'mine', { waitMs: 30_000, now })
  child.kill('SIGKILL')
  const held = await waiting
  expect(readHolder(file)).toMatchObject({ pid: process.pid, what: 'mine' })
  held.release()
})

test('a released lock can be taken again, in the same process too', () => {
  const first = tryLock(file, 'one', now())
  expect(tryLock(file, 'two', now())).toBeNull()
  first?.release()
  const second = tryLock(file, 'two', now())
  expect(second).not.toBeNull()
  second?.release()
})
