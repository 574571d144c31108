import { describe, expect, test } from 'vitest'
import { encodeStatement, parseStatement } from './statement.ts'
import type { Statement } from './statement.ts'

const id = 'ab'.repeat(32)
const heartbeat: Statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'sets/shop', digest: { sha256: id } }],
  predicateType: 'urn:bevis:evidence:agent-lifecycle:v1',
  predicate: {
    chain: { tenant: 'havfruen', agent: 'web1', epoch: 1, seq: 1, prev: '0'.repeat(64), log: null },
    host: 'web1',
    tools: { agent: '0.1.0', os: 'linux' },
    at: '2026-11-23T04:05:06.000Z',
    event: 'heartbeat',
  },
}
const json = JSON.stringify(heartbeat)
const bytes = (text: string) => new TextEncoder().encode(text)

test('a statement comes back as it was', () => {
  expect(parseStatement(encodeStatement(heartbeat))).toEqual(heartbeat)
})

test('unknown fields are left unread, not refused', () => {
  const more = json.replace('"event":', '"later":{"a":[1]},"event":')
  expect(parseStatement(bytes(more))).toEqual(heartbeat)
})

describe('what is no canonical statement is refused', () => {
  const refused: Record<string, string> = {
    'white space': json.replace(':', ': '),
    'a duplicate key': json.replace('"event":', '"event":"started","event":'),
    'a number that is not exact': json.replace('"seq":1', '"seq":1.0'),
    'a number beyond 2^53': json.replace('"seq":1', '"seq":9007199254740993'),
    'a byte order mark': `\ufeff${json}`,
    'an escape that is not needed': json.replace('web1', '\\u0077eb1'),
    __proto__: json.replace('"event":', '"__proto__":{"x":1},"event":'),
    'half a surrogate pair': json.replace('"host":"web1"', '"host":"\\ud800"'),
    'another kind': json.replace('agent-lifecycle', 'agent-livecycle'),
    'an unreal date': json.replace('2026-11-23', '2026-11-31'),
    'an upper-case digest': json.replace(id, id.toUpperCase()),
    'no JSON': json.slice(0, -1),
    'seq 0': json.replace('"seq":1', '"seq":0'),
  }
  test.each(Object.keys(refused))('%s', (name) => {
    expect(() => parseStatement(bytes(refused[name] ?? ''))).toThrow(
      expect.objectContaining({ code: 'STATEMENT_INVALID' }),
    )
  })

  test('bytes that are not UTF-8', () => {
    const broken = bytes(json)
    broken[json.indexOf('web1')] = 0xff
    expect(() => parseStatement(broken)).toThrow('UTF-8')
  })

  test.each([
    ['lists', '['.repeat(70) + ']'.repeat(70)],
    ['maps', '{"a":'.repeat(70) + '1' + '}'.repeat(70)],
    ['what no stack holds', '['.repeat(100_000) + ']'.repeat(100_000)],
  ])('deep nesting, by a limit of its own: %s', (_, value) => {
    const deep = bytes(json.replace('"event":', `"later":${value},"event":`))
    expect(() => parseStatement(deep)).toThrow('nested more than 64 deep')
  })

  test('more than 256 KiB', () => {
    expect(() => parseStatement(bytes(json.replace('web1', 'x'.repeat(300_000))))).toThrow('bytes')
  })
})

test('what is nested less, or only looks so in a text, is taken', () => {
  const later = `${'['.repeat(50)}"${'['.repeat(300)}\\"${'{'.repeat(300)}\\\\"${']'.repeat(50)}`
  const more = json.replace('"event":', `"later":${later},"event":`)
  expect(parseStatement(bytes(more))).toEqual(heartbeat)
})

test('texts that only look like the refused ones are taken', () => {
  const odd = {
    ...heartbeat,
    predicate: { ...heartbeat.predicate, reason: '"__proto__": \\ud800' },
  } as Statement
  expect(parseStatement(encodeStatement(odd))).toEqual(odd)
})
