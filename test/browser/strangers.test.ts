/** A hostile reader: every address of another customer, every form without its token, and what no form would send. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addAccount } from '../../collector/src/account/accounts.ts'
import { voiceOf } from '../../collector/src/pages/voice.ts'
import { issueServiceReport } from '../../collector/src/report/service/issue.ts'
import { STORIES } from './contracts.ts'
import type { Story } from './contracts.ts'
import { EMAIL, openStage, PASSWORD } from './kit.ts'
import type { Stage } from './kit.ts'

const MINE = STORIES.find(({ agent }) => agent === 'skole-nas') as Story
const OTHER = STORIES.find(({ agent }) => agent === 'sagsarkiv') as Story
const OWNER = 'leder@skovby.example'
const AUDITOR = 'revisor@skovby.example'
const mine = `/contracts/${MINE.id}`
const other = `/contracts/${OTHER.id}`

let stage: Stage

beforeAll(async () => {
  stage = await openStage([MINE, OTHER])
  const now = new Date('2026-11-01T00:00:00Z')
  const account = { tenant: MINE.cvr, password: PASSWORD, language: 'en' } as const
  await addAccount(stage.store, { ...account, email: OWNER, role: 'customer-admin' }, now)
  await addAccount(stage.store, { ...account, email: AUDITOR, role: 'auditor' }, now)
  const desk = { ...stage, scope: { all: true }, voice: voiceOf } as const
  await issueServiceReport(desk, { contract: OTHER.id, month: '2026-10' }, 'S. Lind')
})

afterAll(async () => stage?.close())

/** A browser without a screen. */
class Reader {
  readonly #cookies = new Map<string, string>()
  csrf = ''

  async ask(path: string, form?: Record<string, string>): Promise<Response> {
    const answer = await fetch(stage.url + path, {
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        'accept-language': 'en',
        cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
      ...(form !== undefined && { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const cookie of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = cookie.split(';')[0]?.split('=') ?? []
      this.#cookies.set(name, value)
    }
    return answer
  }

  async read(path: string): Promise<string> {
    return (await this.ask(path)).text()
  }

  async post(path: string, form: Record<string, string>): Promise<number> {
    const answer = await this.ask(path, { _csrf: this.csrf, ...form })
    await answer.arrayBuffer()
    return answer.status
  }

  static async signedIn(email: string): Promise<Reader> {
    const reader = new Reader()
    const token = (text: string) => /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? ''
    const _csrf = token(await reader.read('/sign-in'))
    const { status } = await reader.ask('/sign-in', { _csrf, email, password: PASSWORD })
    if (status !== 303) throw new Error(`${email} could not sign in: ${status}`)
    reader.csrf = token(await reader.read('/'))
    return reader
  }
}

test('no address of another customer’s tells anything, and each is one that its provider reads', async () => {
  const [owner, provider] = await Promise.all([Reader.signedIn(OWNER), Reader.signedIn(EMAIL)])
  const rows = await stage.store.db
    .selectFrom('statement')
    .select(['pae_digest', 'name', 'contract_id', 'tenant'])
    .execute()
  // One of each kind, the office's events among them.
  const theirs = new Map(
    rows
      .filter(({ tenant, contract_id }) => tenant === OTHER.cvr || contract_id === OTHER.id)
      .map(({ name, pae_digest }) => [name, pae_digest]),
  )
  expect([...theirs.keys()]).toContain('contract-event')
  const addresses = [
    ...['', '/promises', '/requests', '/what-if', '/what-if?policy=--keep-daily+7', '/review', '/reports'],
    ...['/reports/2026-10', '/reports/2026-10/report.pdf', '/reports/2026-10/record.pdf', '/ledger.csv'],
    ...['/sets/sager/dayx90', '/sets/sager/dayx90?period=2026-11', '/sets/sager/dayx90/2026-11-01'],
  ].map((path) => other + path)
  for (const digest of theirs.values()) {
    for (const part of ['', '/envelope.json', '/proof.tlog-proof'])
      addresses.push(`/evidence/${digest}${part}`)
  }
  addresses.push(`/agents/${OTHER.agent}`, `/v1${other}/status`, `/v1${other}/obligations`)
  for (const address of addresses) {
    expect((await owner.ask(address)).status, address).toBe(404)
    expect((await provider.ask(address)).status, address).toBe(200)
  }
  for (const list of [
    '/',
    '/agents',
    '/evidence',
    '/evidence?kind=contract-event',
    '/evidence?before=999999',
    '/log',
  ]) {
    expect(await owner.read(list), list).not.toMatch(
      new RegExp(`${OTHER.customer}|${OTHER.id}|${OTHER.lineage}`),
    )
  }
})

test('no form reaches another customer’s contract, or more than its sender may', async () => {
  const [owner, auditor] = await Promise.all([Reader.signedIn(OWNER), Reader.signedIn(AUDITOR)])
  const forms: [string, Record<string, string>][] = [
    ['/pack', { from: '2026-10-01', to: '2026-11-01' }],
    ['/promises', { version: '1', sha256: 'a'.repeat(64), read: 'yes' }],
    ['/requests', { set: OTHER.set, path: `${OTHER.paths[0]}/a`, snapshot: '' }],
    ['/reports/2026-10/reply', { reply: 'signed-off', note: '' }],
  ]
  for (const [path, form] of forms) {
    expect(await owner.post(other + path, form), path).toBe(404)
    expect(await auditor.post(other + path, form), path).toBe(path === '/pack' ? 404 : 403)
    expect((await owner.ask(mine + path, form)).status, `${path} without a token`).toBe(403)
    expect((await owner.ask(mine + path, { ...form, _csrf: auditor.csrf })).status, 'another’s').toBe(403)
  }
  expect(await owner.post(`${other}/reports/2026-10/issue`, { person: 'x' })).toBe(403)
  // What is refused for want of a right is told as that, not as a form that had grown too old.
  const said = await auditor.ask(`${mine}/requests`, { _csrf: auditor.csrf, set: MINE.set, path: '/x' })
  expect(await said.text()).toContain('You may not see this')
})

test('what no page would send is refused, never a failure of ours', async () => {
  const owner = await Reader.signedIn(OWNER)
  const tier = `${mine}/sets/${MINE.set}/dayx21`
  const paths = [
    ...['known=2026-13-45', 'known=0000-01-01', 'known=9999-12-31', 'known=2026-11-01&known=2026-11-02'],
    ...['until=9999-12', 'until=0000-01', 'known[x]=1', '__proto__=1'],
  ].map((query) => `${mine}?${query}`)
  paths.push(
    ...['', '?period=9999-99', '?period=2026-02-31', '?period=0000', '/%00', `/${'9'.repeat(3000)}`].map(
      (rest) => tier + rest,
    ),
    ...[
      `policy=${'x'.repeat(3000)}`,
      'policy=--keep-daily+-1',
      'policy=--keep-within+9999999999y',
      'foo=bar',
    ].map((query) => `${mine}/what-if?${query}`),
    ...['2026-13', '0001-01', '9999-12', '2026-10?unit=nope', '2026-10/record.pdf'].map(
      (month) => `${mine}/reports/${month}`,
    ),
    ...['/contracts/%', '/contracts/%ff', `/contracts/${'x'.repeat(5000)}`, '/evidence/__proto__'],
    ...[
      '/evidence?kind=__proto__',
      '/evidence?before=1e99',
      '/agents/__proto__',
      '/sign-in?next=//evil.example',
    ],
  )
  for (const path of paths) expect((await owner.ask(path)).status, path.slice(0, 80)).toBeLessThan(500)
})

test('a pack of ten thousand years has the months that there were', async () => {
  const owner = await Reader.signedIn(OWNER)
  const form = { _csrf: owner.csrf, from: '0001-01-01', to: '9999-12-31' }
  const answer = await owner.ask(`${mine}/pack`, form)
  expect(answer.status).toBe(200)
  expect((await answer.arrayBuffer()).byteLength).toBeLessThan(20_000_000)
})

test('a clause that nobody knows is refused, and the known ones are named', async () => {
  const owner = await Reader.signedIn(OWNER)
  const form = { _csrf: owner.csrf, from: '2026-10-01', to: '2026-11-01', clauses: 'iso27001-9.99' }
  const answer = await owner.ask(`${mine}/pack`, form)
  expect(answer.status).toBe(400)
  expect(await answer.text()).toContain('iso27001-8.13')
})

test('a request that cannot be is told beside what was typed', async () => {
  const owner = await Reader.signedIn(OWNER)
  const answer = await owner.ask(`${mine}/requests`, {
    _csrf: owner.csrf,
    set: MINE.set,
    path: '/etc/<shadow>',
    snapshot: '',
  })
  expect(answer.status).toBe(400)
  const text = await answer.text()
  expect(text).toContain('No backup of this set that we know of holds that path')
  expect(text).toContain('value="/etc/&lt;shadow&gt;"')
})
