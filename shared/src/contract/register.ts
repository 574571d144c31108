/**
 * What the log must say of a contract's texts, so that who edits a text, with its digest, is found out: that it was
 * applied, and that the version which a party accepted is still the one that stands there. Auditors and `fsck`
 * ask the same.
 */
import type { ContractEvent } from '../evidence/predicates.ts'
import { ZERO_DIGEST } from '../evidence/chain.ts'
import { issuedTextSchema } from './event-detail.ts'
import { parseContract } from './parse.ts'
import type { Contract, Version } from './schema.ts'
import { sorted } from './sorted.ts'

export interface RegisteredEvent {
  /** SHA-256 of the PAE. */
  readonly digest: string
  readonly event: ContractEvent
}

export interface RegisteredText {
  readonly revision: number
  readonly sha256: string
  readonly yaml: string
}

/**
 * Everything that does not fit, in words.
 * @param texts every text that was applied, in their order, each of its SHA-256
 * @param events of the contract, in log order
 */
export function problemsOfRegister(
  texts: readonly RegisteredText[],
  events: readonly RegisteredEvent[],
): string[] {
  return [
    ...problemsOfNumbers(events),
    ...problemsOfTexts(texts, events),
    ...problemsOfAcceptances(texts, events),
  ]
}

function problemsOfNumbers(events: readonly RegisteredEvent[]): string[] {
  let before = { no: 0, digest: ZERO_DIGEST }
  for (const { digest, event } of events) {
    const { register } = event
    const due = before.no + 1
    if (register === undefined) return [`an event (${event.event}, ${event.at}) has no place in the register`]
    if (register.no !== due) return [`event ${due} is missing: ${register.no} follows ${before.no}`]
    if (register.prev !== before.digest) return [`event ${due} does not name the event before it`]
    before = { no: due, digest }
  }
  return []
}

function problemsOfTexts(texts: readonly RegisteredText[], events: readonly RegisteredEvent[]): string[] {
  const issued = new Map<number, string>()
  const problems: string[] = []
  for (const { event } of events) {
    if (event.event !== 'report-issued') continue
    const text = issuedTextSchema.safeParse(event.detail)
    if (!text.success) continue
    const { revision, sha256 } = text.data
    if (issued.has(revision)) problems.push(`revision ${revision} is in the log twice`)
    else issued.set(revision, sha256)
  }
  for (const { revision, sha256 } of texts) {
    const logged = issued.get(revision)
    if (logged === undefined)
      problems.push(`revision ${revision}: nothing in the log says that it was applied`)
    else if (logged !== sha256)
      problems.push(`revision ${revision} is not the text that the log says was applied`)
    issued.delete(revision)
  }
  for (const revision of issued.keys())
    problems.push(`revision ${revision} is in the log, and its text is gone`)
  return problems
}

function problemsOfAcceptances(
  texts: readonly RegisteredText[],
  events: readonly RegisteredEvent[],
): string[] {
  const votes = events.filter(({ event }) => event.event === 'version-accepted')
  const newest = texts.at(-1)
  if (votes.length === 0 || newest === undefined) return []
  const read = new Map<string, Contract | undefined>()
  const contractOf = ({ sha256, yaml }: RegisteredText): Contract | undefined => {
    if (!read.has(sha256)) read.set(sha256, parseContract(yaml, { draft: true }).contract)
    return read.get(sha256)
  }
  return votes.flatMap(({ event: { version: no, detail, by } }) => {
    const said = `the ${by.party}’s acceptance of version ${no ?? '?'}`
    const accepted = texts.find(({ sha256 }) => sha256 === detail['sha256'])
    if (accepted === undefined) return [`${said} is of a text that was never applied`]
    const [then, now] = [termsOf(contractOf(accepted), no), termsOf(contractOf(newest), no)]
    if (then === null) return [`${said}: there is none in revision ${accepted.revision}`]
    return then === now ? [] : [`${said}: its terms have changed since revision ${accepted.revision}`]
  })
}

/** What a version promises, for comparison: acceptances, exclusions and holds come to it later. */
export function termsOf(contract: Contract | undefined, no: number | undefined): string | null {
  const version = contract?.versions.find((one) => one.no === no)
  return contract === undefined || version === undefined ? null : encodeTerms(contract, version)
}

function encodeTerms({ timezone, holidays, currency, monthlyFee }: Contract, version: Version): string {
  const { acceptances: _, exclusions: __, holds: ___, ...terms } = version
  return JSON.stringify([timezone, holidays, currency, monthlyFee ?? null, sorted(terms)])
}
