/** What a person does with the pages: signs in, follows a red cell to its evidence, takes the pack home. */
import { readFileSync } from 'node:fs'
import { isPackFile } from '@bevis/shared/verify/pack'
import { readZip } from '@bevis/shared/verify/zip'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { descriptionOf } from '../kit/pack.ts'
import { expectAccessible, openBrowser, signIn, visit } from './browser.ts'
import { EMAIL, openStage, PASSWORD } from './kit.ts'
import type { Stage } from './kit.ts'

let browser: Browser
let stage: Stage
let empty: Stage

beforeAll(async () => {
  browser = await openBrowser()
  stage = await openStage()
  empty = await openStage([])
})

afterAll(async () => {
  await browser?.close()
  await stage?.close()
  await empty?.close()
})

const LOOK = { scheme: 'light', width: 1280, language: 'en' } as const
const sessionOf = async (page: Page) => (await page.context().cookies()).find(({ name }) => name === 'bevis')

test('nothing is seen without a sign-in, and afterwards one is where one wanted to go', async () => {
  const { context, page, complaints } = await visit(browser, LOOK)
  for (const path of ['/', '/contracts/AFT-2025-014', '/agents', '/evidence', '/log']) {
    await page.goto(stage.url + path)
    expect(new URL(page.url()).pathname).toBe('/sign-in')
    expect(await page.content()).not.toContain('Vestkyst')
  }
  await page.goto(`${stage.url}/contracts/AFT-2025-014?until=2025-11`)
  await page.fill('#email', EMAIL.toUpperCase())
  await page.fill('#password', PASSWORD)
  await page.keyboard.press('Enter')
  await page.waitForURL(`${stage.url}/contracts/AFT-2025-014?until=2025-11`)
  expect(complaints).toEqual([])
  await context.close()
})

test('a wrong password is told the same way as an unknown address', async () => {
  const { context, page } = await visit(browser, LOOK)
  const told: (string | null)[] = []
  for (const email of [EMAIL, 'nobody@nordlys.example']) {
    await page.goto(`${stage.url}/sign-in`)
    await page.fill('#email', email)
    await page.fill('#password', 'not-the-password')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[role=alert]')
    told.push(await page.locator('[role=alert]').textContent())
    expect(await page.inputValue('#email')).toBe(email)
    expect(await page.inputValue('#password')).toBe('')
    await expectAccessible(page)
  }
  expect(told[0]).toBe(told[1])
  await context.close()
})

test('the session is out of reach of scripts and other sites, new after the sign-in, and gone after the sign-out', async () => {
  const { context, page } = await visit(browser, LOOK)
  await page.goto(`${stage.url}/sign-in`)
  const before = await sessionOf(page)
  await signIn(page, stage.url)
  const after = await sessionOf(page)
  expect(after).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' })
  expect(after?.value).not.toBe(before?.value)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.waitForURL(`${stage.url}/sign-in`)
  await context.addCookies([{ name: 'bevis', value: after?.value ?? '', url: stage.url }])
  await page.goto(stage.url)
  expect(new URL(page.url()).pathname).toBe('/sign-in')
  await context.close()
})

test('a form from elsewhere is refused', async () => {
  const { context, page } = await visit(browser, LOOK)
  await signIn(page, stage.url)
  for (const path of ['/sign-out', '/contracts/AFT-2025-014/pack']) {
    const answer = await context.request.post(stage.url + path, {
      form: { _csrf: 'made-up', from: '2026-01-01', to: '2026-02-01' },
    })
    expect(answer.status()).toBe(403)
  }
  await page.goto(stage.url)
  expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(1)
  await context.close()
})

test('from a red cell to the statement it rests on, by keyboard alone', async () => {
  const { context, page, complaints } = await visit(browser, LOOK)
  await signIn(page, stage.url)
  await page.getByRole('link', { name: 'Vestkyst Tømrer & Snedker ApS' }).first().focus()
  await page.keyboard.press('Enter')
  await page.waitForURL(/AFT-2025-014/)
  const cell = page.getByRole('link', { name: 'Wed, 11 Nov 2026: missed' })
  await cell.focus()
  expect(await page.evaluate(`getComputedStyle(document.activeElement, '::after').content`)).toBe(
    '"Wed, 11 Nov 2026: missed"',
  )
  await page.keyboard.press('Enter')
  await page.waitForURL(/2026-11-11/)
  await page.locator('tr:has(.bad) th a').focus()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/evidence\//)
  expect(await page.locator('main').textContent()).toContain('is the disk mounted?')
  expect(await page.locator('.proof').textContent()).toContain('Its signature and its place were checked')
  expect(complaints).toEqual([])
  await context.close()
})

test('two machines with one identity are an alarm on the first page, and the statement says that it does not count', async () => {
  const { context, page } = await visit(browser, LOOK)
  await signIn(page, stage.url)
  await page.getByRole('link', { name: 'Two statements claim the same place in the chain' }).click()
  await page.waitForURL(/\/evidence\//)
  expect(await page.locator('main').textContent()).toContain('no verdict rests on it')
  await context.close()
})

test('of a silent agent the share is the least that it can be, and never all', async () => {
  const { context, page } = await visit(browser, LOOK)
  await signIn(page, stage.url)
  const share = async (contract: string) => {
    await page.goto(`${stage.url}/contracts/${contract}`)
    return page.locator('.tile', { hasText: 'Kept' }).innerText()
  }
  // Past days were kept; of the ones that are owed today nobody can say it.
  expect(await share('AFT-2026-007')).toMatch(/at least 48%[^]*84 of 175; nobody can say it of 91/)
  expect(await share('AFT-2026-033')).toMatch(/at least 0%/)
  expect(await share('AFT-2025-052')).toMatch(/100%/)
  await context.close()
})

test('the other language is one click away, and stays', async () => {
  const { context, page } = await visit(browser, LOOK)
  await signIn(page, stage.url)
  await page.goto(`${stage.url}/contracts/AFT-2025-014?until=2025-11`)
  await page.getByRole('link', { name: 'Dansk' }).click()
  await page.waitForURL(`${stage.url}/contracts/AFT-2025-014?until=2025-11`)
  expect(await page.locator('.headline').textContent()).toContain('ikke overholdt')
  await page.goto(`${stage.url}/agents`)
  expect(await page.locator('h1').textContent()).toBe('Agenter')
  await context.close()
})

test('a customer sees its own contract, agent and evidence, and that there is anything else is not told', async () => {
  const { context, page } = await visit(browser, LOOK)
  await signIn(page, stage.url, stage.customerEmail)
  expect(await page.locator('tbody tr').count()).toBe(1)
  for (const path of ['/', '/agents', '/evidence']) {
    await page.goto(stage.url + path)
    expect(await page.content()).not.toMatch(/Havfruen|Klinik|Nordvang|Skovby|Fanø/)
  }
  for (const path of [
    '/contracts/AFT-2025-052',
    '/agents/web1',
    '/contracts/AFT-2025-052/sets/shop/dayx14',
  ]) {
    expect((await page.goto(stage.url + path))?.status(), path).toBe(404)
  }
  await context.close()
})

test('the envelope and the proof come home whole', async () => {
  const { context, page } = await visit(browser, LOOK)
  await signIn(page, stage.url)
  await page.goto(`${stage.url}/evidence?kind=restore-test&agent=srv-c5`)
  await page.locator('tbody th a').first().click()
  await page.waitForURL(/\/evidence\/[0-9a-f]{64}/)
  const read = async (name: string) => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name }).click(),
    ])
    return readFileSync(await download.path(), 'utf8')
  }
  expect(JSON.parse(await read('Download statement'))).toMatchObject({
    payloadType: 'application/vnd.in-toto+json',
  })
  expect(await read('Download proof')).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex \d+\n/)
  await context.close()
})

test('the evidence pack is a zip', async () => {
  const { context, page } = await visit(browser, LOOK)
  await signIn(page, stage.url)
  await page.goto(`${stage.url}/contracts/AFT-2025-014`)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download evidence pack' }).click(),
  ])
  expect(download.suggestedFilename()).toBe('AFT-2025-014_2026-08-23_2026-11-23.zip')
  expect(
    readFileSync(await download.path())
      .subarray(0, 4)
      .toString('latin1'),
  ).toBe('PK\u0003\u0004')
  await context.close()
})

test('a pack marks the clauses that were ticked', async () => {
  const { context, page } = await visit(browser, LOOK)
  await signIn(page, stage.url)
  await page.goto(`${stage.url}/contracts/AFT-2025-014`)
  await page.getByText('Mark by clause').click()
  await page.getByLabel('ISO/IEC 27001:2022 A.8.13').check()
  await page.getByLabel('CIS Controls v8').check()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download evidence pack' }).click(),
  ])
  const files = await readZip(readFileSync(await download.path()), isPackFile)
  expect(descriptionOf(files).filter).toEqual({ clauses: ['iso27001-8.13', 'cis-11'] })
  await context.close()
})

test('what is not there, and what is not understood, is told in the same frame', async () => {
  const { context, page } = await visit(browser, LOOK)
  await signIn(page, stage.url)
  for (const [path, status] of [
    ['/nowhere', 404],
    ['/contracts/none', 404],
    [`/evidence/${'0'.repeat(64)}`, 404],
    ['/contracts/AFT-2025-014?known=yesterday', 400],
    ['/contracts/AFT-2025-014/sets/c5-regnskab/dayx30/2019-01-01', 404],
  ] as const) {
    expect((await page.goto(stage.url + path))?.status(), path).toBe(status)
    expect(await page.getByRole('link', { name: 'To the overview' }).count()).toBe(1)
    await expectAccessible(page)
  }
  await context.close()
})

test('a collector that nobody has used yet says what to do next', async () => {
  const { context, page, complaints } = await visit(browser, { ...LOOK, width: 360 })
  await signIn(page, empty.url)
  expect(await page.locator('main').textContent()).toContain('bevis-collector contract apply')
  for (const path of ['/agents', '/evidence', '/log']) {
    await page.goto(empty.url + path)
    await expectAccessible(page)
  }
  expect(complaints).toEqual([])
  await context.close()
})

test('a sign-in may not be tried without end', async () => {
  const { context, page } = await visit(browser, LOOK)
  await page.goto(`${empty.url}/sign-in`)
  const csrf = await page.locator('form input[name=_csrf]').inputValue()
  const statuses: number[] = []
  for (let attempt = 0; attempt < 12; attempt++) {
    const form = { _csrf: csrf, email: EMAIL, password: `guess ${attempt}` }
    statuses.push((await context.request.post(`${empty.url}/sign-in`, { form })).status())
  }
  expect(statuses.at(0)).toBe(401)
  expect(statuses.at(-1)).toBe(429)
  await context.close()
})
