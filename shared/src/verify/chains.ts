import { Column } from '../contract/column.ts'
import { ZERO_DIGEST } from '../evidence/chain.ts'
import type { Chain } from '../evidence/predicates.ts'
import type { LoggedStatement } from './index-lines.ts'
import type { Keys, KnownKey } from './keys.ts'
import { counted as many } from './report.ts'
import type { Findings } from './report.ts'
import type { ProvenBounds } from '../time/bounds.ts'
import { revokedBy } from './revocation.ts'
import type { Revocation } from './revocation.ts'
import { introducedKey } from './statements.ts'
import type { TrustedRoot } from './trust.ts'

/** A place of a chain that is taken: the statement's name, and the one that it names as the one before it. */
interface Link {
  readonly digest: string
  readonly prev: string
  readonly place: string
}

/** One agent's statements in one epoch: of those that came in their order only the last is kept. */
export class EpochChain {
  readonly agent: string
  readonly epoch: number
  /** Those logged for a place that was taken, too. */
  statements = 0
  lastSeq = 0
  /** Of those that count, in log order. */
  readonly leaves = new Column(Float64Array)
  readonly keys = new Set<KnownKey>()
  first: Link | undefined
  /** The key that its first statement introduces, and the one that signed it. */
  opening: { readonly introduced: string | null; readonly key: KnownKey | undefined } | undefined
  /** The agent's earlier key that signed for this one, and where: whoever had that one in hand made this one. */
  authority: { readonly epoch: number; readonly leafIndex: number } | undefined
  /** The last of those that follow each other from number 1. */
  #head = { seq: 0, digest: ZERO_DIGEST }
  /** By number: those that came before the one before them. */
  readonly #waiting = new Map<number, Link>()

  constructor(agent: string, epoch: number) {
    this.agent = agent
    this.epoch = epoch
  }

  get id(): string {
    return `${this.agent} epoch ${this.epoch}`
  }

  isTaken(seq: number): boolean {
    return seq <= this.#head.seq || this.#waiting.has(seq)
  }

  /** Takes a place that was free. */
  take(seq: number, link: Link, onBroken: (seq: number, link: Link) => void): void {
    if (seq === 1) this.first = link
    this.#waiting.set(seq, link)
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const number = this.#head.seq + 1
      // What the first names is known when all epochs are.
      if (number > 1 && next.prev !== this.#head.digest) onBroken(number, next)
      this.#waiting.delete(number)
      this.#head = { seq: number, digest: next.digest }
    }
  }

  #next(): Link | undefined {
    return this.#waiting.get(this.#head.seq + 1)
  }

  /** Of those that wait for one that never came: each that follows another must name it. */
  followStrays(onBroken: (seq: number, link: Link) => void): void {
    for (const [seq, link] of this.#waiting) {
      const before = this.#waiting.get(seq - 1)
      if (before !== undefined && link.prev !== before.digest) onBroken(seq, link)
    }
  }

  /** The first number that is not here; null when all are. */
  get missing(): number | null {
    return this.#head.seq === this.lastSeq ? null : this.#head.seq + 1
  }

  /** The name of the last one. */
  get head(): string {
    return this.#waiting.get(this.lastSeq)?.digest ?? this.#head.digest
  }
}

/** Checks `chain.unbroken`, `chain.equivocation`, `enrolment.present` and `keys.revocation`. */
export class Chains {
  readonly #keys: Keys
  readonly #findings: Findings
  readonly #epochs = new Map<string, EpochChain>()
  readonly #revocations: (Revocation & { leafIndex: number })[] = []
  /** Keys that the customer revokes in its trust file, and how much of theirs no stamp proves to be from before. */
  readonly #given: { readonly keyid: string; readonly since: string; doubtful: number }[]
  #counted = 0

  constructor(keys: Keys, given: TrustedRoot['revoked'], findings: Findings) {
    this.#keys = keys
    this.#given = given.map(({ keyid, since }) => ({ keyid, since, doubtful: 0 }))
    this.#findings = findings
  }

  /**
   * Statements come in log order. True for one that the verdict goes by: the first that was logged for (agent, epoch,
   * number) counts; another one for it is an equivocation.
   * @param bounds what stamps prove of it
   */
  add(statement: LoggedStatement, bounds: ProvenBounds): boolean {
    const { chain } = statement
    if (chain !== null && !this.#place(statement, chain)) return false
    this.#counted += 1
    this.#findRevoked(statement)
    this.#doubtGiven(statement, bounds)
    return true
  }

  #place(logged: LoggedStatement, chain: Chain): boolean {
    const { leafIndex, leaves, place, paeDigest, statement } = logged
    const { agent, epoch, seq, prev } = chain
    const id = `${agent} epoch ${epoch}`
    const own = this.#epochs.get(id) ?? new EpochChain(agent, epoch)
    this.#epochs.set(id, own)
    own.statements += 1
    own.lastSeq = Math.max(own.lastSeq, seq)
    if (own.isTaken(seq)) {
      this.#findings.fail(
        'chain.equivocation',
        `${id} number ${seq}: leaf ${leafIndex} is another statement than the one logged for it before`,
      )
      return false
    }
    const key = leaves[0]?.key
    if (key !== undefined) own.keys.add(key)
    if (seq === 1) own.opening = { introduced: introducedKey(statement), key }
    const authority = leaves[1]?.key
    if (authority?.purpose === 'agent') own.authority = { epoch: authority.epoch, leafIndex }
    own.leaves.push(leafIndex)
    own.take(seq, { digest: paeDigest, prev, place }, (number, link) => this.#break(own, number, link))
    return true
  }

  #break({ id }: EpochChain, number: number, { place }: Link): void {
    this.#findings.fail(
      'chain.unbroken',
      `${place}: ${id} number ${number} does not name the statement before it`,
    )
  }

  /** By agent and epoch. */
  epochs(): EpochChain[] {
    return [...this.#epochs.values()].toSorted((a, b) =>
      a.agent === b.agent ? a.epoch - b.epoch : a.agent < b.agent ? -1 : 1,
    )
  }

  conclude(): void {
    const findings = this.#findings
    const epochs = this.epochs()
    for (const [agent, chains] of Map.groupBy(epochs, (epoch) => epoch.agent)) {
      let previous: EpochChain | undefined
      const introduced = new Map<string, number>()
      for (const chain of chains) {
        if (chain.epoch !== (previous?.epoch ?? 0) + 1) {
          findings.fail('chain.unbroken', `${agent}: epoch ${(previous?.epoch ?? 0) + 1} is missing`)
        }
        this.#follow(chain, previous)
        findEnrolment(chain, introduced, findings)
        previous = chain
      }
    }
    findings.hold('chain.unbroken', `${many(epochs.length, 'chain')}, ${many(this.#counted, 'statement')}`)
    findings.hold('chain.equivocation', many(this.#counted, 'place'))
    findings.hold('enrolment.present', many(epochs.length, 'epoch'))
    const revoked = this.#revocations.length
    findings.hold('keys.revocation', revoked === 0 ? 'none revoked' : `${revoked} revoked`)
  }

  #follow(chain: EpochChain, previous: EpochChain | undefined): void {
    const { missing, first } = chain
    if (missing !== null) {
      this.#findings.fail(
        'chain.unbroken',
        `${chain.id}: number ${missing} is missing, the last is ${chain.lastSeq}`,
      )
    }
    if (first !== undefined && first.prev !== (previous?.head ?? ZERO_DIGEST)) this.#break(chain, 1, first)
    chain.followStrays((number, link) => this.#break(chain, number, link))
  }

  /**
   * Nothing may be in the log that a key signed after its revocation: places in the log decide, not clocks.
   */
  #findRevoked({ chain, leaves, leafIndex, place, statement }: LoggedStatement): void {
    // Of a rotation, the key that authorises it too.
    const epochs = leaves.flatMap(({ key }) => (key.purpose === 'agent' ? key.epoch : []))
    const revoked = this.#revocations.find(
      ({ agent, epoch }) => agent === chain?.agent && epochs.some((one) => one <= epoch),
    )
    if (revoked !== undefined) {
      this.#findings.fail(
        'keys.revocation',
        `${place}: signed after leaf ${revoked.leafIndex}, which revoked its key`,
      )
    }
    const revocation = revokedBy(statement, this.#keys)
    if (revocation !== null) this.#revocations.push({ ...revocation, leafIndex })
  }

  /** Where the customer itself says since when a key is no longer its own, what stamps prove to be later fails. */
  #doubtGiven({ leaves, place }: LoggedStatement, { madeAfter, before }: ProvenBounds): void {
    for (const one of this.#given) {
      const { keyid, since } = one
      if (!leaves.some(({ key }) => key.keyid === keyid) || isBy(before, since)) continue
      one.doubtful += 1
      if (madeAfter !== null && Date.parse(madeAfter) >= Date.parse(since)) {
        this.#findings.fail(
          'keys.revocation',
          `${place}: signed after ${since}, when the key ${keyid} was revoked`,
        )
      }
    }
  }

  /**
   * What a key signed that may have been in other hands: it stands where a stamp proves that it was logged before,
   * and is in doubt otherwise, which nobody can decide (`keys.revocation` is then not checked in full).
   * @param before the instant before which a stamp proves that a leaf was logged, or null
   */
  doubtCompromised(before: (leafIndex: number) => string | null): void {
    for (const { keyid, since, doubtful } of this.#given) this.#doubt(`the key ${keyid}`, since, doubtful)
    for (const { agent, epoch, since } of this.#revocations) {
      if (since === null) continue
      let doubtful = 0
      for (const chain of this.#epochs.values()) {
        if (chain.agent !== agent) continue
        const isRevoked = [...chain.keys].some((key) => key.epoch <= epoch)
        const { authority } = chain
        const isAuthorised = authority !== undefined && authority.epoch <= epoch
        const leaves = isRevoked ? chain.leaves : isAuthorised ? [authority.leafIndex] : []
        for (const leafIndex of leaves) if (!isBy(before(leafIndex), since)) doubtful += 1
      }
      this.#doubt(`the key of ${agent}`, since, doubtful)
    }
  }

  #doubt(whose: string, since: string, doubtful: number): void {
    if (doubtful === 0) return
    this.#findings.skip(
      'keys.revocation',
      `${whose} may have been in other hands since ${since}, and of ${many(doubtful, 'statement')} ` +
        'no stamp by an authority that your trust file names (tsa) proves that it was logged before',
    )
  }
}

function isBy(proven: string | null, since: string): boolean {
  return proven !== null && Date.parse(proven) <= Date.parse(since)
}

/**
 * An epoch is signed by one key. The statement that opens it introduces the key, and both that key and its
 * authoriser signed it; or the key was introduced in an earlier epoch of the same agent, which begins anew.
 */
function findEnrolment(chain: EpochChain, introduced: Map<string, number>, findings: Findings): void {
  const { id, keys, opening } = chain
  if (keys.size !== 1) findings.fail('enrolment.present', `${id}: signed by ${keys.size} keys`)
  const key = opening?.key
  if (opening === undefined || key === undefined) {
    findings.fail('enrolment.present', `${id}: its first statement is missing`)
    return
  }
  if (opening.introduced === key.keyid) introduced.set(key.keyid, chain.epoch)
  const opened = introduced.get(key.keyid)
  if (opened === undefined)
    findings.fail('enrolment.present', `${id}: nothing introduces its key ${key.keyid}`)
  else if (opened !== key.epoch)
    findings.fail('enrolment.present', `${id}: key ${key.keyid} opened epoch ${opened}`)
}
