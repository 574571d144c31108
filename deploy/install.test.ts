import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { install, uninstall } from './install.ts'

const root = mkdtempSync(join(tmpdir(), 'bevis-install-'))
const staged = { root, prefix: '/opt/bevis' }
afterAll(() => rmSync(root, { recursive: true }))

const filesLeft = () =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .toSorted()

const run = (program: string, ...args: string[]) =>
  execFileSync(join(root, 'opt/bevis/bin', `bevis-${program}`), args, {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin' },
  })

test('the bundles run under the private Node, twice installed is once, and removal leaves only state', async () => {
  await install('agent', staged)
  await install('collector', staged)
  const once = filesLeft()
  await install('agent', staged)
  expect(filesLeft()).toEqual(once)

  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string
  }
  for (const program of ['agent', 'collector', 'verify']) {
    expect(run(program, '--help')).toContain(`bevis-${program}`)
    if (program !== 'verify') expect(run(program, '--version')).toContain(version)
  }
  // By the link in PATH's folder too.
  const link = join(root, 'usr/local/bin/bevis-verify')
  expect(execFileSync(link, ['--version'], { encoding: 'utf8' })).toContain(version)
  const unit = readFileSync(join(root, 'etc/systemd/system/bevis-agent.service'), 'utf8')
  expect(unit).toContain('ExecStart=/opt/bevis/bin/bevis-agent run')

  const state = '/var/lib/bevis/state.db'
  mkdirSync(join(root, 'var/lib/bevis'), { recursive: true })
  writeFileSync(join(root, state), 'state')
  mkdirSync(join(root, 'etc/bevis/secrets'), { recursive: true })
  const secret = '/etc/bevis/secrets/shop.pass'
  writeFileSync(join(root, secret), 'secret')
  writeFileSync(join(root, 'etc/bevis/agent.yaml'), '# edited')
  await install('agent', staged)
  expect(readFileSync(join(root, 'etc/bevis/agent.yaml'), 'utf8')).toBe('# edited')

  uninstall('agent', staged, false)
  expect(filesLeft()).toContain('/opt/bevis/lib/node')
  expect(filesLeft().filter((file) => file.includes('agent'))).toEqual(['/etc/bevis/agent.yaml'])
  uninstall('collector', staged, false)
  expect(filesLeft()).toEqual(['/etc/bevis/agent.yaml', '/etc/bevis/collector.yaml', secret, state])
  uninstall('agent', staged, true)
  uninstall('collector', staged, true)
  expect(filesLeft()).toEqual([secret])
  rmSync(join(root, secret))
  uninstall('agent', staged, true)
  expect(readdirSync(root)).toEqual([])
})
