import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { BevisError } from '../error.ts'
import { evaluateCommand, readFact, runEvaluate } from './evaluate.ts'
import { Story, versionOf } from '../contract/story-for-tests.ts'

const contractText = JSON.stringify({
  id: 'AFT-1',
  provider: { name: 'Nordlys' },
  customer: { name: 'Havfruen' },
  term: { start: '2025-01-01' },
  versions: [versionOf(1, '2025-01-01')],
})

const story = new Story()
story.days('2025-03-01', '2025-03-04')
const facts = story.facts.map((fact) => JSON.stringify(fact)).join('\n')

const folder = mkdtempSync(join(tmpdir(), 'bevis-evaluate-'))
const file = (name: string) => join(folder, name)

beforeAll(() => {
  writeFileSync(file('contract.yaml'), contractText)
  writeFileSync(file('facts.jsonl'), `${facts}\n`)
})
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = 0
})

/** Runs the command as a program with a --json of its own has it. */
async function run(...args: string[]): Promise<{ text: string; exit: typeof process.exitCode }> {
  let text = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk)
    return true
  })
  const program = new Command()
    .option('--json')
    .exitOverride()
    .action(() => {})
  evaluateCommand(program)
  await program.parseAsync(
    ['evaluate', '--contract', file('contract.yaml'), '--facts', file('facts.jsonl'), ...args],
    { from: 'user' },
  )
  return { text, exit: process.exitCode }
}

test('with --json the answer and nothing else', async () => {
  const { text, exit } = await run('--at', '2025-03-04T23:00:00Z', '--json')
  const answer: unknown = JSON.parse(text)
  expect(answer).toEqual(
    JSON.parse(JSON.stringify(runEvaluate({ contractText, facts, at: new Date('2025-03-04T23:00:00Z') }))),
  )
  expect(exit).toBe(0)
})

test('exit status 1 when the headline is anything but compliant', async () => {
  const { text, exit } = await run('--at', '2025-03-06T23:00:00Z', '--known-at', '2025-03-05T00:00:00Z')
  expect(text).toContain('AFT-1  version 1  unknown')
  expect(text).toContain('from what was received by 2025-03-05T00:00:00.000Z')
  expect(exit).toBe(1)
})

test('a policy of restic is played through, and a wrong deletion is a bad answer', async () => {
  const at = ['--at', '2025-03-04T23:00:00Z'] as const
  const good = await run(...at, '--forget', '--keep-daily 31', '--json')
  expect(JSON.parse(good.text)).toMatchObject({ forget: [{ set: 'filer', removed: 0, first: null }] })
  expect(good.exit).toBe(0)
  const bad = await run(...at, '--forget', '--keep-last 2')
  expect(bad.text).toMatch(/removed 2 of 4 snapshots\n {2}first wrong {2}2025-03-03T21:00:00\.001Z/)
  expect(bad.exit).toBe(1)
  await expect(run(...at, '--forget', '--keep-all')).rejects.toThrow('--keep-all is not known')
})

test('a file that is not there is no answer', async () => {
  await expect(run('--at', '2025-03-04T23:00:00Z', '--facts', file('none'))).rejects.toThrow(BevisError)
  await expect(run('--at', 'yesterday')).rejects.toThrow('is no instant')
  await expect(run('--at', '2025-02-31T04:00:00Z')).rejects.toThrow('is no instant')
})

describe('what cannot be used is refused by its line', () => {
  const at = new Date('2025-03-04T23:00:00Z')

  test.each([
    ['no JSON', 'x', 'line 2 of the facts is not JSON'],
    ['no fact', '{}', 'line 2 of the facts cannot be used: receivedAt'],
    ['too long', 'x'.repeat(600_000), 'line 2 of the facts cannot be used: the line is too long'],
  ])('%s', (_, line, message) => {
    const evaluating = () => runEvaluate({ contractText, facts: ['', line], at })
    expect(evaluating).toThrow(message)
    expect(evaluating).toThrow(expect.objectContaining({ code: 'FACTS_INVALID' }))
  })

  test('a contract with all its problems', () => {
    const broken = contractText.replace('"no":1', '"no":0').replace('"term"', '"terms"')
    expect(() => runEvaluate({ contractText: broken, facts, at })).toThrow(
      /unknown key "terms"[^]*"no" is 0, which is not a whole number above zero/,
    )
  })
})

test('the digest is of the statement as it stands, unknown fields included', () => {
  const line = JSON.stringify(story.facts[0])
  const more = line.replace('"host":', '"newer":1,"host":')
  expect(readFact(more, 1).paeDigest).not.toBe(readFact(line, 1).paeDigest)
  expect(readFact(line, 1).paeDigest).toMatch(/^[0-9a-f]{64}$/)
})
