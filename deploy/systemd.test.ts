import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

const units = ['bevis-agent.service', 'bevis-collector.service']
const missing = spawnSync('systemd-analyze', ['--version']).status !== 0

describe('the systemd units', () => {
  beforeEach(({ skip }) => skip(missing, 'systemd-analyze is not installed: apt-get install systemd'))

  const root = mkdtempSync(join(tmpdir(), 'bevis-units-'))
  beforeAll(() => {
    const folder = join(root, 'etc/systemd/system')
    mkdirSync(folder, { recursive: true })
    mkdirSync(join(root, 'opt/bevis/bin'), { recursive: true })
    for (const unit of units) {
      copyFileSync(join(import.meta.dirname, 'systemd', unit), join(folder, unit))
      const program = join(root, 'opt/bevis/bin', unit.replace('.service', ''))
      writeFileSync(program, '#!/bin/sh\n')
      chmodSync(program, 0o755)
    }
    // What every system has, and verify asks for.
    for (const name of ['sysinit', 'basic', 'shutdown', 'network-online', 'time-sync']) {
      writeFileSync(join(folder, `${name}.target`), `[Unit]\nDescription=${name}\n`)
    }
  })
  afterAll(() => rmSync(root, { recursive: true }))

  test.each(units)('%s: systemd-analyze verify finds nothing', (unit) => {
    const { status, stderr } = spawnSync(
      'systemd-analyze',
      ['verify', `--root=${root}`, '--man=no', '--recursive-errors=no', unit],
      { encoding: 'utf8' },
    )
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  test('what a restore test sets, the agent may set: modes with setuid and setgid too', () => {
    const unit = readFileSync(join(import.meta.dirname, 'systemd', 'bevis-agent.service'), 'utf8')
    expect(unit).not.toMatch(/^RestrictSUIDSGID=yes/m)
  })

  test.each(units)('%s: exposed at most 2.1 of 10', (unit) => {
    const file = join(import.meta.dirname, 'systemd', unit)
    const told = execFileSync(
      'systemd-analyze',
      ['security', '--offline=true', '--no-pager', '--threshold=21', file],
      { encoding: 'utf8' },
    )
    const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(told)?.[1]
    expect(Number(exposure)).toBeLessThanOrEqual(2.1)
  })
})
