/** How long each step of the demo takes, as it says itself. */
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { print } from './measure.ts'

export function benchDemo(): Promise<void> {
  const root = resolve(import.meta.dirname, '../..')
  const text = execFileSync(process.execPath, ['deploy/demo.ts', '--once'], { cwd: root, encoding: 'utf8' })
  const steps = text.matchAll(/^ ?(\d+) {2}(.+)\n(?: {4}.*\n)*? {4}([\d.]+) s$/gm)
  print(
    'the demo’s steps',
    [...steps].map(([, number, what, seconds]) => ({ step: `${number}  ${what}`, seconds: seconds ?? '' })),
  )
  return Promise.resolve()
}
