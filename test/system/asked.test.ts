/** What the collector asks for and what the agent makes of it, by the real programs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makePair } from '../kit/pair.ts'
import type { Pair } from '../kit/pair.ts'
import { killHard } from '../kit/programs.ts'
import type { ChildProcess } from 'node:child_process'

let pair: Pair
let collector: ChildProcess

beforeAll(async () => {
  pair = await makePair()
  for (const name of ['a', 'b', 'c']) writeFileSync(join(pair.source, name), `content of ${name}`)
  collector = await pair.startCollector()
  await pair.agent('backup', 'shop', '--init')
})
afterAll(() => pair.remove())

interface Tested {
  readonly outcome: string
  readonly tests: { result: { selection: { seed: string }; population: object } }[]
}
async function tested(...args: string[]): Promise<Tested> {
  return JSON.parse((await pair.agent('test', 'shop', '--json', ...args)).stdout) as Tested
}
async function answers(): Promise<(string | undefined)[]> {
  const { stdout } = await pair.collector('request', 'list', 'KILL-1', '--json')
  const rows = JSON.parse(stdout) as { path: string; answer: { outcome: string } | null }[]
  return rows.map(({ answer }) => answer?.outcome)
}
const ask = (path: string) =>
  pair.collector('request', 'add', 'KILL-1', '--set', 'shop', '--path', path, '--by', 'Liv Holm')

test('a sample is drawn by the collector’s seed, told after the inventory, and another each time', async () => {
  const [first, second] = [await tested(), await tested()]
  expect(first).toMatchObject({
    outcome: 'PASSED',
    tests: [{ result: { selection: { seedFrom: 'collector' } } }],
  })
  const [one, other] = [first, second].map(({ tests }) => tests[0]?.result)
  expect(one?.population).toHaveProperty('inventory')
  expect(one?.selection.seed).not.toBe(other?.selection.seed)
})

test('a file that somebody picked is restored by the service, and its answer shown', async () => {
  expect((await ask(join(pair.source, 'b'))).exit).toBe(0)
  expect((await ask('/etc/shadow')).exit).toBe(2)
  expect(await answers()).toEqual([undefined])
  const service = pair.startAgent()
  for (let tries = 0; tries < 600 && (await answers())[0] === undefined; tries += 1) await sleep(100)
  expect(await answers()).toEqual(['PASSED'])
  service.kill('SIGTERM')
})

test('by hand too, and what is not in the snapshot is told so', async () => {
  await ask(join(pair.source, 'never'))
  expect((await pair.agent('evidence', 'send')).exit).toBe(0)
  const { outcome, tests } = await tested('--requested')
  expect(outcome).toBe('INCONCLUSIVE')
  expect(tests[0]?.result).toMatchObject({ reason: 'requested', error: { code: 'NOTHING_TO_TEST' } })
  expect(await answers()).toEqual(['INCONCLUSIVE', 'PASSED'])
  expect((await tested('--requested')).tests).toEqual([])
})

test('without the collector the agent draws by its own seed, and says so', async () => {
  writeFileSync(join(pair.source, 'd'), 'more')
  await killHard(collector)
  await pair.agent('backup', 'shop')
  const { outcome, tests } = await tested()
  expect(outcome).toBe('PASSED')
  expect(tests[0]?.result.selection).toMatchObject({ seedFrom: 'agent' })
})
