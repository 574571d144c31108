/** Nothing that an agent, a contract or a person wrote may become markup. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { html } from '../html.ts'
import type { Html } from '../html.ts'
import { localeOf } from '../language/locale.ts'
import { ownPath } from '../view/address.ts'
import { tellRestoreTest } from '../view/statement/restore-test.ts'
import { calendarTier } from './calendar.ts'
import { badge } from './state.ts'
import { crumbs, empty, facts, hash, notice } from './element.ts'
import { table } from './table.ts'

const en = localeOf('en')
const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title></style></svg><script>',
  '<!--',
  ']]>',
  '&lt;b&gt;',
  '{{count}} $t(nav.overview)',
  '\u2028\u2029\u0000\ufeff',
]
const hostile = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 40 }))

/** The markup's skeleton: its tags with the names of their attributes, without any text or value. */
async function skeletonOf(markup: Html): Promise<string> {
  const text = (await markup).toString()
  return text
    .replace(/"[^"]*"/g, '""')
    .replace(/>[^<]*</g, '><')
    .replace(/\s+/g, ' ')
}

const COMPONENTS: Record<string, (text: string) => Html> = {
  text: (text) => html`<p>${text}</p>`,
  attribute: (text) => html`<a href="/x" aria-label="${text}">x</a>`,
  badge: (text) => badge('breached', text),
  facts: (text) => facts([[text, text]]),
  hash: (text) => hash(text),
  notice: (text) => notice('bad', text),
  empty: (text) => empty(text, text, text),
  crumbs: (text) => crumbs(text, [{ text, href: `/${encodeURIComponent(text.toWellFormed())}` }]),
  table: (text) =>
    table({
      caption: text,
      columns: [
        { head: text, cell: () => text },
        { head: text, cell: () => text },
      ],
      rows: [1],
    }),
  calendar: (text) =>
    calendarTier(
      {
        per: 'year',
        title: text,
        note: text,
        cells: [{ bucket: '2026', state: 'met', href: `/${encodeURIComponent(text.toWellFormed())}` }],
        hrefOf: () => '/',
      },
      en,
    ),
}

describe.each(Object.entries(COMPONENTS))('%s', (_name, component) => {
  test('has the same elements and attributes whatever text is put into it', async () => {
    const plain = await skeletonOf(component('plain'))
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        fc.pre(text !== '')
        expect(await skeletonOf(component(text))).toBe(plain)
      }),
      { numRuns: 400 },
    )
  })
})

test('a file name from a customer’s server stays text', async () => {
  const path = '/srv/<img src=x onerror=alert(1)>"\'.pdf'
  const markup = tellRestoreTest(
    {
      chain: { tenant: 't', agent: 'a', epoch: 1, seq: 1, prev: '0'.repeat(64), log: null },
      host: '<b>host</b>',
      tools: { agent: '1', os: '<i>os</i>' },
      set: 's',
      repository: { id: 'a'.repeat(64), location: '</dd><script>' },
      snapshot: {
        id: 'b'.repeat(64),
        time: '2026-11-23T04:05:06.000Z',
        tree: 'c'.repeat(64),
        host: 'h',
        paths: [path],
      },
      reason: 'scheduled',
      mode: 'sample',
      startedAt: '2026-11-23T04:05:06.000Z',
      endedAt: '2026-11-23T04:06:06.000Z',
      population: { files: 1, bytes: 1 },
      selection: { algorithm: '<u>', seed: '<s>', seedFrom: 'agent', strata: [], files: 1, bytes: 1 },
      restored: { files: 1, bytes: 1, seconds: 1, method: 'disk' },
      reference: { manifest: 1, source: 0, none: 0 },
      classes: { damaged: 1 },
      exceptions: [{ path, class: '<b>', expected: '<i>', actual: '<i>', detail: '<script>' }],
      exceptionsTotal: 1,
      negativeControl: 'caught',
      result: 'FAILED',
    },
    en,
  )
  const text = (await markup.body).toString()
  expect(text).toContain('/srv/&lt;img src=x onerror=alert(1)&gt;&quot;&#39;.pdf')
  expect(text).not.toMatch(/<(script|img|b|i|u|s)>/)
})

describe('an address to go to next', () => {
  test.each(['/', '/contracts/x?known=2026-01-01', '/agents/a%20b'])('%s is ours', (path) => {
    expect(ownPath(path)).toBe(path)
  })

  test.each([
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    '/\t/evil.example',
    'javascript:alert(1)',
    '',
    7,
    undefined,
  ])('%s leads home instead', (path) => expect(ownPath(path)).toBe('/'))

  test('is on this host whatever is asked for', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.webUrl(),
          fc.string(),
          fc.string().map((rest) => `/${rest}`),
        ),
        (path) => {
          expect(new URL(ownPath(path), 'https://collector.example').host).toBe('collector.example')
        },
      ),
    )
  })
})
