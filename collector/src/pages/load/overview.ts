import { listAgents } from '../../store/read/agents.ts'
import { listContracts } from '../../store/read/contracts.ts'
import type { ContractRow } from '../../store/read/contracts.ts'
import { rankOf } from '../design/state.ts'
import type { OverviewModel, OverviewRow } from '../view/overview.ts'
import { sayDimensions, sayHeadline, seenOf, worstOf } from './dimensions.ts'
import { alarmsOf, isSilent } from './source.ts'
import type { Source } from './source.ts'

/** How many contracts one page judges and shows; the worst by their last verdict come first. */
const CONTRACTS_SHOWN = 200
const DEADLINES_SHOWN = 8
const ALARMS_SHOWN = 8

export async function loadOverview(source: Source): Promise<OverviewModel> {
  const { db, scope, now } = source
  const all = await listContracts(db, scope)
  const shown = all
    .toSorted((a, b) => rankOf(a.headline ?? 'unknown') - rankOf(b.headline ?? 'unknown'))
    .slice(0, CONTRACTS_SHOWN)
  const judged = []
  for (const contract of shown) judged.push(await judge(source, contract))
  const agents = await listAgents(db, scope)
  const customers = new Map(all.map(({ tenant, customer_name }) => [tenant, customer_name]))

  return {
    now,
    contracts: judged.map(({ row }) => row),
    hidden: all.length - shown.length,
    agents: agents.length,
    alarms: await alarmsOf(source, ALARMS_SHOWN),
    silent: agents
      .filter((agent) => isSilent(agent, now))
      .map(({ tenant, id, host, last_received_at }) => ({
        customer: customers.get(tenant) ?? tenant,
        id,
        host,
        lastReceivedAt: last_received_at,
      })),
    deadlines: judged
      .flatMap(({ deadlines }) => deadlines)
      .toSorted((a, b) => a.at.localeCompare(b.at))
      .slice(0, DEADLINES_SHOWN),
  }
}

/** A contract that cannot be judged is shown without a verdict: its own page says why. */
async function judge(
  source: Source,
  contract: ContractRow,
): Promise<{ row: OverviewRow; deadlines: OverviewModel['deadlines'] }> {
  const { id, customer_name: customer } = contract
  const answer = await source.judge(id).catch(() => null)
  if (answer === null) return { row: { id, customer, verdict: null }, deadlines: [] }
  const deadlines = answer.sets.flatMap(({ id: set, nextDeadline }) =>
    nextDeadline === undefined ? [] : [{ at: nextDeadline, contractId: id, customer, set }],
  )
  const said = answer.sets.map((set) => sayDimensions(set, answer.findings, seenOf(set, null)))
  const next = deadlines.map(({ at }) => at).toSorted()[0] ?? null
  return {
    row: {
      id,
      customer,
      verdict: {
        headline: sayHeadline(answer.headline, said),
        dimensions: worstOf(said),
        nextDeadline: next,
      },
    },
    deadlines,
  }
}
