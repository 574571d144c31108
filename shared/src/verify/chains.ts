import { ZERO_DIGEST } from '../evidence/chain.ts'
import type { Chain } from '../evidence/predicates.ts'
import { isEvidence } from '../evidence/statement.ts'
import type { Statement } from '../evidence/statement.ts'
import type { LoggedStatement } from './log.ts'
import { counted as many } from './report.ts'
import type { Findings } from './report.ts'
import type { ProvenBounds } from '../time/bounds.ts'
import { introducedKey } from './statements.ts'
import type { TrustedRoot } from './trust.ts'

/** The statements of one agent in one epoch that count, by number. */
interface EpochChain {
  readonly agent: string
  readonly epoch: number
  readonly bySeq: Map<number, ChainedStatement>
  /** Those logged for a place that was taken, too. */
  statements: number
  lastSeq: number
}

type ChainedStatement = LoggedStatement & { readonly chain: Chain }

/** What the chains come to: for the population, and for the verdict. */
export interface Chains {
  readonly epochs: readonly EpochChain[]
  /** What the verdict goes by, in log order. */
  readonly counted: readonly LoggedStatement[]
}

/** Checks `chain.unbroken`, `chain.equivocation`, `enrolment.present` and `keys.revocation`. */
export function followChains(logged: readonly LoggedStatement[], findings: Findings): Chains {
  const { epochs, counted } = sortIntoEpochs(logged, findings)
  for (const [agent, chains] of Map.groupBy(epochs, (epoch) => epoch.agent)) {
    let previous: EpochChain | undefined
    const introduced = new Map<string, number>()
    for (const chain of chains) {
      if (chain.epoch !== (previous?.epoch ?? 0) + 1) {
        findings.fail('chain.unbroken', `${agent}: epoch ${(previous?.epoch ?? 0) + 1} is missing`)
      }
      followEpoch(chain, previous, findings)
      findEnrolment(chain, introduced, findings)
      previous = chain
    }
  }
  findings.hold('chain.unbroken', `${many(epochs.length, 'chain')}, ${many(counted.length, 'statement')}`)
  findings.hold('chain.equivocation', many(counted.length, 'place'))
  findings.hold('enrolment.present', many(epochs.length, 'epoch'))
  findRevoked(counted, findings)
  return { epochs, counted }
}

/** The first that was logged for (agent, epoch, number) counts; another one for it is an equivocation. */
function sortIntoEpochs(logged: readonly LoggedStatement[], findings: Findings) {
  const epochs = new Map<string, EpochChain>()
  const counted: LoggedStatement[] = []
  for (const statement of logged) {
    const { chain } = statement
    if (chain === null) {
      counted.push(statement)
      continue
    }
    const id = `${chain.agent} epoch ${chain.epoch}`
    const epoch = epochs.get(id) ?? {
      agent: chain.agent,
      epoch: chain.epoch,
      bySeq: new Map<number, ChainedStatement>(),
      statements: 0,
      lastSeq: 0,
    }
    epochs.set(id, epoch)
    epoch.statements += 1
    epoch.lastSeq = Math.max(epoch.lastSeq, chain.seq)
    const first = epoch.bySeq.get(chain.seq)
    if (first === undefined) {
      epoch.bySeq.set(chain.seq, { ...statement, chain })
      counted.push(statement)
    } else {
      findings.fail(
        'chain.equivocation',
        `${id} number ${chain.seq}: leaves ${first.leafIndex} and ${statement.leafIndex} are two different statements`,
      )
    }
  }
  const sorted = [...epochs.values()].toSorted((a, b) =>
    a.agent === b.agent ? a.epoch - b.epoch : a.agent < b.agent ? -1 : 1,
  )
  return { epochs: sorted, counted }
}

function followEpoch(chain: EpochChain, previous: EpochChain | undefined, findings: Findings): void {
  const id = `${chain.agent} epoch ${chain.epoch}`
  // Only as far as statements reach: a number near 2^53 must not make us count there.
  if (chain.bySeq.size !== chain.lastSeq) {
    let missing = 1
    while (chain.bySeq.has(missing)) missing += 1
    findings.fail('chain.unbroken', `${id}: number ${missing} is missing, the last is ${chain.lastSeq}`)
  }
  for (const [seq, { chain: link, place }] of chain.bySeq) {
    const before = seq === 1 ? previous?.bySeq.get(previous.lastSeq) : chain.bySeq.get(seq - 1)
    if (before === undefined && seq > 1) continue // told as missing
    if (link.prev !== (before?.paeDigest ?? ZERO_DIGEST)) {
      findings.fail('chain.unbroken', `${place}: ${id} number ${seq} does not name the statement before it`)
    }
  }
}

/**
 * An epoch is signed by one key. The statement that opens it introduces the key, and both that key and its
 * authoriser signed it; or the key was introduced in an earlier epoch of the same agent, which begins anew.
 */
function findEnrolment(chain: EpochChain, introduced: Map<string, number>, findings: Findings): void {
  const id = `${chain.agent} epoch ${chain.epoch}`
  const keys = new Set([...chain.bySeq.values()].map(({ leaves }) => leaves[0]?.key))
  if (keys.size !== 1) findings.fail('enrolment.present', `${id}: signed by ${keys.size} keys`)
  const first = chain.bySeq.get(1)
  const key = first?.leaves[0]?.key
  if (first === undefined || key === undefined) {
    findings.fail('enrolment.present', `${id}: its first statement is missing`)
    return
  }
  if (introducedKey(first.statement) === key.keyid) introduced.set(key.keyid, chain.epoch)
  const opened = introduced.get(key.keyid)
  if (opened === undefined)
    findings.fail('enrolment.present', `${id}: nothing introduces its key ${key.keyid}`)
  else if (opened !== key.epoch)
    findings.fail('enrolment.present', `${id}: key ${key.keyid} opened epoch ${opened}`)
}

/**
 * Nothing may be in the log that a key signed after its revocation: places in the log decide, not clocks.
 * An agent revokes itself; the office revokes an agent up to an epoch.
 */
function findRevoked(counted: readonly LoggedStatement[], findings: Findings): void {
  const revocations = counted.flatMap(({ statement, leafIndex }) => {
    const revoked = revokedBy(statement)
    return revoked === null ? [] : [{ ...revoked, leafIndex }]
  })
  for (const { chain, leaves, leafIndex, place } of revocations.length === 0 ? [] : counted) {
    // Of a rotation, the key that authorises it too.
    const epochs = leaves.flatMap(({ key }) => (key.purpose === 'agent' ? key.epoch : []))
    const revoked = revocations.find(
      ({ agent, epoch, leafIndex: since }) =>
        agent === chain?.agent && epochs.some((one) => one <= epoch) && leafIndex > since,
    )
    if (revoked === undefined) continue
    findings.fail(
      'keys.revocation',
      `${place}: signed after leaf ${revoked.leafIndex}, which revoked its key`,
    )
  }
  findings.hold(
    'keys.revocation',
    revocations.length === 0 ? 'none revoked' : `${revocations.length} revoked`,
  )
}

/**
 * What a key signed that may have been in other hands: it stands where a stamp proves that it was logged before,
 * and is in doubt otherwise, which nobody can decide (`keys.revocation` is then not checked in full). Where the
 * customer itself says since when a key is no longer its own, what stamps prove to be later does not hold.
 * @param bounds by leaf index, what the stamps prove; nothing for what they do not reach
 * @param given keys that the customer revokes in its trust file
 */
export function doubtCompromised(
  counted: readonly LoggedStatement[],
  bounds: ReadonlyMap<number, ProvenBounds>,
  given: TrustedRoot['revoked'],
  findings: Findings,
): void {
  const doubts = [
    ...given.map(({ keyid, since }): Doubt => ({
      whose: `the key ${keyid}`,
      since,
      isOver: true,
      isTheirs: ({ leaves }) => leaves.some(({ key }) => key.keyid === keyid),
    })),
    ...counted.flatMap(({ statement }): Doubt[] => {
      const revoked = revokedBy(statement)
      if (revoked === null || !isEvidence(statement, 'contract-event')) return []
      const since = statement.predicate.detail['compromisedSince']
      if (typeof since !== 'string') return []
      const { agent, epoch } = revoked
      const isTheirs: Doubt['isTheirs'] = ({ chain, leaves }) =>
        chain?.agent === agent && (leaves[0]?.key.epoch ?? 0) <= epoch
      return [{ whose: `the key of ${agent}`, since, isOver: false, isTheirs }]
    }),
  ]
  for (const { whose, since, isOver, isTheirs } of doubts) {
    let doubtful = 0
    for (const statement of counted) {
      const { madeAfter, before } = bounds.get(statement.leafIndex) ?? { madeAfter: null, before: null }
      if (!isTheirs(statement) || (before !== null && Date.parse(before) <= Date.parse(since))) continue
      doubtful += 1
      if (isOver && madeAfter !== null && Date.parse(madeAfter) >= Date.parse(since))
        findings.fail(
          'keys.revocation',
          `${statement.place}: signed after ${since}, when ${whose} was revoked`,
        )
    }
    if (doubtful === 0) continue
    findings.skip(
      'keys.revocation',
      `${whose} may have been in other hands since ${since}, and of ${many(doubtful, 'statement')} ` +
        'no stamp proves that it was logged before',
    )
  }
}

interface Doubt {
  readonly whose: string
  readonly since: string
  /** It is not the agent's any more; else: it may have been in other hands too. */
  readonly isOver: boolean
  readonly isTheirs: (statement: LoggedStatement) => boolean
}

function revokedBy(statement: Statement): { agent: string; epoch: number } | null {
  if (isEvidence(statement, 'agent-lifecycle')) {
    const { event, chain } = statement.predicate
    return event === 'revoked' ? { agent: chain.agent, epoch: chain.epoch } : null
  }
  if (!isEvidence(statement, 'contract-event') || statement.predicate.event !== 'key-revoked') return null
  const { agent, epoch } = statement.predicate.detail
  return typeof agent === 'string' && typeof epoch === 'number' ? { agent, epoch } : null
}
