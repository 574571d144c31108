/** The parties' own keys: what is said in a party's name, and which of it that party has signed itself. */
import { contentOf, isSaidBy, openPartyWord, signedIn } from '../contract/party-word.ts'
import type { PartyWord } from '../contract/party-word.ts'
import type { Contract, Party } from '../contract/schema.ts'
import { keyidOf } from '../crypto.ts'
import { errorMessageOf } from '../error.ts'
import type { ContractEvent } from '../evidence/predicates.ts'
import { isEvidence } from '../evidence/statement.ts'
import type { StatementOf } from '../evidence/statement.ts'
import type { LoggedStatement } from './index-lines.ts'
import { counted } from './report.ts'
import type { Findings } from './report.ts'
import type { TrustedParty } from './trust.ts'

/**
 * Checks `trust.parties`: what counts in the name of a party whose key the trust file names carries that party's
 * signature, or is followed by the same, signed: so a party that gets a key can confirm what it said without one. A word
 * counts once: an old one that is logged again is not the party's.
 */
export class PartyWords {
  readonly #keyids: ReadonlyMap<Party, ReadonlySet<string>>
  readonly #names: string
  readonly #used = new Set<string>()
  /** Why what was said lacks the party’s signature, by what it says. */
  readonly #open = new Map<string, string>()
  #acceptances = 0
  #others = 0

  /** @param isPinned the trust file names the contract's text: what that says of acceptances is the party's own */
  constructor(parties: readonly TrustedParty[], contract: Contract | undefined, isPinned: boolean) {
    const own = parties.filter(
      ({ contracts }) => contract === undefined || contracts?.includes(contract.id) !== false,
    )
    const byParty = Map.groupBy(own, ({ party }) => party)
    this.#keyids = new Map(
      Array.from(byParty, ([party, keys]) => [party, new Set(keys.map(({ vkey }) => keyidOf(vkey.spki)))]),
    )
    this.#names = [...new Set(own.map(({ vkey }) => vkey.name))].join(', ')
    if (contract === undefined || isPinned) return
    for (const { no, acceptances = [], exclusions } of contract.versions) {
      for (const { party } of acceptances) {
        if (this.#keyids.has(party))
          this.#open.set(
            voteOf(party, no),
            `the text of the contract: version ${no} accepted, ${this.#lacking}`,
          )
      }
      for (const { from, approvedBy } of exclusions) {
        const party = approvedBy.find((one) => this.#keyids.has(one))
        if (party !== undefined)
          this.#open.set(
            `${party} ${no} ${from}`,
            `the text of the contract: exclusion from ${from} approved, ${this.#lacking}`,
          )
      }
    }
  }

  get #lacking(): string {
    return `not signed by ${this.#names}`
  }

  add({ statement, place }: LoggedStatement): void {
    if (!isEvidence(statement, 'contract-event')) return
    const event = statement.predicate
    const keyids = this.#keyids.get(event.by.party)
    if (keyids === undefined) return
    const text = signedIn(event)
    if (text !== null) {
      const problem = this.#problemOf(text, statement, keyids)
      if (problem !== null) this.#open.set(keyOf(event), `${place}: ${problem}`)
      else {
        this.#open.delete(keyOf(event))
        if (event.event === 'version-accepted') this.#acceptances += 1
        else this.#others += 1
      }
    } else if (needsSignature(event)) {
      const what =
        event.event === 'version-accepted' ? `version ${event.version ?? '?'} accepted` : event.event
      this.#open.set(keyOf(event), `${place}: ${what}, ${this.#lacking}`)
    }
  }

  #problemOf(
    text: string,
    statement: StatementOf<'contract-event'>,
    keyids: ReadonlySet<string>,
  ): string | null {
    let word: PartyWord
    try {
      word = openPartyWord(text)
    } catch (error) {
      return errorMessageOf(error)
    }
    const { party } = statement.predicate.by
    if (!keyids.has(keyidOf(word.key.spki)))
      return `signed with another key than the ${party}’s, ${word.key.name}`
    if (!isSaidBy(word, statement)) return `the ${party} signed something else`
    if (this.#used.has(word.paeDigest)) return `the ${party} signed it once, for an event before`
    this.#used.add(word.paeDigest)
    return null
  }

  conclude(findings: Findings): void {
    if (this.#keyids.size === 0) {
      findings.hold('trust.parties', 'your trust file names no key of a party')
      return
    }
    for (const why of this.#open.values()) findings.fail('trust.parties', why)
    const acceptances = counted(this.#acceptances, 'acceptance')
    findings.hold(
      'trust.parties',
      `${acceptances} and ${counted(this.#others, 'other event')} signed by ${this.#names}`,
    )
  }
}

const voteOf = (party: Party, version: number | undefined): string => `${party} accepts ${version ?? '?'}`

/** An acceptance is of a version: `contract.text` sees to it that its terms have not changed since. */
function keyOf(event: ContractEvent): string {
  const { by, version, detail } = event
  if (event.event !== 'version-accepted') return contentOf({ ...event, by: { ...by, person: '' } })
  return voteOf(by.party, version ?? Number(detail['version']))
}

/** What can change a verdict. A reply to a service report cannot, and the office's own say is not a party's. */
function needsSignature(event: ContractEvent): boolean {
  if (event.event === 'key-revoked' || event.event === 'report-issued') return false
  const isReply = event.event === 'finding-acknowledged' && event.detail['reply'] !== undefined
  return !isReply || event.detail['snapshot'] !== undefined || event.detail['finding'] !== undefined
}
