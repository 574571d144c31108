/** What a verification says: one outcome per check, then what it all means, and what no check can prove. */
import { BevisError, errorMessageOf } from '../error.ts'
import type { ProvenTimes } from './stamps.ts'

/** When a pack's statements were made and logged, as far as outside clocks prove it. */
export type { ProvenTimes }

/** `not-checked`: the pack, or the trust file, lacks what the check needs. It is never a quiet yes. */
export type Outcome = 'held' | 'failed' | 'not-checked'

/** Every check, by its stable id, in the order of the report. */
export const CHECKS = {
  'zip.structure': {
    title: 'Zip file',
    means:
      'Every program unpacks the same files from it: no two names for one file, no hidden bytes, no bombs.',
  },
  'pack.description': {
    title: 'Description of the pack',
    means: 'pack.json is well-formed and undamaged.',
  },
  'files.accounted': {
    title: 'Every file accounted for',
    means: 'The pack holds exactly the files that pack.json lists, each with its size and SHA-256.',
  },
  'keys.valid': {
    title: 'Keys',
    means: 'Every key is an Ed25519 key that can be relied on, named by its own SHA-256.',
  },
  'trust.log': {
    title: 'Log key is the one you trust',
    means: 'The log’s verification key is the one in your trust file.',
  },
  'trust.agents': {
    title: 'Agent keys are those you trust',
    means:
      'Every agent’s key is named for that agent in your trust file, or left to the root key there, and no agent that you named is missing.',
  },
  'trust.root': {
    title: 'Agent keys are signed by your root key',
    means:
      'Every agent’s key is signed by the root key in your trust file, or authorised by a key that is, where the file names one.',
  },
  'trust.parties': {
    title: 'Decisions are signed by the parties’ own keys',
    means:
      'Every acceptance, approval and hold in the name of a party is signed by that party’s own key, where your trust file names one, and not by the collector’s office alone.',
  },
  'envelopes.signatures': {
    title: 'Signatures',
    means: 'Every statement is signed by a key of the agent that it names, in that agent’s epoch.',
  },
  'statements.valid': {
    title: 'Statements',
    means: 'Every payload is a statement of the evidence specification, in the one form that can be signed.',
  },
  'enrolment.present': {
    title: 'Enrolments',
    means: 'Every key of an agent was introduced by a statement that the key and its authoriser both signed.',
  },
  'chain.unbroken': {
    title: 'Chains without gaps',
    means: 'Each agent’s statements are numbered from 1 without a gap, and each names the one before it.',
  },
  'chain.equivocation': {
    title: 'One statement per number',
    means: 'No agent signed two different statements for one place in its chain.',
  },
  'keys.revocation': {
    title: 'Revoked keys',
    means: 'The log holds nothing that a key signed after its revocation.',
  },
  'log.checkpoint': {
    title: 'Log’s signed head',
    means: 'The checkpoint is signed by the log’s key.',
  },
  'log.inclusion': {
    title: 'Statements in the log',
    means: 'Every signature of every statement is a leaf of the tree that the checkpoint signs.',
  },
  'log.index': {
    title: 'Index agrees',
    means:
      'index.jsonl names every leaf of the pack and nothing else, in log order, with times that never go back and none after the pack was made.',
  },
  'log.consistency': {
    title: 'Log only ever grew',
    means:
      'Every head of the log that an agent had seen is the beginning of the log that the checkpoint signs.',
  },
  'time.stamps': {
    title: 'Time stamps',
    means:
      'Every stamp of an outside clock holds (RFC 3161), is over a head of this log, and its token lies in the log.',
  },
  'time.bounds': {
    title: 'Times of receipt within the stamps',
    means: 'No time of receipt that the collector claims contradicts the stamps before and after it.',
  },
  'log.cosignatures': {
    title: 'Others have seen the log’s head',
    means:
      'Every cosigned head is one of this log, and a head was cosigned by as many as the policy in your trust file asks for.',
  },
  'completeness.population': {
    title: 'Nothing left out',
    means:
      'The pack holds as many statements of each agent, up to the same last one, as its description says.',
  },
  'contract.text': {
    title: 'Contract',
    means:
      'Every text of the contract is the one that the log says was applied (and your trust file names, if it does); no version has changed since a party accepted it; the last text can be evaluated.',
  },
  'verdict.recomputed': {
    title: 'Verdict recomputed',
    means: 'Evaluating the contract on the verified statements gives exactly verdict.json.',
  },
  'table.rederived': {
    title: 'Table agrees',
    means: 'evidence.csv is what the verified statements give.',
  },
} as const satisfies Record<string, { title: string; means: string }>

export type CheckId = keyof typeof CHECKS
const CHECK_IDS = Object.keys(CHECKS) as CheckId[]

export interface Check {
  readonly id: CheckId
  readonly title: string
  readonly means: string
  readonly outcome: Outcome
  /** What was found, naming the first place where it failed. */
  readonly detail: string
  /** Every place where it failed, up to {@link PLACES_LIMIT}. */
  readonly failures: readonly string[]
  readonly failuresTotal: number
}

const PLACES_LIMIT = 20

/** The verdict of the contract, as recomputed. */
export interface VerdictSummary {
  readonly contract: string
  readonly at: string
  /** Null: everything counted as known. */
  readonly knownAt: string | null
  readonly headline: string
  readonly sets: readonly {
    readonly id: string
    readonly headline: string
    readonly dimensions: Readonly<Record<string, string>>
    readonly counts: Readonly<Record<string, number>>
  }[]
}

/** Which pack it is, as far as its description could be read. */
export interface PackSummary {
  /** SHA-256 of pack.json, which names all other files by theirs: two packs with one name are one pack. */
  readonly sha256: string
  readonly contract: string
  readonly customer: string
  readonly tenant: string
  readonly period: { readonly from: string; readonly to: string }
  readonly madeAt: string
  readonly statements: number
  readonly leaves: number
  readonly log: { readonly origin: string; readonly size: number }
}

export type Result =
  /** All held, with keys from the customer's own trust file. */
  | 'verified'
  /** All that could be checked held, with the keys in the pack: nobody vouched for them. */
  | 'self-consistent, not anchored'
  /** Nothing failed, and something could not be checked. */
  | 'not checked in full'
  | 'refused'

export interface Report {
  readonly result: Result
  /** 0 all held, 1 something failed, 2 something could not be checked. */
  readonly exit: 0 | 1 | 2
  readonly anchored: boolean
  readonly pack: PackSummary | null
  readonly checks: readonly Check[]
  /** Why most of what failed did: keys that the trust file does not name. Null: no such. */
  readonly cause: Cause | null
  /** Null unless everything else held that could be checked. */
  readonly verdict: VerdictSummary | null
  /** Null: the pack has no stamps, or they were not looked at. */
  readonly times: ProvenTimes | null
  readonly notProven: readonly string[]
}

/** A failure that makes many others: all that a key signed fails with the key. */
export interface Cause {
  readonly what: readonly string[]
  readonly cure: string
}

const UNTRUSTED_CURE =
  'If the key is one of your own machines’, give its trust file too (--trust a.yaml --trust b.yaml; it lies in that agent’s state folder), or add the key to yours: keyid may be a list. Never take the key from the pack.'

interface Finding {
  held: string | null
  skipped: string | null
  failures: string[]
  failuresTotal: number
}

/** `1 leaf`, `2 leaves`: a report is read by people. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** Collects findings while the checks run. A check that nobody concludes stays `not-checked`. */
export class Findings {
  readonly #byId = new Map<CheckId, Finding>(
    CHECK_IDS.map((id) => [id, { held: null, skipped: null, failures: [], failuresTotal: 0 }]),
  )

  readonly #causes: string[] = []

  /** Names what other failures follow from. */
  blame(what: string): void {
    this.#causes.push(what)
  }

  get cause(): Cause | null {
    return this.#causes.length === 0
      ? null
      : { what: this.#causes.slice(0, PLACES_LIMIT), cure: UNTRUSTED_CURE }
  }

  #of(id: CheckId): Finding {
    const finding = this.#byId.get(id)
    if (finding === undefined) throw new BevisError('INTERNAL', `no check ${id}`)
    return finding
  }

  /** Something at a named place does not hold; nothing that follows makes it hold again. */
  fail(id: CheckId, detail: string): void {
    const finding = this.#of(id)
    finding.failuresTotal += 1
    if (finding.failures.length < PLACES_LIMIT) finding.failures.push(detail)
  }

  /** The check went through all that it covers; `detail` says how much that was. */
  hold(id: CheckId, detail: string): void {
    this.#of(id).held = detail
  }

  skip(id: CheckId, why: string): void {
    this.#of(id).skipped = why
  }

  /** Runs a part of a check; what it throws is a failure of the check, whatever it is. */
  attempt<T>(id: CheckId, place: string, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      this.fail(id, place === '' ? errorMessageOf(error) : `${place}: ${errorMessageOf(error)}`)
      return undefined
    }
  }

  get failed(): boolean {
    return [...this.#byId.values()].some(({ failuresTotal }) => failuresTotal > 0)
  }

  checks(): Check[] {
    return CHECK_IDS.map((id) => ({ id, ...CHECKS[id], ...conclude(this.#of(id)) }))
  }
}

function conclude(finding: Finding): Pick<Check, 'outcome' | 'detail' | 'failures' | 'failuresTotal'> {
  const { failures, failuresTotal } = finding
  if (failuresTotal > 0) {
    const more = failuresTotal > 1 ? ` (and ${failuresTotal - 1} more)` : ''
    return { outcome: 'failed', detail: `${failures[0] ?? ''}${more}`, failures, failuresTotal }
  }
  const rest = { failures, failuresTotal }
  if (finding.skipped !== null) return { outcome: 'not-checked', detail: finding.skipped, ...rest }
  if (finding.held !== null) return { outcome: 'held', detail: finding.held, ...rest }
  return { outcome: 'not-checked', detail: 'not reached: what it needs did not hold', ...rest }
}

/** What stays unproven even when every check holds. */
export const NOT_PROVEN = [
  'That the newest statements are all here. A pack that ends earlier looks like a pack made earlier; the verdict counts silence against the provider.',
  'What an agent saw, if its machine was in other hands: a signature proves who spoke, not that it is true.',
] as const

function timing(times: ProvenTimes | null): string {
  if (times === null) return UNTIMED
  return times.anchored ? TIMES_BETWEEN : TIMES_UNANCHORED
}

function sight(cosignedSize: number | null, pack: PackSummary | null): string {
  if (cosignedSize === null || pack === null) return UNSEEN
  return pack.log.size === cosignedSize
    ? SEEN
    : `That the collector shows everybody the same log beyond leaf ${cosignedSize - 1}: what came after it has not been cosigned yet.`
}

const UNSEEN =
  'That the collector shows everybody the same log. The agents’ own view of it was checked; your trust file asks for no cosigners (policy).'
const SEEN =
  'That those who cosigned the log’s head are independent of each other, and of whoever runs the log. You chose them.'

const UNTIMED =
  'When things happened. An agent’s clock is its own claim and the time of receipt is the collector’s: this pack holds no stamps of an outside clock.'
const TIMES_UNANCHORED =
  'Whose clocks stamped it: their roots came with the pack. Name their SHA-256 in your trust file (tsa) to rely on them.'
const TIMES_BETWEEN =
  'When things happened, closer than the stamps before and after them tell. An agent’s clock is its own claim.'

const UNANCHORED =
  'Whose keys these are. They came with the pack: name a trust file (--trust) with the keys that you were given at enrolment.'
/** Said of a pack that holds a report: it is made for reading, and the evidence is what was checked. */
const PAPER =
  'What report.pdf says. It is as the collector made it; this verdict here comes from the evidence, not from it.'
/** Said of a pack that holds the page. */
const PAGE =
  'What the pack’s own verify.html shows. Whoever made the pack could have put another in: use a copy from elsewhere.'
const UNPINNED =
  'That the contract is the one you signed: its text came with the pack. Compare its SHA-256, or name it in the trust file.'

/** Draws the conclusion. */
export function concludeReport(parts: {
  findings: Findings
  anchored: boolean
  pinned: boolean
  /** The pack holds a report for people. */
  paper: boolean
  /** The pack holds the verifier’s page. */
  page: boolean
  pack: PackSummary | null
  verdict: VerdictSummary | null
  times?: ProvenTimes | null
  /** How many leaves the head signs that was cosigned as the trust file asks; null: it asks for nothing. */
  cosignedSize?: number | null
}): Report {
  const checks = parts.findings.checks()
  const failed = checks.some(({ outcome }) => outcome === 'failed')
  const unchecked = checks.filter(({ outcome }) => outcome === 'not-checked').map(({ id }) => id)
  const exit = failed ? 1 : unchecked.length > 0 ? 2 : 0
  const onlyTrust = unchecked.every((id) => id.startsWith('trust.'))
  const result = failed
    ? 'refused'
    : exit === 0
      ? 'verified'
      : onlyTrust && !parts.anchored
        ? 'self-consistent, not anchored'
        : 'not checked in full'
  return {
    result,
    exit,
    anchored: parts.anchored,
    pack: parts.pack,
    checks,
    cause: parts.findings.cause,
    verdict: failed ? null : parts.verdict,
    times: failed ? null : (parts.times ?? null),
    notProven: [
      ...(parts.anchored ? [] : [UNANCHORED]),
      ...(parts.pinned ? [] : [UNPINNED]),
      ...(parts.paper ? [PAPER] : []),
      ...(parts.page ? [PAGE] : []),
      timing(parts.times ?? null),
      sight(parts.cosignedSize ?? null, parts.pack),
      ...NOT_PROVEN,
    ],
  }
}
