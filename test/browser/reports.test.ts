/** What both parties do with a month's report: it is issued, remarked on, claimed by, signed off. */
import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addAccount } from '../../collector/src/account/accounts.ts'
import { expectAccessible, expectFitting, openBrowser, signIn, visit } from './browser.ts'
import { STORIES } from './contracts.ts'
import type { Story } from './contracts.ts'
import { EMAIL, openStage, PASSWORD } from './kit.ts'
import type { Stage } from './kit.ts'

/** One day was missed in July: 5 % of 4,800. */
const STORY = STORIES.find(({ agent }) => agent === 'srv-c5') as Story
const JULY = `/contracts/${STORY.id}/reports/2026-07`
const OWNER = 'direktor@vestkyst.example'
const READER = 'revisor@vestkyst.example'
const STRANGER = 'liv@havfruen.example'

let browser: Browser
let stage: Stage

beforeAll(async () => {
  const other = STORIES.find(({ agent }) => agent === 'booking') as Story
  ;[browser, stage] = await Promise.all([openBrowser(), openStage([STORY, other])])
  const now = new Date('2026-11-01T00:00:00Z')
  const add = (email: string, role: 'customer-admin' | 'customer-reader', tenant: string) =>
    addAccount(stage.store, { email, role, tenant, password: PASSWORD, language: 'en' }, now)
  await add(OWNER, 'customer-admin', STORY.cvr)
  await add(READER, 'customer-reader', STORY.cvr)
  await add(STRANGER, 'customer-admin', other.cvr)
})

afterAll(async () => {
  await browser?.close()
  await stage?.close()
})

async function as(email: string, work: (page: Page) => Promise<void>, width: 1280 | 360 = 1280) {
  const { context, page } = await visit(browser, { scheme: 'light', width, language: 'en' })
  await signIn(page, stage.url, email)
  await page.goto(stage.url + JULY)
  await work(page)
  await context.close()
}

async function say(page: Page, what: RegExp, note = ''): Promise<void> {
  await page.getByRole('radio', { name: what }).check()
  await page.getByLabel('Note').fill(note)
  await page.getByRole('button', { name: 'Say it' }).click()
  await page.waitForURL(stage.url + JULY)
}

const saidOn = (page: Page) => page.locator('section:has(h2:text-is("Sign-off"))').innerText()
const download = async (page: Page, name: string) => {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()])
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) }
}

test('a report that is issued is signed off by the customer, and its credits are claimed and agreed', async () => {
  await as(OWNER, async (page) => {
    expect(await page.getByRole('button', { name: 'Say it' }).count()).toBe(0) // a draft
  })
  await as(EMAIL, async (page) => {
    const twin = await page.context().newPage() // a second click, or a second person's
    await twin.goto(stage.url + JULY)
    await page.getByLabel('Your name').fill('S. Lind')
    await page.getByRole('button', { name: 'Issue this report' }).click()
    await page.waitForURL(stage.url + JULY)
    expect(await page.getByRole('radio').count()).toBe(1) // nothing is claimed yet: a remark
    await twin.getByLabel('Your name').fill('J. Holm')
    await twin.getByRole('button', { name: 'Issue this report' }).click()
    await twin.waitForURL(stage.url + JULY)
    expect(await twin.locator('main').innerText()).toContain('S. Lind')
  })
  let issued: Buffer = Buffer.alloc(0)
  await as(
    OWNER,
    async (page) => {
      issued = (await download(page, 'Download as PDF')).bytes
      await expectAccessible(page)
      await say(page, /Remark/, 'Why was the disk\nnot mounted?')
      await say(page, /Claim the credits \(DKK.240\.00 \(5%\)\)/)
      await say(page, /Sign off/)
      const said = await saidOn(page)
      expect(said).toContain('Why was the disk not mounted?')
      expect(said).toContain('Claims the credits')
      expect(said).toContain('Signed off')
      expect(await page.getByRole('radio').count()).toBe(1)
      await expectFitting(page)
    },
    360,
  )
  await as(EMAIL, async (page) => {
    await say(page, /Agree/)
    expect(await saidOn(page)).toContain('Agrees to the credits')
    expect((await download(page, 'Download as PDF')).bytes.equals(issued)).toBe(true)
    const record = await download(page, 'With corrections and sign-off')
    expect(record.name).toBe(`${STORY.id}_2026-07_record.pdf`)
    expect(record.bytes.subarray(0, 5).toString()).toBe('%PDF-')
    await page.goto(`${stage.url}/contracts/${STORY.id}/reports`)
    expect(await page.locator('tr', { hasText: 'July 2026' }).first().innerText()).toContain('signed off')
  })
})

test('who binds nobody, and whose contract it is not, says nothing of it', async () => {
  await as(READER, async (page) => {
    expect(await page.getByRole('button', { name: 'Say it' }).count()).toBe(0)
    const form = {
      _csrf: await page.locator('input[name=_csrf]').first().inputValue(),
      reply: 'remarked',
      note: 'x',
    }
    expect((await page.request.post(`${stage.url}${JULY}/reply`, { form })).status()).toBe(403)
  })
  await as(STRANGER, async (page) => {
    await page.goto(stage.url)
    const form = {
      _csrf: await page.locator('input[name=_csrf]').first().inputValue(),
      reply: 'remarked',
      note: 'x',
    }
    expect((await page.request.post(`${stage.url}${JULY}/reply`, { form })).status()).toBe(404)
    for (const path of ['', '/report.pdf', '/record.pdf']) {
      expect((await page.request.get(`${stage.url}${JULY}${path}`)).status(), path).toBe(404)
    }
  })
})
