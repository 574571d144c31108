import type { ObligationAnswer } from '@bevis/shared/contract/answer'
import { BevisError } from '@bevis/shared/error'
import { listStatements } from '../../store/read/statements.ts'
import { tenantOf } from '../../store/store.ts'
import { parseTier } from '../design/bucket.ts'
import { DEFAULT_ZONE } from '../language/locale.ts'
import type { EvidenceRow } from '../view/evidence-row.ts'
import type { ObligationModel, PeriodModel, TierPlace } from '../view/obligation.ts'
import { contractOf, judged } from './contract.ts'
import { customersOf, rowOf } from './source.ts'
import type { Source } from './source.ts'

export interface TierWish {
  contract: string
  set: string
  tier: string
  knownOn: string | null
}

const EVIDENCE_SHOWN = 25

export async function loadObligation(
  source: Source,
  wish: TierWish & { bucket: string },
): Promise<{ model: ObligationModel; zone: string }> {
  const { place, obligations, zone } = await loadTier(source, wish)
  const at = obligations.findIndex(({ bucket }) => bucket === wish.bucket)
  const obligation = obligations[at]
  if (obligation === undefined) throw new BevisError('NOT_FOUND', `nothing is owed for ${wish.bucket}`)
  const model = {
    ...place,
    obligation,
    previous: obligations[at - 1]?.bucket ?? null,
    next: obligations[at + 1]?.bucket ?? null,
    evidence: await evidenceOf(source, wish, obligation),
  }
  return { model, zone }
}

export async function loadPeriod(
  source: Source,
  wish: TierWish & { period: string },
): Promise<{ model: PeriodModel; zone: string }> {
  const { place, obligations, zone } = await loadTier(source, wish)
  const { period } = wish
  return {
    model: { ...place, period, obligations: obligations.filter(({ bucket }) => bucket.startsWith(period)) },
    zone,
  }
}

async function loadTier(
  source: Source,
  { contract, set: setId, tier: tierName, knownOn }: TierWish,
): Promise<{ place: TierPlace; obligations: ObligationAnswer[]; zone: string }> {
  const known = await contractOf(source, contract)
  const zone = known.text?.timezone ?? DEFAULT_ZONE
  const { answer } = await judged(source, contract, knownOn, zone)
  const set = answer?.sets.find(({ id }) => id === setId)
  const tier = parseTier(tierName)
  if (set === undefined || tier === null)
    throw new BevisError('NOT_FOUND', `${contract} has no tier ${tierName} of a set ${setId}`)
  const obligations = set.obligations
    .filter((one) => one.tier === tierName)
    .toSorted((a, b) => a.from.localeCompare(b.from))
  const customer = known.text?.customer.name ?? known.customer
  const place = { contract, customer, set: setId, tier, ...(knownOn === null ? {} : { knownOn }) }
  return { place, obligations, zone }
}

/** What was stated on the witness; without one, what the contract's agents stated in the bucket's time. */
async function evidenceOf(
  source: Source,
  wish: TierWish,
  obligation: ObligationAnswer,
): Promise<EvidenceRow[]> {
  const { db, scope } = source
  const customers = await customersOf(source)
  if (obligation.witness !== undefined) {
    const filter = { contract: wish.contract, snapshot: obligation.witness, limit: EVIDENCE_SHOWN }
    return (await listStatements(db, scope, filter)).lines.map((line) => rowOf(line, customers))
  }
  const tenant = tenantOf(scope)
  const lines = await db
    .selectFrom('statement')
    .innerJoin('agent_contract', (join) =>
      join
        .onRef('agent_contract.tenant', '=', 'statement.tenant')
        .onRef('agent_contract.agent', '=', 'statement.agent'),
    )
    .selectAll('statement')
    .where('agent_contract.contract_id', '=', wish.contract)
    .where('stated_at', '>=', obligation.from)
    .where('stated_at', '<=', obligation.due)
    .where('name', 'in', ['backup-run', 'inventory'])
    .where((eb) => eb.or([eb('set_id', '=', wish.set), eb('set_id', 'is', null)]))
    .$if(tenant !== null, (query) => query.where('statement.tenant', '=', tenant))
    .orderBy('statement.id', 'desc')
    .limit(EVIDENCE_SHOWN)
    .execute()
  return lines.map((line) => rowOf(line, customers))
}
