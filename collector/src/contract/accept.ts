/** What may be said about a contract, looked at in the transaction that logs it. */
import { acceptancesOf, isAccepted } from '@bevis/shared/contract/acceptance'
import { parseContract } from '@bevis/shared/contract/parse'
import { openReplies, repliesTo } from '@bevis/shared/contract/report-reply'
import type { Contract, Version } from '@bevis/shared/contract/schema'
import { BevisError } from '@bevis/shared/error'
import type { ContractEvent } from '@bevis/shared/evidence/predicates'
import type { Kysely } from 'kysely'
import { listEvents } from '../store/read/events.ts'
import type { LoggedEvent } from '../store/read/events.ts'
import { assertWhole } from '../store/read/whole-text.ts'
import type { Schema } from '../store/schema.ts'
import { newestText } from './apply.ts'
import { todayOf } from './amend.ts'

/** What a person wants to say; see `event/register.ts`. */
export type Said = Pick<ContractEvent, 'contract' | 'event' | 'by' | 'detail'> & {
  readonly version?: number | undefined
}

const refused = (why: string) => new BevisError('REQUEST_INVALID', why)

/**
 * Completes and checks an event against the contract's newest text.
 * @throws BevisError NOT_FOUND, REQUEST_INVALID, LOG_INCONSISTENT
 */
export async function examineEvent(tx: Kysely<Schema>, said: Said, now: Date): Promise<Said> {
  const text = await newestText(tx, said.contract)
  if (text === undefined) throw new BevisError('NOT_FOUND', `there is no contract ${said.contract}`)
  assertWhole(text)
  const { contract } = parseContract(text.yaml, { draft: true })
  if (contract === undefined)
    throw new BevisError('CONTRACT_INVALID', `${said.contract} can no longer be read: apply it anew`)
  if (said.event === 'key-revoked') throw refused('a key is revoked by `agent revoke`')
  if (said.event === 'report-issued' && said.detail['document'] === 'contract')
    throw refused('a contract’s text is issued by `contract apply`')
  const { sets } = said.detail
  const known = new Set(contract.versions.flatMap((version) => version.sets.map(({ id }) => id)))
  const unknown = Array.isArray(sets) ? sets.find((id) => !known.has(String(id))) : undefined
  if (unknown !== undefined) throw refused(`${said.contract} has no set ${String(unknown)}`)
  const logged = await listEvents(tx, said.contract)
  if (said.event === 'finding-acknowledged' && said.detail['reply'] !== undefined) assertReply(said, logged)
  if (said.event !== 'version-accepted') return said
  const events = logged.map(({ event }) => event)
  const sha256 = said.detail['sha256'] ?? text.sha256
  if (sha256 !== text.sha256) {
    throw refused(
      `the text of ${said.contract} has changed: revision ${text.revision} has the SHA-256 ${text.sha256}. ` +
        'Read that one before you accept it',
    )
  }
  assertAcceptable(contract, said, events, now)
  return { ...said, detail: { ...said.detail, sha256 } }
}

/** A reply is about a service report of this contract, and comes from whose turn it is. */
function assertReply({ by, detail, contract }: Said, logged: readonly LoggedEvent[]): void {
  const report = String(detail['statement'])
  const isIssued = logged.some(
    ({ paeDigest, event }) => paeDigest === report && event.detail['document'] === 'service-report',
  )
  if (!isIssued) throw refused(`no service report of ${contract} was issued by the statement ${report}`)
  const open: string[] = openReplies(by.party, repliesTo(report, logged))
  if (!open.includes(String(detail['reply']))) {
    throw refused(
      `the ${by.party} cannot say ${String(detail['reply'])} of this report now, but ${open.join(' or ')}`,
    )
  }
}

function assertAcceptable(
  contract: Contract,
  { version: no, by }: Said,
  events: readonly ContractEvent[],
  now: Date,
): void {
  const version = contract.versions.find((one) => one.no === no)
  if (version === undefined)
    throw new BevisError('NOT_FOUND', `${contract.id} has no version ${no ?? '(none was named)'}`)
  const before = acceptancesOf(version, events)
  const own = before.find(({ party }) => party === by.party)
  if (own !== undefined) {
    throw refused(`the ${by.party} has accepted version ${version.no} already: ${own.person}, ${own.at}`)
  }
  if (before.length === 0) return // the other party’s word is still to come
  const others = contract.versions.filter((one) => one !== version && isAccepted(one, events))
  const objection = objectionTo(version, others, todayOf(contract.timezone, now))
  if (objection !== null) throw refused(objection)
}

/** Why a version must not come into force now; null when it may. */
function objectionTo(
  { no, effectiveFrom }: Version,
  others: readonly Version[],
  today: string,
): string | null {
  const twin = others.find((other) => other.effectiveFrom === effectiveFrom)
  if (twin !== undefined) return `versions ${twin.no} and ${no} would both begin on ${effectiveFrom}`
  const current = others.find((other) => other.effectiveFrom <= today)
  if (current === undefined || effectiveFrom >= today) return null
  return (
    `version ${no} would have begun on ${effectiveFrom}, while version ${current.no} is in force: what has passed ` +
    `stays as it was judged. Make a version that begins today (${today}) or later`
  )
}
