import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseConfig } from '../config.ts'
import { openState } from '../state.ts'
import { doctorCommand } from './doctor.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bevis-doctor-'))
  mkdirSync(join(folder, 'source'))
  writeFileSync(join(folder, 'pass'), 'secret', { mode: 0o600 })
})

afterEach(() => rmSync(folder, { recursive: true }))

interface Finding {
  what: string
  verdict: string
  detail: string
}

/** What doctor finds, by what it looked at. */
async function examine(
  change: object = {},
  contract: string | null = null,
  more: object = {},
): Promise<Record<string, Finding>> {
  const set = {
    id: 'shop',
    paths: [join(folder, 'source')],
    repository: { url: join(folder, 'repository'), passwordFile: join(folder, 'pass') },
    backup: { cron: '30 3 * * *', timezone: 'Europe/Copenhagen' },
    ...change,
  }
  const text = {
    collector: { url: 'http://127.0.0.1:1' },
    state: join(folder, 'state'),
    restic: '/nowhere/restic',
    sets: [set],
    ...more,
  }
  const config = parseConfig(JSON.stringify(text), 'agent.yaml')
  const state = openState(config.state)
  try {
    const now = (): Date => new Date('2026-11-23T12:00:00.000Z')
    const signal = AbortSignal.timeout(30_000)
    const { exit, json } = await doctorCommand({ config, state, now }, { contract, signal })
    const { findings } = json as { findings: Finding[] }
    expect(exit).toBe(findings.some(({ verdict }) => verdict === 'bad') ? 1 : 0)
    return Object.fromEntries(findings.map((finding) => [finding.what, finding]))
  } finally {
    state.close()
  }
}

test('what is not there is told with its code and its cure, all at once', async () => {
  const found = await examine({ paths: [join(folder, 'gone')] })
  expect(found).toMatchObject({
    identity: { verdict: 'bad', detail: expect.stringContaining('bevis-agent enroll') },
    collector: { verdict: 'bad', detail: expect.stringMatching(/^COLLECTOR_UNREACHABLE/) },
    'shop: source': {
      verdict: 'bad',
      detail: expect.stringMatching(/^SOURCE_MISSING: .*gone does not exist/),
    },
    'shop: secret': { verdict: 'good' },
    'shop: repository': { verdict: 'bad', detail: expect.stringMatching(/^RESTIC_MISSING/) },
    scratch: { verdict: 'good' },
  })
})

test('a source that is a symbolic link is told: a backup would hold the link alone', async () => {
  const [source, link] = [join(folder, 'source'), join(folder, 'link')]
  writeFileSync(join(source, 'file'), 'content')
  symlinkSync(source, link)
  const told = { detail: expect.stringMatching(/^SOURCE_MISSING: .*link .*back up .*source/) }
  expect((await examine({ paths: [link] }))['shop: source']).toMatchObject({ verdict: 'bad', ...told })
  expect((await examine({ paths: [link, source] }))['shop: source']).toMatchObject({ verdict: 'good' })
  const hooks = { before: [['/bin/true']] }
  expect((await examine({ paths: [link], hooks }))['shop: source']).toMatchObject({ verdict: 'warning' })
})

test('a folder beside the state is told: the unit of the service keeps it from writing there', async () => {
  expect((await examine())['writable']).toMatchObject({
    verdict: 'good',
    detail: expect.stringMatching(/repository; .*ReadWritePaths/),
  })
  const remote = { url: 'rest:https://backup.example.net/x', passwordFile: join(folder, 'pass') }
  expect((await examine({ repository: remote }))['writable']).toBeUndefined()
})

test('a secret that everybody can read is bad', async () => {
  chmodSync(join(folder, 'pass'), 0o644)
  expect((await examine())['shop: secret']).toMatchObject({
    verdict: 'bad',
    detail: expect.stringContaining('chmod o='),
  })
})

test('a scratch folder inside the source is told', async () => {
  expect((await examine({ paths: [folder] }))['scratch']).toMatchObject({ verdict: 'warning' })
})

test('daily at half past three cannot keep an RPO of one hour', async () => {
  const file = join(folder, 'contract.yaml')
  const accepted = (party: string): object => ({ party, person: 'P', at: '2026-01-01T00:00:00Z' })
  const promised = {
    id: 'shop',
    selector: { repository: 'shop', hosts: ['web'], requiredPaths: [join(folder, 'source')] },
    schedule: { every: 'PT1H', rpo: 'PT1H', lateGrace: 'PT15M' },
    retention: { wording: '24 timer', min: [{ per: 'hour', keep: 24 }] },
  }
  const contract = {
    id: 'AFT-1',
    provider: { name: 'A' },
    customer: { name: 'B' },
    term: { start: '2026-01-01' },
    versions: [
      {
        no: 1,
        effectiveFrom: '2026-01-01',
        acceptances: [accepted('customer'), accepted('provider')],
        sets: [promised],
      },
    ],
  }
  writeFileSync(file, JSON.stringify(contract))
  expect((await examine({}, file))['shop: contract']).toMatchObject({
    verdict: 'bad',
    detail: expect.stringMatching(/cannot keep an RPO of 1 hour$/),
  })
  writeFileSync(file, JSON.stringify({ ...contract, id: undefined }))
  expect((await examine({}, file))['contract']).toMatchObject({ verdict: 'bad' })
})

test('a contract that would not find these backups is told before it does not', async () => {
  const file = join(folder, 'contract.yaml')
  const accepted = (party: string): object => ({ party, person: 'P', at: '2026-01-01T00:00:00Z' })
  const write = (selector: object): void => {
    const set = {
      id: 'shop',
      selector: { repository: 'hfk-web', hosts: [hostname()], requiredPaths: [folder], ...selector },
      schedule: { every: 'P1D' },
      retention: { wording: 'en måned', min: [{ per: 'day', keep: 30 }] },
    }
    const acceptances = [accepted('customer'), accepted('provider')]
    const versions = [{ no: 1, effectiveFrom: '2026-01-01', acceptances, sets: [set] }]
    const parties = { provider: { name: 'A' }, customer: { name: 'B' } }
    writeFileSync(file, JSON.stringify({ id: 'AFT-1', ...parties, term: { start: '2026-01-01' }, versions }))
  }
  const repository = {
    url: join(folder, 'repository'),
    passwordFile: join(folder, 'pass'),
    lineage: 'hfk-web',
  }
  const all = { paths: [folder], repository, contract: 'AFT-1' }
  write({})
  expect((await examine(all, file))['shop: contract']).toMatchObject({ verdict: 'good' })
  expect((await examine(all, file))['contract']).toMatchObject({
    verdict: 'warning',
    detail: expect.stringContaining('unknown whether'),
  })
  const cases: [object, object, RegExp][] = [
    [
      {},
      { repository: { ...repository, lineage: 'other' } },
      /names the repository hfk-web; this one is other/,
    ],
    [{ hosts: ['elsewhere'] }, {}, /counts backups of elsewhere; this host is called/],
    [{}, { contract: 'AFT-2' }, /configured for AFT-2, and this is AFT-1/],
    [{ requiredPaths: ['/srv/gone'] }, {}, /requires \/srv\/gone/],
    [{}, { paths: [join(folder, 'source')] }, /requires /],
  ]
  for (const [selector, change, detail] of cases) {
    write(selector)
    expect((await examine({ ...all, ...change }, file))['shop: contract']).toMatchObject({
      verdict: 'bad',
      detail: expect.stringMatching(detail),
    })
  }
})

test('what a hook or a probe would start must be there; what retention lacks is said', async () => {
  const probe = { kind: 'command', run: [join(folder, 'pass'), '{restored}'] }
  const found = await examine({
    hooks: { before: ['/bin/sh'], after: [[join(folder, 'gone'), 'x']] },
    probes: [probe],
    retention: { fromContract: true },
  })
  expect(found['configuration']).toMatchObject({
    verdict: 'warning',
    detail: expect.stringContaining('nothing is removed without the contract'),
  })
  expect(found['shop: program']).toMatchObject({ verdict: 'bad', detail: expect.stringContaining('pass') })
})

test('a draft that asks for less does not stand for the version in force', async () => {
  const at = '2024-12-12T10:00:00Z'
  const acceptances = ['customer', 'provider'].map((party) => ({ party, person: 'x', at }))
  const version = (no: number, rpo: string, more: object = {}) => ({
    no,
    effectiveFrom: `2025-0${no}-01`,
    ...more,
    sets: [
      {
        id: 'shop',
        selector: { repository: 'shop', hosts: [hostname()], requiredPaths: [join(folder, 'source')] },
        schedule: { every: rpo },
        retention: { wording: 'x', min: [{ per: 'day', keep: 30 }] },
      },
    ],
  })
  const contract = {
    id: 'AFT-1',
    provider: { name: 'Nordlys' },
    customer: { name: 'Havfruen' },
    term: { start: '2025-01-01' },
    versions: [version(1, 'PT1H', { acceptances }), version(2, 'P1D')],
  }
  const file = join(folder, 'contract.yaml')
  writeFileSync(file, JSON.stringify(contract))
  const found = await examine({ repository: { ...repository(), lineage: 'shop' } }, file)
  expect(found['shop: contract']).toMatchObject({
    verdict: 'bad',
    detail: expect.stringContaining('cannot keep an RPO of 1 hour'),
  })
})

function repository(): object {
  return { url: join(folder, 'repository'), passwordFile: join(folder, 'pass') }
}

test('a scratch that others could take away is told before a test refuses it', async () => {
  const scratch = join(folder, 'open')
  mkdirSync(scratch)
  expect(await examine({}, null, { scratch })).toMatchObject({ scratch: { verdict: 'good' } })
  chmodSync(scratch, 0o777)
  const detail: unknown = expect.stringContaining(`chmod o-w ${scratch}`)
  expect(await examine({}, null, { scratch })).toMatchObject({ scratch: { verdict: 'bad', detail } })
})
