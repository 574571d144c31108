/** The collector's commands as processes: what they print, how they end, and beside a server that runs. */
import type { ChildProcess } from 'node:child_process'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { CONTRACT, contractYaml, freePort } from '../kit/collector.ts'
import { runCollector, spawnServe, startServe, writeConfig } from '../kit/collector-process.ts'
import { FakeAgent } from '../kit/fake-agent.ts'

let folder: string
let port: number
let config: string
let serve: ChildProcess

const run = (...args: string[]) => runCollector([...args, '--config', config], { BEVIS_PASSWORD: '' })
async function done(...args: string[]): Promise<string> {
  const { exit, stdout, stderr } = await run(...args)
  expect([exit, stderr]).toEqual([0, ''])
  return stdout
}
const json = async (...args: string[]): Promise<unknown> => JSON.parse(await done(...args, '--json'))
const mode = (file: string) => (statSync(file).mode & 0o777).toString(8)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bevis-commands-'))
  port = await freePort()
  config = writeConfig(folder, port)
  writeFileSync(join(folder, 'contract.yaml'), contractYaml())
  await done('init', '--email', 'Drift@Nordlys.example')
  await done('contract', 'apply', join(folder, 'contract.yaml'))
  serve = await startServe(config, `http://127.0.0.1:${port}`)
})

afterAll(async () => {
  serve.kill('SIGTERM')
  await once(serve, 'exit')
  rmSync(folder, { recursive: true, force: true })
})

describe('init', () => {
  test('keeps private what is private, and makes up a password', async () => {
    const state = join(folder, 'state')
    expect(mode(state)).toBe('700')
    for (const name of ['log.key', 'office.key', 'collector.db', 'first-password']) {
      expect([name, mode(join(state, name))]).toEqual([name, '600'])
    }
    expect(readFileSync(join(state, 'first-password'), 'utf8')).toMatch(/^[a-z2-9-]{29}\n$/)
    expect(await json('user', 'list')).toMatchObject([
      { email: 'drift@nordlys.example', role: 'provider-admin' },
    ])
  })

  test('never twice', async () => {
    const key = readFileSync(join(folder, 'state', 'log.key'), 'utf8')
    const { exit, stderr } = await run('init', '--email', 'other@nordlys.example')
    expect([exit, stderr.split(':')[0]]).toEqual([2, 'USAGE'])
    expect(readFileSync(join(folder, 'state', 'log.key'), 'utf8')).toBe(key)
  })
})

describe('every command', () => {
  test('has help with examples', async () => {
    for (const name of [
      ['init'],
      ['serve'],
      ['contract', 'apply'],
      ['invite'],
      ['agent', 'revoke'],
      ['fsck'],
      ['pack'],
    ]) {
      const { exit, stdout } = await runCollector([...name, '--help'])
      expect([exit, stdout.includes(`$ bevis-collector ${name.join(' ')}`)]).toEqual([0, true])
    }
  })

  test('that marks by clause names the clauses that it knows', async () => {
    const { exit, stderr } = await runCollector(['pack', CONTRACT, '--clause', 'gdpr-99', '--out', 'x.zip'])
    expect([exit, stderr]).toEqual([2, expect.stringMatching(/gdpr-99.*gdpr-32/s)])
  })

  test('ends with 2 where it could not be done, and says so as JSON if asked', async () => {
    const missing = await runCollector(['agent', 'list', '--json', '--config', join(folder, 'none.yaml')])
    expect(missing.exit).toBe(2)
    expect(JSON.parse(missing.stdout)).toMatchObject({ error: { code: 'CONFIG_INVALID' } })
    expect((await runCollector(['nonsense'])).exit).toBe(2)
    expect((await run('contract', 'show', 'NONE')).stderr).toMatch(/^NOT_FOUND/)
    expect((await run('agent', 'revoke', 'nobody', '--reason', 'x', '--person', 'y')).exit).toBe(2)
  })
})

describe('contract', () => {
  test('says in plain words what it promises, in either language, before and after it is applied', async () => {
    const checked = await runCollector([
      'contract',
      'check',
      join(folder, 'contract.yaml'),
      '--plain',
      '--language',
      'da',
    ])
    expect(checked).toMatchObject({ exit: 0, stdout: expect.stringContaining('En backup hver dag') })
    const shown = await run('contract', 'show', CONTRACT, '--plain')
    expect(shown.stdout).toMatch(/A backup every day/)
    expect(await json('contract', 'show', CONTRACT, '--plain')).toMatchObject({
      plain: { versions: [{ no: 1, isAccepted: true }] },
    })
  })

  test('check tells all at once with lines and ends with 1; it needs no configuration', async () => {
    const file = join(folder, 'bad.yaml')
    writeFileSync(file, 'id: A\nnonsense: 1\ncustomer: {}\n')
    const { exit, stdout } = await runCollector(['contract', 'check', file])
    expect(exit).toBe(1)
    expect(stdout).toMatch(/bad\.yaml:2:1: nonsense/)
    expect(stdout).toMatch(/customer\.name/)
  })

  test('show gives back what was applied, to the byte', async () => {
    const shown = (await json('contract', 'show', CONTRACT)) as { yaml: string; revision: number }
    expect(shown.yaml).toBe(contractYaml())
    expect(shown.revision).toBe(1)
  })
})

describe('beside a running server', () => {
  test('a second one is refused', async () => {
    const { exit, stderr } = await run('serve')
    expect([exit, stderr.split(':')[0]]).toEqual([2, 'STATE_LOCKED'])
  })

  test('invite, enrol, deliver, fsck, revoke: two processes, one log', async () => {
    const tokenFile = join(folder, 'web1.token')
    await done('invite', '--contract', CONTRACT, '--host', 'web1', '--token-file', tokenFile)
    expect(mode(tokenFile)).toBe('600')
    expect(
      (await run('invite', '--contract', CONTRACT, '--host', 'web1', '--token-file', tokenFile)).exit,
    ).toBe(2)
    expect((await run('invite', '--contract', CONTRACT, '--host', 'web1', '--expires', 'PT2H')).exit).toBe(2)
    const agent = new FakeAgent(readFileSync(tokenFile, 'utf8'))
    await agent.enrol()
    const sending = (async () => {
      for (let round = 0; round < 20; round++) await agent.send(agent.many(20))
    })()
    expect(await done('fsck')).toMatch(/^Clean/)
    await sending
    await done('agent', 'revoke', 'web1', '--reason', 'stolen', '--person', 'S. Lind')
    expect(await agent.outcomeOf(agent.next())).toBe('AGENT_REVOKED')
    expect(await json('agent', 'list')).toMatchObject([
      { id: 'web1', state: 'revoked', contracts: [CONTRACT] },
    ])
    const again = new FakeAgent(await done('invite', '--contract', CONTRACT, '--host', 'web1'), {
      epoch: 2,
      prev: agent.prev,
    })
    await again.enrol()
    expect(await again.outcomeOf(again.next())).toBe('logged')
    expect(await done('fsck')).toMatch(/^Clean/)
  })

  test('backup copies the database; restored, it refuses to sign where time went on', async () => {
    const target = join(folder, 'copy')
    expect(await done('backup', target)).toMatch(/never restore it from a backup/)
    const agent = new FakeAgent(await done('invite', '--contract', CONTRACT, '--host', 'web2'))
    Object.assign(agent.token, { host: 'web2' })
    await agent.enrol()
    const restored = join(folder, 'restored')
    mkdirSync(restored)
    const other = writeConfig(restored, await freePort())
    execFileSync('cp', ['-r', join(folder, 'elsewhere'), restored])
    mkdirSync(join(restored, 'state'))
    execFileSync('cp', [
      join(folder, 'state', 'log.key'),
      join(folder, 'state', 'office.key'),
      join(restored, 'state'),
    ])
    renameSync(join(target, 'collector.db'), join(restored, 'state', 'collector.db'))
    const fsck = await runCollector(['fsck', '--config', other])
    expect([fsck.exit, fsck.stdout.includes('leaves, and the log has')]).toEqual([1, true])
    const { exit, stderr } = await runCollector([
      ...['agent', 'revoke', 'web1', '--reason', 'x', '--person', 'y'],
      ...['--config', other],
    ])
    expect([exit, stderr.split(':')[0]]).toEqual([1, 'LOG_ROLLED_BACK'])
  })

  test('evaluate ends with 1 on a breach, rebuild and pack do their work', async () => {
    const { exit, stdout } = await run('evaluate', CONTRACT)
    expect([exit, stdout.split('\n')[0]]).toEqual([
      1,
      expect.stringMatching(/^AFT-2025-052, version 1, at .*: breached$/),
    ])
    expect(await done('rebuild')).toMatch(/derived anew from \d+ statements/)
    const pack = join(folder, 'pack.zip')
    await done('pack', CONTRACT, '--out', pack)
    expect(existsSync(pack)).toBe(true)
  })
})

describe('user', () => {
  test('add, refuse twice, disable', async () => {
    const out = join(folder, 'vagt.password')
    await done('user', 'add', 'vagt@nordlys.example', '--password-out', out)
    expect(mode(out)).toBe('600')
    expect((await run('user', 'add', 'VAGT@nordlys.example', '--password-out', `${out}2`)).stderr).toMatch(
      /there is an account/,
    )
    expect(
      (await run('user', 'add', 'liv@b.example', '--role', 'auditor', '--password-out', `${out}3`)).exit,
    ).toBe(2)
    await done('user', 'disable', 'vagt@nordlys.example')
    expect(await done('user', 'list')).toMatch(/vagt@nordlys\.example +provider-operator +provider +disabled/)
  })
})

test('serves TLS with a certificate of its own, and headers that ask for it', async () => {
  const place = mkdtempSync(join(tmpdir(), 'bevis-tls-'))
  const [key, cert] = [join(place, 'key.pem'), join(place, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  const make = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ]
  execFileSync('openssl', [...make, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' })
  const tlsPort = await freePort()
  const file = writeConfig(place, tlsPort, [`tls: { key: ${key}, cert: ${cert} }`])
  writeFileSync(file, readFileSync(file, 'utf8').replace('publicUrl: http:', 'publicUrl: https:'))
  expect((await runCollector(['init', '--email', 'a@b.example', '--config', file])).exit).toBe(0)
  const server = spawnServe(file)
  onTestFinished(() => void server.kill('SIGKILL'))
  const answer = await new Promise<{ status: number; hsts: unknown }>((resolve, reject) => {
    const attempt = (left: number): void => {
      const asked = request(
        { port: tlsPort, host: '127.0.0.1', path: '/readyz', ca: readFileSync(cert) },
        (response) => {
          response.resume()
          resolve({ status: response.statusCode ?? 0, hsts: response.headers['strict-transport-security'] })
        },
      )
      asked.on('error', (error) => (left === 0 ? reject(error) : setTimeout(() => attempt(left - 1), 100)))
      asked.end()
    }
    attempt(150)
  })
  expect(answer).toEqual({ status: 200, hsts: expect.stringContaining('max-age=31536000') })
  const lock = await runCollector(['serve', '--config', file])
  expect(lock.stderr).toMatch(/^STATE_LOCKED/)
  server.kill('SIGTERM')
  expect(await once(server, 'exit')).toEqual([0, null])
  rmSync(place, { recursive: true, force: true })
})
