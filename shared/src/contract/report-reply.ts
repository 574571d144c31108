/**
 * What the parties say of a service report that was issued. The list of events is fixed, and an answer to a report is
 * an acknowledgement of the statement that issued it; what it says stands in its detail as `reply`.
 */
import type { ContractEvent } from '../evidence/predicates.ts'

export const REPORT_REPLIES = [
  'signed-off',
  'remarked',
  'credits-claimed',
  'credits-agreed',
  'credits-declined',
] as const

export type ReplyKind = (typeof REPORT_REPLIES)[number]
type Party = ContractEvent['by']['party']

export interface ReportReply {
  readonly reply: ReplyKind
  readonly party: Party
  readonly person: string
  readonly at: string
  readonly note: string | null
  /** SHA-256 of the PAE: the statement in the log. */
  readonly statement: string
}

/** All that was said of the report which the statement issued, in log order; what has another form is left out. */
export function repliesTo(
  report: string,
  events: readonly { readonly paeDigest: string; readonly event: ContractEvent }[],
): ReportReply[] {
  return events.flatMap(({ paeDigest, event: { event, detail, by, at } }) => {
    const reply = REPORT_REPLIES.find((one) => one === detail['reply'])
    if (event !== 'finding-acknowledged' || reply === undefined || detail['statement'] !== report) return []
    const { note } = detail
    return {
      reply,
      party: by.party,
      person: by.person,
      at,
      note: typeof note === 'string' ? note : null,
      statement: paeDigest,
    }
  })
}

/**
 * What a party may say next: the customer signs off and claims, each once; the provider answers a claim, once;
 * both remark as often as they want.
 */
export function openReplies(party: Party, said: readonly Pick<ReportReply, 'reply'>[]): ReplyKind[] {
  const has = (...kinds: ReplyKind[]) => said.some(({ reply }) => kinds.includes(reply))
  if (party === 'customer') {
    return [
      ...(has('signed-off') ? [] : (['signed-off'] as const)),
      'remarked',
      ...(has('credits-claimed') ? [] : (['credits-claimed'] as const)),
    ]
  }
  const isAsked = has('credits-claimed') && !has('credits-agreed', 'credits-declined')
  return ['remarked', ...(isAsked ? (['credits-agreed', 'credits-declined'] as const) : [])]
}

/** A remark says something, and what is declined is declined for a reason. */
export function needsNote(reply: ReplyKind): boolean {
  return reply === 'remarked' || reply === 'credits-declined'
}
