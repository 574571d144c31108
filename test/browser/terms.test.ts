/** What both parties do with a contract's own pages: read it, accept it, ask for a restore, ask what if. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addAccount } from '../../collector/src/account/accounts.ts'
import { expectAccessible, openBrowser, signIn, visit } from './browser.ts'
import { runOn } from '../kit/pdf.ts'
import { contractYaml, STORIES } from './contracts.ts'
import type { Story } from './contracts.ts'
import { openStage, PASSWORD } from './kit.ts'
import type { Stage } from './kit.ts'

const STORY = STORIES[0] as Story
const PATH = `/contracts/${STORY.id}`
const OWNER = 'havfruen@keramik.example'
const READER = 'revisor@keramik.example'
const LOOK = { scheme: 'light', width: 1280, language: 'en' } as const

let browser: Browser
let stage: Stage

/** The same contract, and a second version that nobody has accepted. */
function withDraft(story: Story): string {
  const text = contractYaml(story)
  const draft = text
    .slice(text.indexOf('- no: 1'))
    .replace('no: 1', 'no: 2')
    .replace(/effectiveFrom: .*/, 'effectiveFrom: 2026-12-01')
    .replace(/ {2}acceptances:\n.*\n.*\n/, '  changeNote: 60 days after the risk review\n')
    .replace('{per: day, keep: 14}', '{per: day, keep: 60}')
  return text + draft
}

beforeAll(async () => {
  ;[browser, stage] = await Promise.all([openBrowser(), openStage([STORY])])
  await stage.office.applyContract({ yaml: withDraft(STORY), file: 'draft.yaml', by: 'slind' })
  const now = new Date('2026-11-01T00:00:00Z')
  const account = { password: PASSWORD, tenant: STORY.cvr, language: 'en' } as const
  await addAccount(stage.store, { ...account, email: OWNER, role: 'customer-admin' }, now)
  await addAccount(stage.store, { ...account, email: READER, role: 'customer-reader' }, now)
})

afterAll(async () => {
  await browser?.close()
  await stage?.close()
})

async function as(email: string, work: (page: Page) => Promise<void>): Promise<void> {
  const { context, page } = await visit(browser, LOOK)
  await signIn(page, stage.url, email)
  await work(page)
  await context.close()
}

test('a draft is read in plain words, and is in force once both have accepted it', async () => {
  const draft = 'draft: not in force'
  await as(READER, async (page) => {
    await page.goto(`${stage.url}${PATH}/promises`)
    const text = await page.locator('main').innerText()
    expect(text).toContain(draft)
    expect(text).toContain('60 days after the risk review')
    expect(await page.getByRole('button', { name: 'Accept this version' }).count()).toBe(0)
  })
  await as(OWNER, async (page) => {
    await page.goto(`${stage.url}${PATH}/promises`)
    await page.getByRole('checkbox').check()
    await page.getByRole('button', { name: 'Accept this version' }).click()
    const text = await page.locator('main').innerText()
    expect(text).toContain(OWNER)
    expect(text).toContain(draft)
    await expectAccessible(page)
  })
  const { context, page } = await visit(browser, LOOK)
  await signIn(page, stage.url)
  await page.goto(`${stage.url}${PATH}/promises`)
  await page.getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Accept this version' }).click()
  const text = await page.locator('main').innerText()
  expect(text).not.toContain(draft)
  expect(text).toContain('agreed, from 1 Dec 2026')
  expect(await page.getByRole('button', { name: 'Accept this version' }).count()).toBe(0)
  await context.close()
})

test('a customer asks for a file, and a reader may not', async () => {
  await as(READER, async (page) => {
    await page.goto(`${stage.url}${PATH}/requests`)
    expect(await page.locator('main').innerText()).toContain('Your account may read.')
    expect(await page.locator('form[action$="/requests"]').count()).toBe(0)
  })
  await as(OWNER, async (page) => {
    await page.goto(`${stage.url}${PATH}/requests`)
    await page.fill('#path', '/srv/shop/dump/orders.sql.zst')
    await page.getByRole('button', { name: 'Ask for this restore' }).click()
    const row = page.locator('tbody tr')
    expect(await row.innerText()).toContain('/srv/shop/dump/orders.sql.zst')
    expect(await row.innerText()).toContain('waits for the agent')
    await expectAccessible(page)
    await page.fill('#path', '/etc/shadow')
    await page.getByRole('button', { name: 'Ask for this restore' }).click()
    expect(await page.getByRole('alert').innerText()).toContain('holds that path')
    expect(await page.inputValue('#path')).toBe('/etc/shadow')
    expect(await page.locator('tbody tr').count()).toBe(1)
    await expectAccessible(page)
  })
})

test('what a policy would have deleted, and what is written wrongly', async () => {
  await as(READER, async (page) => {
    await page.goto(`${stage.url}${PATH}/what-if`)
    for (const [policy, told] of [
      ['--keep-daily 14 --keep-weekly 8', 'the first wrong deletion'],
      ['--keep-within 8m', 'none that was owed'],
      ['--keep-everything', '--keep-everything is not known'],
    ] as const) {
      await page.fill('#policy', policy)
      await page.getByRole('button', { name: 'Play it through' }).click()
      expect(await page.locator('.outcomes').innerText()).toContain(told)
      expect(await page.inputValue('#policy')).toBe(policy)
    }
    await page.locator('input[type=number]').first().fill('60')
    await page.getByRole('button', { name: 'Estimate' }).click()
    expect(await page.locator('table').innerText()).toMatch(/\+46[^]*up to about/)
  })
})

test('the yearly review is printed without a page that only has the footer', async (context) => {
  await as(READER, async (page) => {
    await page.goto(`${stage.url}${PATH}/review`)
    const pdf = await page.pdf({ format: 'A4', preferCSSPageSize: true })
    const pages = runOn(context, pdf, 'pdftotext', '-layout', '{}', '-').split('\f').slice(0, -1)
    expect(pages.at(-1)).toContain('Name and date')
  })
})
