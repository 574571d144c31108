import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer, SetAnswer, Verdict } from '@bevis/shared/contract/answer'
import { COUNTED_STATES } from '@bevis/shared/contract/answer'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSqliteStore } from '../../store/sqlite/open.ts'
import type { Store } from '../../store/store.ts'
import { localeOf } from '../language/locale.ts'
import { overviewView } from '../view/overview.ts'
import { loadOverview } from './overview.ts'

const folder = mkdtempSync(join(tmpdir(), 'bevis-overview-'))
const now = new Date('2026-11-23T09:40:00.000Z')
let store: Store

beforeAll(async () => {
  store = await openSqliteStore({ stateFolder: folder, create: true })
})

afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

function setOf(headline: Verdict): SetAnswer {
  const counts = Object.fromEntries(COUNTED_STATES.map((state) => [state, 0])) as SetAnswer['counts']
  return {
    id: 'shop',
    headline,
    dimensions: {
      points: headline,
      retention: 'not-applicable',
      ceiling: 'not-applicable',
      proof: 'not-applicable',
      copies: 'not-applicable',
      evidence: 'not-applicable',
    },
    counts: { ...counts, met: 1 },
    rate: null,
    obligations: [],
  }
}

/** The page for contracts that stand as their last verdict says; `none` has no version in force. */
async function overviewOf(headlines: readonly (Verdict | null)[], most?: number): Promise<string> {
  await store.write(async (tx) => {
    await tx.deleteFrom('contract').execute()
    const rows = headlines.map((headline, n) => ({ id: `AFT-${n}`, headline }))
    for (const row of rows) {
      const more = { tenant: 't', customer_name: row.id, evaluated_at: null }
      await tx
        .insertInto('contract')
        .values({ ...row, ...more })
        .execute()
    }
  })
  const judge = (contract: string): Promise<Answer> => {
    const headline = headlines[Number(contract.slice(4))]
    if (headline === null || headline === undefined) return Promise.reject(new Error('it cannot be read'))
    const sets = headline === 'not-applicable' ? [] : [setOf(headline)]
    const at = now.toISOString()
    return Promise.resolve({
      ...{ contract, version: 1, at, knownAt: null, headline, sets },
      ...{ findings: [], corrections: [] },
    })
  }
  const index = () => Promise.reject(new Error('nobody asks'))
  const model = await loadOverview({ db: store.db, scope: { all: true }, now, judge, index }, most)
  return String(await overviewView(model, localeOf('en')))
    .replaceAll(/<[^>]*>|\s+/g, ' ')
    .replaceAll(/ +/g, ' ')
}

test('what is not shown is counted all the same, and can be shown', async () => {
  const text = await overviewOf(['compliant', 'breached', 'compliant', null, 'at-risk'], 1)
  expect(text).toContain('3 contracts of 5 need you.')
  expect(text).toMatch(/breached 1 .*unknown 1 .*at risk 1 .*compliant 2 /)
  expect(text).toContain('Show the other 4 contracts too.')
})

test('what nobody can judge is unknown, and first among what is not broken', async () => {
  const text = await overviewOf(['compliant', null, 'at-risk'])
  expect(text).toContain('2 contracts of 3 need you.')
  expect(text).toMatch(/AFT-1.*AFT-2.*AFT-0/)
  expect(text).toMatch(/breached 0 .*unknown 1 /)
})

test('a contract that has not begun needs nobody, and is not called proven', async () => {
  expect(await overviewOf(['compliant', 'not-applicable'])).toContain('All 2 contracts are kept so far.')
  expect(await overviewOf(['compliant', 'compliant'])).toContain(
    'All 2 contracts are kept, and that is proven.',
  )
  expect(await overviewOf(['breached', 'not-applicable'])).toContain('1 contract of 2 needs you.')
  expect(await overviewOf(['compliant', 'compliant', 'compliant'], 2)).toContain(
    'All 3 contracts are kept so far.',
  )
})

test('an agent that has only enrolled is not said to have been heard', async () => {
  const enrolled_at = '2026-11-19T00:00:00.000Z'
  const agent = {
    tenant: 't',
    id: 'web1',
    host: 'web1',
    state: 'active',
    epoch: 1,
    enrolled_at,
    detail: '{}',
  } as const
  await store.write((tx) =>
    tx
      .insertInto('agent')
      .values({ ...agent, last_received_at: enrolled_at, clock_offset_ms: null })
      .execute(),
  )
  expect(await overviewOf(['compliant'])).toContain('enrolled, not heard from since')
})
