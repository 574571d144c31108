import { clausesFor } from '@bevis/shared/evidence/clause'
import { BevisError } from '@bevis/shared/error'
import type { Answer, SetAnswer } from '@bevis/shared/contract/answer'
import { parseContract } from '@bevis/shared/contract/parse'
import type { Contract } from '@bevis/shared/contract/schema'
import { listAgents } from '../../store/read/agents.ts'
import { damageOf } from '../../store/read/whole-text.ts'
import { listStandingDamage } from '../../store/read/damage.ts'
import { findContract, listContractTexts } from '../../store/read/contracts.ts'
import { listTransitions } from '../../store/read/happenings.ts'
import type { TransitionRow } from '../../store/read/happenings.ts'
import { listStatements } from '../../store/read/statements.ts'
import { parseTier } from '../design/bucket.ts'
import { DEFAULT_ZONE } from '../language/locale.ts'
import type { Change, ContractModel } from '../view/contract.ts'
import type { Promised, SetModel, SetTier } from '../view/contract-set.ts'
import { endOfDay, localDay } from './day.ts'
import { sayDimensions, sayHeadline, seenOf } from './dimensions.ts'
import { firstTestDue } from './first-test.ts'
import { customersOf, groupAlarms, rowOf } from './source.ts'
import type { Source } from './source.ts'
import { newestTests } from './tests.ts'

const TESTS_SHOWN = 6
const CHANGES_SHOWN = 12
/** More are read than shown, since not all of them are news. */
const CHANGES_READ = 200

/** What the address asks for. */
export interface ContractWish {
  id: string
  /** A local date: judge that day, from what was known at its end. */
  knownOn: string | null
  /** A month: the calendar ends there. */
  until: string | null
}

export type LoadedContract = Omit<ContractModel, 'csrf'> & { zone: string }

export async function loadContract(source: Source, wish: ContractWish): Promise<LoadedContract> {
  const { db, scope, now } = source
  const { id, knownOn, until } = wish
  const contract = await contractOf(source, id)
  const zone = contract.text?.timezone ?? DEFAULT_ZONE
  const { answer, problem } = await judged(source, id, knownOn, zone)
  const { text } = contract
  const tests =
    answer === null || text === null
      ? new Map<string, string[]>()
      : newestTests(text, await source.index(id), answer.knownAt, TESTS_SHOWN)
  const sets =
    answer === null
      ? []
      : await Promise.all(
          answer.sets.map((set) => setModel(source, id, text, answer, set, tests.get(set.id) ?? [])),
        )
  const changes = await listTransitions(db, scope, { contract: id, limit: CHANGES_READ })
  const agents = await listAgents(db, scope, { contract: id })
  const today = localDay(now, zone)

  return {
    id,
    zone,
    customer: contract.text?.customer.name ?? contract.customer,
    provider: contract.text?.provider.name ?? '',
    now,
    verdict:
      answer === null
        ? null
        : {
            headline: sayHeadline(
              answer.headline,
              sets.map(({ dimensions }) => dimensions),
            ),
            version: answer.version,
            at: answer.at,
            sets,
            findings: answer.findings,
          },
    problem: problem ?? contract.problem,
    begins: text === null ? null : beginsAfter(text, knownOn ?? today),
    knownOn,
    until,
    changes: changesOf(changes.filter((row) => isNews(row) && wasKnown(row.known_at, answer))).slice(
      0,
      CHANGES_SHOWN,
    ),
    damage: await damageOfContract(source, contract.text, agents, answer?.knownAt ?? null),
    agents: agents.map(({ tenant, id: agent, host, last_received_at }) => ({
      tenant,
      id: agent,
      host,
      lastReceivedAt: last_received_at,
    })),
    clauses: clausesFor(contract.text ?? { regimes: [] }),
    period: { from: Temporal.PlainDate.from(today).subtract({ months: 3 }).toString(), to: today },
  }
}

/** The first day on which it promises anything, where that is after `day`. */
export function beginsAfter({ versions }: Contract, day: string): string | null {
  const [first] = versions.map(({ effectiveFrom }) => effectiveFrom).toSorted()
  return first !== undefined && first > day ? first : null
}

/** In what its agents check, and in every repository that its text names, whoever checks that. */
async function damageOfContract(
  { db, scope }: Source,
  text: Contract | null,
  agents: readonly { tenant: string; id: string }[],
  knownAt: string | null,
): Promise<ContractModel['damage']> {
  const named = new Set(
    text?.versions.flatMap(({ sets }) =>
      sets.flatMap(({ selector, copies = [] }) => [
        selector.repository,
        ...copies.map(({ repository }) => repository),
      ]),
    ),
  )
  const own = new Set(agents.map(({ tenant, id }) => `${tenant}/${id}`))
  const tenants = new Set(agents.map(({ tenant }) => tenant))
  const standing = (await listStandingDamage(db, scope, knownAt)).filter(
    ({ alarm: { tenant, agent }, repository }) =>
      own.has(`${tenant}/${agent ?? ''}`) ||
      (tenants.has(tenant) && repository.some((name) => named.has(name))),
  )
  return groupAlarms(standing.map(({ alarm }) => alarm))
}

/** The customer's name and the newest text; a text that cannot be read is told, and the rest of the page stands. */
export async function contractOf(
  { db, scope }: Source,
  id: string,
): Promise<{ customer: string; text: Contract | null; problem: string | null }> {
  const row = await findContract(db, scope, id)
  if (row === undefined)
    throw new BevisError('NOT_FOUND', `there is no contract ${id} that this account may see`)
  const [newest] = await listContractTexts(db, scope, id)
  if (newest === undefined) return { customer: row.customer_name, text: null, problem: null }
  const damage = damageOf(newest)
  if (damage !== null) return { customer: row.customer_name, text: null, problem: damage }
  const { contract, errors } = parseContract(newest.yaml, { draft: true })
  if (contract !== undefined) return { customer: row.customer_name, text: contract, problem: null }
  const [first] = errors
  return {
    customer: row.customer_name,
    text: null,
    problem: first === undefined ? null : `${first.line}: ${first.message}`,
  }
}

/** The verdict of now, or of a day as it was known at that day's end. */
export async function judged(
  source: Source,
  id: string,
  knownOn: string | null,
  zone: string,
): Promise<{ answer: Answer | null; problem: string | null }> {
  try {
    if (knownOn === null || knownOn >= localDay(source.now, zone)) {
      return { answer: await source.judge(id), problem: null }
    }
    const at = endOfDay(knownOn, zone).toISOString()
    return { answer: await source.judge(id, { at, knownAt: at }), problem: null }
  } catch (error) {
    if (error instanceof BevisError) return { answer: null, problem: error.message }
    throw error
  }
}

async function setModel(
  source: Source,
  contract: string,
  text: Contract | null,
  answer: Answer,
  set: SetAnswer,
  tests: readonly string[],
): Promise<SetModel> {
  const { db, scope } = source
  const customers = await customersOf(source)
  const { lines } =
    tests.length === 0 ? { lines: [] } : await listStatements(db, scope, { contract, digests: tests })
  const seen = seenOf(set, text === null ? null : firstTestDue(text, answer.version, set.id))
  const dimensions = sayDimensions(set, answer.findings, seen)
  return {
    id: set.id,
    headline: sayHeadline(set.headline, [dimensions]),
    dimensions,
    counts: set.counts,
    settled: settledOf(set),
    nextDeadline: set.nextDeadline ?? null,
    promised: text === null ? null : promisedOf(text, answer.version, set.id),
    tiers: tiersOf(set),
    tests: lines.map((line) => rowOf(line, customers)),
  }
}

/** True of what a look back may show. */
function wasKnown(at: string, answer: Pick<Answer, 'knownAt'> | null): boolean {
  return answer === null || answer.knownAt === null || at <= answer.knownAt
}

/** Newest first; a tier's buckets that changed alike at the same time are one change to a person. */
function changesOf(rows: readonly TransitionRow[]): Change[] {
  const alike = Map.groupBy(rows, ({ set_id, subject, to_state, at }) => {
    const [tier, bucket] = subject.split('/')
    return JSON.stringify([set_id, bucket === undefined ? subject : `${tier}/`, to_state, at])
  })
  return [...alike.values()].flatMap(([row, ...others]) =>
    row === undefined
      ? []
      : {
          set: row.set_id,
          subject: row.subject,
          from: row.from_state,
          to: row.to_state,
          at: row.at,
          others: others.length,
        },
  )
}

/** What was well when it was first looked at is no change to anybody. */
function isNews({ from_state, to_state }: TransitionRow): boolean {
  return (
    from_state !== null || !['compliant', 'not-applicable', 'met', 'pending', 'discharged'].includes(to_state)
  )
}

function promisedOf(text: Contract, no: number | null, id: string): Promised | null {
  const version = text.versions.find((one) => one.no === no)
  const set = version?.sets.find((one) => one.id === id)
  return version === undefined || set === undefined ? null : { version, set }
}

/** What the share is made of: live and past obligations, settled one way or the other, or not to be settled today. */
function settledOf({ obligations }: SetAnswer): SetModel['settled'] {
  const count = (...states: string[]) => obligations.filter(({ state }) => states.includes(state)).length
  const kept = count('met', 'discharged')
  return { kept, judged: kept + count('missed', 'lost'), undecided: count('unknown', 'stale') }
}

/** The heat map's tiers, the finest first: how the reader's eye goes from today backwards. */
function tiersOf(set: SetAnswer): SetTier[] {
  const order = ['hour', 'day', 'week', 'month', 'year', 'fiscalYear']
  const byTier = Map.groupBy(set.obligations, ({ tier }) => tier)
  return Array.from(byTier, ([name, list]) => {
    const tier = parseTier(name)
    if (tier === null) return []
    return [{ ...tier, obligations: list.toSorted((a, b) => a.from.localeCompare(b.from)) }]
  })
    .flat()
    .toSorted((a, b) => order.indexOf(a.per) - order.indexOf(b.per))
}
