/**
 * The way of a decision into the log: what a person says about a contract is looked at, signed by the collector's
 * office, numbered in the contract's register, and logged, all in one durable transaction.
 */
import type { Signer } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import type { ContractEvent } from '@bevis/shared/evidence/predicates'
import { toInstant } from '@bevis/shared/format'
import { examineEvent } from './contract/accept.ts'
import type { Said } from './contract/accept.ts'
import { takeText } from './contract/apply.ts'
import type { Applied, Text } from './contract/apply.ts'
import { signEvents } from './event/register.ts'
import type { EventOrder, SignedEvent } from './event/register.ts'
import { revocationsOf } from './event/revoke.ts'
import type { RevocationOrder } from './event/revoke.ts'
import type { KeptText } from './log/own-entries.ts'
import type { Receive } from './receive.ts'
import { issuedTexts, listEvents } from './store/read/events.ts'

/** An event in the log. */
export interface RecordedEvent {
  /** SHA-256 of the PAE: the statement's name. */
  readonly paeDigest: string
  readonly event: ContractEvent
}

export interface Office {
  /**
   * Logs what a party says: an acceptance, an approval, a hold, an acknowledgement, an issued report. A
   * `version-accepted` without `sha256` is of the newest text; with another one it is refused.
   * The caller has checked that the person may speak for the party.
   * @throws BevisError NOT_FOUND, REQUEST_INVALID, LOG_INCONSISTENT, LOG_ROLLED_BACK
   */
  record(said: Said): Promise<RecordedEvent>
  /**
   * Takes a contract's text as its next revision, and logs that it did.
   * @throws BevisError CONTRACT_INVALID, LOG_INCONSISTENT
   */
  applyContract(text: Text & { by: string; draft?: boolean }): Promise<Applied>
  /** Ends an agent's present epoch. @throws BevisError NOT_FOUND, AGENT_REVOKED */
  revoke(order: RevocationOrder): Promise<RecordedEvent[]>
}

export function openOffice(parts: {
  receive: Pick<Receive, 'office'>
  signer: Signer
  now: () => Date
}): Office {
  const { receive, signer, now } = parts
  return {
    record: (said) =>
      receive.office(async (tx) => {
        const order = await examineEvent(tx, said, now())
        const events = await signEvents(tx, signer, [order], now())
        const [event] = events.map(recorded)
        if (event === undefined) throw new BevisError('INTERNAL', 'an event was not signed')
        return { result: event, events }
      }),
    applyContract: (text) =>
      receive.office(async (tx) => {
        const at = now()
        const applied = await takeText(tx, text, at)
        const issued = issuedTexts(await listEvents(tx, applied.contract.id)).get(applied.revision)
        if (issued !== undefined && issued !== applied.sha256) {
          throw new BevisError(
            'LOG_INCONSISTENT',
            `revision ${applied.revision} of ${applied.contract.id} is not the text that the log says was applied`,
          )
        }
        if (issued !== undefined) return { result: applied, events: [] }
        const { contract, revision, sha256 } = applied
        const kept: KeptText = {
          ...{ contract: contract.id, customerName: contract.customer.name, revision, sha256 },
          ...{ yaml: text.yaml, appliedAt: toInstant(at), appliedBy: text.by },
        }
        const events = await signEvents(tx, signer, [issuing(applied, text.by)], at)
        return { result: applied, events: events.map((event) => ({ ...event, text: kept })) }
      }),
    revoke: (order) =>
      receive.office(async (tx) => {
        const events = await signEvents(tx, signer, await revocationsOf(tx, order), now())
        return { result: events.map(recorded), events }
      }),
  }
}

function issuing({ contract, revision, sha256 }: Applied, person: string): EventOrder {
  const versions = contract.versions.map(({ no }) => no)
  const detail = { document: 'contract', revision, sha256, versions }
  return { contract: contract.id, event: 'report-issued', by: { party: 'provider', person }, detail }
}

function recorded({ opened, statement }: SignedEvent): RecordedEvent {
  return { paeDigest: opened.paeDigest, event: statement.predicate }
}
