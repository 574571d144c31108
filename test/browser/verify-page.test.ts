/** verify.html in a real browser, opened from the disk: the same answers as bevis-verify, and no network. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import { isPackFile } from '@bevis/shared/verify/pack'
import { parseTrust } from '@bevis/shared/verify/trust'
import { reportUnreadable, verifyPack } from '@bevis/shared/verify/verify-pack'
import type { Report } from '@bevis/shared/verify/report'
import { openZip, sourceOf } from '@bevis/shared/verify/zip'
import { refreshPage } from '../../deploy/page.ts'
import { attacks, honestPack } from '../kit/attacks.ts'
import { heartbeatWorld } from '../kit/heartbeat-world.ts'
import { packOf } from '../kit/pack.ts'
import { zipOf } from '../kit/zip.ts'
import { expectAccessible, expectFitting, openBrowser, visit } from './browser.ts'
import type { Look } from './browser.ts'

const folder = mkdtempSync(join(tmpdir(), 'bevis-page-'))
let browser: Browser
let address: string

beforeAll(async () => {
  address = `file://${await refreshPage()}`
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Shown {
  readonly state: string
  readonly checks: Readonly<Record<string, string>>
}

/** A pack and a trust file as their content, or by their paths. */
async function verifyInPage(page: Page, zip: Uint8Array | string, trust: string | null): Promise<Shown> {
  await page.goto(address)
  const fileOf = (name: string, content: string | Uint8Array) =>
    typeof zip === 'string'
      ? String(content)
      : { name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) }
  if (trust !== null) await page.locator('#trust').setInputFiles(fileOf('trust.yaml', trust))
  await page.locator('#pack').setInputFiles(fileOf('pack.zip', zip))
  await page.waitForSelector('body[data-state=report], body[data-state=failed]', { timeout: 300_000 })
  return page.evaluate(`({
    state: document.body.dataset.state,
    checks: Object.fromEntries(
      [...document.querySelectorAll('[data-check]')].map(({ dataset }) => [dataset.check, dataset.outcome]),
    ),
  })`)
}

function verifyHere(zip: Uint8Array, trustText: string | null): Report {
  const trust = trustText === null ? null : parseTrust(trustText)
  try {
    return verifyPack({ files: openZip(sourceOf(zip), isPackFile), trust })
  } catch (error) {
    if (errorCodeOf(error) !== 'PACK_INVALID') throw error
    return reportUnreadable(errorMessageOf(error), trust)
  }
}

const outcomesOf = ({ checks }: Report) => Object.fromEntries(checks.map(({ id, outcome }) => [id, outcome]))

const LOOKS: readonly Look[] = [
  { scheme: 'light', width: 1280, language: 'en' },
  { scheme: 'dark', width: 360, language: 'da' },
]

test.each(LOOKS)(
  'an honest pack, $scheme, $width px, $language: shown, fitting and accessible',
  async (look) => {
    const { context, page, complaints } = await visit(browser, look)
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    const { zip, trust } = await honestPack()
    await page.goto(address)
    await expectFitting(page)
    expect((await verifyInPage(page, zip, null)).checks).toEqual(outcomesOf(verifyHere(zip, null)))
    await expect.poll(() => page.locator('.badge.large').textContent()).toMatch(/not anchored|ikke forankret/)
    expect((await verifyInPage(page, zip, trust)).checks).toEqual(outcomesOf(verifyHere(zip, trust)))
    await expect.poll(() => page.locator('.badge.large').textContent()).toMatch(/Verified|Bekræftet/)
    await page.locator('tbody button').first().click()
    await expect
      .poll(() => page.locator('tr.detail pre').first().textContent())
      .toMatch(/"event": "enrolled"/)
    await expectFitting(page)
    await expectAccessible(page)
    await page.getByRole('button', { name: look.language === 'da' ? 'English' : 'Dansk' }).click()
    expect(await page.locator('h1').textContent()).toMatch(look.language === 'da' ? /^Check/ : /^Efterprøv/)
    expect(complaints).toEqual([])
    expect(requests.filter((url) => !/^(file|blob):/.test(url))).toEqual([])
    await context.close()
  },
)

test('the page’s own policy forbids it any network and any other script', async () => {
  const { context, page } = await visit(browser, LOOKS[0] as Look)
  await page.goto(address)
  const reached = await page.evaluate(`(async () => {
    const tries = await Promise.allSettled([fetch('https://example.net/'), fetch('file:///etc/hostname')])
    const script = document.createElement('script')
    script.textContent = 'document.title = "taken"'
    document.body.append(script)
    const image = new Image()
    const loaded = new Promise((resolve) => {
      image.addEventListener('load', () => resolve(true))
      image.addEventListener('error', () => resolve(false))
    })
    image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACw='
    return [tries.some(({ status }) => status === 'fulfilled'), document.title === 'taken', await loaded]
  })()`)
  expect(reached).toEqual([false, false, false])
  await context.close()
})

test('every attack is found here as by bevis-verify, check by check', { timeout: 400_000 }, async () => {
  const { context, page, complaints } = await visit(browser, LOOKS[0] as Look)
  for (const { name, zip, trust } of await attacks()) {
    if (/^one bit of (keys|proofs)/.test(name)) continue // one kind of damage is like another, and each costs a page
    const { state, checks } = await verifyInPage(page, zip, trust)
    expect
      .soft({ name, state, checks })
      .toEqual({ name, state: 'report', checks: outcomesOf(verifyHere(zip, trust)) })
    expect.soft(Object.values(checks), name).toContain('failed')
    expect.soft(await page.locator('.badge.large').textContent(), name).toMatch(/Refused/)
  }
  expect(complaints).toEqual([])
  await context.close()
})

test('a trust file that is none is told, not passed over', async () => {
  const { context, page } = await visit(browser, LOOKS[0] as Look)
  const { zip } = await honestPack()
  expect((await verifyInPage(page, zip, 'log: {}\n')).state).toBe('failed')
  expect(await page.locator('.notice').textContent()).toMatch(/log\.vkey/)
  await context.close()
})

test('10,000 statements hold, and the page never stands still', { timeout: 400_000 }, async () => {
  const { context, page, complaints } = await visit(browser, LOOKS[0] as Look)
  const world = await heartbeatWorld(10_000)
  writeFileSync(join(folder, 'pack.zip'), zipOf(await packOf(world)))
  writeFileSync(join(folder, 'trust.yaml'), world.trust())
  // A timer of the page itself: what it misses is how long a person would have waited for an answer.
  await page.addInitScript(`
    globalThis.longestMs = 0
    let last = performance.now()
    setInterval(() => {
      const now = performance.now()
      globalThis.longestMs = Math.max(globalThis.longestMs, now - last)
      last = now
    }, 20)
  `)
  const { checks } = await verifyInPage(page, join(folder, 'pack.zip'), join(folder, 'trust.yaml'))
  expect(Object.values(checks).every((outcome) => outcome === 'held')).toBe(true)
  expect(await page.locator('tbody > tr:not(.detail)').count()).toBe(100)
  const longestMs: number = await page.evaluate('longestMs')
  expect(longestMs).toBeLessThan(3_000)
  expect(complaints).toEqual([])
  await context.close()
})
