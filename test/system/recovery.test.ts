/**
 * A collector whose database was restored from an old backup, all of it by real programs: it refuses to sign, its
 * agents bring back what it lost, and it goes on with the very tree that it had signed.
 */
import { X509Certificate } from 'node:crypto'
import { appendFileSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeBase64 } from '@bevis/shared/base64'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { readTreeHead } from '@bevis/shared/log/checkpoint'
import { parseProof } from '@bevis/shared/log/proof'
import { sha256Hex } from '@bevis/shared/crypto'
import type { Report } from '@bevis/shared/verify/report'
import type { EvidenceResponse, Replayed } from '@bevis/shared/wire'
import { FakeAgent, post } from '../kit/fake-agent.ts'
import { makePair } from '../kit/pair.ts'
import type { Pair } from '../kit/pair.ts'
import { killHard, run, start } from '../kit/programs.ts'
import { makeTsa } from '../kit/tsa.ts'
import type { Tsa } from '../kit/tsa.ts'

let pair: Pair
let collector: ChildProcess
let url: string
let web2: FakeAgent
/** What the second agent keeps. */
const kept: Replayed[] = []
let signed: string
let tsa: Tsa
let clock: Awaited<ReturnType<Tsa['listen']>>

const state = (file: string) => join(pair.folder, 'collector', file)

beforeAll(async () => {
  tsa = makeTsa()
  clock = await tsa.listen()
  pair = await makePair()
  appendFileSync(pair.collectorConfig, `timestamps: [{ url: "${clock.url}", ca: "${tsa.rootFile}" }]\n`)
  writeFileSync(join(pair.source, 'file'), 'data')
  url = /url: "(http[^"]+)"/.exec(readFileSync(pair.agentConfig, 'utf8'))?.[1] ?? ''
  collector = await pair.startCollector()
  await well(pair.agent('backup', 'shop', '--init'))
  await well(pair.collector('backup', join(pair.folder, 'old')))

  // After the backup: evidence of an old agent and of a new one, and what the office decides.
  await well(pair.agent('inventory', 'shop'))
  const invited = await pair.collector('invite', '--contract', 'KILL-1', '--host', 'web2', '--json')
  web2 = new FakeAgent((JSON.parse(invited.stdout) as { token: string }).token)
  const request = web2.enrolment()
  const { body } = await post(`${url}/v1/enrol`, request)
  const { proofs, receivedAt } = body as { proofs: string[]; receivedAt: string }
  const keys = [encodeBase64(web2.signer.spki), encodeBase64(web2.tokenSigner.spki)]
  kept.push({ envelope: request.envelope, proof: proofs[0] ?? '', receivedAt, keys, contracts: ['KILL-1'] })
  keep(web2.many(3))
  await applyContract()
  await well(pair.collector('pack', 'KILL-1', '--out', join(pair.folder, 'before.zip'))) // its head is stamped
  keep(web2.many(2))
  await well(pair.agent('inventory', 'shop'))
  for (const { envelopes, answer } of waiting) {
    const response = await answer
    for (const [n, said] of response.answers.entries()) {
      const envelope = envelopes[n]
      if (said.outcome === 'refused' || envelope === undefined) throw new Error('not taken')
      kept.push({ envelope, proof: said.proof, receivedAt: said.receivedAt })
    }
  }
  signed = readFileSync(state('checkpoint.latest'), 'utf8')
}, 300_000)
afterAll(async () => {
  await pair.remove()
  await clock.close()
  tsa.remove()
})

/** How many leaves from an index on are the collector's own: its office's, and tokens of the clock. */
function ownFrom(index: number): { stamps: number; leaves: number } {
  const lines = readFileSync(state('checkpoint.latest.own'), 'utf8').trim().split('\n')
  const own = lines.map((line) => JSON.parse(line) as { index: number; stamp?: object })
  const lost = own.filter((entry) => entry.index >= index)
  return { stamps: lost.filter(({ stamp }) => stamp !== undefined).length, leaves: lost.length }
}

async function well(ended: ReturnType<Pair['agent']>): Promise<void> {
  const { exit, stdout, stderr } = await ended
  if (exit !== 0) throw new Error(`ended with ${exit}: ${stderr}${stdout}`)
}

const waiting: { envelopes: Envelope[]; answer: Promise<EvidenceResponse> }[] = []
function keep(envelopes: Envelope[]): void {
  const before = waiting.at(-1)?.answer ?? Promise.resolve()
  waiting.push({ envelopes, answer: before.then(() => web2.send(envelopes)) })
}

async function applyContract(): Promise<void> {
  await waiting.at(-1)?.answer
  const file = join(pair.folder, 'contract.yaml')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('Nordlys IT-drift ApS', 'Nordlys IT-drift A/S'))
  await well(pair.collector('contract', 'apply', file))
}

test('a database from an old backup signs nothing, and says why', async () => {
  await killHard(collector)
  for (const end of ['', '-wal', '-shm']) rmSync(state(`collector.db${end}`), { force: true })
  copyFileSync(join(pair.folder, 'old', 'collector.db'), state('collector.db'))
  const log = join(pair.folder, 'collector.log')
  collector = start('collector', ['serve', '--config', pair.collectorConfig], log)
  for (let status = 0; status !== 503; await sleep(100)) {
    status = await fetch(`${url}/readyz`).then(
      (response) => response.status,
      () => 0,
    )
  }
  expect(readFileSync(log, 'utf8')).toContain('LOG_ROLLED_BACK')
  const { exit, stdout } = await pair.collector('recover', '--json')
  const lost = JSON.parse(stdout) as { from: number; to: number; missing: number }
  expect([exit, lost.to]).toEqual([1, readTreeHead(signed).size])
  const own = ownFrom(lost.from)
  expect(own.stamps).toBeGreaterThan(0)
  expect(lost.missing).toBe(lost.to - lost.from - own.leaves) // the collector has a copy of its own
})

test('what one agent brings back is not enough, and is kept', async () => {
  const sent = await pair.agent('evidence', 'send', '--json')
  // With nothing new to send, the agent does not even notice.
  expect(sent.exit).toBe(0)
  expect((await pair.agent('inventory', 'shop', '--no-send')).exit).toBe(0)
  expect((await pair.agent('evidence', 'send', '--json')).stdout).toContain('LOG_ROLLED_BACK')
  const { missing } = JSON.parse((await pair.collector('recover', '--json')).stdout) as { missing: number }
  expect(missing).toBe(kept.length + 1) // an enrolment has two leaves
  expect((await fetch(`${url}/readyz`)).status).toBe(503)
})

test('what was never in the log is not taken', async () => {
  const [one, two] = kept
  const { status, body } = await post(`${url}/v1/agents/web2/replay`, {
    statements: [{ ...one, envelope: two?.envelope }],
  })
  expect([status, body]).toMatchObject([422, { code: 'PROOF_INVALID' }])
})

test('nor is a receipt of the future, after which nothing would be dated right any more', async () => {
  const { status, body } = await post(`${url}/v1/agents/web2/replay`, {
    statements: [{ ...kept[0], receivedAt: '2999-01-01T00:00:00.000Z' }],
  })
  expect([status, body]).toMatchObject([400, { code: 'REQUEST_INVALID' }])
})

test('with the last of them the log is the one that was signed, and goes on', async () => {
  const { status, body } = await post(`${url}/v1/agents/web2/replay`, { statements: kept })
  expect([status, body]).toMatchObject([200, { missing: 0 }])
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  const head = await (await fetch(`${url}/log/checkpoint`)).text()
  expect(head.startsWith(signed)).toBe(true)
  expect((await pair.agent('evidence', 'send', '--json')).exit).toBe(0)
  await web2.send(web2.many(1))
  // The text that was applied is there again too, and the tokens: a pack verifies with the same proven times.
  const show = await pair.collector('contract', 'show', 'KILL-1', '--json')
  expect(JSON.parse(show.stdout)).toMatchObject({ revision: 2, damage: null })
  const zip = join(pair.folder, 'after.zip')
  await well(pair.collector('pack', 'KILL-1', '--out', zip))
  const trust = join(pair.folder, 'trust.yaml')
  const own = readFileSync(join(pair.folder, 'agent', 'trust.yaml'), 'utf8')
  const roots = `tsa: ${sha256Hex(new X509Certificate(tsa.root).raw)}\n`
  writeFileSync(
    trust,
    `${own}  - { tenant: havfruen-keramik-aps, agent: web2, keyid: ${web2.signer.keyid} }\n${roots}`,
  )
  const { stdout } = await run('verify', [zip, '--trust', trust, '--json'])
  const report = JSON.parse(stdout) as Report
  expect(report.checks.filter(({ outcome }) => outcome === 'failed')).toEqual([])
  expect(report.times).toMatchObject({ anchored: true })
  const leaf = parseProof(kept[0]?.proof ?? '').index
  const bound = report.times?.bounds.find(({ firstLeaf, lastLeaf }) => firstLeaf <= leaf && leaf <= lastLeaf)
  expect(bound?.before).not.toBeNull()
  const fsck = await pair.collector('fsck')
  expect([fsck.exit, fsck.stdout]).toEqual([0, expect.stringMatching(/^Clean/)])
  expect(readTreeHead(readFileSync(state('checkpoint.latest'), 'utf8')).size).toBeGreaterThan(
    readTreeHead(signed).size,
  )
})
