import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '@bevis/shared/crypto'
import { formatVkey } from '@bevis/shared/log/checkpoint'
import { readCertificates } from '@bevis/shared/time/certificate'
import { isPackFile } from '@bevis/shared/verify/pack'
import { examineStamps } from '@bevis/shared/verify/stamps'
import type { Timestamp } from '@bevis/shared/time/timestamp'
import { parseTrust } from '@bevis/shared/verify/trust'
import { verifyPack } from '@bevis/shared/verify/verify-pack'
import { readZip } from '@bevis/shared/verify/zip'
import { assertClean, CONTRACT, makeCollector } from '../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../test/kit/collector.ts'
import { post } from '../../../test/kit/fake-agent.ts'
import type { FakeAgent } from '../../../test/kit/fake-agent.ts'
import { descriptionOf } from '../../../test/kit/pack.ts'
import { signerOf } from '../../../test/kit/register.ts'
import { makeTsa } from '../../../test/kit/tsa.ts'
import type { Tsa } from '../../../test/kit/tsa.ts'
import { keyRetireCommand, keyRotateCommand } from '../commands/key.ts'
import { packCommand } from '../commands/pack.ts'
import { listAlarms } from '../store/read/happenings.ts'
import { listStamps, listTsas } from '../store/read/stamps.ts'
import { openStamper } from './stamper.ts'

const HOUR_MS = 3_600_000
let tsa: Tsa
let served: Awaited<ReturnType<Tsa['listen']>>
let place: TestFolder
let collector: TestCollector
let agent: FakeAgent
/** Added to the real clock, which is the authority's. */
let aheadMs = 0
const now = () => new Date(Date.now() + aheadMs)

beforeAll(async () => {
  tsa = makeTsa()
  served = await tsa.listen()
})
afterAll(async () => {
  await served.close()
  tsa.remove()
})
beforeEach(async () => {
  aheadMs = 0
  place = await makeCollector()
  collector = await place.start({ now })
  agent = await collector.enrolled('web1')
})
afterEach(async () => {
  await collector.stop()
  place.remove()
})

const authority = () => ({ url: served.url, roots: readCertificates(tsa.root) })
const stamperOf = (...authorities: Parameters<typeof openStamper>[0]['authorities'][number][]) =>
  openStamper({ store: collector.store, log: collector.log, authorities, now })
const sizesOf = async () =>
  (await listStamps(collector.store.db)).map(({ size, leaf_index }) => [size, leaf_index])

describe('stamps of the hour', () => {
  test('the first head is stamped, its token is a leaf, and so is each further hour’s in which something came', async () => {
    const stamper = stamperOf(authority())
    await stamper.stampIfDue()
    expect(await sizesOf()).toEqual([[3, 3]])
    await agent.send(agent.many(2))
    await stamper.stampIfDue() // the same hour: not again
    expect(await sizesOf()).toHaveLength(1)
    aheadMs = HOUR_MS
    await stamper.stampIfDue()
    expect(await sizesOf()).toEqual([
      [3, 3],
      [6, 6],
    ])
    aheadMs = 2 * HOUR_MS
    await stamper.stampIfDue() // nothing came but the token itself
    expect(await sizesOf()).toHaveLength(2)
    await agent.send(agent.many(1))
    await assertClean(collector)
  })

  test('fsck finds a token that was changed, and one that was put in', async () => {
    const { store } = collector
    await stamperOf(authority()).stampIfDue()
    await agent.send(agent.many(1))
    const token = new Uint8Array(3)
    await store.write((tx) => tx.updateTable('log_stamp').set({ token }).execute())
    await expect(assertClean(collector)).rejects.toThrow(/stamp 3: its token is not that of its leaf/)
  })

  test('an authority that is down keeps nothing waiting, is asked again later and later, and raises an alarm', async () => {
    const gone = { ...authority(), url: 'http://127.0.0.1:9/tsr' }
    const stamper = stamperOf(gone, authority())
    const { stamped, failures } = await stamper.stampIfDue()
    expect([stamped.length, failures.map(({ error }) => error.code)]).toEqual([1, ['TSA_UNREACHABLE']])
    expect((await stamper.stampIfDue()).failures).toHaveLength(1) // no time has passed since it failed first
    aheadMs = 60_000
    expect((await stamper.stampIfDue()).failures).toHaveLength(1)
    aheadMs = 90_000
    expect((await stamper.stampIfDue()).failures).toHaveLength(0)
    const all = { all: true } as const
    expect(await listAlarms(collector.store.db, all, {})).toEqual([])
    aheadMs = 2 * HOUR_MS
    await stamper.stampIfDue()
    expect(await listAlarms(collector.store.db, all, {})).toMatchObject([{ kind: 'tsa-down', tenant: '' }])
    expect((await listTsas(collector.store.db)).map(({ failed_since }) => failed_since === null)).toContain(
      false,
    )
    await agent.send(agent.many(1))
  })

  test('a token is stamped anew before its certificate ends, daily until the authority has a newer one', async () => {
    const [token] = (await stamperOf(authority()).stampIfDue()).stamped
    const endsMs = Date.parse(token?.stamp.validUntil ?? '') - Date.now()
    const DAY_MS = 24 * HOUR_MS
    const due = async (daysBefore: number): Promise<number> => {
      aheadMs = endsMs - daysBefore * DAY_MS
      return (await stamperOf(authority()).stampIfDue()).stamped.length
    }
    // Nothing but the token itself came to the log since, so no hour asks for a stamp.
    expect(await due(31)).toBe(0)
    expect(await due(29)).toBe(1)
    expect(await due(28.5)).toBe(0)
    expect(await due(27.5)).toBe(1)
    const stamps = await listStamps(collector.store.db)
    expect(stamps.map(({ size, leaf_index }) => [size, leaf_index])).toEqual([
      [3, 3],
      [4, 4], // over the first token
      [5, 5],
    ])
  })

  test('each authority stamps, and each hour by itself', async () => {
    const other = makeTsa({ name: 'Another', key: 'rsa' })
    const second = await other.listen()
    const both = stamperOf(authority(), { url: second.url, roots: readCertificates(other.root) })
    expect((await both.stampIfDue()).stamped.map(({ size }) => size)).toEqual([3, 3])
    expect((await both.stampIfDue()).stamped).toEqual([])
    const authorities = (await listStamps(collector.store.db)).map((stamp) => stamp.authority)
    expect(new Set(authorities).size).toBe(2)
    await second.close()
    other.remove()
    await assertClean(collector)
  })

  test('an authority with another root than the configured one stamps nothing', async () => {
    const other = makeTsa({ name: 'Another' })
    const { stamped, failures } = await stamperOf({
      ...authority(),
      roots: readCertificates(other.root),
    }).stampIfDue()
    other.remove()
    expect([stamped, failures.map(({ error }) => error.code)]).toEqual([[], ['TIMESTAMP_INVALID']])
    expect(await sizesOf()).toEqual([])
  })
})

describe('a pack', () => {
  const fingerprint = () => sha256Hex(readCertificates(tsa.root)[0]?.der ?? new Uint8Array())
  const trustOf = (more = '') =>
    parseTrust(
      `log: { vkey: "${collector.log.vkey}" }\nagents: [{ tenant: "33445566", agent: web1, keyid: ${agent.signer.keyid} }]\n${more}\n`,
    )
  const reportOn = async (files: Parameters<typeof examineStamps>[0], more = `tsa: ${fingerprint()}`) => {
    const trust = trustOf(more)
    return verifyPack({ files, trust, stamps: await examineStamps(files, trust) })
  }
  const failuresOf = (report: Awaited<ReturnType<typeof reportOn>>) =>
    report.checks.filter(({ outcome }) => outcome !== 'held').map(({ id, detail }) => `${id}: ${detail}`)

  async function pack(): Promise<{ files: Awaited<ReturnType<typeof readZip>>; said: string }> {
    const ca = tsa.rootFile
    const opened = {
      ...collector.opened,
      config: { ...place.config, timestamps: [{ url: served.url, ca }] },
      now,
    }
    const out = join(place.folder, `pack-${Date.now()}.zip`)
    const { lines } = await packCommand(opened, CONTRACT, { out, from: '2020-01-01' })
    return { files: await readZip(readFileSync(out), isPackFile), said: lines.join('\n') }
  }

  test('is stamped, and bounds every statement; openssl checks the stamp from the files alone', async () => {
    await stamperOf(authority()).stampIfDue()
    await agent.send(agent.many(1))
    const { origin, size, root } = await collector.log.head()
    await agent.send([agent.next({ chain: { log: { origin, size, root: root.toBase64() } } })])
    const { files } = await pack()
    const report = await reportOn(files)
    expect(failuresOf(report)).toEqual([])
    expect(report.times).toMatchObject({ anchored: true, stamps: 2 })
    const bounds = report.times?.bounds ?? []
    expect(bounds.every(({ before }) => before !== null)).toBe(true)
    expect(bounds.at(-1)?.madeAfter).not.toBeNull()
    expect(bounds[0]?.madeAfter).toBeNull()
    const [name] = [...files.keys()].filter((file) => file.endsWith('.tsr')).toReversed()
    for (const file of [name ?? '', `checkpoints/${name?.split(/[/-]/)[1]}.txt`, 'tsa-chain.pem'])
      writeFileSync(join(place.folder, file.replace('/', '_')), files.get(file) ?? '')
    const here = (file: string) => join(place.folder, file)
    const args = [
      '-data',
      here(`checkpoints_${name?.split(/[/-]/)[1]}.txt`),
      '-CAfile',
      here('tsa-chain.pem'),
    ]
    const input = ['-in', here((name ?? '').replace('/', '_'))]
    expect(
      execFileSync('openssl', ['ts', '-verify', ...args, ...input], { stdio: 'pipe' }).toString(),
    ).toMatch(/Verification: OK/)
  })

  test('is no older than its stamps: one that ended before another was made stands by no date of its own', async () => {
    await stamperOf(authority()).stampIfDue()
    await agent.send(agent.many(1))
    const { files } = await pack()
    const trust = trustOf(`tsa: ${fingerprint()}`)
    const { madeAt } = descriptionOf(files)
    const nextDay = new Date(Date.parse(madeAt) + 24 * HOUR_MS).toISOString()
    const verifiedWith = async (ofFirst: Partial<Timestamp>, ofLast: Partial<Timestamp>) => {
      const examined = await examineStamps(files, trust)
      const [first, last] = examined?.toSorted((a, b) => a.size - b.size) ?? []
      if (!first?.stamp || !last?.stamp) throw new Error('two stamps were to be here')
      const stamps = [
        { ...first, stamp: { ...first.stamp, ...ofFirst } },
        { ...last, stamp: { ...last.stamp, ...ofLast } },
      ]
      return failuresOf(verifyPack({ files, trust, stamps }))
    }
    expect(await verifiedWith({ validUntil: madeAt }, {})).toEqual([])
    expect((await verifiedWith({ validUntil: madeAt }, { genTime: nextDay }))[0]).toMatch(
      /^time\.stamps: 1 stamp ended before the pack was made/,
    )
  })

  test('by roots that nobody named, it is told that they came with the pack', async () => {
    const report = await reportOn((await pack()).files, '')
    expect([report.exit, report.times?.anchored]).toEqual([0, false])
    expect(report.notProven.join()).toMatch(/their roots came with the pack/)
    const foreign = await reportOn((await pack()).files, `tsa: ${sha256Hex('another root')}`)
    expect(failuresOf(foreign).join()).toMatch(/time.stamps: .*names none of the roots/)
  })

  test('holds with the stamps of heads that the log’s former key signed, or both, whichever key is trusted', async () => {
    const first = collector.log.vkey
    const startAnew = async () => {
      await collector.stop()
      collector = await place.start({ now })
      // Which key an agent goes by is not what is asked here.
      const envelopes = agent.many(1)
      const { status } = await post(`${collector.url}/v1/evidence`, { from: 0, envelopes })
      expect(status).toBe(200)
    }
    await stamperOf(authority()).stampIfDue()
    await keyRotateCommand(collector.opened, { person: 'S. Lind' })
    await startAnew()
    const both = (await pack()).files
    await keyRetireCommand(collector.opened)
    await startAnew()
    const newest = (await pack()).files
    for (const [files, stamps] of [
      [both, 2],
      [newest, 3],
    ] as const) {
      for (const vkey of [first, collector.log.vkey]) {
        const agents = `agents: [{ tenant: "33445566", agent: web1, keyid: ${agent.signer.keyid} }]`
        const policy = `policy: "log ${vkey}\\nquorum none\\n"`
        const trust = parseTrust(`log: { vkey: "${vkey}" }\n${agents}\ntsa: ${fingerprint()}\n${policy}\n`)
        const report = verifyPack({ files, trust, stamps: await examineStamps(files, trust) })
        expect(failuresOf(report)).toEqual([])
        expect(report.times).toMatchObject({ anchored: true, stamps })
      }
    }
  })

  test('a stamp that was not looked at is not a held one', async () => {
    const { files } = await pack()
    const report = verifyPack({ files, trust: trustOf() })
    expect([report.result, report.exit]).toEqual(['not checked in full', 2])
  })

  test('a receipt that the collector dates otherwise than the stamps is found out', async () => {
    const stamper = stamperOf(authority())
    aheadMs = 3 * HOUR_MS // the collector's clock, not the authority's
    await agent.send(agent.many(1))
    await stamper.stampIfDue()
    const report = await reportOn((await pack()).files)
    expect(failuresOf(report).join()).toMatch(/time.bounds: .*it was stamped at .* already/)
  })

  test('what a key signed that was in other hands stands as far as a stamp reaches, and else is in doubt', async () => {
    await agent.send(agent.many(1))
    await stamperOf(authority()).stampIfDue()
    const compromisedSince = new Date(Date.now() + 60_000).toISOString() // the authority may be off by a second
    const order = { agent: 'web1', reason: 'stolen', person: 'S. Lind', compromisedSince }
    await collector.office.revoke(order)
    const { files } = await pack()
    expect(failuresOf(await reportOn(files))).toEqual([])
    // Whoever has the key and the collector has a clock of its own too, and sets it as it likes.
    const unnamed = await reportOn(files, '')
    expect(failuresOf(unnamed)).toEqual([
      expect.stringMatching(/^keys\.revocation: .* in other hands since .*, and of 2 statements no stamp/),
    ])
    expect([unnamed.exit, unnamed.times?.anchored]).toEqual([2, false])
    expect(unnamed.times?.bounds.every(({ before }) => before !== null)).toBe(true)
    const unstamped = verifyPack({ files: (await pack()).files, trust: trustOf() })
    expect(unstamped.checks.find(({ id }) => id === 'keys.revocation')).toMatchObject({
      outcome: 'not-checked',
      detail: expect.stringMatching(/may have been in other hands since .* 2 statements/),
    })
    expect(unstamped.exit).toBe(2)
  })

  test('what a key signed after its owner revoked it in the trust file does not hold, where stamps prove it', async () => {
    await stamperOf(authority()).stampIfDue()
    await agent.send(agent.many(1))
    const { origin = '', size = 0, root = new Uint8Array() } = agent.last ?? {}
    await agent.send([agent.next({ chain: { log: { origin, size, root: root.toBase64() } } })])
    const { files } = await pack()
    const vkey = formatVkey('customer.example/root', signerOf('root').spki)
    const revokedAt = async (time: number, tsa = `tsa: ${fingerprint()}`) => {
      const revoked = `{ keyid: ${agent.signer.keyid}, since: "${new Date(time).toISOString()}" }`
      const more = `${tsa}\nroot: { vkey: "${vkey}", revoked: [${revoked}] }`
      return (await reportOn(files, more)).checks.find(({ id }) => id === 'keys.revocation')
    }
    expect(await revokedAt(Date.now() - HOUR_MS)).toMatchObject({
      outcome: 'failed',
      failuresTotal: 1, // of the others nothing proves that they were made after it
      detail: expect.stringMatching(/signed after .* was revoked/),
    })
    expect(await revokedAt(Date.now() + HOUR_MS)).toMatchObject({ outcome: 'held' })
    // What clocks say that nobody named speaks against the pack, and never for it.
    expect(await revokedAt(Date.now() - HOUR_MS, '')).toMatchObject({ outcome: 'failed' })
    expect(await revokedAt(Date.now() + HOUR_MS, '')).toMatchObject({ outcome: 'not-checked' })
  })

  test('is made without a stamp when the authority is down, and says so', async () => {
    const { url } = served
    const down = { ...served, url: 'http://127.0.0.1:9/' }
    served = down
    const { files, said } = await pack()
    served = { ...down, url }
    expect(said).toMatch(/No stamp: .*127\.0\.0\.1:9/)
    const report = await reportOn(files)
    expect([report.exit, report.times]).toEqual([0, null])
  })
})
