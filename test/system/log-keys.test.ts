/** A log's next key, and the log that goes on after one that was closed: agents and verifiers follow what was signed. */
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openCheckpoint, parseVkey, readTreeHead } from '@bevis/shared/log/checkpoint'
import { makePair } from '../kit/pair.ts'
import type { Pair } from '../kit/pair.ts'
import { killHard, run } from '../kit/programs.ts'

let pair: Pair
let collector: ChildProcess
let url: string
let firstTrust: string

const at = (...names: string[]) => join(pair.folder, ...names)
const trust = () => at('agent', 'trust.yaml')
const vkeyIn = (file: string) => /^log: .*"vkey":\s*"([^"]+)"/m.exec(readFileSync(file, 'utf8'))?.[1] ?? ''
const checkpoint = async () => (await fetch(`${url}/log/checkpoint`)).text()

async function well(ended: ReturnType<Pair['agent']>): Promise<string> {
  const { exit, stdout, stderr } = await ended
  if (exit !== 0) throw new Error(`ended with ${exit}: ${stderr}${stdout}`)
  return stdout
}

async function verdictOf(name: string, trustFile: string) {
  await well(pair.collector('pack', 'KILL-1', '--out', at(name)))
  const { exit, stdout } = await run('verify', [at(name), '--trust', trustFile, '--json'])
  const { checks } = JSON.parse(stdout) as { checks: { id: string; outcome: string }[] }
  return {
    exit,
    bad: checks.filter(({ outcome }) => outcome !== 'held').map(({ id, outcome }) => `${id} ${outcome}`),
  }
}

beforeAll(async () => {
  pair = await makePair()
  url = /url: "(http[^"]+)"/.exec(readFileSync(pair.agentConfig, 'utf8'))?.[1] ?? ''
  firstTrust = at('first-trust.yaml')
  copyFileSync(trust(), firstTrust)
  writeFileSync(at('source', 'file'), 'data')
  collector = await pair.startCollector()
  await well(pair.agent('backup', 'shop', '--init'))
  await killHard(collector)
})
afterAll(() => pair.remove())

test('a new key is signed by the old one; heads are signed by both, and agents follow', async () => {
  const { vkey, former } = JSON.parse(
    await well(pair.collector('key', 'rotate', '--person', 'S. Lind', '--json')),
  ) as { vkey: string; former: string }
  expect(former).toBe(vkeyIn(firstTrust))
  collector = await pair.startCollector()
  const head = await checkpoint()
  expect(openCheckpoint(head, parseVkey(vkey)).note).toBe(openCheckpoint(head, parseVkey(former)).note)
  await well(pair.agent('inventory', 'shop'))
  expect(vkeyIn(trust())).toBe(vkey)
  await killHard(collector)
  await well(pair.collector('key', 'retire'))
  collector = await pair.startCollector()
  await well(pair.agent('inventory', 'shop'))
  expect(() =>
    openCheckpoint(readFileSync(at('collector', 'checkpoint.latest'), 'utf8'), parseVkey(former)),
  ).toThrow()
  expect(openCheckpoint(await checkpoint(), parseVkey(vkey)).size).toBeGreaterThan(0)
  expect(await well(pair.collector('fsck'))).toMatch(/^Clean/)
})

test('whoever trusts the first key follows to the newest; a stranger’s key leads nowhere', async () => {
  expect(await verdictOf('rotated.zip', firstTrust)).toMatchObject({ bad: [] })
  expect(await verdictOf('same.zip', trust())).toMatchObject({ bad: [] })
  const stranger = at('stranger.yaml')
  const other = 'collector.test/log+4e30a5e9+AZMyvQJxXFBxF4TRgNn0sMUYyGvvTLr0uBPqQkJsvRPx'
  writeFileSync(stranger, readFileSync(firstTrust, 'utf8').replace(vkeyIn(firstTrust), other))
  expect((await run('verify', [at('rotated.zip'), '--trust', stranger])).exit).not.toBe(0)
})

test('a log that lost what nobody can bring back is closed, and another goes on with all that agents have', async () => {
  const state = (file: string) => at('collector', file)
  await well(pair.collector('backup', at('old')))
  const kept = readTreeHead(await checkpoint()).size
  await well(pair.agent('inventory', 'shop'))
  await well(pair.agent('inventory', 'shop'))
  await killHard(collector)
  for (const end of ['', '-wal', '-shm']) rmSync(state(`collector.db${end}`), { force: true })
  copyFileSync(at('old', 'collector.db'), state('collector.db'))
  const closed = JSON.parse(
    await well(pair.collector('recover', '--close', 'collector.test/log-2', '--json')),
  ) as { kept: number; vkey: string }
  expect(closed.kept).toBe(kept)
  const { exit, stderr } = await pair.collector('fsck')
  expect([exit, stderr]).toEqual([2, expect.stringContaining('set origin: collector.test/log-2')])
  const config = readFileSync(pair.collectorConfig, 'utf8')
  writeFileSync(
    pair.collectorConfig,
    config.replace('origin: collector.test/log', 'origin: collector.test/log-2'),
  )
  collector = await pair.startCollector()

  await well(pair.agent('inventory', 'shop'))
  const status = await pair.agent('status', '--json')
  expect(status.stdout).toContain(
    'and is closed; collector.test/log-2 goes on, and 2 statements are sent again',
  )
  expect(vkeyIn(trust())).toBe(closed.vkey)
  expect(await well(pair.collector('fsck'))).toMatch(/^Clean/)
  expect(existsSync(state('log.key.closed'))).toBe(true)

  const verdict = await verdictOf('closed.zip', firstTrust)
  expect(verdict).toMatchObject({ exit: 2, bad: ['log.consistency not-checked'] })
})
