import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shownOf } from '@bevis/shared/contract/shown'
import { sha256Hex } from '@bevis/shared/crypto'
import { formatCosignerKey, signCosignature } from '@bevis/shared/log/cosignature'
import { PACK_FILES, isPackFile } from '@bevis/shared/verify/pack'
import { parseTrust } from '@bevis/shared/verify/trust'
import { verifyPack } from '@bevis/shared/verify/verify-pack'
import { readZip } from '@bevis/shared/verify/zip'
import { CONTRACT_ID, CONTRACT_YAML, KitAgent, START, daysOf } from '../../../test/kit/world.ts'
import { OFFICE, signerOf } from '../../../test/kit/register.ts'
import { keepCosignature } from '../log/cosignatures.ts'
import { formatVkey } from '@bevis/shared/log/checkpoint'
import { createLog, openLog } from '../log/log.ts'
import type { Log } from '../log/log.ts'
import { openOffice } from '../office.ts'
import type { Office } from '../office.ts'
import { openReceive } from '../receive.ts'
import type { Receive } from '../receive.ts'
import { openSqliteStore } from '../store/sqlite/open.ts'
import type { Store } from '../store/store.ts'
import { tellPack, writePack } from './pack.ts'
import type { PackRequest, PackTold } from './pack.ts'

const DAY_MS = 86_400_000
const all = { all: true } as const
const folder = mkdtempSync(join(tmpdir(), 'bevis-pack-'))
const agents: KitAgent[] = []
let clock = new Date(START - DAY_MS)
let store: Store
let log: Log
let receive: Receive
let office: Office

/** What two agents said, through the real intake of a real collector. */
beforeAll(async () => {
  store = await openSqliteStore({ stateFolder: folder, create: true })
  const now = () => clock
  const parts = {
    store,
    signer: signerOf('log'),
    origin: 'log.example/kit',
    checkpointFile: join(folder, 'head'),
    now,
  }
  await createLog(parts)
  log = await openLog(parts)
  const tenant = '12345674'
  receive = openReceive({ store, log, now })
  office = openOffice({ receive, signer: OFFICE, now })
  await office.applyContract({ yaml: CONTRACT_YAML, file: 'c.yaml', by: 'S. Lind' })
  for (const [number, name] of ['srv1', 'srv2'].entries()) {
    const agent = new KitAgent(name, tenant)
    agents.push(agent)
    await inviteToken(agent)
    for (const { envelope, receivedAt } of daysOf(agent, 3, START + number * 4 * DAY_MS)) {
      clock = new Date(receivedAt)
      if (envelope.signatures.length === 2) {
        await receive.enrol({ envelope, key: agent.signer.spki.toBase64() })
      } else {
        const { answers } = await receive.evidence({ from: agent.head?.size ?? 0, envelopes: [envelope] })
        if (answers[0]?.outcome !== 'logged') throw new Error(JSON.stringify(answers))
      }
      const { origin, size, root } = await log.head()
      agent.head = { origin, size, root: root.toBase64() }
    }
  }
})

afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

async function inviteToken({ token, tenant, name }: KitAgent): Promise<void> {
  await store.write((tx) =>
    tx
      .insertInto('invitation')
      .values({
        keyid: token.keyid,
        spki: token.spki,
        tenant,
        agent: name,
        host: 'srv1',
        contracts: JSON.stringify([CONTRACT_ID]),
        created_at: '2024-12-31T00:00:00.000Z',
        expires_at: '2026-01-01T00:00:00.000Z',
        used_at: null,
      })
      .execute(),
  )
}

function request(out: PackRequest['out']): PackRequest {
  const [from, to, now] = [
    new Date(START + DAY_MS),
    new Date(START + 3 * DAY_MS),
    new Date(START + 9 * DAY_MS),
  ]
  return { store, log, scope: all, contractId: CONTRACT_ID, from, to, now, out }
}

const trustText = () =>
  `log: { vkey: "${log.vkey}" }\nagents:\n${agents
    .map(({ tenant, name, signer }) => `  - { tenant: ${tenant}, agent: ${name}, keyid: ${signer.keyid} }\n`)
    .join('')}`

async function packFile(name: string): Promise<string> {
  const file = join(folder, name)
  await writePack(request(file))
  return file
}

describe('a pack of a real collector', () => {
  test('tells its papers what was shown of each set, as the pages tell it', async () => {
    const { answer } = await tellPack(request(''))
    expect(answer.sets.map((set) => shownOf(set).listed)).toEqual(answer.sets.map(() => true))
  })

  test('holds, by the customer’s own keys', async () => {
    const files = await readZip(readFileSync(await packFile('a.zip')), isPackFile)
    const report = verifyPack({ files, trust: parseTrust(trustText()) })
    expect(report.checks.filter(({ outcome }) => outcome !== 'held')).toEqual([])
    expect(report).toMatchObject({
      result: 'verified',
      exit: 0,
      pack: { contract: CONTRACT_ID, statements: 21 },
    })
  })

  test('is no older than what it holds, when the clock was set back or more came in since it was asked for', async () => {
    const file = join(folder, 'back.zip')
    const now = new Date(START + 4 * DAY_MS)
    await writePack({ ...request(file), now })
    const files = await readZip(readFileSync(file), isPackFile)
    const report = verifyPack({ files, trust: parseTrust(trustText()) })
    expect(report.checks.filter(({ outcome }) => outcome !== 'held')).toEqual([])
    const last = await store.db
      .selectFrom('statement')
      .select(({ fn }) => fn.max('received_at').as('at'))
      .executeTakeFirstOrThrow()
    expect(Date.parse(last.at)).toBeGreaterThan(now.getTime())
    expect(report.pack?.madeAt).toBe(last.at)
  })

  test('is the same bytes each time, in a file or a stream', async () => {
    const first = readFileSync(await packFile('b.zip'))
    const stream = new PassThrough()
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    await writePack(request(stream))
    expect(Buffer.concat(chunks).equals(first)).toBe(true)
    expect(first.readUInt32LE(10)).toBe(0x0021_0000) // 1 January 1980, 00:00: the zip's own zero, in any zone
  })

  test('marks what lies in the period, and brings the rest for the chains', async () => {
    const files = await readZip(readFileSync(await packFile('c.zip')), isPackFile)
    const table = Buffer.from(files.get('evidence.csv') ?? [])
      .toString()
      .trimEnd()
      .split('\r\n')
    expect(table).toHaveLength(22)
    expect(table.filter((row) => row.split(',')[2] === 'yes')).toHaveLength(6)
  })

  test('marks what may support a clause, however it was asked for, and brings all the rest', async () => {
    const [one, other] = [join(folder, 'clauses.zip'), join(folder, 'again.zip')]
    const { marked } = await writePack({ ...request(one), clauses: ['cis-11', 'iso27001-8.13'] })
    await writePack({ ...request(other), clauses: ['iso27001-8.13', 'cis-11', 'cis-11'] })
    expect(readFileSync(other).equals(readFileSync(one))).toBe(true)
    const [files, plain] = await Promise.all(
      [one, await packFile('unmarked.zip')].map((file) => readZip(readFileSync(file), isPackFile)),
    )
    const report = verifyPack({ files: files ?? new Map(), trust: parseTrust(trustText()) })
    expect(report).toMatchObject({ result: 'verified', pack: { statements: 21 } })
    expect(files?.get(PACK_FILES.evidence)).toEqual(plain?.get(PACK_FILES.evidence))
    const table = Buffer.from(files?.get(PACK_FILES.table) ?? []).toString()
    const rows = table.split('\r\n').filter((row) => /iso27001|cis/.test(row.split(',')[3] ?? ''))
    expect(rows).toHaveLength(marked?.statements ?? -1)
    expect(rows.length).toBeGreaterThan(0)
    expect(rows.length).toBeLessThan(21)
    const readme = Buffer.from(files?.get(PACK_FILES.readme) ?? []).toString()
    expect(readme).toContain(
      'Clauses    iso27001-8.13, cis-11: what may support them is marked in evidence.csv',
    )
    expect(Buffer.from(plain?.get(PACK_FILES.readme) ?? []).toString()).not.toContain('Clauses')
  })

  test('a contract of another customer does not exist for who asks', async () => {
    const out = join(folder, 'other.zip')
    await expect(writePack({ ...request(out), scope: { tenant: 'andre' } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(existsSync(out)).toBe(false)
  })

  test('a file that cannot be written leaves nothing behind', async () => {
    await expect(writePack(request(join(folder, 'no/such/folder.zip')))).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/cannot be written: ENOENT/),
    })
  })

  test('a store that fails half-way leaves nothing behind', async () => {
    const out = join(folder, 'half.zip')
    const elsewhere = {
      vkey: log.vkey,
      successions: [],
      head: async () => ({ ...(await log.head()), size: 99 }),
    }
    await expect(writePack({ ...request(out), log: elsewhere })).rejects.toMatchObject({
      code: 'LOG_INCONSISTENT',
    })
    expect(existsSync(out) || existsSync(`${out}.part`)).toBe(false)
  })

  test('whoever stops reading stops the writing', async () => {
    const stream = new PassThrough({ highWaterMark: 1 })
    const writing = writePack(request(stream))
    stream.once('data', () => stream.destroy())
    await expect(writing).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
  })
})

test('a report for people lies in the pack, is accounted for, and is said to prove nothing by itself', async () => {
  const out = join(folder, 'papers.zip')
  async function* papers({ answer, gist }: PackTold) {
    const all = [...gist.kinds.values()].reduce((sum, one) => sum + one.all, 0)
    yield { path: PACK_FILES.report, content: Buffer.from(`%PDF ${answer.headline} ${all}`) }
  }
  await writePack({ ...request(out), papers })
  const files = await readZip(readFileSync(out), isPackFile)
  expect(Buffer.from(files.get(PACK_FILES.report) ?? []).toString()).toMatch(/^%PDF [a-z-]+ 21$/)
  const { exit, notProven } = verifyPack({ files, trust: parseTrust(trustText()) })
  expect(exit).toBe(0)
  expect(notProven.join()).toMatch(/report\.pdf/)
  const changed = new Map(files).set(PACK_FILES.report, Buffer.from('%PDF compliant 21'))
  expect(verifyPack({ files: changed, trust: null }).exit).toBe(1)
})

test('heads that others have cosigned come along, with proof that they are this log’s', async () => {
  const cosigner = { name: 'one.example', signer: signerOf('one.example') }
  const vkey = formatCosignerKey(cosigner.name, cosigner.signer.spki)
  const { size: whole } = await log.head()
  const earlier = await store.db
    .selectFrom('log_checkpoint')
    .select(['size', 'note'])
    .where('size', '<', whole)
    .where('size', '>', 9)
    .orderBy('size')
    .executeTakeFirstOrThrow()
  await keepCosignature(
    store,
    { note: earlier.note + signCosignature(earlier.note, cosigner, clock), vkey },
    clock,
  )
  const files = await readZip(readFileSync(await packFile('cosigned.zip')), isPackFile)
  const policy = `policy: |\n  witness one ${vkey}\n  quorum one\n`
  const { exit, checks } = verifyPack({ files, trust: parseTrust(trustText() + policy) })
  expect(checks.find(({ id }) => id === 'log.cosignatures')?.detail).toBe(
    `${earlier.size} of ${whole} leaves seen by one`,
  )
  expect(exit).toBe(0)
})

/** Those that are here, by name: what an auditor's /bin/sh may be. */
const SHELLS = (
  [
    ['dash', 'dash', '/usr/bin/dash'],
    ['bash', 'bash', '/usr/bin/bash'],
    ['busybox', 'busybox sh', '/usr/bin/busybox'],
  ] as const
)
  .filter(([, , program]) => existsSync(program))
  .map(([name, command]) => [name, command] as const)

describe('README.txt', () => {
  async function unpack(): Promise<{ place: string; commands: string[] }> {
    const place = mkdtempSync(join(folder, 'unpacked-'))
    for (const [name, content] of await readZip(readFileSync(await packFile('d.zip')), isPackFile)) {
      mkdirSync(dirname(join(place, name)), { recursive: true })
      writeFileSync(join(place, name), content)
    }
    const readme = readFileSync(join(place, 'README.txt'), 'utf8')
    return { place, commands: [...readme.matchAll(/^ {2}\$ (.*)$/gm)].map(([, command]) => command ?? '') }
  }
  const run = (place: string, command: string) =>
    execFileSync('/bin/sh', ['-c', command], { cwd: place, encoding: 'utf8', stdio: 'pipe' })

  test('its commands, typed as they stand, check a statement with sh and openssl', async () => {
    const { place, commands } = await unpack()
    expect(commands).toHaveLength(3)
    const said = commands.map((command) => run(place, command)).join('')
    expect(said).toMatch(/pack.json: OK/)
    expect(said).toMatch(/signature, place in the log and signed head hold/)
    expect(said).toContain(log.vkey)
    expect(said).toContain('"event":"heartbeat"')
  })

  test(
    'its script takes a leaf, and refuses it when anything of it was changed',
    { timeout: 120_000 },
    async () => {
      const { place, commands } = await unpack()
      run(place, commands[1] ?? '')
      for (const leaf of [0, 1, 2, 10, 11, 22]) expect(run(place, `sh check.sh ${leaf}`)).toMatch(/hold/)
      const spoilt: [string, (text: string) => string][] = [
        ['proofs/3.tlog-proof', (text) => text.replace(/\n[A-Za-z0-9+/]/, '\nx')],
        ['proofs/3.tlog-proof', (text) => text.replace(/\n[A-Za-z0-9+/=]{44}\n/, '\n')],
        ['proofs/3.tlog-proof', (text) => text.replace('index 3', 'index 4')],
        ['checkpoints/23.txt', (text) => text.replace('\n23\n', '\n24\n')],
        ['evidence.intoto.jsonl', (text) => text.replaceAll('"payload":"eyJf', '"payload":"eyJg')],
        ['evidence.intoto.jsonl', (text) => text.replaceAll(/"sig":"(.)/g, '"sig":"x')],
        ['index.jsonl', (text) => text.replace(/("index":3,"pae":")./, '$1x')],
        ['keys/log.vkey', (text) => text.replace('log.example', 'log.elsewhere')],
      ]
      for (const [name, change] of spoilt) {
        const file = join(place, name)
        const before = readFileSync(file, 'utf8')
        expect(change(before)).not.toBe(before)
        writeFileSync(file, change(before))
        expect(() => run(place, 'sh check.sh 3'), name).toThrow()
        writeFileSync(file, before)
      }
      expect(() => run(place, 'sh check.sh 99')).toThrow(/not in the index/)
    },
  )

  describe.each(SHELLS)('its script in %s', (_, shell) => {
    test('holds for a leaf', async () => {
      const { place, commands } = await unpack()
      run(place, commands[1] ?? '')
      expect(run(place, `${shell} check.sh 10`)).toMatch(/leaf 10 of 23: .*hold/)
    })

    const changeIn = (place: string, name: string, change: (text: string) => string) => {
      const before = readFileSync(join(place, name), 'utf8')
      expect(change(before)).not.toBe(before)
      writeFileSync(join(place, name), change(before))
      return change(before)
    }

    test('runs nothing of what a pack says', async () => {
      const { place, commands } = await unpack()
      run(place, commands[1] ?? '')
      const asCommand = '"keyid":"x/y/;1e touch ran #"'
      changeIn(place, 'index.jsonl', (text) =>
        text.replace(/(?<="index":3,.*)"keyid":"[0-9a-f]{64}"/, asCommand),
      )
      expect(() => run(place, `${shell} check.sh 3`)).toThrow(/names no key/)
      const asNumber = 'leaf[$(touch ran)]'
      const text = changeIn(place, 'proofs/4.tlog-proof', (proof) =>
        proof.replace('\n23\n', `\n${asNumber}\n`),
      )
      writeFileSync(join(place, `checkpoints/${asNumber}.txt`), text.slice(text.indexOf('\n\n') + 2))
      expect(() => run(place, `${shell} check.sh 4`)).toThrow(/size is no number/)
      expect(() => run(place, `${shell} check.sh 'a[$(touch ran)]'`)).toThrow(/leaf is no number/)
      expect(existsSync(join(place, 'ran'))).toBe(false)
    })

    test('does not name one log’s key and go by another’s', async () => {
      const { place, commands } = await unpack()
      run(place, commands[1] ?? '')
      const [name = '', ...key] = log.vkey.split('+')
      const another = formatVkey(name, signerOf('another log').spki)
      changeIn(place, 'keys/log.vkey', () => `${another}\n+${key.join('+')}\n`)
      expect(() => run(place, `${shell} check.sh 3`)).toThrow(/not signed by the log's key/)
    })
  })
})

test('a revocation by the office is evidence too; a trust file may say whose the office is', async () => {
  await office.revoke({ agent: 'srv2', reason: 'the server was sold', person: 'Sofie Lind' })
  const files = await readZip(readFileSync(await packFile('revoked.zip')), isPackFile)
  const failing = (more: string) =>
    verifyPack({ files, trust: parseTrust(`${trustText()}${more}\n`) }).checks.filter(
      ({ outcome }) => outcome !== 'held',
    )
  expect(failing('')).toEqual([])
  expect(failing(`office: { keyid: ${OFFICE.keyid} }`)).toEqual([])
  const another = failing(`office: { keyid: ${sha256Hex('another')} }`)
  expect(another[0]).toMatchObject({ id: 'trust.agents', outcome: 'failed' })
  const { checks } = verifyPack({ files, trust: parseTrust(trustText()) })
  expect(checks.find(({ id }) => id === 'keys.revocation')).toMatchObject({ detail: '1 revoked' })
})
