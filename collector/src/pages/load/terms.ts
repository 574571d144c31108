/** What the pages of one contract beside its verdict are made of. */
import { acceptancesOf, isAccepted } from '@bevis/shared/contract/acceptance'
import type { Contract, Party } from '@bevis/shared/contract/schema'
import { estimateStorage, observeGrowth } from '@bevis/shared/contract/simulation/growth'
import { parseForgetPolicy } from '@bevis/shared/contract/simulation/forget-policy'
import { reviewSufficiency } from '@bevis/shared/contract/simulation/sufficiency'
import { playForget } from '@bevis/shared/contract/simulation/wrong-deletion'
import type { ForgetOutcome } from '@bevis/shared/contract/simulation/wrong-deletion'
import { BevisError } from '@bevis/shared/error'
import type { FactIndex } from '@bevis/shared/contract/facts'
import { listContractTexts } from '../../store/read/contracts.ts'
import { listEvents } from '../../store/read/events.ts'
import { listRequests } from '../../store/read/requests.ts'
import type { PromisesModel } from '../view/promises.ts'
import type { RequestsModel } from '../view/requests.ts'
import type { ReviewModel } from '../view/review.ts'
import type { WhatIfModel } from '../view/what-if.ts'
import { contractOf } from './contract.ts'
import { localDay } from './day.ts'
import type { Source } from './source.ts'

/** A contract whose text can be read, and all that is known under it. */
async function readable(source: Source, id: string): Promise<{ customer: string; text: Contract }> {
  const { customer, text, problem } = await contractOf(source, id)
  if (text === null)
    throw new BevisError(
      'CONTRACT_INVALID',
      `the contract ${id} cannot be read: ${problem ?? 'it has no text'}`,
    )
  return { customer: text.customer.name ?? customer, text }
}

/** @param party whom the reader speaks for; null: for neither */
export async function loadPromises(
  source: Source,
  id: string,
  party: Party | null,
): Promise<Omit<PromisesModel, 'csrf'>> {
  const { customer, text } = await readable(source, id)
  const [newest] = await listContractTexts(source.db, source.scope, id)
  const events = (await listEvents(source.db, id)).map(({ event }) => event)
  const today = localDay(source.now, text.timezone)
  const accepted = text.versions.filter((version) => isAccepted(version, events))
  const begun = accepted.filter(({ effectiveFrom }) => effectiveFrom <= today)
  const current = begun.toSorted((a, b) => a.effectiveFrom.localeCompare(b.effectiveFrom)).at(-1)
  return {
    id,
    customer,
    contract: text,
    sha256: newest?.sha256 ?? '',
    events,
    versions: text.versions.map((version) => {
      const acceptances = acceptancesOf(version, events)
      const has = acceptances.some((one) => one.party === party)
      return {
        no: version.no,
        effectiveFrom: version.effectiveFrom,
        standing: !accepted.includes(version)
          ? 'draft'
          : version === current
            ? 'inForce'
            : begun.includes(version)
              ? 'past'
              : 'coming',
        acceptances: acceptances.map(({ party: by, person, at }) => ({ party: by, person, at })),
        mayAcceptFor: has ? null : party,
      }
    }),
  }
}

export async function loadRequests(
  source: Source,
  id: string,
): Promise<Omit<RequestsModel, 'csrf' | 'mayAsk'>> {
  const { customer, text } = await readable(source, id)
  const { version } = await source.judge(id)
  const sets = text.versions.find(({ no }) => no === version)?.sets ?? []
  return {
    id,
    customer,
    sets: sets.map(({ id: set, selector }) => ({ id: set, example: selector.requiredPaths[0] ?? '/' })),
    requests: await listRequests(source.db, source.scope, { contract: id }),
  }
}

export interface WhatIfWish {
  id: string
  policy: string
  /** How many of each tier, by `keep:<set>:<tier>`. */
  keep: ReadonlyMap<string, number>
}

export async function loadWhatIf(source: Source, { id, policy, keep }: WhatIfWish): Promise<WhatIfModel> {
  const { customer, text } = await readable(source, id)
  const { version } = await source.judge(id)
  const index = await source.index(id)
  const growth = observeGrowth(text, index, source.now)
  const sets = text.versions.find(({ no }) => no === version)?.sets ?? []
  return {
    id,
    customer,
    zone: text.timezone,
    policy,
    forget: policy === '' ? null : play(text, index, policy, source.now),
    storage: sets.flatMap((set) => {
      const observed = growth.get(set.id)
      if (observed === undefined) return []
      const proposed = set.retention.min.map((tier) => ({
        ...tier,
        keep: keep.get(`keep:${set.id}:${tier.per}x${tier.keep}`) ?? tier.keep,
      }))
      return [
        {
          ...estimateStorage(set, proposed, observed),
          tiers: set.retention.min.map(({ per, keep: now }, place) => ({
            name: `${per}x${now}`,
            per,
            keep: now,
            proposed: proposed[place]?.keep ?? now,
          })),
        },
      ]
    }),
  }
}

/** What was written wrongly is said beside what was written. */
function play(text: Contract, index: FactIndex, policy: string, at: Date): ForgetOutcome[] | string {
  try {
    return playForget(text, index, parseForgetPolicy(policy), at)
  } catch (error) {
    if (error instanceof BevisError && error.code === 'USAGE') return error.message
    throw error
  }
}

export async function loadReview(source: Source, id: string): Promise<ReviewModel & { zone: string }> {
  const { customer, text } = await readable(source, id)
  const answer = await source.judge(id)
  return {
    id,
    customer,
    zone: text.timezone,
    sets: reviewSufficiency(text, await source.index(id), answer),
  }
}
