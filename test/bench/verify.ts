/**
 * How fast a pack is made and verified, by the programs as they ship, and what memory that takes: packs of a tenth of
 * the statements, of three tenths and of all, each beside the bare Ed25519 verifications of the same signatures on one
 * core, and what each statement more adds to the memory.
 */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { sha256Hex, verifySignature } from '@bevis/shared/crypto'
import { openEnvelope } from '@bevis/shared/evidence/envelope'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { readKeyFile } from '../../collector/src/state.ts'
import { refreshPage } from '../../deploy/page.ts'
import { CONTRACT, makeCollector } from '../kit/collector.ts'
import type { FakeAgent } from '../kit/fake-agent.ts'
import { measure } from './measure.ts'
import type { Measured } from './measure.ts'

const AGENTS = 10
const BATCH = 500
const root = resolve(import.meta.dirname, '../..')
const say = (line: string): void => void process.stdout.write(`${line}\n`)

export async function benchVerify(folder: string, { statements }: { statements: number }): Promise<void> {
  await refreshPage()
  process.chdir(root)
  const place = join(folder, 'verify')
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true })
  const runs: { count: number; made: Measured; verified: Measured }[] = []
  for (const share of [0.1, 0.3, 1]) {
    const count = Math.round(statements * share)
    const { sample, made, ...files } = await makePack(place, count)
    const env = { ...process.env, NODE_OPTIONS: '' }
    const command = [process.execPath, 'shared/src/verify/main.ts', files.pack, '--trust', files.trust]
    const verified = await measure({ key: 'verify', name: 'bevis-verify', command }, env)
    const limit = bareLimit(sample)
    say(
      `pack of ${count} statements, ${(statSync(files.pack).size / 1e6).toFixed(0)} MB; bare Ed25519: ${Math.round(limit)} signatures per CPU second`,
    )
    report('made', made, count, limit)
    report('verified', verified, count, limit)
    runs.push({ count, made, verified })
  }
  for (const [place, many] of runs.entries()) {
    const few = runs[place - 1]
    if (few === undefined) continue
    const more = (key: 'made' | 'verified') => {
      const ratio = (many[key].largestBytes / few[key].largestBytes).toFixed(2)
      const each = (many[key].largestBytes - few[key].largestBytes) / (many.count - few.count)
      return `${ratio} times the memory, ${Math.round(each)} bytes for each more`
    }
    say(
      `from ${few.count} to ${many.count} statements: made in ${more('made')}; verified in ${more('verified')}`,
    )
  }
  rmSync(place, { recursive: true, force: true })
}

function report(
  what: string,
  { wallSeconds, cpuSeconds, largestBytes }: Measured,
  count: number,
  limit: number,
): void {
  const rate = (seconds: number) => Math.round(count / seconds)
  const share = ((100 * count) / cpuSeconds / limit).toFixed(0)
  say(
    `  ${what} in ${wallSeconds.toFixed(1)} s, ${rate(wallSeconds)} statements/s (${rate(cpuSeconds)} per CPU second, ${share} % of the bare limit), ${(largestBytes / 2 ** 20).toFixed(0)} MiB at most`,
  )
}

/** Verifications of the signatures alone in a second of processor time, the keys at hand. */
function bareLimit(sample: readonly { envelope: Envelope; spki: Uint8Array }[]): number {
  const opened = sample.map(({ envelope, spki }) => ({ ...openEnvelope(envelope), spki }))
  const begun = process.cpuUsage()
  for (const { pae, signatures, spki } of opened) {
    if (!verifySignature(spki, pae, signatures[0]?.sig ?? new Uint8Array()))
      throw new Error('a bad signature')
  }
  const { user, system } = process.cpuUsage(begun)
  return (opened.length * 1_000_000) / (user + system)
}

/** A real collector takes the statements of some agents, half of them backups; then its own command makes the pack. */
async function makePack(place: string, count: number) {
  const home = await makeCollector()
  try {
    const collector = await home.start()
    const agents: FakeAgent[] = []
    const sample: { envelope: Envelope; spki: Uint8Array }[] = []
    for (let n = 0; n < AGENTS; n += 1) agents.push(await collector.enrolled(`agent-${n}`))
    for (let sent = AGENTS; sent < count;) {
      for (const agent of agents) {
        const envelopes = Array.from({ length: Math.min(BATCH, count - sent) }, (_, n) =>
          n % 2 === 0 ? backup(agent) : agent.next(),
        )
        if (sample.length < 10_000)
          sample.push(...envelopes.map((envelope) => ({ envelope, spki: agent.signer.spki })))
        await send(collector.url, envelopes)
        sent += envelopes.length
      }
    }
    const { vkey } = collector.log
    const tenant = agents[0]?.token.tenant ?? ''
    const office = readKeyFile(collector.opened.files.officeKey).keyid
    await collector.stop()
    const trust = join(place, 'trust.yaml')
    const named = agents.map(
      ({ token, signer }) => `  - { tenant: "${tenant}", agent: ${token.agent}, keyid: ${signer.keyid} }`,
    )
    writeFileSync(
      trust,
      `log: { vkey: "${vkey}" }\nagents:\n${named.join('\n')}\noffice: { keyid: ${office} }\n`,
    )
    const config = join(place, 'collector.yaml')
    writeFileSync(
      config,
      `origin: ${home.config.origin}\nstate: ${home.config.state}\ncheckpointFile: ${home.config.checkpointFile}\npublicUrl: http://127.0.0.1\n`,
    )
    const pack = join(place, `${count}.zip`)
    const command = [
      process.execPath,
      'collector/src/main.ts',
      'pack',
      CONTRACT,
      '--config',
      config,
      '--out',
      pack,
    ]
    const made = await measure(
      { key: 'pack', name: 'bevis-collector pack', command },
      { ...process.env, NODE_OPTIONS: '' },
    )
    return { pack, trust, sample, made }
  } finally {
    home.remove()
  }
}

function backup(agent: FakeAgent): Envelope {
  const id = sha256Hex(`${agent.token.agent} ${agent.seq}`)
  const at = new Date().toISOString()
  return agent.say(
    'backup-run',
    { name: `snapshots/${id}`, digest: { sha256: id } },
    {
      set: 'shop',
      repository: {
        id: sha256Hex(agent.token.agent),
        lineage: 'hfk-web',
        location: 'rest:https://backup.example/hfk',
      },
      startedAt: at,
      endedAt: at,
      exitCode: 0,
      outcome: 'complete',
      snapshot: { id, time: at, tree: sha256Hex(id), host: 'web1', paths: ['/srv/shop'] },
      source: {
        files: 4_201,
        bytes: 9_401_048,
        filesNew: 4,
        filesChanged: 21,
        filesUnmodified: 4_176,
        addedBytes: 25,
      },
    },
  )
}

async function send(url: string, envelopes: readonly Envelope[]): Promise<void> {
  const response = await fetch(`${url}/v1/evidence`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: gzipSync(JSON.stringify({ from: 0, envelopes }), { level: 1 }),
  })
  const text = await response.text()
  if (response.status !== 200 || text.includes('"refused"')) throw new Error(text.slice(0, 400))
}
