/** The customer's root key: which agents' keys of a pack it has signed, and which of them are its agents' then. */
import { keyidOf } from '../crypto.ts'
import { errorMessageOf } from '../error.ts'
import { openRootWord, rootNoteIn } from '../evidence/root-word.ts'
import type { RootWord } from '../evidence/root-word.ts'
import { isEvidence } from '../evidence/statement.ts'
import type { Keys } from './keys.ts'
import type { LoggedStatement } from './index-lines.ts'
import { saysLess } from './revocation.ts'
import { counted as many } from './report.ts'
import type { Findings } from './report.ts'
import type { TrustedRoot } from './trust.ts'

/**
 * Checks `trust.root`: the root key has signed every agent's key, in a note that a statement of the pack brings; or a
 * key that it has signed authorised the next one in a rotation, which needs no more than what the customer's own
 * machine holds. An enrolment by an invitation does: whoever runs the collector can make one.
 */
export class SignedKeys {
  readonly #keys: Keys
  readonly #root: TrustedRoot | undefined
  readonly #words: Word[] = []
  readonly #rotations: (readonly [next: string, authority: string])[] = []

  constructor(keys: Keys, root: TrustedRoot | undefined) {
    this.#keys = keys
    this.#root = root
  }

  add(logged: LoggedStatement): void {
    if (this.#root === undefined) return
    this.#words.push(...wordsOf(logged, keyidOf(this.#root.vkey.spki), this.#keys))
    const { statement, leaves } = logged
    if (!isEvidence(statement, 'agent-lifecycle') || statement.predicate.event !== 'rotated') return
    const [next, authority] = leaves
    if (next !== undefined && authority !== undefined)
      this.#rotations.push([next.key.keyid, authority.key.keyid])
  }

  conclude(findings: Findings): void {
    if (this.#root === undefined) return findings.hold('trust.root', 'your trust file names no root key')
    const { name } = this.#root.vkey
    const words = this.#words
    const agents = [...this.#keys.byId.values()].filter(({ purpose }) => purpose === 'agent')
    const signed = new Set(
      agents
        .filter(({ tenant, agent, keyid }) =>
          words.some(
            ({ word }) =>
              word?.kind === 'signed' &&
              word.tenant === tenant &&
              word.agent === agent &&
              word.keyid === keyid,
          ),
        )
        .map(({ keyid }) => keyid),
    )
    for (const [next, authority] of this.#rotations) if (signed.has(authority)) signed.add(next)
    for (const { agent, epoch, keyid } of agents) {
      if (signed.has(keyid)) continue
      const why = words
        .filter((one) => one.agent === agent && one.problem !== '')
        .map(({ problem }) => `: ${problem}`)
      findings.fail(
        'trust.root',
        `agent ${agent}, epoch ${epoch}: key ${keyid} is not signed by your root key ${name}${why.at(-1) ?? ''}`,
      )
    }
    for (const { place, kind, problem } of words) {
      if (kind === 'revoked' && problem !== '') findings.fail('trust.root', `${place}: ${problem}`)
    }
    findings.hold('trust.root', `${many(signed.size, 'key')} signed by ${name}`)
  }
}

interface Word {
  readonly place: string
  readonly agent: string
  readonly kind: RootWord['kind']
  /** Null: it says nothing that counts, for the reason in `problem`. */
  readonly word: RootWord | null
  readonly problem: string
}

/** The root's word in a statement: an agent brings what is said of its own key, the office what is revoked. */
function wordsOf({ statement, chain, place }: LoggedStatement, rootKeyid: string, keys: Keys): Word[] {
  const isAgents = isEvidence(statement, 'agent-lifecycle')
  const note =
    isAgents || isEvidence(statement, 'contract-event') ? rootNoteIn(statement.predicate.detail) : null
  if (note === null) return []
  const kind = isAgents ? 'signed' : 'revoked'
  const none = { place, agent: chain?.agent ?? '', kind, word: null } as const
  try {
    const { word, root } = openRootWord(note)
    const told = isEvidence(statement, 'contract-event') ? statement.predicate.detail['agent'] : chain?.agent
    const problem =
      keyidOf(root.spki) !== rootKeyid
        ? `a note of it is signed by another root key, ${root.name}`
        : word.kind !== kind
          ? `a note of it says that the key is ${word.kind}`
          : word.agent !== told
            ? `a note of it is about ${word.tenant}/${word.agent}`
            : kind === 'revoked' && saysLess(statement, word, keys)
              ? 'its event says less than your root key’s word'
              : ''
    return [{ ...none, word: problem === '' ? word : null, problem }]
  } catch (error) {
    return [{ ...none, problem: errorMessageOf(error) }]
  }
}
