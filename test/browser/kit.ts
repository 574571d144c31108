/**
 * A whole collector for the browser to look at: real store, real log, real intake, real server, and two years of
 * statements that real keys have signed. Its clock stands still at NOW.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signerFromSeed } from '@bevis/shared/crypto'
import { parseToken, seedOf } from '@bevis/shared/evidence/enrolment'
import { addAccount } from '../../collector/src/account/accounts.ts'
import { initCommand } from '../../collector/src/commands/init.ts'
import { openLogOf } from '../../collector/src/commands/open.ts'
import { createLogger } from '../../collector/src/commands/serve.ts'
import { openCompliance } from '../../collector/src/compliance/open.ts'
import { parseConfig } from '../../collector/src/config.ts'
import { buildServer } from '../../collector/src/http/server.ts'
import { invite } from '../../collector/src/intake/invite.ts'
import { registerPages } from '../../collector/src/pages/register.ts'
import { copiesFolder } from '../../collector/src/report/service/copies.ts'
import { openOffice } from '../../collector/src/office.ts'
import type { Log } from '../../collector/src/log/log.ts'
import type { Office } from '../../collector/src/office.ts'
import { openReceive } from '../../collector/src/receive.ts'
import { readKeyFile, stateFiles } from '../../collector/src/state.ts'
import { openSqliteStore } from '../../collector/src/store/sqlite/open.ts'
import type { Store } from '../../collector/src/store/store.ts'
import { openAgent } from './agent-story.ts'
import type { StoryAgent } from './agent-story.ts'
import { contractYaml, STORIES } from './contracts.ts'
import type { Story } from './contracts.ts'
import { NOW, tellStory } from './history.ts'

export const EMAIL = 'drift@nordlys.example'
export const PASSWORD = 'fyr-og-flamme-1925'

export interface Stage {
  url: string
  /** What is behind it, for papers that are made of the same. */
  store: Store
  log: Log
  now: () => Date
  /** Of the customer with the broken contract: it sees nothing of the others. */
  customerEmail: string
  /** Where issued reports are kept once more. */
  copies: string
  /** For what a story does not tell. */
  office: Office
  close(): Promise<void>
}

/**
 * @param stories left out: all of them; [] for a collector that nobody has used yet
 * @param tellMore what each agent states after its story
 */
export async function openStage(
  stories: readonly Story[] = STORIES,
  tellMore: (agent: StoryAgent) => void = () => {},
): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-browser-'))
  const text = `origin: collector.nordlys.example/log\nstate: ${folder}/state\nlisten: 127.0.0.1:0\npublicUrl: http://127.0.0.1\nlogLevel: fatal\nrequestsPerMinute: 100000\n`
  const config = parseConfig(text, 'collector.yaml')
  let clock = NOW
  const now = () => new Date(clock)
  await initCommand(config, { email: EMAIL, password: PASSWORD, language: 'da' }, now)
  const store = await openSqliteStore({ stateFolder: config.state })
  const log = await openLogOf({ config, store, files: stateFiles(config.state), now })
  const receive = openReceive({ store, log, now })
  const office = openOffice({ receive, signer: readKeyFile(stateFiles(config.state).officeKey), now })

  const agents: { agent: StoryAgent; story: Story }[] = []
  for (const story of stories.toSorted((a, b) => a.since.localeCompare(b.since))) {
    clock = Date.parse(`${story.since}T00:00:00Z`)
    const text = { yaml: contractYaml(story), file: `${story.id}.yaml`, by: 'slind' }
    const { tenant } = await office.applyContract(text)
    const { agent: host, set, lineage, paths } = story
    const agent = openAgent({ tenant, agent: host, host, set, lineage, paths })
    const order = { contracts: [story.id], host, agent: host, validMs: 3_600_000 }
    const { token } = await invite(store, order, { publicUrl: config.publicUrl, vkey: log.vkey }, now())
    await receive.enrol(agent.enrolment(clock, signerFromSeed(seedOf(parseToken(token)))))
    agents.push({ agent, story })
  }
  clock = NOW
  for (const { agent, story } of agents) {
    tellStory(agent, story)
    tellMore(agent)
    for (let at = 0; at < agent.envelopes.length; at += 1_000) {
      const { answers } = await receive.evidence({
        from: 0,
        envelopes: agent.envelopes.slice(at, at + 1_000),
      })
      const refused = answers.find(
        (answer) => answer.outcome === 'refused' && answer.code !== 'STATEMENT_EQUIVOCATION',
      )
      if (refused !== undefined)
        throw new Error(`the kit's own evidence was refused: ${JSON.stringify(refused)}`)
    }
  }
  await spreadReceipts(store)
  const customerEmail = 'holm@vestkyst.example'
  const vestkyst = stories.find(({ agent }) => agent === 'srv-c5')
  if (vestkyst !== undefined) {
    const tenant = vestkyst.cvr
    await addAccount(
      store,
      { email: customerEmail, password: PASSWORD, role: 'customer-reader', tenant, language: 'da' },
      now(),
    )
  }
  const compliance = openCompliance({ store, now })
  await compliance.tick()
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
  const { port } = app.server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    store,
    log,
    now,
    copies: copiesFolder(config.checkpointFile),
    customerEmail,
    office,
    async close() {
      await app.close()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Two years were sent within a minute; each statement is given the receipt that it would have had. */
async function spreadReceipts(store: Awaited<ReturnType<typeof openSqliteStore>>): Promise<void> {
  await store.write(async (tx) => {
    const rows = await tx.selectFrom('statement').select(['id', 'stated_at', 'agent']).execute()
    const last = new Map<string, string>()
    for (const { id, stated_at, agent } of rows) {
      const received_at = new Date(Date.parse(stated_at) + 3_840).toISOString()
      await tx.updateTable('statement').set({ received_at }).where('id', '=', id).execute()
      if (agent !== null && received_at > (last.get(agent) ?? '')) last.set(agent, received_at)
    }
    for (const [agent, last_received_at] of last) {
      await tx.updateTable('agent').set({ last_received_at }).where('id', '=', agent).execute()
    }
  })
}
