/** Takes the README's pictures anew: `node test/browser/picture.ts`. */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openBrowser, signIn, visit } from './browser.ts'
import { openStage } from './kit.ts'

const folder = resolve(import.meta.dirname, '../../deploy/picture')
mkdirSync(folder, { recursive: true })

const [browser, stage] = await Promise.all([openBrowser(), openStage()])
const { page } = await visit(browser, { scheme: 'light', width: 1280, language: 'en' })
await signIn(page, stage.url)
const take = async (name: string, below: string, more: number) => {
  const end = await page.locator(below).first().boundingBox()
  const height = Math.ceil((end?.y ?? 0) + (end?.height ?? 800)) + more
  await page.screenshot({
    path: join(folder, name),
    fullPage: true,
    clip: { x: 0, y: 0, width: 1280, height },
  })
}
await take('status-page.png', '.columns', 40)
await page.goto(`${stage.url}/contracts/AFT-2025-014`)
await take('contract-page.png', '.tier', 24)
await browser.close()
await stage.close()
