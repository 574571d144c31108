import { findDatedAhead } from '../../store/read/ahead.ts'
import { listAgents } from '../../store/read/agents.ts'
import { listContracts } from '../../store/read/contracts.ts'
import type { ContractRow } from '../../store/read/contracts.ts'
import { rankOf } from '../design/state.ts'
import type { OverviewModel, OverviewRow } from '../view/overview.ts'
import { sayDimensions, sayHeadline, seenOf, worstOf } from './dimensions.ts'
import { alarmsOf, contactOf, isSilent } from './source.ts'
import type { Source } from './source.ts'

/** How many contracts one page judges and shows; the worst by their last verdict come first. */
const CONTRACTS_SHOWN = 200
const DEADLINES_SHOWN = 8
const ALARMS_SHOWN = 8

/** @param most how many contracts are shown; the others are counted by their last verdict */
export async function loadOverview(source: Source, most: number = CONTRACTS_SHOWN): Promise<OverviewModel> {
  const { db, scope, now } = source
  const all = await listContracts(db, scope)
  const worstFirst = all.toSorted((a, b) => rankOf(a.headline ?? 'unknown') - rankOf(b.headline ?? 'unknown'))
  const shown = worstFirst.slice(0, most)
  const judged = []
  for (const contract of shown) judged.push(await judge(source, contract))
  const agents = await listAgents(db, scope)
  const customers = new Map(all.map(({ tenant, customer_name }) => [tenant, customer_name]))

  return {
    now,
    datedUntil: (await findDatedAhead(db, now))?.until ?? null,
    contracts: judged.map(({ row }) => row),
    hidden: worstFirst.slice(most).map(({ headline }) => headline),
    agents: agents.length,
    alarms: await alarmsOf(source, ALARMS_SHOWN),
    silent: agents
      .filter((agent) => isSilent(agent, now))
      .map((agent) => ({
        customer: customers.get(agent.tenant) ?? agent.tenant,
        id: agent.id,
        host: agent.host,
        lastReceivedAt: contactOf(agent, now) === 'never' ? null : agent.last_received_at,
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
