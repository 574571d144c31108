import { mkdirSync, rmSync } from 'node:fs'
import { problemSchema } from '@bevis/shared/wire'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeCollector } from '../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../test/kit/collector.ts'
import { openCompliance } from '../compliance/open.ts'
import { createLogger } from '../logger.ts'
import { openReceive } from '../receive.ts'
import type { Scope } from '../store/store.ts'
import type { RegisterPages } from './context.ts'
import { buildServer } from './server.ts'

const now = () => new Date()
let place: TestFolder
let collector: TestCollector
const lines: string[] = []

beforeEach(async () => {
  place = await makeCollector()
  collector = await place.start()
  lines.length = 0
})

afterEach(async () => {
  await collector.stop()
  place.remove()
})

/** A second server on the same store, never listening: requests are injected. */
function build(options: { requestsPerMinute?: number; registerPages?: RegisterPages } = {}) {
  const { config, store, log, office } = collector
  const { requestsPerMinute = config.requestsPerMinute, registerPages } = options
  return buildServer({
    config: { ...config, requestsPerMinute },
    store,
    log,
    receive: openReceive({ store, log, now }),
    office,
    compliance: openCompliance({ store, now }),
    logger: createLogger('debug', { write: (line) => lines.push(line) }),
    now,
    registerPages,
  })
}

const problemOf = (answer: { statusCode: number; json(): unknown }) =>
  `${answer.statusCode} ${problemSchema.parse(answer.json()).code}`

test('requests from one address are limited', async () => {
  const app = await build({ requestsPerMinute: 10 })
  const answers = []
  for (let n = 0; n < 12; n++) answers.push(await app.inject('/log/checkpoint'))
  expect(answers.slice(0, 10).map(({ statusCode }) => statusCode)).toEqual(Array(10).fill(200))
  expect(answers.slice(10).map(problemOf)).toEqual(Array(2).fill('429 TOO_MANY_REQUESTS'))
  expect(answers[11]?.headers['retry-after']).toBeDefined()
  expect((await app.inject('/healthz')).statusCode).toBe(200)
  await app.close()
})

test('contracts are shown to whom the pages let, and to nobody else', async () => {
  const scopes: Record<string, Scope> = {
    provider: { all: true },
    customer: { tenant: '33445566' },
    other: { tenant: 'x' },
  }
  const registerPages: RegisterPages = (app) => {
    app.get('/', () => 'a page')
    return Promise.resolve({
      authorize: ({ headers }) => Promise.resolve(scopes[String(headers['x-who'])] ?? null),
    })
  }
  const app = await build({ registerPages })
  const ask = async (who: string, path: string) =>
    app.inject({ url: `/v1/contracts/${path}`, headers: { 'x-who': who } })
  expect((await ask('provider', 'AFT-2025-052/status')).json()).toMatchObject({ headline: 'breached' })
  const owed = (await ask('customer', 'AFT-2025-052/obligations?at=2025-03-05T12:00:00.000Z')).json() as {
    obligations: { bucket: string }[]
  }
  expect(owed.obligations.map(({ bucket }) => bucket).slice(0, 2)).toEqual(['2025-03-01', '2025-03-02'])
  expect(problemOf(await ask('other', 'AFT-2025-052/status'))).toBe('404 NOT_FOUND')
  expect(problemOf(await ask('nobody', 'AFT-2025-052/status'))).toBe('401 UNAUTHORIZED')
  expect(problemOf(await ask('provider', 'AFT-2025-052/status?at=yesterday'))).toBe('400 REQUEST_INVALID')
  const described = (await app.inject('/openapi.json')).json() as { paths: object }
  expect(Object.keys(described.paths).filter((path) => !/^\/(v1|log)\//.test(path))).toEqual([])
  await app.close()
})

test('no reader has years to come judged, or the ledger of months that never were', async () => {
  const registerPages: RegisterPages = () =>
    Promise.resolve({ authorize: () => Promise.resolve({ all: true } as const) })
  const app = await build({ registerPages })
  const ask = async (path: string) => app.inject(`/v1/contracts/AFT-2025-052/${path}`)
  const thisYear = now().getUTCFullYear()
  const far = [`${thisYear + 2}-01-01T00:00:00.000Z`, '9999-12-31T23:59:59.999Z']
  for (const what of ['status', 'obligations']) {
    for (const at of far) {
      const answer = await ask(`${what}?at=${at}`)
      expect(problemOf(answer), at).toBe('400 REQUEST_INVALID')
      expect(answer.body).toContain('contracts are judged for a year from now at most')
    }
    const near = new Date(now().getTime() + 360 * 86_400_000).toISOString()
    expect((await ask(`${what}?at=${near}&knownAt=9999-12-31T23:59:59.999Z`)).statusCode).toBe(200)
  }

  const months = async (query: string) => {
    const { from, to, rows } = (await ask(`ledger?${query}`)).json() as Record<'from' | 'to', string> & {
      rows: { month: string }[]
    }
    return { from, to, first: rows.at(0)?.month, last: rows.at(-1)?.month }
  }
  const { to } = await months('') // this month, which may end while the test runs
  const all = await months('from=0001-01&to=9999-12')
  expect(all).toEqual({ from: '2025-03', to: all.to, first: '2025-03', last: all.to })
  expect(all.to >= to && Number(all.to.slice(0, 4)) <= thisYear + 1).toBe(true)
  expect(await months('from=2025-04&to=2025-05')).toMatchObject({ from: '2025-04', to: '2025-05' })
  expect(problemOf(await ask('ledger?from=9998-01&to=9999-12'))).toBe('400 USAGE')
  await app.close()
})

test('a problem is a page for people and JSON for programs', async () => {
  const registerPages: RegisterPages = (app) => {
    app.get('/broken', () => {
      throw new Error('a secret of the database')
    })
    return Promise.resolve({
      authorize: () => Promise.resolve(null),
      renderProblem: (_request, _reply, { code }) => Promise.resolve(`<h1>${code}</h1>`),
    })
  }
  const app = await build({ registerPages })
  const html = { accept: 'text/html' }
  const page = await app.inject({ url: '/nowhere', headers: html })
  expect([page.statusCode, page.body, page.headers['content-type']]).toEqual([
    404,
    '<h1>NOT_FOUND</h1>',
    'text/html; charset=utf-8',
  ])
  expect(problemOf(await app.inject({ url: '/v1/nowhere', headers: html }))).toBe('404 NOT_FOUND')
  const broken = await app.inject('/broken')
  expect(problemOf(broken)).toBe('500 INTERNAL')
  expect(broken.body).not.toContain('secret')
  expect(lines.join('')).toContain('a secret of the database')
  await app.close()
})

test('a log that refuses to sign says so at error, once a minute, and /readyz says why', async () => {
  const agent = await collector.enrolled('web1')
  await agent.send(agent.many(3))
  await collector.store.write((tx) => tx.deleteFrom('log_checkpoint').where('size', '=', 6).execute())
  const app = await build()
  for (let n = 0; n < 3; n++) {
    const payload = { from: 0, envelopes: [agent.next()] }
    expect(problemOf(await app.inject({ method: 'POST', url: '/v1/evidence', payload }))).toBe(
      '503 LOG_ROLLED_BACK',
    )
  }
  const errors = lines
    .map((line) => JSON.parse(line) as { level: number; msg: string })
    .filter(({ level }) => level >= 50)
  expect(errors).toMatchObject([
    { level: 50, msg: expect.stringContaining('a head of 6 was signed already') },
  ])
  const ready = await app.inject('/readyz')
  expect([problemOf(ready), ready.body]).toEqual([
    '503 LOG_ROLLED_BACK',
    expect.stringContaining('a head of 6 was signed already'),
  ])
  await app.close()
})

test('while writes fail, /readyz says so, and takes it back with the first that does not', async () => {
  const app = await build()
  const agent = await collector.enrolled('web1')
  const ready = async () => (await app.inject('/readyz')).statusCode
  const deliver = async () => {
    const payload = { from: 0, envelopes: [agent.next()] }
    return (await app.inject({ method: 'POST', url: '/v1/evidence', payload })).statusCode
  }
  expect(await ready()).toBe(200)
  mkdirSync(`${place.config.checkpointFile}.next`) // the new head cannot be written
  expect([await deliver(), await ready()]).toEqual([503, 503])
  expect((await app.inject('/metrics')).body).toContain('\nbevis_ready 0\n')
  rmSync(`${place.config.checkpointFile}.next`, { recursive: true })
  expect([await deliver(), await ready()]).toEqual([200, 200])
  expect((await app.inject('/metrics')).body).toContain('\nbevis_ready 1\n')
  await app.close()
})

test('without a delivery, /readyz finds a database that cannot be written', async () => {
  const store = {
    ...collector.store,
    probe: () =>
      collector.store.write((tx) => sql`insert into no_table values (1)`.execute(tx)).then(() => undefined),
  }
  const { config, log, office } = collector
  const app = await buildServer({
    config,
    store,
    log,
    receive: openReceive({ store, log, now }),
    office,
    compliance: openCompliance({ store, now }),
    logger: createLogger('silent'),
    now,
  })
  expect(problemOf(await app.inject('/readyz'))).toBe('503 STORE_FAILED')
  await app.close()
  await collector.store.probe()
})

test('a log line holds no evidence and no secret', async () => {
  const app = await build()
  const agent = await collector.enrolled('web1')
  const envelopes = agent.many(2)
  const payload = { from: 0, envelopes: [...envelopes, { broken: true }] }
  const headers = { authorization: 'Bearer hunter2', cookie: 'session=hunter2' }
  expect((await app.inject({ method: 'POST', url: '/v1/evidence', payload, headers })).statusCode).toBe(200)
  await app.inject({ method: 'POST', url: '/v1/evidence', payload: '{"from":', headers })
  const text = lines.join('')
  expect(text).toContain('/v1/evidence')
  for (const envelope of envelopes) {
    expect(text).not.toContain(envelope.payload.slice(0, 40))
    expect(text).not.toContain(envelope.signatures[0]?.sig)
  }
  expect(text).not.toContain('hunter2')
  await app.close()
})

test('the logger leaves out what is named like a secret', () => {
  const logger = createLogger('info', { write: (line) => lines.push(line) })
  logger.info(
    { token: 'hunter2', headers: { authorization: 'hunter2' }, a: { b: { password: 'hunter2' } } },
    'x',
  )
  expect(lines.join('')).not.toContain('hunter2')
})
