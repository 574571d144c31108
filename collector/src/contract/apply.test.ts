import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSqliteStore } from '../store/sqlite/open.ts'
import type { Store } from '../store/store.ts'
import { takeText } from './apply.ts'
import { tenantOfCustomer } from './tenant.ts'

const now = new Date('2026-11-23T12:00:00.000Z')
let folder: string
let store: Store

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bevis-contract-'))
  store = await openSqliteStore({ stateFolder: folder, create: true })
})

afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Terms {
  keep?: number
  timezone?: string
  exclusions?: string
  versions?: string
  customer?: string
}

function version(no: number, from: string, keep: number, exclusions = '[]', accepted = true): string {
  const at = '2025-02-20T09:12:00Z'
  const acceptances = accepted
    ? `[{ party: customer, person: Liv, at: ${at} }, { party: provider, person: Lind, at: ${at} }]`
    : '[]'
  return `
  - no: ${no}
    effectiveFrom: ${from}
    acceptances: ${acceptances}
    exclusions: ${exclusions}
    sets:
      - id: shop
        selector: { repository: hfk-web, hosts: [web1], requiredPaths: [/srv/shop] }
        schedule: { every: P1D }
        retention: { wording: "${keep} dage", min: [{ per: day, keep: ${keep} }] }
        evidence: {}`
}

function yaml({
  keep = 14,
  timezone = 'Europe/Copenhagen',
  exclusions,
  versions = '',
  customer,
}: Terms = {}): string {
  return `id: AFT-1
provider: { name: Nordlys }
customer: ${customer ?? '{ name: Havfruen Keramik ApS, cvr: "33445566" }'}
timezone: ${timezone}
term: { start: 2025-03-01 }
versions:${version(1, '2025-03-01', keep, exclusions)}${versions}
`
}

const apply = (text: string) =>
  store.write((tx) => takeText(tx, { yaml: text, file: 'c.yaml', by: 'liv' }, now))

test('texts are kept by revision, the same text once', async () => {
  expect(await apply(yaml())).toMatchObject({ tenant: '33445566', revision: 1, isNew: true })
  expect(await apply(yaml())).toMatchObject({ revision: 1, isNew: false })
  expect(await apply(yaml({ versions: version(2, '2026-12-01', 30) }))).toMatchObject({ revision: 2 })
  const texts = await store.db.selectFrom('contract_text').select(['revision', 'applied_by']).execute()
  expect(texts).toEqual([
    { revision: 1, applied_by: 'liv' },
    { revision: 2, applied_by: 'liv' },
  ])
})

test.each<[string, Terms, RegExp]>([
  ['terms in force change', { keep: 7 }, /version 1 is in force, and its sets changed/],
  ['the zone changes', { timezone: 'Europe/London' }, /timezone: Europe\/Copenhagen became/],
  ['a version would begin in the past', { versions: version(2, '2025-02-01', 1) }, /version 2 would begin/],
  ['the customer changes', { customer: '{ name: Andre ApS }' }, /names another customer \(andre-aps\)/],
])('a text is refused when %s', async (_, terms, message) => {
  await apply(yaml())
  await expect(apply(yaml(terms))).rejects.toThrow(message)
  expect(await store.db.selectFrom('contract_text').select('revision').execute()).toHaveLength(1)
})

test('a version in force cannot be dropped, a draft can', async () => {
  const draft = version(3, '2025-06-01', 60, '[]', false)
  await apply(yaml({ versions: version(2, '2026-01-01', 30) + draft }))
  await expect(apply(yaml())).rejects.toThrow(/version 2 is in force and is not in the new text/)
  expect(await apply(yaml({ versions: version(2, '2026-01-01', 30) }))).toMatchObject({ revision: 2 })
})

test('a version that has not begun may change', async () => {
  await apply(yaml({ versions: version(2, '2026-12-01', 30) }))
  expect(await apply(yaml({ versions: version(2, '2026-12-01', 60) }))).toMatchObject({ revision: 2 })
})

test.each<[string, Terms]>([
  ['is new', { versions: version(2, '2026-11-22', 1) }],
  ['was a draft', { versions: version(3, '2026-06-01', 1) }],
  ['was still to begin', { versions: version(4, '2026-11-01', 1) }],
])('a version that %s does not begin before the day it is applied', async (_, terms) => {
  const draft = version(3, '2026-06-01', 1, '[]', false)
  await apply(yaml({ versions: draft + version(4, '2026-12-24', 1) }))
  await expect(apply(yaml(terms))).rejects.toThrow(/name today \(2026-11-23\) or a later day/)
  expect(await apply(yaml({ versions: version(2, '2026-11-23', 1) }))).toMatchObject({ revision: 2 })
})

test('the first text of a customer may tell of years past', async () => {
  expect(await apply(yaml({ versions: version(2, '2026-01-01', 30) }))).toMatchObject({ revision: 1 })
})

test('no version that has begun rests on an acceptance still to come', async () => {
  const text = yaml().replace(
    'person: Liv, at: 2025-02-20T09:12:00Z',
    'person: Liv, at: 2026-11-23T12:00:01Z',
  )
  await expect(apply(text)).rejects.toThrow(
    /version 1 begins on 2025-03-01, and the customer's acceptance by Liv is dated 2026-11-23T12:00:01/,
  )
})

test('a text that follows an edited one is refused', async () => {
  await apply(yaml())
  await store.write((tx) =>
    tx
      .updateTable('contract_text')
      .set({ yaml: yaml({ keep: 1 }) })
      .execute(),
  )
  await expect(apply(yaml({ keep: 1 }))).rejects.toMatchObject({ code: 'LOG_INCONSISTENT' })
})

test('exclusions are added to a version in force, and never dropped', async () => {
  const one =
    '{ sets: [shop], from: 2026-11-27, to: 2026-11-29, reason: planned, approvedBy: [customer, provider] }'
  await apply(yaml())
  expect(await apply(yaml({ exclusions: `[${one}]` }))).toMatchObject({ revision: 2 })
  await expect(apply(yaml())).rejects.toThrow(/exclusions may be added to/)
})

test('a text that cannot be read is refused with the lines', async () => {
  await expect(apply('id: AFT-1\nnonsense: 1\n')).rejects.toThrow(/c\.yaml:2:1: nonsense/)
})

describe('whose contract it is', () => {
  const of = (id: string, customer: string) => yaml({ customer }).replace('id: AFT-1', `id: ${id}`)
  const listed = () => store.db.selectFrom('contract').select(['id', 'tenant']).orderBy('id').execute()

  test.each([
    ['{ name: Nord & Syd A/S }', '{ name: Nord Syd A.S }'],
    ['{ name: Nord & Syd A/S }', '{ name: NORD & SYD A/S }'],
    ['{ name: Ærø Is }', '{ name: Aeroe Is }'],
    ['{ name: Havfruen, cvr: "33445566" }', '{ name: "33445566" }'],
    ['{ name: "33445566" }', '{ name: Havfruen, cvr: "33445566" }'],
  ])('%s and %s would be one tenant: the second is refused', async (first, second) => {
    await apply(of('AFT-1', first))
    await expect(apply(of('AFT-2', second))).rejects.toThrow(
      /\(contract AFT-1\) would both be the customer .*: give the cvr of this one/,
    )
    expect((await listed()).map(({ id }) => id)).toEqual(['AFT-1'])
  })

  test('the same customer has as many contracts as it likes; a number tells others apart', async () => {
    await apply(of('AFT-1', '{ name: Nord & Syd A/S }'))
    await apply(of('AFT-2', '{ name: "Nord & Syd A/S " }'))
    await apply(of('AFT-3', '{ name: Nord Syd A.S, cvr: "33445566" }'))
    await apply(of('AFT-4', '{ name: Nordsyd, cvr: "33445566" }'))
    expect((await listed()).map(({ tenant }) => tenant)).toEqual([
      ...['nord-syd-a-s', 'nord-syd-a-s', '33445566', '33445566'],
    ])
    // nor does a contract come to another's customer by a new name of its own
    const renamed = apply(of('AFT-2', '{ name: Nord Syd A.S }'))
    await expect(renamed).rejects.toThrow(/\(contract AFT-1\) would both be/)
    expect(await apply(of('AFT-2', '{ name: Nord & Syd A/S }'))).toMatchObject({ revision: 2 })
  })

  test.each([
    ['{ name: Nord & Syd A/S }', '{ name: Nord & Syd A/S, cvr: "33445566" }', 'nord-syd-a-s'],
    ['{ name: Nord & Syd A/S, cvr: "33445566" }', '{ name: Nord & Syd A/S }', '33445566'],
  ])('%s does not become %s: everything stays where its people see it', async (first, second, tenant) => {
    await apply(of('AFT-1', first))
    await expect(apply(of('AFT-1', second))).rejects.toThrow(
      `evidence of AFT-1 are kept under ${tenant}, and would be out of sight under`,
    )
    expect(await listed()).toEqual([{ id: 'AFT-1', tenant }])
    expect(await apply(of('AFT-2', second))).toMatchObject({ revision: 1 })
  })
})

test('a customer without a number is named by its name', () => {
  expect(tenantOfCustomer({ name: 'Søren Ærø & Co. A/S' })).toBe('soeren-aeroe-co-a-s')
  expect(tenantOfCustomer({ name: 'Crédit Åse', cvr: '12345678' })).toBe('12345678')
  expect(() => tenantOfCustomer({ name: '株式会社' })).toThrow(/give .* a cvr/)
})
