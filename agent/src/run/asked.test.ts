import { describe, expect, test } from 'vitest'
import { setSchema } from '@bevis/shared/contract/schema'
import type { Terms, TestRequest } from '@bevis/shared/work'
import { workSchema } from '@bevis/shared/work'
import { parseConfig } from '../config.ts'
import { agreedIn, decideAsked, handledOf, seedFor, termsFor, useSeed } from './asked.ts'

const now = new Date('2026-11-23T04:05:06.000Z')
const config = parseConfig(
  `
collector: { url: https://collector.example.net }
state: /var/lib/bevis
sets:
  - id: shop
    contract: AFT-1
    paths: [/srv/shop]
    repository: { url: /srv/backup, passwordFile: /etc/pass, lineage: hfk-web }
    restoreTest: { requestsPerDay: 3, canaries: [/srv/shop/canary, /srv/other/canary] }
  - id: closed
    paths: [/srv/closed]
    repository: { url: /srv/backup, passwordFile: /etc/pass }
    restoreTest: { requestsPerDay: 0 }
`,
  'agent.yaml',
)
const [shop] = config.sets
if (shop === undefined) throw new Error('no set')

let made = 0
const request = (change: Partial<TestRequest> = {}): TestRequest => ({
  id: (made++).toString(16).padStart(32, '0'),
  set: 'shop',
  path: '/srv/shop/orders',
  askedAt: now.toISOString(),
  ...change,
})
const decide = (...requests: TestRequest[]) => decideAsked({ requests }, config, [], now)

test('a file of the set is restored, whatever its name looks like', () => {
  const asked = ['/srv/shop', '/srv/shop/a*b', '/srv/shop/$HOME', '/srv/shop/--help', '/srv/shop/æ'].map(
    (path) => request({ path }),
  )
  expect(decide(...asked.slice(0, 3)).accepted).toEqual(asked.slice(0, 3))
  expect(decide(...asked.slice(3)).accepted).toEqual(asked.slice(3))
})

describe('what a hostile collector asks for is refused', () => {
  test.each([
    ['a file outside of the set', { path: '/etc/shadow' }],
    ['everything', { path: '/' }],
    ['the folder above', { path: '/srv' }],
    ['a sibling that begins alike', { path: '/srv/shopping' }],
    ['a path that climbs', { path: '/srv/shop/../../etc/shadow' }],
    ['a path that climbs by escaped bytes', { path: '/srv/shop/\\x2e\\x2e/\\x2e\\x2e/etc/shadow' }],
    ['a path with an escaped NUL', { path: '/srv/shop/a\\x00b' }],
    ['another set’s file under this set’s name', { path: '/srv/closed/a' }],
    ['a set that is not ours', { set: 'other' }],
    ['a set that takes no requests', { set: 'closed', path: '/srv/closed/a' }],
  ])('%s', (_, change) => {
    const { accepted, refused } = decide(request(change))
    expect(accepted).toEqual([])
    expect(refused).toHaveLength(1)
  })

  test('a request that names more than a file is not even read so', () => {
    const asked = { ...request(), command: ['rm'], repository: '/elsewhere', target: '/' }
    const work = { agent: 'web1', at: now.toISOString(), terms: [], seeds: [], requests: [asked] }
    expect(Object.keys(workSchema.parse(work).requests[0] ?? {}).toSorted()).toEqual([
      'askedAt',
      'id',
      'path',
      'set',
    ])
    const bad = (change: object) =>
      workSchema.safeParse({ ...work, requests: [{ ...asked, ...change }] }).success
    expect(bad({ path: 'srv/shop' })).toBe(false)
    expect(bad({ path: '/srv/shop/../x' })).toBe(false)
    expect(bad({ path: '/srv/shop/a\nb' })).toBe(false)
    expect(bad({ snapshot: 'latest' })).toBe(false)
    expect(bad({ id: '../../x' })).toBe(false)
  })

  test('more than the day’s share waits for tomorrow, and refusals do not fill the log', () => {
    const asked = Array.from({ length: 9 }, () => request())
    expect(decide(...asked).accepted).toEqual(asked.slice(0, 3))
    const handled = asked.slice(0, 3).map((one) => handledOf(one, 'shop', now))
    expect(decideAsked({ requests: asked }, config, handled, now)).toEqual({ accepted: [], refused: [] })
    const tomorrow = new Date(now.getTime() + 86_400_000)
    expect(decideAsked({ requests: asked }, config, handled, tomorrow).accepted).toEqual(asked.slice(3, 6))
    const foreign = Array.from({ length: 90 }, () => request({ path: '/etc/shadow' }))
    expect(decide(...foreign).refused).toHaveLength(20)
  })

  test('the same request again is done once', () => {
    const one = request()
    expect(decide(one, one).accepted).toEqual([one])
    expect(decideAsked({ requests: [one] }, config, [handledOf(one, 'shop', now)], now).accepted).toEqual([])
  })
})

const termsOf = (change: object = {}, contract = 'AFT-1'): Terms => ({
  contract,
  sha256: 'ab'.repeat(32),
  version: 1,
  timezone: 'Europe/Copenhagen',
  holidays: 'DK',
  earlier: [],
  holds: [],
  set: setSchema.parse({
    id: 'web-shop',
    selector: { repository: 'hfk-web', hosts: ['web1'], requiredPaths: ['/srv/shop/orders'] },
    content: { canaries: ['/srv/shop/c2', '/etc/shadow'] },
    retention: { wording: '14 dage', min: [{ per: 'day', keep: 14 }] },
    restoreTest: { rto: 'PT4H' },
    ...change,
  }),
})

test('terms are those of this contract, repository, host and paths', () => {
  const here = { repository: 'cd'.repeat(32), host: 'web1' }
  const other = { repository: 'hfk-db', hosts: ['web1'], requiredPaths: [] }
  const all = [
    termsOf(),
    termsOf({}, 'AFT-2'),
    termsOf({ selector: other }),
    termsOf({ selector: { ...other, repository: 'hfk-web', hosts: ['db1'] } }),
    termsOf({ selector: { ...other, repository: 'hfk-web', requiredPaths: ['/srv/mail'] } }),
    termsOf({ selector: { ...other, repository: here.repository }, restoreTest: { rto: 'PT2H' } }),
  ]
  const found = termsFor({ terms: all }, shop, here)
  expect(found).toEqual([all[0], all[5]])
  // What is outside of the set is some other set's canary, or bait.
  expect(agreedIn(found, shop)).toEqual({
    rtoSeconds: 7_200,
    canaries: ['/srv/shop/canary', '/srv/shop/c2'],
    ladderMs: null,
  })
  const within = (ladder: string) => agreedIn([termsOf({ restoreTest: { ladder } })], shop).ladderMs
  expect([within('P3M'), within('P90D'), within('PT1S')].map((ms) => (ms ?? 0) / 86_400_000)).toEqual([
    84, 90, 30,
  ])
  expect(agreedIn([], shop).rtoSeconds).toBeNull()
})

test('a seed is for its inventory only, and another for each test under it', () => {
  const kept = new Map<string, string>()
  const state = {
    get: (name: string) => kept.get(name) ?? null,
    put: (name: string, value: string | null) => void kept.set(name, value ?? ''),
  }
  const [inventory, seed] = ['ab'.repeat(32), 'cd'.repeat(32)]
  const work = { seeds: [{ set: 'shop', inventory, seed, revealedAt: now.toISOString() }] }
  expect(seedFor(work, 'shop', 'ef'.repeat(32), state)).toBeNull()
  expect(seedFor(work, 'books', inventory, state)).toBeNull()
  const draws = [1, 2, 3].map(() => {
    const found = seedFor(work, 'shop', inventory, state)
    if (found) useSeed(state, 'shop', found)
    return found?.seed
  })
  expect(draws).toEqual([seed, `${seed}/1`, `${seed}/2`])
})
