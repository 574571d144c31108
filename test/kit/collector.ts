/** A whole collector on loopback, in this process: real store, real log, real HTTP. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fsckCommand } from '../../collector/src/commands/fsck.ts'
import { initCommand } from '../../collector/src/commands/init.ts'
import { openLogOf, openOfficeOf } from '../../collector/src/commands/open.ts'
import type { Opened } from '../../collector/src/commands/open.ts'
import type { Compliance } from '../../collector/src/compliance/compliance.ts'
import { parseConfig } from '../../collector/src/config.ts'
import type { CollectorConfig } from '../../collector/src/config.ts'
import { buildServer } from '../../collector/src/http/server.ts'
import { invite } from '../../collector/src/intake/invite.ts'
import type { Log } from '../../collector/src/log/log.ts'
import { createLogger } from '../../collector/src/logger.ts'
import { openOffice } from '../../collector/src/office.ts'
import type { Office } from '../../collector/src/office.ts'
import { openReceive } from '../../collector/src/receive.ts'
import { readKeyFile, stateFiles } from '../../collector/src/state.ts'
import { openSqliteStore } from '../../collector/src/store/sqlite/open.ts'
import type { Store } from '../../collector/src/store/store.ts'
import { FakeAgent } from './fake-agent.ts'

export const CONTRACT = 'AFT-2025-052'
const at = '2025-02-20T09:12:00Z'

export const contractYaml = (
  id = CONTRACT,
  customer = '{ name: Havfruen Keramik ApS, cvr: "33445566" }',
): string => `
id: ${id}
provider: { name: Nordlys IT-drift ApS }
customer: ${customer}
term: { start: 2025-03-01 }
versions:
  - no: 1
    effectiveFrom: 2025-03-01
    acceptances: [{ party: customer, person: Liv, at: ${at} }, { party: provider, person: Lind, at: ${at} }]
    sets:
      - id: shop
        selector: { repository: hfk-web, hosts: [web1], requiredPaths: [/srv/shop] }
        schedule: { every: P1D }
        retention: { wording: 14 dage, min: [{ per: day, keep: 14 }] }
        evidence: {}
`

/** Tests of intake do not judge contracts. */
const noCompliance: Compliance = {
  answer: () => Promise.reject(new Error('nothing is judged here')),
  facts: () => Promise.reject(new Error('nothing is judged here')),
  tick: () => Promise.resolve({ evaluated: 0, transitions: 0, failures: [] }),
}

export interface TestCollector {
  readonly config: CollectorConfig
  readonly url: string
  readonly store: Store
  readonly log: Log
  readonly app: Awaited<ReturnType<typeof buildServer>>
  readonly office: Office
  readonly opened: Opened
  /** An enrolled agent, or one that only has its token. */
  invite(options?: { agent?: string; host?: string; validMs?: number; contracts?: string[] }): Promise<string>
  enrolled(agent: string): Promise<FakeAgent>
  /** Stops the server and closes the database; the state stays. */
  stop(): Promise<void>
}

export interface TestFolder {
  readonly folder: string
  readonly config: CollectorConfig
  start(options?: { now?: () => Date }): Promise<TestCollector>
  remove(): void
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A collector's state with one contract applied, and its configuration, not started yet. */
export async function makeCollector(): Promise<TestFolder> {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-collector-'))
  const port = await freePort()
  const yaml = [
    `listen: 127.0.0.1:${port}`,
    'origin: collector.test/log',
    `publicUrl: http://127.0.0.1:${port}`,
    `state: ${folder}/state`,
    `checkpointFile: ${folder}/elsewhere/checkpoint.latest`,
    'requestsPerMinute: 1000000',
    'logLevel: fatal',
  ].join('\n')
  const config = parseConfig(yaml, 'collector.yaml')
  const now = () => new Date()
  await initCommand(config, { email: 'a@b.example', password: 'a long password', language: 'da' }, now)
  const store = await openSqliteStore({ stateFolder: config.state })
  // Before anything that a test may tell: what is received never goes back in time.
  const then = () => new Date('2025-02-21T08:00:00.000Z')
  const office = await openOfficeOf({ config, store, files: stateFiles(config.state), now: then })
  await office.applyContract({ yaml: contractYaml(), file: 'c.yaml', by: 'test' })
  await store.close()
  return {
    folder,
    config,
    start: (options = {}) => startCollector(config, options.now ?? now),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function startCollector(config: CollectorConfig, now: () => Date): Promise<TestCollector> {
  const store = await openSqliteStore({ stateFolder: config.state })
  const opened: Opened = { config, store, files: stateFiles(config.state), now }
  const log = await openLogOf(opened)
  const receive = openReceive({ store, log, now })
  const office = openOffice({ receive, signer: readKeyFile(opened.files.officeKey), now })
  const logger = createLogger('silent')
  const parts = { config, store, log, receive, office, compliance: noCompliance, logger, now }
  const app = await buildServer(parts)
  const url = await app.listen(config.listen)
  const inviteText: TestCollector['invite'] = async (options = {}) => {
    const { agent, host = 'web1', validMs = 3_600_000, contracts = [CONTRACT] } = options
    const order = { contracts, host, agent, validMs }
    return (await invite(store, order, { publicUrl: url, vkey: log.vkey }, now())).token
  }
  return {
    config,
    url,
    store,
    log,
    app,
    office,
    opened,
    invite: inviteText,
    enrolled: async (agent) => {
      const fake = new FakeAgent(await inviteText({ agent }))
      await fake.enrol()
      return fake
    },
    stop: async () => {
      await app.close()
      await store.close()
    },
  }
}

/** The kinds of alarms that were raised, sorted. */
export async function alarmsOf({ store }: TestCollector): Promise<string[]> {
  const rows = await store.db.selectFrom('alarm').select('kind').execute()
  return rows.map((row) => row.kind).toSorted()
}

export async function assertClean({ opened }: TestCollector): Promise<void> {
  const { lines } = await fsckCommand(opened, {})
  if (!lines.join('\n').startsWith('Clean')) throw new Error(lines.join('\n'))
}
