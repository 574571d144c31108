/** A collector whose clock was once ahead: nothing is dated back, so it has to say so. */
import { problemSchema } from '@bevis/shared/wire'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeCollector } from '../../../test/kit/collector.ts'
import type { TestFolder } from '../../../test/kit/collector.ts'
import { localeOf } from '../pages/language/locale.ts'
import { loadLog } from '../pages/load/evidence.ts'
import { loadOverview } from '../pages/load/overview.ts'
import type { Source } from '../pages/load/source.ts'
import { logView } from '../pages/view/log.ts'
import { overviewView } from '../pages/view/overview.ts'

const DAYS_MS = 86_400_000
let place: TestFolder

beforeEach(async () => {
  place = await makeCollector()
})

afterEach(() => {
  place.remove()
})

const textOf = (page: { toString(): string }) =>
  page
    .toString()
    .replaceAll(/<[^>]*>|\s+/g, ' ')
    .replaceAll(/ +/g, ' ')

/** What is said where: by /readyz, and by the pages that are looked at first. */
async function said(now: Date): Promise<{ ready: number; problem: string; pages: string[] }> {
  const collector = await place.start({ now: () => now })
  try {
    const answer = await fetch(`${collector.url}/readyz`)
    const body = await answer.text()
    const source: Source = {
      db: collector.store.db,
      scope: { all: true },
      now,
      judge: (contract) =>
        Promise.resolve({
          ...{ contract, version: 1, at: now.toISOString(), knownAt: null, headline: 'compliant' as const },
          ...{ sets: [], findings: [], corrections: [] },
        }),
      index: () => Promise.reject(new Error('nobody asks')),
    }
    const locale = localeOf('en')
    const pages = [
      await overviewView(await loadOverview(source), locale),
      await logView(await loadLog(source, collector.log), locale),
    ]
    return {
      ready: answer.status,
      problem: answer.status === 200 ? body : (problemSchema.parse(JSON.parse(body)).detail ?? ''),
      pages: pages.map((page) => textOf(page)),
    }
  } finally {
    await collector.stop()
  }
}

test('a log that is dated ahead of the clock is told by /readyz and the first pages, until it is not', async () => {
  const now = new Date()
  const wrong = new Date(now.getTime() + 3 * DAYS_MS)
  const collector = await place.start({ now: () => wrong })
  const agent = await collector.enrolled('web1')
  await agent.send(agent.many(1))
  await collector.stop()

  const told = await said(now)
  expect(told.ready).toBe(503)
  expect(told.problem).toContain(`is dated ${wrong.toISOString()} until then`)
  for (const page of told.pages) expect(page).toContain('is dated ahead of this collector’s clock')
  expect(told.pages[0]).not.toContain('and that is proven')
  expect(told.pages[0]).not.toContain('Every agent has been heard from')

  const later = await said(new Date(wrong.getTime() + DAYS_MS / 2))
  expect([later.ready, later.problem]).toEqual([200, 'ready\n'])
  for (const page of later.pages) expect(page).not.toContain('ahead of this collector’s clock')
  expect(later.pages[0]).toContain('Every agent has been heard from')
})
