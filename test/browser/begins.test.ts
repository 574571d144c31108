/** Contracts that begin later, and one whose agent has not spoken: nothing is claimed of them, and no way is a dead end. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser, signIn, visit } from './browser.ts'
import { contractYaml, STORIES } from './contracts.ts'
import type { Story } from './contracts.ts'
import { openStage } from './kit.ts'
import type { Stage } from './kit.ts'

const NEVER = STORIES.find(({ agent }) => agent === 'booking') as Story
const BROKEN = STORIES.find(({ agent }) => agent === 'srv-c5') as Story
let browser: Browser
let stage: Stage

beforeAll(async () => {
  ;[browser, stage] = await Promise.all([openBrowser(), openStage([NEVER, BROKEN])])
  const begin = (id: string, since: string) =>
    stage.office.applyContract({
      yaml: contractYaml({ ...NEVER, id, since, customer: `Ny ${id} A/S`, cvr: '10101010', lineage: id }),
      file: `${id}.yaml`,
      by: 'slind',
    })
  await begin('TOMORROW', '2026-11-24')
  await begin('DECEMBER', '2026-12-01')
})

afterAll(async () => {
  await browser?.close()
  await stage?.close()
})

async function reading(
  work: (page: Page, go: (path: string) => Promise<string>) => Promise<void>,
  who?: string,
) {
  const { context, page } = await visit(browser, { scheme: 'light', width: 1280, language: 'en' })
  await signIn(page, stage.url, who)
  await work(page, async (path) => {
    const answer = await page.goto(stage.url + path)
    expect(answer?.status(), path).toBe(200)
    return page.locator('main').innerText()
  })
  await context.close()
}

test('a contract that begins later says when, needs nobody, and offers nothing that is not there', async () => {
  await reading(async (page, go) => {
    expect(await go('/')).toContain('2 contracts of 4 need you')
    const text = await go('/contracts/TOMORROW')
    expect(text).toContain('in force from 24 Nov 2026')
    expect(text).toContain('No agent is enrolled for this contract yet')
    expect(await page.getByRole('button', { name: 'Download evidence pack' }).count()).toBe(0)
    expect(await go('/contracts/DECEMBER/reports')).toContain('in force from 1 Dec 2026')
    for (const id of ['TOMORROW', 'DECEMBER']) {
      await go(`/contracts/${id}/reports`)
      const links = await page
        .locator('main a')
        .evaluateAll((all) => all.map((a) => a.getAttribute('href') ?? ''))
      for (const link of links) expect((await page.request.get(stage.url + link)).status(), link).toBe(200)
    }
  })
})

test('where no inventory ever came, none is said to be too old', async () => {
  await reading(async (_page, go) => {
    expect(await go(`/contracts/${NEVER.id}`)).toContain('No inventory that counts has come yet')
  })
})

test('the log is as long to a customer as to its provider; what a program is told is kept by no browser', async () => {
  const told = async (who?: string) => {
    let text = ''
    await reading(async (page, go) => {
      text = (await go('/log')).replaceAll(/\s+/g, ' ')
      const answer = await page.request.get(`${stage.url}/v1/contracts/${BROKEN.id}/status`)
      expect(answer.headers()['cache-control']).toBe('private, no-store')
    }, who)
    return /Statements ([\d,]+)/.exec(text)?.[1]
  }
  expect(await told(stage.customerEmail)).toBe(await told())
})
