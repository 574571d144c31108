/** What may be said about a contract, looked at in the transaction that logs it. */
import { acceptancesOf, isAccepted } from '@bevis/shared/contract/acceptance'
import { parseContract } from '@bevis/shared/contract/parse'
import { openReplies, repliesTo } from '@bevis/shared/contract/report-reply'
import { openPartyWord, signedIn } from '@bevis/shared/contract/party-word'
import type { PartyWord } from '@bevis/shared/contract/party-word'
import type { Contract, Version } from '@bevis/shared/contract/schema'
import { keyidOf } from '@bevis/shared/crypto'
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
  /** What the party signed with a key of its own: it must say the same, and count for the first time. */
  readonly signed?: PartyWord | undefined
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
  if (said.event === 'report-issued' && said.detail['document'] === 'service-report')
    assertNotIssued(said, logged)
  const events = logged.map(({ event }) => event)
  if (said.signed !== undefined) assertFirst(said.signed, events)
  const isVote = said.event === 'version-accepted'
  const sha256 = said.signed?.textSha256 ?? (isVote ? said.detail['sha256'] : undefined) ?? text.sha256
  if (sha256 !== text.sha256) {
    throw refused(
      `the text of ${said.contract} has changed: revision ${text.revision} has the SHA-256 ${text.sha256}. ` +
        'Read that one before you say anything of it',
    )
  }
  if (!isVote) return said
  assertAcceptable(contract, said, events, now)
  return { ...said, detail: { ...said.detail, sha256 } }
}

/** A signed word counts once: who logs an old one again would say what the party says no longer. */
function assertFirst(word: PartyWord, events: readonly ContractEvent[]): void {
  const isKnown = events.some((event) => {
    const text = signedIn(event)
    return text !== null && openPartyWord(text).paeDigest === word.paeDigest
  })
  if (isKnown) throw refused('this signed file is in the log already: what is said again is signed again')
}

/** A month's report is issued once, by whoever of two was first. */
function assertNotIssued({ detail }: Said, logged: readonly LoggedEvent[]): void {
  const { month, unit } = detail
  const isIssued = logged.some(
    ({ event }) =>
      event.event === 'report-issued' &&
      event.detail['document'] === 'service-report' &&
      event.detail['month'] === month &&
      event.detail['unit'] === unit,
  )
  if (isIssued) {
    throw refused(
      `the report of ${String(month)} has been issued already: what is known since stands beside it`,
    )
  }
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
  { version: no, by, signed }: Said,
  events: readonly ContractEvent[],
  now: Date,
): void {
  const version = contract.versions.find((one) => one.no === no)
  if (version === undefined)
    throw new BevisError('NOT_FOUND', `${contract.id} has no version ${no ?? '(none was named)'}`)
  const before = acceptancesOf(version, events)
  const own = before.find(({ party }) => party === by.party)
  if (own !== undefined) {
    // What was accepted without a key, or with a wrong one, is confirmed with it; that brings nothing into force.
    if (signed !== undefined && !events.some((event) => isSignedAlike(event, signed))) return
    throw refused(`the ${by.party} has accepted version ${version.no} already: ${own.person}, ${own.at}`)
  }
  if (before.length === 0) return // the other party’s word is still to come
  const others = contract.versions.filter((one) => one !== version && isAccepted(one, events))
  const objection = objectionTo(version, others, todayOf(contract.timezone, now))
  if (objection !== null) throw refused(objection)
}

/** True if the same key has signed an acceptance of the same version for the same party. */
function isSignedAlike(event: ContractEvent, { key, event: said }: PartyWord): boolean {
  const text = signedIn(event)
  return (
    text !== null &&
    event.event === said.event &&
    event.version === said.version &&
    event.by.party === said.by.party &&
    keyidOf(openPartyWord(text).key.spki) === keyidOf(key.spki)
  )
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
