/** A repository with damage: no verdict tells of it, so the pages must, until its packs were read again. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StoryAgent } from './agent-story.ts'
import { HOUR } from './agent-story.ts'
import { expectAccessible, expectFitting, openBrowser, signIn, visit } from './browser.ts'
import { STORIES } from './contracts.ts'
import { NOW } from './history.ts'
import { openStage } from './kit.ts'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser?.close())

const KEPT = STORIES.filter(({ agent }) => agent === 'web1').map((story) => ({
  ...story,
  since: '2026-09-01',
}))
const SAID = {
  en: {
    damage: 'A data check found damage in a repository: hfk-web 3/8',
    kept: 'that is proven',
    but: 'but a repository',
  },
  da: {
    damage: 'En integritetskontrol har fundet skader i et repository: hfk-web 3/8',
    kept: 'det er bevist',
    but: 'men der er skader',
  },
}

function check(agent: StoryAgent, at: number, result: 'PASSED' | 'FAILED', subset: string): void {
  const [startedAt, endedAt] = [new Date(at).toISOString(), new Date(at + 600_000).toISOString()]
  const errors = result === 'FAILED' ? 2 : 0
  agent.state('data-check', {
    repository: agent.repository,
    ...{ startedAt, endedAt, exitCode: errors === 0 ? 0 : 1, subset, bytes: 4_000_000, errors, result },
  })
}

test.each([
  ['stands', '4/8', true],
  ['is over', '3/8', false],
])('damage %s when %s was read and found sound', async (_, subset, stands) => {
  const stage = await openStage(KEPT, (agent) => {
    check(agent, NOW - 6 * HOUR, 'FAILED', '3/8')
    check(agent, NOW - 4 * HOUR, 'PASSED', subset)
  })
  for (const language of ['en', 'da'] as const) {
    const { context, page, complaints } = await visit(browser, { scheme: 'light', width: 1280, language })
    await signIn(page, stage.url)
    const { damage, kept, but } = SAID[language]
    for (const path of ['/', '/contracts/AFT-2025-052', '/agents/web1']) {
      await page.goto(stage.url + path)
      const text = (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ')
      expect(text.includes(damage), `${language} ${path}`).toBe(stands)
      if (path === '/') expect([text.includes(kept), text.includes(but)]).toEqual([!stands, stands])
      await expectFitting(page)
      await expectAccessible(page)
    }
    expect(complaints).toEqual([])
    await context.close()
  }
  await stage.close()
})
