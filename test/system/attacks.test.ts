/**
 * Attacks on running programs: a collector and an agent as processes, whoever attacks speaks to them as anyone may, and
 * what they hand over is looked at by `bevis-verify` as a process. Each attack is found, by its own finding.
 *
 * Three have stories of their own, by the same programs: a split view (fork.test.ts), an old database
 * (recovery.test.ts), and keys that a customer's root key has not signed (root-key.test.ts).
 */
import { X509Certificate } from 'node:crypto'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeBase64, encodeBase64 } from '@bevis/shared/base64'
import { sha256Hex, spkiOf } from '@bevis/shared/crypto'
import { paeDigest, signEnvelope } from '@bevis/shared/evidence/envelope'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { openCheckpoint, parseVkey } from '@bevis/shared/log/checkpoint'
import { formatQuery, nonceOf, stampedDigest } from '@bevis/shared/time/query'
import { PACK_FILES, contractFile, isPackFile, parseStampFile } from '@bevis/shared/verify/pack'
import type { CheckId, Report } from '@bevis/shared/verify/report'
import { readZip } from '@bevis/shared/verify/zip'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { zipTricks } from '../kit/attacks.ts'
import { FakeAgent, post, someDigest } from '../kit/fake-agent.ts'
import { describe as describePack, descriptionOf } from '../kit/pack.ts'
import { makePair } from '../kit/pair.ts'
import type { Pair } from '../kit/pair.ts'
import { run } from '../kit/programs.ts'
import { TSA_EXTENSIONS, makeTsa } from '../kit/tsa.ts'
import type { Tsa } from '../kit/tsa.ts'
import { zipOf } from '../kit/zip.ts'

let pair: Pair
let url: string
let [sound, wrong]: [Tsa, Tsa] = [
  makeTsa(),
  makeTsa({ name: 'A web server', extensions: TSA_EXTENSIONS.slice(0, 2) }),
]
const clocks: { close(): Promise<void> }[] = []
/** Of the contract's customer; of the same one; of another. */
let [web2, web3, stranger] = [] as unknown as [FakeAgent, FakeAgent, FakeAgent]
const table: string[] = []
/** What `pack` said of the pack that is attacked. */
let made = ''
const at = (file: string) => join(pair.folder, file)

beforeAll(async () => {
  pair = await makePair()
  url = /url: "(http[^"]+)"/.exec(readFileSync(pair.agentConfig, 'utf8'))?.[1] ?? ''
  const [good, bad] = [await sound.listen(), await wrong.listen((query) => wrong.answerAnyhow(query, sound))]
  clocks.push(good, bad)
  const authorities = [
    `{ url: "${good.url}", ca: "${sound.rootFile}" }`,
    `{ url: "${bad.url}", ca: "${wrong.rootFile}" }`,
  ]
  appendFileSync(pair.collectorConfig, `timestamps: [${authorities.join(', ')}]\n`)
  writeFileSync(join(pair.source, 'file'), 'data')
  await pair.startCollector()
  await well(pair.agent('backup', 'shop', '--init'))
  await well(pair.agent('inventory', 'shop'))
  const text = readFileSync(at('contract.yaml'), 'utf8')
  writeFileSync(
    at('other.yaml'),
    text.replace('id: KILL-1', 'id: OTHER-1').replace('Havfruen Keramik ApS', 'Andre ApS'),
  )
  await well(pair.collector('contract', 'apply', at('other.yaml')))
  web2 = await enrolled('web2', 'KILL-1')
  web3 = await enrolled('web3', 'KILL-1')
  stranger = await enrolled('stranger', 'OTHER-1')
  const { exit, stdout, stderr } = await pair.collector('pack', 'KILL-1', '--out', at('honest.zip'))
  made = stdout + stderr
  if (exit !== 0) throw new Error(made)
}, 300_000)
afterAll(async () => {
  await pair.remove()
  for (const clock of clocks) await clock.close()
  sound.remove()
  wrong.remove()
  process.stdout.write(`\nattacks on running programs, and what found them:\n${table.join('\n')}\n`)
})

async function well(ended: ReturnType<typeof run>): Promise<string> {
  const { exit, stdout, stderr } = await ended
  if (exit !== 0) throw new Error(`ended with ${exit}: ${stderr}${stdout}`)
  return stdout
}

async function enrolled(host: string, contract: string): Promise<FakeAgent> {
  const { stdout } = await pair.collector('invite', '--contract', contract, '--host', host, '--json')
  const agent = new FakeAgent((JSON.parse(stdout) as { token: string }).token)
  await agent.enrol()
  return agent
}

function told(name: string, by: string): void {
  table.push(`  ${name.padEnd(62)}  ${by}`)
}

/** What the collector's process says to an envelope. */
async function answerTo(name: string, agent: FakeAgent, envelope: unknown): Promise<string> {
  const outcome = await agent.outcomeOf(envelope)
  told(name, `collector: ${outcome}`)
  return outcome
}

/** A heartbeat of web2 whose text was changed before it was signed by the agent's own key. */
function spoilt(change: (json: string) => string): Envelope {
  const json = new TextDecoder().decode(web2.payload())
  const after = change(json)
  if (after === json) throw new Error('nothing was changed')
  return signEnvelope(new TextEncoder().encode(after), [web2.signer])
}

test('a second statement for one number is logged, and found by collector and verifier; the first one counts', async () => {
  const [first, second] = [web2.payload(), web2.payload()]
  await web2.send([signEnvelope(first, [web2.signer])])
  expect(await answerTo('a second statement for one number', web2, signEnvelope(second, [web2.signer]))).toBe(
    'STATEMENT_EQUIVOCATION',
  )
  web2.seq += 1
  web2.prev = paeDigest(first)
})

test.each<[string, () => Envelope, string]>([
  [
    'a statement re-signed by another enrolled agent',
    () => signEnvelope(web2.payload(), [web3.signer]),
    'STATEMENT_INVALID',
  ],
  [
    'a statement in the name of another tenant',
    () => signEnvelope(web2.payload(), [stranger.signer]),
    'STATEMENT_INVALID',
  ],
  [
    'a key given twice',
    () => spoilt((json) => json.replace('"event":', '"event":"alarm","event":')),
    'STATEMENT_INVALID',
  ],
  [
    '__proto__',
    () => spoilt((json) => json.replace('"event":', '"__proto__":{"admin":true},"event":')),
    'STATEMENT_INVALID',
  ],
  [
    'base64 that is not canonical',
    () => {
      const envelope = web2.next()
      web2.seq -= 1
      return { ...envelope, payload: `${envelope.payload.slice(0, -4)}\n${envelope.payload.slice(-4)}` }
    },
    'ENVELOPE_MALFORMED',
  ],
])('%s is refused', async (name, make, code) => {
  const prev = web2.prev
  const agent = name.includes('another') ? (name.includes('tenant') ? stranger : web3) : web2
  expect(await answerTo(name, agent, make())).toBe(code)
  web2.prev = prev
})

test('a statement sent again has its first place, and no other', async () => {
  const once = web2.next()
  const before = await web2.send([once])
  expect(await answerTo('a statement replayed', web2, once)).toBe('duplicate')
  const after = await web2.send([once])
  const indexOf = ({ answers: [answer] }: typeof before) =>
    answer !== undefined && 'proof' in answer ? answer.proof.split('\n')[1] : 'none'
  expect(indexOf(after)).toBe(indexOf(before))
})

test('a key of small order enrols nobody', async () => {
  const { stdout } = await pair.collector('invite', '--contract', 'KILL-1', '--host', 'weak', '--json')
  const agent = new FakeAgent((JSON.parse(stdout) as { token: string }).token)
  const key = encodeBase64(spkiOf(Uint8Array.of(1, ...new Uint8Array(31))))
  const { status, body } = await post(`${url}/v1/enrol`, { ...agent.enrolment(), key })
  expect([status, body]).toMatchObject([422, { code: 'KEY_INVALID' }])
  told('a key of small order', 'collector: KEY_INVALID')
})

test('a revoked key is refused', async () => {
  const since = new Date(Date.now() + 3_600_000).toISOString()
  const said = ['--reason', 'stolen', '--person', 'S. Lind', '--compromised-since', since]
  await well(pair.collector('agent', 'revoke', 'web3', ...said))
  expect(await answerTo('a revoked key used', web3, web3.next())).toBe('AGENT_REVOKED')
})

test('a backup dated back into a day that was missed does not make up for it', async () => {
  const clock = (days: number) => new Date(Date.now() - days * 86_400_000)
  const text = readFileSync(at('other.yaml'), 'utf8').replaceAll(
    /effectiveFrom: .*/g,
    `effectiveFrom: ${clock(8).toISOString().slice(0, 10)}`,
  )
  const dated = text
    .replace('id: OTHER-1', 'id: DATED-1')
    .replace(/term: \{ start: .* \}/, `term: { start: ${clock(9).toISOString().slice(0, 10)} }`)
    .replaceAll(/at: \d.*?Z/g, `at: ${clock(10).toISOString()}`)
    .replace(/hosts: \[.*?\]/, 'hosts: [dated]')
  writeFileSync(at('dated.yaml'), dated)
  await well(pair.collector('contract', 'apply', at('dated.yaml')))
  const liar = await enrolled('dated', 'DATED-1')
  const path = /requiredPaths: \["(.*?)"\]/.exec(dated)?.[1] ?? ''
  const repository = { id: someDigest(), lineage: 'havfruen', location: '/srv/repo' }
  const time = clock(4).toISOString()
  const snapshot = { id: someDigest(), time, tree: someDigest(), host: 'dated', paths: [path] }
  const subject = { name: `snapshots/${snapshot.id}`, digest: { sha256: snapshot.id } }
  await liar.send([
    liar.say('backup-run', subject, {
      ...{
        set: 'shop',
        repository,
        startedAt: time,
        endedAt: clock(3.99).toISOString(),
        exitCode: 0,
        outcome: 'complete',
        snapshot,
      },
      source: { files: 1, bytes: 1, filesNew: 1, filesChanged: 0, filesUnmodified: 0, addedBytes: 1 },
    }),
    liar.say('inventory', subject, {
      ...{
        repository,
        takenAt: clock(0).toISOString(),
        complete: true,
        count: 1,
        base: null,
        added: [snapshot],
        removed: [],
      },
      digest: sha256Hex(`${snapshot.id}\n`),
    }),
  ])
  const { stdout } = await pair.collector('evaluate', 'DATED-1', '--json')
  const answer = JSON.parse(stdout) as { findings: { code: string }[]; sets: { counts: { met: number } }[] }
  expect(answer.findings.map(({ code }) => code)).toContain('backdated')
  expect(answer.sets[0]?.counts.met).toBe(0)
  told('a back-dated clock', 'evaluate: backdated')
})

/** The pack that was made before the attacks on the collector, as a running program would give it to anybody. */
const filesOf = async (zip: string): Promise<Map<string, Uint8Array>> =>
  new Map(await readZip(readFileSync(at(zip)), isPackFile))
const honestPack = () => filesOf('honest.zip')

test('a clock whose certificate is not for time stamping stamps nothing, and the other one does', async () => {
  expect(made).toMatch(/not for time stamping alone/)
  const files = await honestPack()
  expect([...files.keys()].filter((name) => parseStampFile(name) !== null).length).toBeGreaterThan(0)
  told('a stamp by a certificate without timeStamping usage', 'collector: TIMESTAMP_INVALID')
})

function trustText(...tsas: Tsa[]): string {
  const own = readFileSync(at('agent/trust.yaml'), 'utf8')
  const { tenant } = web2.token
  const more = [web2, web3].map(
    ({ token, signer }) => `  - { tenant: ${tenant}, agent: ${token.agent}, keyid: ${signer.keyid} }`,
  )
  const roots = tsas.map(({ root }) => sha256Hex(new X509Certificate(root).raw))
  return `${own}${more.join('\n')}\n${roots.length === 0 ? '' : `tsa: [${roots.join(', ')}]\n`}`
}

async function verify(zip: Uint8Array, trust: string): Promise<Report> {
  writeFileSync(at('attacked.zip'), zip)
  writeFileSync(at('trust.yaml'), trust)
  const { exit, stdout, stderr } = await run('verify', [
    at('attacked.zip'),
    '--trust',
    at('trust.yaml'),
    '--json',
  ])
  const report = JSON.parse(stdout) as Report
  expect([report.exit, stderr]).toEqual([exit, ''])
  return report
}

const failed = ({ checks }: Report): CheckId[] =>
  checks.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id)

test('without an attack everything holds', async () => {
  const report = await verify(zipOf(await honestPack()), trustText(sound))
  expect(report.checks.filter(({ outcome }) => outcome !== 'held')).toEqual([])
  expect(report.exit).toBe(0)
})

test('bevis-verify finds the equivocation that the collector logged, and nothing else', async () => {
  await well(pair.collector('pack', 'KILL-1', '--out', at('later.zip')))
  expect(failed(await verify(zipOf(await filesOf('later.zip')), trustText(sound)))).toEqual([
    'chain.equivocation',
  ])
  told('a second statement for one number, in the pack', 'bevis-verify: chain.equivocation')
})

test('a clock that nobody named does not clear a key that was in other hands', async () => {
  const zip = zipOf(await filesOf('later.zip'))
  const revocation = async (trust: string) =>
    (await verify(zip, trust)).checks.find(({ id }) => id === 'keys.revocation')?.outcome
  expect(await revocation(trustText(sound))).toBe('held')
  expect(await revocation(trustText())).toBe('not-checked')
  told('a stolen key’s statements stamped by a clock of the thief’s', 'bevis-verify: keys.revocation')
})

const encode = (text: string) => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)
type Change = (files: Map<string, Uint8Array>) => string | undefined

const lines = (files: Map<string, Uint8Array>, change: (all: string[]) => string[]) => {
  const all = decode(files.get(PACK_FILES.evidence)).trimEnd().split('\n')
  files.set(PACK_FILES.evidence, encode(`${change(all).join('\n')}\n`))
  return undefined
}

/** Every digest of the pack is mended after each: whoever makes packs can do that. */
const FORGERIES: readonly (readonly [name: string, foundBy: CheckId, change: Change])[] = [
  ['a statement dropped', 'log.index', (files) => lines(files, (all) => all.toSpliced(3, 1))],
  [
    'two statements swapped',
    'log.index',
    (files) => lines(files, (all) => all.toSpliced(2, 2, ...all.slice(2, 4).toReversed())),
  ],
  [
    'a statement replayed in the pack',
    'envelopes.signatures',
    (files) => lines(files, (all) => [...all, ...all.slice(-1)]),
  ],
  ['a truncated tail', 'completeness.population', (files) => lines(files, (all) => all.slice(0, -1))],
  [
    'one bit of a statement',
    'envelopes.signatures',
    (files) =>
      lines(files, (all) =>
        all.with(
          2,
          (all[2] ?? '').replace(
            /("payload":"[^"]{300})(.)/,
            (_, head, letter) => `${head}${letter === 'A' ? 'B' : 'A'}`,
          ),
        ),
      ),
  ],
  [
    'a statement of another tenant put in',
    'envelopes.signatures',
    (files) => lines(files, (all) => [...all, JSON.stringify(stranger.next())]),
  ],
  [
    'a verdict.json that claims more than the evidence',
    'verdict.recomputed',
    (files) => {
      const verdict = decode(files.get(PACK_FILES.verdict))
      files.set(PACK_FILES.verdict, encode(verdict.replace(/"met":\d+/, '"met":99')))
      return undefined
    },
  ],
  [
    'another text of the contract',
    'contract.text',
    (files) => {
      files.set(contractFile(1), encode(decode(files.get(contractFile(1))).replace('keep: 14', 'keep: 2')))
      return undefined
    },
  ],
  [
    'a stamp by a certificate without timeStamping usage, in the pack',
    'time.stamps',
    (files) => {
      const stamp = [...files.keys()].find((name) => parseStampFile(name) !== null) ?? ''
      const log = parseVkey(decode(files.get(PACK_FILES.vkey)).trimEnd())
      const head = decode(files.get(`checkpoints/${parseStampFile(stamp)?.size}.txt`))
      openCheckpoint(head, log)
      const query = formatQuery(stampedDigest(head, log), nonceOf(new Uint8Array(8).fill(7)))
      files.set(stamp, wrong.answerAnyhow(query, sound))
      files.set(PACK_FILES.tsaChain, encode(wrong.root))
      return trustText(wrong)
    },
  ],
  [
    'a trust file of another log',
    'trust.log',
    () => trustText(sound).replace(/"vkey":"[^"]+"/, `"vkey":"${otherVkey()}"`),
  ],
  [
    'a trust file with another agent’s key',
    'trust.agents',
    () => trustText(sound).replace(web2.signer.keyid, someDigest()),
  ],
]

function otherVkey(): string {
  return 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx'
}

test.each(FORGERIES)('%s is found by bevis-verify (%s)', async (name, foundBy, change) => {
  const files = await honestPack()
  const description = descriptionOf(files)
  const trust = change(files) ?? trustText(sound)
  const report = await verify(zipOf(describePack(files, description)), trust)
  expect(report).toMatchObject({ exit: 1, result: 'refused', verdict: null })
  expect(failed(report)).toContain(foundBy)
  told(name, `bevis-verify: ${failed(report).join(', ')}`)
})

test(
  'a bit of any file that is not mended, and every trick of zips, is refused',
  { timeout: 300_000 },
  async () => {
    const files = await honestPack()
    const flips = [...files.keys()]
      .filter((name) => !/proofs\/(?!1\.)/.test(name))
      .map((name): [string, Uint8Array] => {
        const content = Uint8Array.from(files.get(name) ?? [])
        content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1
        return [`one bit of ${name.replace(/[0-9a-f]{60}/, '…')}`, zipOf(new Map(files).set(name, content))]
      })
    for (const [name, zip] of [...flips, ...zipTricks(files)]) {
      const report = await verify(zip, trustText(sound))
      expect(report.exit, name).toBe(1)
      expect(
        failed(report).some(
          (id) => id === 'zip.structure' || id === 'files.accounted' || id === 'pack.description',
        ),
        name,
      ).toBe(true)
      told(name, `bevis-verify: ${failed(report).join(', ')}`)
    }
  },
)

test('a signature spelt otherwise is the same statement to nobody', async () => {
  const files = await honestPack()
  const [line = ''] = decode(files.get(PACK_FILES.evidence)).split('\n')
  const {
    signatures: [first],
  } = JSON.parse(line) as Envelope
  expect(decodeBase64(first?.sig ?? '').length).toBe(64)
  const description = descriptionOf(files)
  lines(files, (all) => all.with(0, line.replace(/==(?="}\])/, '=\\u003d')))
  const report = await verify(zipOf(describePack(files, description)), trustText(sound))
  expect(failed(report)).toContain('envelopes.signatures')
  told('base64 that is not canonical, in the pack', 'bevis-verify: envelopes.signatures')
})
