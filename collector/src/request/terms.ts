/** A contract's terms in force, as far as an agent needs them. */
import { isAccepted } from '@bevis/shared/contract/acceptance'
import { Events } from '@bevis/shared/contract/approval'
import { Calendar } from '@bevis/shared/contract/calendar'
import { holdsOn } from '@bevis/shared/contract/hold'
import { knownOf } from '@bevis/shared/contract/known'
import { formatDay } from '@bevis/shared/contract/local'
import { parseContract } from '@bevis/shared/contract/parse'
import type { Contract, ContractSet, Version } from '@bevis/shared/contract/schema'
import { versionsInForce } from '@bevis/shared/contract/timeline'
import { BevisError } from '@bevis/shared/error'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import { STATEMENT_TYPE } from '@bevis/shared/evidence/statement'
import type { Terms } from '@bevis/shared/work'
import type { Kysely } from 'kysely'
import { listContractTexts } from '../store/read/contracts.ts'
import { listEvents } from '../store/read/events.ts'
import type { LoggedEvent } from '../store/read/events.ts'
import { assertWhole } from '../store/read/whole-text.ts'
import type { Schema } from '../store/schema.ts'

/** The newest text of a contract. @throws BevisError NOT_FOUND, LOG_INCONSISTENT, CONTRACT_INVALID */
export async function readContract(
  db: Kysely<Schema>,
  id: string,
): Promise<{ text: Contract; sha256: string }> {
  const [stored] = await listContractTexts(db, { all: true }, id)
  if (stored === undefined) throw new BevisError('NOT_FOUND', `there is no contract ${id}`)
  assertWhole(stored)
  const { contract } = parseContract(stored.yaml, { draft: true })
  if (contract === undefined)
    throw new BevisError('CONTRACT_INVALID', `the text of ${id} can no longer be read`)
  return { text: contract, sha256: stored.sha256 }
}

/** What is promised now; nothing while no accepted version is in force. */
export async function termsOf(db: Kysely<Schema>, contract: string, now: Date): Promise<Terms[]> {
  const { text, sha256 } = await readContract(db, contract)
  const { timezone, holidays } = text
  const today = Temporal.Instant.from(now.toISOString()).toZonedDateTimeISO(timezone).toPlainDate().toString()
  const logged = await listEvents(db, contract)
  const events = logged.map(({ event }) => event)
  const begun = text.versions
    .filter((version) => isAccepted(version, events) && version.effectiveFrom <= today)
    .toSorted((one, other) => (one.effectiveFrom < other.effectiveFrom ? -1 : 1))
  const inForce = begun.at(-1)
  if (inForce === undefined) return []
  const holdsFor = holdsIn(text, logged, now)
  return inForce.sets.map((set) => ({
    contract,
    sha256,
    timezone,
    holidays,
    ...termsIn(inForce, set),
    earlier: begun.slice(0, -1).flatMap((version) => {
      const own = version.sets.find(({ id }) => id === set.id)
      return own === undefined ? [] : [termsIn(version, own)]
    }),
    holds: holdsFor(set),
  }))
}

function termsIn(
  { no, effectiveFrom, amendmentPolicy }: Version,
  set: ContractSet,
): Terms['earlier'][number] {
  return { version: no, effectiveFrom, amendmentPolicy, set }
}

/** What must not be removed, whatever it is owed: an agent cannot know of it otherwise. Announced ones count. */
function holdsIn(
  text: Contract,
  logged: readonly LoggedEvent[],
  now: Date,
): (set: ContractSet) => Terms['holds'] {
  const at = now.getTime()
  const known = logged.map(({ event, receivedAt }, place) => {
    const predicateType = predicateTypeOf('contract-event')
    const statement = { _type: STATEMENT_TYPE, subject: [], predicateType, predicate: event } as const
    return knownOf({ receivedAt, statement: { ...statement, subject: [] } }, event, place)
  })
  const events = new Events(known, text.id, at)
  const versions = versionsInForce(text, events, at)
  return (set) => {
    const calendar = new Calendar(text, set.schedule)
    return holdsOn(versions, events, set.id, calendar, Infinity)
      .filter(({ end }) => end > at)
      .map(({ fromDay, toDay, authority }) => ({
        covers: { from: formatDay(fromDay), to: formatDay(toDay) },
        authority,
      }))
  }
}
