import { describe, expect, test } from 'vitest'
import { signerOf } from '../../../test/kit/register.ts'
import { formatVkey } from '../log/checkpoint.ts'
import { spkiOf } from '../crypto.ts'
import { mergeTrust, parseTrust } from './trust.ts'

const vkey = formatVkey('log.example/kit', signerOf('log').spki)
const keyid = signerOf('agent').keyid

function refusal(text: string): string {
  try {
    parseTrust(text)
    return 'taken'
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
}

test('one key or several, per agent; digits are text too', () => {
  const trust = parseTrust(`
log: { vkey: "${vkey}" }
agents:
  - { tenant: vestkyst, agent: srv1, keyid: ${keyid} }
  - { tenant: 12345674, agent: srv2, keyid: [${keyid}, ${'0'.repeat(63)}1], contracts: [AFT-1] }
`)
  expect(trust.log.vkey.name).toBe('log.example/kit')
  expect(trust.agents.map((agent) => agent.keyid.length)).toEqual([1, 2])
})

test('every mistake is told at once, with its line', () => {
  const told = refusal(`log: { vkey: "log.example/kit+00000000+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx" }
agents:
  - tenant: vestkyst
    agent: srv1
    keyid: ABC
    colour: red
`)
  expect(told).toMatch(/trust.yaml:1:8: log.vkey: the key and its identifier disagree/)
  expect(told).toMatch(/trust.yaml:5:5: agents\[0\].keyid.*64 lowercase hex digits/)
  expect(told).toMatch(/trust.yaml:6:5: agents\[0\].colour: unknown key/)
})

test.each<[string, string, RegExp]>([
  ['a key given twice', `log: { vkey: a }\nlog: { vkey: b }\n`, /trust.yaml:2:1: .*unique/],
  ['no agents', `log: { vkey: "${vkey}" }\nagents: []\n`, /agents/],
  ['nothing', '', /./],
  ['broken YAML', 'log: [\n', /trust.yaml:2:1/],
  ['aliases that multiply', 'a: &a [1]\nb: [*a, *a]\n', /./],
])('%s is refused', (_, text, why) => {
  expect(refusal(text)).not.toBe('taken')
  expect(refusal(text)).toMatch(why)
})

test('a log key of small order is refused: it would sign everything', () => {
  const weak = formatVkey('log.example/kit', spkiOf(Uint8Array.of(1, ...new Uint8Array(31))))
  expect(refusal(`log: { vkey: "${weak}" }\nagents: [{ tenant: t, agent: a, keyid: ${keyid} }]\n`)).toMatch(
    /small order/,
  )
})

describe('several trust files', () => {
  const one = (agent: string, more = '', key = keyid) =>
    parseTrust(`log: { vkey: "${vkey}" }\nagents: [{ tenant: t, agent: ${agent}, keyid: ${key}${more} }]\n`)
  const other = signerOf('other').keyid

  test('are one: agents side by side, keys and contracts of one agent together', () => {
    const trust = mergeTrust(
      one('web1', ', contracts: [A-1]'),
      one('web2'),
      one('web1', ', contracts: [A-2]', other),
    )
    expect(trust.agents).toEqual([
      { tenant: 't', agent: 'web1', keyid: [keyid, other], contracts: ['A-1', 'A-2'] },
      { tenant: 't', agent: 'web2', keyid: [keyid] },
    ])
    expect(trust.log.vkey.name).toBe('log.example/kit')
  })

  test('must name the same log, by the same key', () => {
    const foreign = parseTrust(
      `log: { vkey: "${formatVkey('log.example/kit', signerOf('mallory').spki)}" }\nagents: [{ tenant: t, agent: a, keyid: ${keyid} }]\n`,
    )
    expect(() => mergeTrust(one('web1'), foreign)).toThrow(/different logs or log keys/)
  })

  test('pin every text and office key that one of them names', () => {
    const pinned = parseTrust(
      `log: { vkey: "${vkey}" }\nagents: [{ tenant: t, agent: a, keyid: ${keyid} }]\noffice: { keyid: ${other} }\ncontracts: [{ id: A-1, sha256: ${keyid} }]\n`,
    )
    expect(mergeTrust(one('a'), pinned)).toMatchObject({
      office: { keyid: [other] },
      contracts: [{ id: 'A-1', sha256: [keyid] }],
    })
  })
})
