import { afterEach, beforeEach, expect, test } from 'vitest'
import { CONTRACT, makeCollector } from '../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../test/kit/collector.ts'
import { evaluateCommand } from './evaluate.ts'

/** Like a real clock it never tells the same time twice. */
let told = Date.parse('2025-03-02T12:00:00.000Z')
const now = () => new Date((told += 1))
let place: TestFolder
let collector: TestCollector

beforeEach(async () => {
  place = await makeCollector()
  collector = await place.start({ now })
})

afterEach(async () => {
  await collector.stop()
  place.remove()
})

const evaluate = async (at?: string) => {
  const { exit, json, lines } = await evaluateCommand(
    collector.opened,
    CONTRACT,
    at === undefined ? {} : { at },
  )
  return { exit, headline: (json as { headline: string }).headline, text: lines.join('\n') }
}

test.each([
  ['2025-03-02T03:00:00Z', 'at-risk', 1],
  ['2025-03-02T12:00:00Z', 'unknown', 1],
  ['2026-03-02T12:00:00Z', 'breached', 1],
  ['2025-01-01T12:00:00Z', 'not-applicable', 0],
])('at %s a silent contract is %s, and the exit status is %i', async (at, headline, exit) => {
  expect(await evaluate(at)).toMatchObject({ headline, exit })
})

test('findings are told in words, and what lies ahead as what it is', async () => {
  const { text } = await evaluate('2025-03-06T12:00:00Z')
  expect(text).toContain('Nobody can say: the evidence has not come: shop, ')
  expect(text).not.toMatch(/[{}]/)
  expect(text).toContain('in the future: this is what it comes to if nothing more arrives')
  expect((await evaluate('2025-03-02T12:00:00Z')).text).not.toContain('in the future')
  expect((await evaluate()).text).not.toContain('in the future')
})

test('what lies further ahead than anybody plans is refused, since every day until then would be judged', async () => {
  await expect(evaluate('2035-03-03')).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringContaining('2035-03-03T00:00:00.000Z is too far ahead'),
  })
  expect((await evaluate('2035-03-01')).headline).toBe('breached')
})
