/**
 * The conformance cases once more, through a whole collector: its contract applied, an agent enrolled that signs
 * every fact, intake over HTTP at the hour at which each was received, and its interface for programs asked.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { encodeBase64 } from '@bevis/shared/base64'
import type { Fact } from '@bevis/shared/contract/known'
import { generateSigningKey, signerFromPem, signerFromSeed } from '@bevis/shared/crypto'
import { ZERO_DIGEST } from '@bevis/shared/evidence/chain'
import { parseToken, seedOf } from '@bevis/shared/evidence/enrolment'
import { paeDigest, signEnvelope } from '@bevis/shared/evidence/envelope'
import { encodeStatement } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import { readFact } from '@bevis/shared/verify/evaluate'
import { expect, onTestFinished, test } from 'vitest'
import { initCommand } from '../../collector/src/commands/init.ts'
import { openLogOf } from '../../collector/src/commands/open.ts'
import { openCompliance } from '../../collector/src/compliance/open.ts'
import { parseConfig } from '../../collector/src/config.ts'
import { buildServer } from '../../collector/src/http/server.ts'
import { invite } from '../../collector/src/intake/invite.ts'
import { createLogger } from '../../collector/src/logger.ts'
import { openOffice } from '../../collector/src/office.ts'
import { registerPages } from '../../collector/src/pages/register.ts'
import { openReceive } from '../../collector/src/receive.ts'
import { readKeyFile, stateFiles } from '../../collector/src/state.ts'
import { openSqliteStore } from '../../collector/src/store/sqlite/open.ts'
import { CASES, differences } from '../kit/compliance-case.ts'
import { post } from '../kit/fake-agent.ts'

const EMAIL = 'drift@nordlys.example'
const PASSWORD = 'fyr-og-flamme-1925'
const MINUTE_MS = 60_000

/** A collector with one contract, whose clock the test sets. */
async function openCollector(contractText: string, start: Date) {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-cases-'))
  const text = `origin: cases.test/log\nstate: ${folder}/state\nlisten: 127.0.0.1:0\npublicUrl: http://127.0.0.1\nlogLevel: fatal\nrequestsPerMinute: 1000000\n`
  const config = parseConfig(text, 'collector.yaml')
  const clock = { at: start }
  const now = () => clock.at
  await initCommand(config, { email: EMAIL, password: PASSWORD, language: 'en' }, now)
  const store = await openSqliteStore({ stateFolder: config.state })
  const files = stateFiles(config.state)
  const log = await openLogOf({ config, store, files, now })
  const receive = openReceive({ store, log, now })
  const office = openOffice({ receive, signer: readKeyFile(files.officeKey), now })
  const compliance = openCompliance({ store, now })
  const logger = createLogger('fatal')
  const app = await buildServer({
    config,
    store,
    log,
    receive,
    office,
    compliance,
    logger,
    now,
    registerPages,
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  onTestFinished(async () => {
    await app.close()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const { contract } = await office.applyContract({ yaml: contractText, file: 'contract.yaml', by: 'test' })
  const inviteAgent = async (agent: string, host: string) => {
    const order = { contracts: [contract.id], host, agent, validMs: 3_600_000 }
    return (await invite(store, order, { publicUrl: url, vkey: log.vkey }, now())).token
  }
  return { url, clock, office, contract: contract.id, inviteAgent }
}

/** As a browser does it; the answer is the cookie. */
async function signIn(url: string): Promise<string> {
  const page = await fetch(`${url}/sign-in`)
  const first = page.headers.get('set-cookie')?.split(';')[0] ?? ''
  const [, csrf = ''] = /name="_csrf" value="([^"]+)"/.exec(await page.text()) ?? []
  const answer = await fetch(`${url}/sign-in`, {
    method: 'POST',
    headers: { cookie: first, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ _csrf: csrf, next: '/', email: EMAIL, password: PASSWORD }),
    redirect: 'manual',
  })
  if (answer.status !== 303) throw new Error(`the sign-in answered ${answer.status}`)
  return answer.headers.get('set-cookie')?.split(';')[0] ?? ''
}

type Chained = Exclude<Statement, { predicateType: 'urn:bevis:evidence:contract-event:v1' }>

test.each(CASES)('$name', async ({ contractText, facts: lines, checks }) => {
  const facts = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line, place) => readFact(line, place + 1))
  const [first] = facts
  if (first === undefined) throw new Error('there are no facts')
  const { url, clock, office, contract, inviteAgent } = await openCollector(
    contractText,
    new Date(Date.parse(first.receivedAt) - MINUTE_MS),
  )
  const host = (first.statement as Chained).predicate.host
  const token = await inviteAgent('agent-1', host)
  const { tenant } = parseToken(token)
  const signer = signerFromPem(generateSigningKey().privatePem)

  // The agent says everything in its own order, whenever it arrives; its chain names this collector's customer.
  const payloads = new Map<Fact, Uint8Array>()
  let prev = ZERO_DIGEST
  const own = facts.filter(({ statement }) => 'chain' in statement.predicate)
  const seqOf = ({ statement }: Fact) => (statement as Chained).predicate.chain.seq
  for (const fact of own.toSorted((a, b) => seqOf(a) - seqOf(b))) {
    const { predicate, ...rest } = fact.statement as Chained
    const chain = { ...predicate.chain, tenant, prev }
    const enrolled = 'event' in predicate && predicate.event === 'enrolled' ? { key: signer.keyid } : {}
    const payload = encodeStatement({ ...rest, predicate: { ...predicate, chain, ...enrolled } } as Statement)
    payloads.set(fact, payload)
    prev = paeDigest(payload)
  }

  for (const fact of facts) {
    clock.at = new Date(fact.receivedAt)
    const payload = payloads.get(fact)
    if (payload === undefined) {
      const { event, by, detail, version } = (fact.statement as Exclude<Statement, Chained>).predicate
      await office.record({ contract, event, by, detail, version })
    } else if (fact === first) {
      const envelope = signEnvelope(payload, [signer, signerFromSeed(seedOf(parseToken(token)))])
      const { status, body } = await post(`${url}/v1/enrol`, { envelope, key: encodeBase64(signer.spki) })
      expect([status, body]).toMatchObject([200, {}])
    } else {
      const envelopes = [signEnvelope(payload, [signer])]
      const { body } = await post(`${url}/v1/evidence`, { from: 0, envelopes })
      expect(body).toMatchObject({ answers: [{ outcome: 'logged', receivedAt: fact.receivedAt }] })
    }
  }

  const cookie = await signIn(url)
  const ask = async (what: string, query: URLSearchParams): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${url}/v1/contracts/${contract}/${what}?${query.toString()}`, {
      headers: { cookie },
    })
    expect(answer.status).toBe(200)
    return (await answer.json()) as Record<string, unknown>
  }
  for (const { at, knownAt, expect: wanted, why } of checks) {
    clock.at = new Date(Math.max(Date.parse(at), clock.at.getTime()) + MINUTE_MS)
    const query = new URLSearchParams({ at: new Date(at).toISOString() })
    if (knownAt !== undefined) query.set('knownAt', new Date(knownAt).toISOString())
    const status = await ask('status', query)
    const { obligations } = (await ask('obligations', query)) as { obligations: { set: string }[] }
    const sets = (status['sets'] as { id: string }[]).map((set) => ({
      ...set,
      obligations: obligations.filter((one) => one.set === set.id),
    }))
    expect([why, differences({ ...status, sets }, wanted, '')]).toEqual([why, []])
  }
})
