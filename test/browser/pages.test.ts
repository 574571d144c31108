/** Every page, in both schemes, on a desk and on a phone, in both languages: no complaint, nothing cut off, usable by all. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectAccessible, expectFitting, openBrowser, signIn, visit } from './browser.ts'
import type { Look } from './browser.ts'
import { openStage } from './kit.ts'
import type { Stage } from './kit.ts'

let browser: Browser
let stage: Stage

beforeAll(async () => {
  ;[browser, stage] = await Promise.all([openBrowser(), openStage()])
})

afterAll(async () => {
  await browser?.close()
  await stage?.close()
})

const VESTKYST = '/contracts/AFT-2025-014'

/** Where each page is; a list leads to the ones whose address is a digest. */
const PAGES: [name: string, path: string, first?: string][] = [
  ['overview', '/'],
  ['contract that is kept', '/contracts/AFT-2025-052'],
  ['contract that is broken', VESTKYST],
  ['contract by the hour', '/contracts/AFT-2025-031'],
  ['contract in silence', '/contracts/AFT-2026-007'],
  ['contract without evidence', '/contracts/AFT-2026-033'],
  ['contract as known last summer', '/contracts/AFT-2025-052?known=2026-08-01'],
  ['contract a year ago', `${VESTKYST}?until=2025-11`],
  ['obligations of a month', `${VESTKYST}/sets/c5-regnskab/dayx30?period=2026-11`],
  ['obligation that was missed', `${VESTKYST}/sets/c5-regnskab/dayx30/2026-11-11`],
  ['obligation that is met', `${VESTKYST}/sets/c5-regnskab/dayx30/2026-11-20`],
  ['what is promised', `${VESTKYST}/promises`],
  ['restores asked for', `${VESTKYST}/requests`],
  ['what if', `${VESTKYST}/what-if`],
  ['what if a policy were wrong', `${VESTKYST}/what-if?policy=--keep-daily+7&keep%3Ac5-regnskab%3Adayx30=60`],
  ['yearly review', `${VESTKYST}/review`],
  ['service reports and ledger', `${VESTKYST}/reports`],
  ['service report of a broken month', `${VESTKYST}/reports/2026-11`],
  ['agents', '/agents'],
  ['agent', '/agents/srv-c5'],
  ['silent agent', '/agents/sagsarkiv'],
  ['evidence', '/evidence'],
  ['restore test that failed', '/evidence?kind=restore-test&agent=srv-c5', 'tr:has(.bad) th a'],
  ['restore test that passed', '/evidence?kind=restore-test&agent=srv-c5', 'tr:has(.good) th a'],
  ['restore test without a verdict', '/evidence?kind=restore-test&agent=skole-nas', 'tr:has(.dark) th a'],
  ['backup', '/evidence?kind=backup-run&agent=srv-c5', 'tbody th a'],
  ['inventory', '/evidence?kind=inventory&agent=srv-c5', 'tbody th a'],
  ['heartbeat', '/evidence?kind=agent-lifecycle&agent=srv-c5', 'tbody th a'],
  ['log', '/log'],
]

const LOOKS: Look[] = [
  { scheme: 'light', width: 1280, language: 'en' },
  { scheme: 'dark', width: 1280, language: 'da' },
  { scheme: 'light', width: 360, language: 'da' },
]

describe.each(LOOKS)('$scheme, $width px, $language', (look) => {
  test('every page', async () => {
    const { context, page, complaints } = await visit(browser, look)
    await page.goto(`${stage.url}/sign-in`)
    await expectAccessible(page)
    await signIn(page, stage.url)
    for (const [name, path, first] of PAGES) {
      await page.goto(stage.url + path)
      if (first !== undefined) {
        const href = await page.locator(first).first().getAttribute('href')
        await page.goto(stage.url + (href ?? ''))
      }
      expect(await page.locator('h1').count(), name).toBe(1)
      expect(await page.locator('html').getAttribute('lang')).toBe(look.language)
      await expectFitting(page)
      await expectAccessible(page)
    }
    expect(complaints).toEqual([])
    await context.close()
  })
})
