/** A disk that is full or broken under a running collector: nothing is answered that is not durable, then it goes on. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { problemSchema } from '@bevis/shared/wire'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { CONTRACT, contractYaml, freePort } from '../kit/collector.ts'
import { runCollector, startServe, writeConfig } from '../kit/collector-process.ts'
import { FakeAgent, post } from '../kit/fake-agent.ts'

/** Makes system calls of a process fail until it is stopped. */
async function breakCalls(pid: number, rule: string): Promise<() => Promise<void>> {
  const call = rule.split(':')[0] ?? rule
  const args = [
    '-f',
    '-q',
    '-p',
    String(pid),
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${rule}`,
    '-o',
    '/dev/null',
  ]
  const strace = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void strace.kill('SIGINT'))
  const failed = once(strace, 'exit').then(([code]) => `strace ended with ${String(code)}`)
  const attached = new Promise<string>((resolve) => setTimeout(() => resolve('attached'), 1_000))
  expect(await Promise.race([attached, failed])).toBe('attached')
  return async () => {
    strace.kill('SIGINT')
    await once(strace, 'exit')
  }
}

/** Faults are injected with ptrace: by root, where strace is installed. */
const canInject = process.getuid?.() === 0 && spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0

describe('under faults of the disk', () => {
  beforeEach(({ skip }) => skip(!canInject, 'only root can inject faults, with strace'))

  test.each([
    ['the database’s disk is full', 'pwrite64:error=ENOSPC'],
    ['the database cannot be made durable', 'fdatasync,fsync:error=EIO'],
    ['the last head cannot be put in its place', 'rename:error=EIO'],
  ])('%s', async (_, rule) => {
    const folder = mkdtempSync(join(tmpdir(), 'bevis-disk-'))
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const config = writeConfig(folder, port)
    const run = async (...args: string[]) => {
      const ended = await runCollector([...args, '--config', config], { BEVIS_PASSWORD: 'a long password' })
      expect(ended.stderr).toBe('')
      return ended.stdout
    }
    await run('init', '--email', 'a@b.example')
    writeFileSync(join(folder, 'contract.yaml'), contractYaml())
    await run('contract', 'apply', join(folder, 'contract.yaml'))
    const serve = await startServe(config, url)
    onTestFinished(() => void serve.kill('SIGKILL'))
    const agent = new FakeAgent(await run('invite', '--contract', CONTRACT, '--host', 'web1'))
    await agent.enrol()
    const before = agent.many(3)
    await agent.send(before)
    const during = agent.many(3)
    const mend = await breakCalls(serve.pid ?? 0, rule)
    // Before anything is delivered: only the head's rename cannot be tried without a head.
    expect((await fetch(`${url}/readyz`)).status).toBe(rule.startsWith('rename') ? 200 : 503)
    for (let attempt = 0; attempt < 3; attempt++) {
      const { status, body } = await post(`${url}/v1/evidence`, {
        from: agent.last?.size ?? 0,
        envelopes: during,
      })
      expect(status).toBe(503)
      expect(problemSchema.parse(body).code).toBe('STORE_FAILED')
    }
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    await mend()
    const { answers } = await agent.send(during)
    expect(answers.every(({ outcome }) => outcome !== 'refused')).toBe(true)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect((await agent.send(before)).answers.map(({ outcome }) => outcome)).toEqual(
      Array(3).fill('duplicate'),
    )
    // The contract's text that was applied, the enrolment's two signatures, and every statement once.
    expect(agent.last?.size).toBe(1 + 2 + 6)
    serve.kill('SIGTERM')
    expect(await once(serve, 'exit')).toEqual([0, null])
    expect(await run('fsck')).toMatch(/^Clean/)
    rmSync(folder, { recursive: true, force: true })
  })
})
