/** A customer's root key, by real programs: made and used offline, handed on by the agent, asked for by the auditor. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import type { Report } from '@bevis/shared/verify/report'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makePair } from '../kit/pair.ts'
import type { Pair } from '../kit/pair.ts'
import { killHard, run, runJson } from '../kit/programs.ts'

const NAME = 'havfruen.example/root'
let pair: Pair
let collector: ChildProcess
const at = (file: string) => join(pair.folder, file)

/** As the agent's trust file has it. */
interface Identity {
  readonly tenant: string
  readonly agent: string
  readonly keyid: string
}

beforeAll(async () => {
  pair = await makePair()
  writeFileSync(join(pair.source, 'file'), 'data')
  collector = await pair.startCollector()
  await well(pair.agent('backup', 'shop', '--init'))
  await well(verify('root', 'create', '--name', NAME, '--key-file', at('root.key')))
}, 300_000)
afterAll(() => pair.remove())

const verify = (...args: string[]) => run('verify', args)

async function well(ended: ReturnType<typeof run>): Promise<string> {
  const { exit, stdout, stderr } = await ended
  if (exit !== 0) throw new Error(`ended with ${exit}: ${stderr}${stdout}`)
  return stdout
}

const identityNow = (): Identity => {
  const text = readFileSync(at('agent/trust.yaml'), 'utf8')
  const { keyid, ...rest } = JSON.parse(/- (\{.*\})/.exec(text)?.[1] ?? '') as Identity & { keyid: unknown }
  return { ...rest, keyid: [keyid].flat().at(-1) as string }
}

const say = (kind: string, { tenant, agent, keyid }: Identity, out: string, ...more: string[]) =>
  verify(
    ...['root', kind, '--name', NAME, '--key-file', at('root.key'), '--tenant', tenant, '--agent', agent],
    ...['--keyid', keyid, '--out', at(out), ...more],
  )

/** A trust file of the customer's own: the log's key from the agent's, its agent's name, and the root key. */
async function customersTrust(): Promise<string> {
  const [log] = readFileSync(at('agent/trust.yaml'), 'utf8').match(/^log: .*$/m) ?? []
  const file = at('customer.yaml')
  const { tenant, agent } = identityNow()
  const { vkey } = rootLine
  writeFileSync(file, `${log}\nagents: [{ tenant: ${tenant}, agent: ${agent} }]\nroot: { vkey: "${vkey}" }\n`)
  return file
}

let rootLine: { vkey: string }
let packs = 0

async function packed(): Promise<Report> {
  await well(pair.agent('evidence', 'send'))
  packs += 1
  const zip = at(`${packs}.zip`)
  await well(pair.collector('pack', 'KILL-1', '--out', zip))
  const { stdout } = await verify(zip, '--trust', await customersTrust(), '--json')
  return JSON.parse(stdout) as Report
}

const found = ({ checks }: Report) =>
  checks.filter(({ outcome }) => outcome === 'failed').map(({ id, detail }) => `${id}: ${detail}`)

test('the key is its owner’s alone, is never overwritten, and signs nothing that cannot be an agent', async () => {
  expect(statSync(at('root.key')).mode & 0o777).toBe(0o600)
  const again = await verify('root', 'create', '--name', NAME, '--key-file', at('root.key'))
  expect([again.exit, again.stderr]).toEqual([2, expect.stringContaining('exists already')])
  const wrong = await say('sign', { ...identityNow(), keyid: 'abc' }, 'none.note')
  expect([wrong.exit, wrong.stderr, existsSync(at('none.note'))]).toEqual([
    2,
    expect.stringContaining('--keyid'),
    false,
  ])
})

test('an agent’s key that it has not signed is a finding of its own', async () => {
  await well(say('sign', identityNow(), 'web1.note'))
  rootLine = JSON.parse(await well(verify('root', 'show', at('web1.note'), '--json'))) as { vkey: string }
  const report = await packed()
  expect([report.exit, found(report)]).toEqual([
    1,
    [expect.stringMatching(/^trust\.root: agent web1, epoch 1/)],
  ])
})

test('the agent takes no note that is about another key', async () => {
  await well(say('sign', { ...identityNow(), agent: 'web2' }, 'web2.note'))
  const { exit, stderr } = await pair.agent('key', 'endorse', at('web2.note'))
  expect([exit, stderr]).toEqual([2, expect.stringContaining('web2')])
  const text = readFileSync(at('web1.note'), 'utf8')
  writeFileSync(at('spoilt.note'), text.replace('web1', 'web3'))
  expect((await pair.agent('key', 'endorse', at('spoilt.note'))).exit).toBe(2)
  expect((await verify('root', 'show', at('spoilt.note'))).exit).toBe(1)
})

test('signed and handed on, the key needs no other mention in the trust file', async () => {
  await well(pair.agent('key', 'endorse', at('web1.note')))
  const report = await packed()
  expect([found(report), report.exit]).toEqual([[], 0])
})

test('a rotation is authorised by the key that the root key signed, and needs no more', async () => {
  await well(pair.agent('key', 'rotate'))
  await well(pair.agent('inventory', 'shop'))
  const report = await packed()
  expect([found(report), report.exit]).toEqual([[], 0])
  const [agent] = (await runJson('collector', 'agent', 'list', '--config', pair.collectorConfig)) as {
    state: string
  }[]
  expect(agent?.state).toBe('active')
})

test('the root key’s revocation is logged, only of the present key and by the root key that signed it', async () => {
  const revoke = (note: string) =>
    pair.collector(
      'agent',
      'revoke',
      'web1',
      ...['--reason', 'stolen', '--person', 'Liv Holm', '--root-note', at(note)],
    )
  expect((await revoke('web1.note')).exit).not.toBe(0) // a signature is no revocation
  await well(verify('root', 'create', '--name', NAME, '--key-file', at('other.key')))
  const { tenant, agent, keyid } = identityNow()
  const word = ['--tenant', tenant, '--agent', agent, '--keyid', keyid, '--out', at('foreign.note')]
  await well(verify('root', 'revoke', '--name', NAME, '--key-file', at('other.key'), ...word))
  expect((await revoke('foreign.note')).stderr).toContain('not the root key that signed')
  await well(say('revoke', identityNow(), 'revoked.note'))
  await well(revoke('revoked.note'))
  expect((await pair.agent('inventory', 'shop', '--no-send')).exit).toBe(0)
  expect((await pair.agent('evidence', 'send', '--json')).stdout).toContain('AGENT_REVOKED')
  const zip = at('revoked.zip')
  await well(pair.collector('pack', 'KILL-1', '--out', zip))
  const { stdout } = await verify(zip, '--trust', await customersTrust(), '--json')
  const report = JSON.parse(stdout) as Report
  expect(found(report)).toEqual([])
  expect(report.checks.find(({ id }) => id === 'keys.revocation')?.detail).toBe('1 revoked')
  expect((await pair.collector('fsck')).stdout).toMatch(/^Clean/)
  expect((await pair.collector('rebuild')).exit).toBe(0)
  expect((await pair.collector('fsck')).stdout).toMatch(/^Clean/)
  await killHard(collector)
}, 120_000)
