/** What a statement of a pack revokes: as it says itself, and as the customer's root key says in the note it carries. */
import { openRootWord, rootNoteIn } from '../evidence/root-word.ts'
import type { RootWord } from '../evidence/root-word.ts'
import { isEvidence } from '../evidence/statement.ts'
import type { Statement } from '../evidence/statement.ts'
import type { Keys } from './keys.ts'

export interface Revocation {
  readonly agent: string
  /** The last one whose key is revoked; those before it are too. */
  readonly epoch: number
  /** Since when the key may have been in other hands; null: nobody said so. */
  readonly since: string | null
}

/**
 * The stricter of the event and the note that it carries, whoever signed that: whose word it is, `trust.root` says, and
 * a note of anybody's can only take away. Null for a statement that revokes nothing.
 */
export function revokedBy(statement: Statement, keys: Keys): Revocation | null {
  const event = revokedByEvent(statement)
  const note = revokedByNote(statement, keys)
  if (note === null || event === null) return event ?? note
  if (note.agent !== event.agent) return event
  const since = isLater(event.since, note.since) ? note.since : event.since
  return { agent: event.agent, epoch: Math.max(event.epoch, note.epoch), since }
}

/** True where an event leaves a key more than the root key's word does, which it was logged to hand on. */
export function saysLess(statement: Statement, word: RootWord, keys: Keys): boolean {
  const [event, note] = [revokedByEvent(statement), revokedByWord(word, keys)]
  if (event === null) return true
  return event.agent !== note.agent || event.epoch < note.epoch || isLater(event.since, note.since)
}

/** An agent revokes itself; the office revokes an agent up to an epoch. */
function revokedByEvent(statement: Statement): Revocation | null {
  if (isEvidence(statement, 'agent-lifecycle')) {
    const { event, chain } = statement.predicate
    return event === 'revoked' ? { agent: chain.agent, epoch: chain.epoch, since: null } : null
  }
  if (!isEvidence(statement, 'contract-event') || statement.predicate.event !== 'key-revoked') return null
  const { agent, epoch, compromisedSince: since } = statement.predicate.detail
  if (typeof agent !== 'string' || typeof epoch !== 'number') return null
  return { agent, epoch, since: typeof since === 'string' ? since : null }
}

function revokedByNote(statement: Statement, keys: Keys): Revocation | null {
  if (!isEvidence(statement, 'contract-event')) return null
  const note = rootNoteIn(statement.predicate.detail)
  if (note === null) return null
  try {
    const { word } = openRootWord(note)
    return word.kind === 'revoked' ? revokedByWord(word, keys) : null
  } catch {
    return null // `trust.root` tells of it
  }
}

/** A word is about a key; which epoch that opened, the pack says. Of a key that signed nothing in it, no epoch is. */
function revokedByWord({ agent, keyid, compromisedSince }: RootWord, keys: Keys): Revocation {
  const key = keys.byId.get(keyid)
  return { agent, epoch: key?.agent === agent ? key.epoch : 0, since: compromisedSince ?? null }
}

/** Whether an instant leaves more undoubted than the other; what cannot be read is no earlier than anything. */
function isLater(one: string | null, other: string | null): boolean {
  return other !== null && (one === null || !(Date.parse(one) <= Date.parse(other)))
}
