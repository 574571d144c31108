/** A customer that signs its acceptance with a key of its own, by real programs: offline, logged, asked for by the auditor. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from '@bevis/shared/verify/report'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makePair } from '../kit/pair.ts'
import type { Pair } from '../kit/pair.ts'
import { run, runJson } from '../kit/programs.ts'

const NAME = 'havfruen.example/direktion'
let pair: Pair
let vkey: string
const at = (file: string) => join(pair.folder, file)
const verify = (...args: string[]) => run('verify', args)

beforeAll(async () => {
  pair = await makePair()
  const made = await runJson('verify', ...['root', 'create', '--name', NAME, '--key-file', at('own.key')])
  ;({ vkey } = made as { vkey: string })
}, 300_000)
afterAll(() => pair.remove())

const accept = (out: string, key = 'own.key', text = 'contract.yaml') =>
  verify(
    ...['party', 'accept', at(text), '--number', '1', '--party', 'customer', '--person', 'Liv Holm'],
    ...['--name', NAME, '--key-file', at(key), '--out', at(out)],
  )

let packs = 0
async function found(): Promise<string[]> {
  packs += 1
  const zip = at(`${packs}.zip`)
  const made = await pair.collector('pack', 'KILL-1', '--out', zip)
  expect([made.stderr, made.exit]).toEqual(['', 0])
  const trust = readFileSync(at('agent/trust.yaml'), 'utf8')
  writeFileSync(at('customer.yaml'), `${trust}\nparties: [{ party: customer, vkey: "${vkey}" }]\n`)
  const { stdout } = await verify(zip, '--trust', at('customer.yaml'), '--json')
  const { checks } = JSON.parse(stdout) as Report
  return checks.flatMap(({ id, outcome, detail }) =>
    outcome === 'failed' || id === 'trust.parties' ? `${id} ${outcome}: ${detail}` : [],
  )
}

test('the provider’s own text is no signature of the customer', async () => {
  expect(await found()).toEqual([
    `trust.parties failed: the text of the contract: version 1 accepted, not signed by ${NAME}`,
  ])
})

test('signed offline it is shown as it was signed, and refused when it was changed', async () => {
  expect((await accept('accepted.json')).exit).toBe(0)
  const { stdout } = await verify('party', 'show', at('accepted.json'))
  expect(stdout).toContain(`signed by ${vkey}`)
  const spoilt = readFileSync(at('accepted.json'), 'utf8').replace(/"payload":"(.)/, '"payload":"f')
  writeFileSync(at('spoilt.json'), spoilt)
  expect((await verify('party', 'show', at('spoilt.json'))).exit).toBe(1)
  expect((await pair.collector('contract', 'signed', at('spoilt.json'))).exit).not.toBe(0)
})

test('the collector takes no acceptance of a text that is not the newest', async () => {
  writeFileSync(at('other.yaml'), `${readFileSync(at('contract.yaml'), 'utf8')}# another text\n`)
  expect((await accept('other.json', 'own.key', 'other.yaml')).exit).toBe(0)
  const { exit, stderr } = await pair.collector('contract', 'signed', at('other.json'))
  expect([exit, stderr]).toEqual([expect.any(Number), expect.stringContaining('has changed')])
  expect(exit).not.toBe(0)
})

test('an acceptance by a key that the trust file does not name is logged, and no auditor takes it', async () => {
  await verify('root', 'create', '--name', NAME, '--key-file', at('foreign.key'))
  await accept('foreign.json', 'foreign.key')
  expect((await pair.collector('contract', 'signed', at('foreign.json'))).exit).toBe(0)
  expect(await found()).toEqual([expect.stringMatching(/^trust\.parties failed: .*another key/)])
})

test('logged once, it is the customer’s acceptance to every auditor', async () => {
  const { exit, stdout } = await pair.collector('contract', 'signed', at('accepted.json'))
  expect([exit, stdout]).toEqual([0, expect.stringContaining(vkey)])
  expect(await found()).toEqual([`trust.parties held: 1 acceptance and 0 other events signed by ${NAME}`])
  const again = await pair.collector('contract', 'signed', at('accepted.json'))
  expect([again.exit === 0, again.stderr]).toEqual([false, expect.stringContaining('in the log already')])
  expect((await accept('newer.json')).exit).toBe(0)
  const newer = await pair.collector('contract', 'signed', at('newer.json'))
  expect([newer.exit === 0, newer.stderr]).toEqual([false, expect.stringContaining('has accepted version 1')])
})

test('so is a hold: the office alone cannot say it in the customer’s name', async () => {
  const detail =
    '{"sets":["shop"],"covers":{"from":"2025-01-01","to":"2025-01-31"},"authority":"Tvist 2025-88"}'
  const said = ['--party', 'customer', '--person', 'Liv Holm', '--detail', detail]
  expect((await pair.collector('contract', 'event', 'KILL-1', 'hold-started', ...said)).exit).toBe(0)
  expect(await found()).toEqual([
    expect.stringMatching(/^trust\.parties failed: .*hold-started, not signed by/),
  ])
  const key = ['--name', NAME, '--key-file', at('own.key'), '--out', at('hold.json')]
  const signed = await verify('party', 'event', at('contract.yaml'), 'hold-started', ...said, ...key)
  expect([signed.stderr, signed.exit]).toEqual(['', 0])
  expect((await pair.collector('contract', 'signed', at('hold.json'))).exit).toBe(0)
  expect(await found()).toEqual([`trust.parties held: 1 acceptance and 1 other event signed by ${NAME}`])
  expect((await pair.collector('rebuild')).exit).toBe(0)
  expect((await pair.collector('fsck')).stdout).toMatch(/^Clean/)
}, 120_000)
