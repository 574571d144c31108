/** Tells stories for tests: facts with true chains and true inventory digests, and contracts through the parser. */
import { sha256Hex } from '../crypto.ts'
import { ZERO_DIGEST } from '../evidence/chain.ts'
import { paeDigest } from '../evidence/envelope.ts'
import { inventoryDelta } from '../evidence/inventory.ts'
import type { ContractEvent, EvidenceName, PredicateOf, Repo, Snap } from '../evidence/predicates.ts'
import { predicateTypeOf } from '../evidence/predicates.ts'
import type { Statement } from '../evidence/statement.ts'
import { statementSchema } from '../evidence/statement.ts'
import type { Answer, ObligationAnswer, SetAnswer } from './answer.ts'
import { evaluate } from './evaluate.ts'
import type { Fact } from './known.ts'
import { parseContract } from './parse.ts'
import type { Contract } from './schema.ts'

const MINUTE_MS = 60_000

export function instantOf(at: string | number): string {
  return new Date(at).toISOString()
}

type Extra<N extends EvidenceName> = Partial<PredicateOf<N>> & {
  /** Five seconds after the end of what it tells, when left out. */
  receivedAt?: string
}

/** One agent, one repository at a time, and what they do. */
export class Story {
  readonly facts: Fact[] = []
  readonly agent: string
  readonly host: string
  repository: Repo
  /** What is in each repository now. */
  readonly #contents = new Map<string, Snap[]>()
  readonly #listed = new Map<string, { digest: string; ids: Set<string> }>()
  #epoch = 1
  #seq = 0
  #prev = ZERO_DIGEST

  constructor({
    agent = 'agent-1',
    host = 'srv1',
    lineage = 'vts-01',
    repository,
  }: { agent?: string; host?: string; lineage?: string; repository?: string } = {}) {
    this.agent = agent
    this.host = host
    this.repository = repositoryOf(repository ?? lineage, lineage)
  }

  /** All facts of several agents, in the order of their receipt. */
  static together(...stories: Story[]): Fact[] {
    return stories
      .flatMap(({ facts }) => facts)
      .toSorted((a, b) => Date.parse(a.receivedAt) - Date.parse(b.receivedAt))
  }

  contents(repository: Repo = this.repository): Snap[] {
    let contents = this.#contents.get(repository.id)
    if (contents === undefined) {
      contents = []
      this.#contents.set(repository.id, contents)
    }
    return contents
  }

  newEpoch(): void {
    this.#epoch += 1
    this.#seq = 0
  }

  /** A snapshot that no run reports, such as one made by hand. */
  snapshot(time: string, more: Partial<Snap> = {}): Snap {
    const name = `${this.repository.id}${this.host}${time}${this.contents().length}`
    const snapshot = {
      id: sha256Hex(`snapshot ${name}`),
      time: instantOf(time),
      tree: sha256Hex(`tree ${name}`),
      host: this.host,
      paths: ['/srv/data'],
      ...more,
    }
    this.contents().push(snapshot)
    return snapshot
  }

  /** Nine minutes long. */
  backup(time: string, { snap = {}, ...more }: Extra<'backup-run'> & { snap?: Partial<Snap> } = {}): Snap {
    const snapshot = more.snapshot ?? this.snapshot(time, snap)
    this.#tell('backup-run', {
      set: 'filer',
      repository: this.repository,
      startedAt: instantOf(time),
      endedAt: instantOf(Date.parse(time) + 9 * MINUTE_MS),
      exitCode: more.outcome === 'partial' ? 3 : 0,
      outcome: 'complete',
      snapshot,
      source: sourceOf(4200),
      ...more,
    })
    return snapshot
  }

  inventory(takenAt: string, more: Extra<'inventory'> = {}): void {
    const { id } = this.repository
    const snapshots = this.contents()
    const delta = inventoryDelta(this.#listed.get(id) ?? null, snapshots)
    this.#listed.set(id, { digest: delta.digest, ids: new Set(snapshots.map((one) => one.id)) })
    this.#tell('inventory', {
      repository: this.repository,
      takenAt: instantOf(takenAt),
      complete: true,
      ...delta,
      ...more,
    })
  }

  /** The listing begins anew, as a whole list. */
  forgetBase(): void {
    this.#listed.delete(this.repository.id)
  }

  test(
    snapshot: Snap,
    startedAt: string,
    result: 'PASSED' | 'FAILED' | 'INCONCLUSIVE',
    more: Extra<'restore-test'> = {},
  ): void {
    const files = { files: 50, bytes: 1_000_000 }
    this.#tell('restore-test', {
      set: 'filer',
      repository: this.repository,
      snapshot,
      reason: 'scheduled',
      mode: 'sample',
      startedAt: instantOf(startedAt),
      endedAt: instantOf(Date.parse(startedAt) + 5 * MINUTE_MS),
      population: { files: 4200, bytes: 1_000_000_000 },
      selection: { algorithm: 'hash-order/v1', seed: '00', seedFrom: 'agent', strata: [], ...files },
      restored: { ...files, seconds: 40, method: 'stream' },
      reference: { manifest: 50, source: 0, none: 0 },
      classes: result === 'FAILED' ? { damaged: 1, identical: 49 } : { identical: 50 },
      exceptions: [],
      exceptionsTotal: 0,
      negativeControl: 'caught',
      result,
      ...more,
    })
  }

  /** Removes and, by default, prunes. */
  forget(snapshots: Snap[], at: string, more: Extra<'retention-run'> = {}): void {
    this.drop(...snapshots)
    this.#tell('retention-run', {
      set: 'filer',
      repository: this.repository,
      startedAt: instantOf(Date.parse(at) - MINUTE_MS),
      endedAt: instantOf(at),
      exitCode: 0,
      policy: '',
      removed: snapshots.map(({ id }) => id),
      kept: this.contents().length,
      pruned: true,
      ...more,
    })
  }

  /** Removes without a word. */
  drop(...snapshots: Snap[]): void {
    const ids = new Set(snapshots.map(({ id }) => id))
    const contents = this.contents()
    contents.splice(0, contents.length, ...contents.filter(({ id }) => !ids.has(id)))
  }

  /** The same snapshot under a new ID, as `tag` and `rewrite` make it. */
  rename(snapshot: Snap, more: Partial<Snap> = {}): Snap {
    this.drop(snapshot)
    const id = sha256Hex(`again ${snapshot.id}`)
    const renamed = { ...snapshot, id, original: snapshot.original ?? snapshot.id, ...more }
    this.contents().push(renamed)
    return renamed
  }

  /** As `restic copy` does: new IDs, `original` and tree kept. */
  copyAll(to: Repo, snapshots: readonly Snap[] = this.contents()): void {
    const target = this.contents(to)
    for (const snapshot of snapshots) {
      const id = sha256Hex(`${to.id}${snapshot.id}`)
      if (target.some((one) => one.id === id)) continue
      target.push({ ...snapshot, id, original: snapshot.original ?? snapshot.id })
    }
  }

  /** Ten minutes long, of one part of the packs. */
  check(startedAt: string, result: 'PASSED' | 'FAILED', subset = '3/8'): void {
    this.#tell('data-check', {
      repository: this.repository,
      startedAt: instantOf(startedAt),
      endedAt: instantOf(Date.parse(startedAt) + 10 * MINUTE_MS),
      exitCode: result === 'FAILED' ? 1 : 0,
      subset,
      errors: result === 'FAILED' ? 2 : 0,
      result,
    })
  }

  probe(at: string, outcome: 'refused' | 'allowed' | 'inconclusive', repository: Repo): void {
    this.#tell('deletion-probe', {
      repository,
      at: instantOf(at),
      attempted: ZERO_DIGEST,
      outcome,
      by: 'agent',
    })
  }

  heartbeat(at: string, clockOffsetMs?: number, more: Extra<'agent-lifecycle'> = {}): void {
    this.#tell('agent-lifecycle', {
      at: instantOf(at),
      event: 'heartbeat',
      ...(clockOffsetMs !== undefined && { clockOffsetMs }),
      ...more,
    })
  }

  event(
    at: string,
    event: ContractEvent['event'],
    party: 'customer' | 'provider',
    detail: ContractEvent['detail'],
    more: Partial<ContractEvent> & { receivedAt?: string } = {},
  ): void {
    const { receivedAt = instantOf(Date.parse(at) + 2000), ...rest } = more
    const predicate = {
      contract: 'AFT-1',
      at: instantOf(at),
      by: { party, person: party },
      event,
      detail,
      ...rest,
    }
    this.#push('contract-event', predicate, receivedAt)
  }

  both(at: string, event: ContractEvent['event'], detail: ContractEvent['detail']): void {
    this.event(at, event, 'customer', detail)
    this.event(at, event, 'provider', detail)
  }

  /** A backup at 21:00Z each day and inventories at 06:00Z and 22:00Z; days both included. */
  days(from: string, to: string, { without = [] as string[] } = {}): void {
    for (let day = Date.parse(from); day <= Date.parse(to); day += 24 * 60 * MINUTE_MS) {
      const date = instantOf(day).slice(0, 10)
      this.inventory(`${date}T06:00:00Z`)
      if (!without.includes(date)) this.backup(`${date}T21:00:00Z`)
      this.inventory(`${date}T22:00:00Z`)
    }
  }

  #tell(name: EvidenceName, { receivedAt, ...told }: Record<string, unknown>): void {
    this.#seq += 1
    const predicate = {
      chain: {
        tenant: 'nordlys',
        agent: this.agent,
        epoch: this.#epoch,
        seq: this.#seq,
        prev: this.#prev,
        log: null,
      },
      host: this.host,
      tools: { agent: '1.0.0', os: 'linux' },
      ...told,
    }
    const end = told['endedAt'] ?? told['takenAt'] ?? told['at']
    const received = typeof receivedAt === 'string' ? receivedAt : instantOf(Date.parse(String(end)) + 5000)
    const statement = this.#push(name, predicate, received)
    this.#prev = paeDigest(new TextEncoder().encode(JSON.stringify(statement)))
  }

  #push(name: EvidenceName, predicate: object, receivedAt: string): Statement {
    const statement = statementSchema.parse({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'sets/filer', digest: { sha256: ZERO_DIGEST } }],
      predicateType: predicateTypeOf(name),
      predicate,
    })
    this.facts.push({ receivedAt: instantOf(receivedAt), statement })
    return statement
  }
}

export function repositoryOf(name: string, lineage: string): Repo {
  return { id: sha256Hex(`repository ${name}`), lineage, location: 'rest:https://backup.example' }
}

export function sourceOf(
  files: number,
  bytes = files * 1000,
): NonNullable<PredicateOf<'backup-run'>['source']> {
  return { files, bytes, filesNew: 0, filesChanged: 0, filesUnmodified: files, addedBytes: 0 }
}

type Terms = Record<string, unknown>

/** One set, daily and kept thirty days, with what a test changes. */
export function setOf(more: Terms = {}): Terms {
  return {
    id: 'filer',
    selector: { repository: 'vts-01', hosts: ['srv1'], requiredPaths: ['/srv/data'] },
    onboardedAt: '2025-03-01',
    schedule: { every: 'P1D' },
    retention: { wording: 'Dagligt, 30 dage.', min: [{ per: 'day', keep: 30 }] },
    ...more,
  }
}

export function keeping(min: Terms[], max?: Terms): Terms {
  return { wording: 'Som aftalt.', min, ...(max !== undefined && { max }) }
}

export function versionOf(no: number, effectiveFrom: string, more: Terms = {}): Terms {
  const at = '2024-12-12T10:00:00Z'
  return {
    no,
    effectiveFrom,
    acceptances: [
      { party: 'customer', person: 'M. Holm', at },
      { party: 'provider', person: 'S. Lind', at },
    ],
    sets: [setOf()],
    ...more,
  }
}

export function contractOf(versions: Terms[], more: Terms = {}): Contract {
  const { contract, errors } = parseContract(
    JSON.stringify({
      id: 'AFT-1',
      provider: { name: 'Nordlys' },
      customer: { name: 'Havfruen' },
      term: { start: '2025-01-01' },
      versions,
      ...more,
    }),
  )
  if (contract === undefined) throw new RangeError(JSON.stringify(errors))
  return contract
}

export function contractFor(set: Terms, more: Terms = {}): Contract {
  return contractOf([versionOf(1, '2025-01-01', { sets: [setOf(set)] })], more)
}

export function askAt(contract: Contract, story: Story | Fact[], at: string, knownAt?: string): Answer {
  const facts = Array.isArray(story) ? story : Story.together(story)
  return evaluate({
    contract,
    facts,
    at: new Date(at),
    ...(knownAt !== undefined && { knownAt: new Date(knownAt) }),
  })
}

/** The answer about one set; the first when none is named. */
export function setAt(contract: Contract, story: Story | Fact[], at: string, id?: string): SetAnswer {
  const { sets } = askAt(contract, story, at)
  const set = id === undefined ? sets[0] : sets.find((one) => one.id === id)
  if (set === undefined) throw new RangeError('no such set')
  return set
}

export function obligationIn(set: SetAnswer, bucket: string, tier?: string): ObligationAnswer {
  const found = set.obligations.find(
    (one) => one.bucket === bucket && (tier === undefined || one.tier === tier),
  )
  if (found === undefined) throw new RangeError(`no obligation ${bucket}`)
  return found
}
