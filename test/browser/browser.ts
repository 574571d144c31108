/** Debian's chromium, driven by playwright-core: what every browser test shares. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { expect } from 'vitest'
import { EMAIL, PASSWORD } from './kit.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
)

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export function openBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) {
    throw new Error('the pages are tested in a real browser and there is none: apt-get install chromium')
  }
  return chromium.launch({ executablePath: CHROMIUM, args: ARGS })
}

export interface Look {
  scheme: 'light' | 'dark'
  width: 1280 | 360
  language: 'da' | 'en'
}

export interface Visit {
  context: BrowserContext
  page: Page
  /** Console errors, refused by the content security policy included, and failed requests. */
  complaints: string[]
}

export async function visit(browser: Browser, { scheme, width, language }: Look): Promise<Visit> {
  const context = await browser.newContext({
    colorScheme: scheme,
    viewport: { width, height: 800 },
    locale: language,
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      complaints.push(`${page.url()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`))
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`)
  })
  return { context, page, complaints }
}

/** Signs in as a person without a mouse would. */
export async function signIn(page: Page, url: string, email = EMAIL, password = PASSWORD): Promise<void> {
  await page.goto(`${url}/sign-in`)
  for (let presses = 0; presses < 10; presses++) {
    await page.keyboard.press('Tab')
    if ((await page.evaluate('document.activeElement?.id')) === 'email') break
  }
  await page.keyboard.type(email)
  await page.keyboard.press('Tab')
  await page.keyboard.type(password)
  await page.keyboard.press('Enter')
  await page.waitForURL((address) => address.pathname !== '/sign-in')
}

interface AxeFinding {
  id: string
  impact: string | null
  nodes: { html: string; failureSummary?: string }[]
}

/** Runs axe on the page as it is, against WCAG 2.2 AA; what is not serious is left to people. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe)
  const findings = await page.evaluate(async () => {
    const { axe: engine } = globalThis as unknown as {
      axe: { run: (options: object) => Promise<{ violations: AxeFinding[] }> }
    }
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    return (await engine.run({ runOnly: tags, resultTypes: ['violations'] })).violations
  })
  const serious = findings
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 3)
          .map((node) => `${node.html} ${node.failureSummary ?? ''}`)
          .join('\n')}`,
    )
  expect(serious, page.url()).toEqual([])
}

export async function expectFitting(page: Page): Promise<void> {
  const content: number = await page.evaluate('document.documentElement.scrollWidth')
  const window: number = await page.evaluate('document.documentElement.clientWidth')
  expect(content, `${page.url()} is wider than the window`).toBeLessThanOrEqual(window)
}
