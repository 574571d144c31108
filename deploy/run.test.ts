import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const script = join(import.meta.dirname, 'run.mjs')

test('where restic cannot be had, one line says what to install', () => {
  const empty = mkdtempSync(join(tmpdir(), 'bevis-path-'))
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'demo'], {
    env: { PATH: empty, HOME: empty },
    encoding: 'utf8',
  })
  rmSync(empty, { recursive: true })
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(/^setup: restic is not on PATH and cannot be installed from here\. Run: .*restic\n$/)
})

test('an unknown task is told what there is', () => {
  const { status, stderr } = spawnSync(process.execPath, [script, 'dance'], { encoding: 'utf8' })
  expect(status).toBe(1)
  expect(stderr).toContain('demo|')
})

test.each([['--help'], ['demo', '--help'], ['install', 'agent', '-h'], []])(
  'help is asked for by %s',
  (...args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/install agent\|collector \[--root DIR\]/)
  },
)
