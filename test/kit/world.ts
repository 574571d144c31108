/** A world of agents that sign and a log that takes what they say, made of nothing but shared code. */
import { sha256Hex } from '@bevis/shared/crypto'
import type { Signer } from '@bevis/shared/crypto'
import { ZERO_DIGEST } from '@bevis/shared/evidence/chain'
import { openEnvelope, paeDigest, signEnvelope } from '@bevis/shared/evidence/envelope'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { inventoryDelta } from '@bevis/shared/evidence/inventory'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import type { Chain, EvidenceName, PredicateOf, Snap } from '@bevis/shared/evidence/predicates'
import { STATEMENT_TYPE, encodeStatement } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import { formatVkey } from '@bevis/shared/log/checkpoint'
import { formatEntry } from '@bevis/shared/log/entry'
import type { PackKey } from '@bevis/shared/verify/pack'
import { MemoryLog } from './log.ts'
import { OFFICE, Register, signerOf } from './register.ts'

export const TENANT = 'vestkyst'
export const CONTRACT_ID = 'AFT-2025-262'
export const CONTRACT_YAML = `id: ${CONTRACT_ID}
provider: { name: Nordlys IT-drift ApS, cvr: "11223344" }
customer: { name: Vestkyst Tømrer & Snedker ApS, cvr: "12345674" }
term: { start: "2025-01-01", renewal: auto, noticePeriod: P3M }
versions:
  - no: 1
    effectiveFrom: "2025-01-01"
    acceptances:
      - { party: customer, person: M. Holm, at: "2024-12-12T10:02:00Z" }
      - { party: provider, person: S. Lind, at: "2024-12-12T13:40:00Z" }
    sets:
      - id: filer
        selector: { repository: vts-01, hosts: [srv1], requiredPaths: [/srv/data] }
        schedule: { every: P1D }
        retention: { wording: Daglig backup gemmes i 30 dage., min: [{ per: day, keep: 30 }] }
`
const REPOSITORY = {
  id: sha256Hex('repository'),
  lineage: 'vts-01',
  location: 'rest:https://backup.example/vts',
}

/** An agent that keeps its own chain. */
export class KitAgent {
  readonly name: string
  readonly tenant: string
  epoch = 1
  seq = 0
  prev = ZERO_DIGEST
  signer: Signer
  token: Signer
  snapshots: Snap[] = []
  base: { digest: string; ids: Set<string> } | null = null
  /** The head of the log that it saw last. */
  head: Chain['log'] = null

  constructor(name: string, tenant = TENANT) {
    this.name = name
    this.tenant = tenant
    this.signer = signerOf(`${tenant}/${name}/1`)
    this.token = signerOf(`${tenant}/${name}/1/token`)
  }

  /** The next statement of the chain, signed. */
  state<N extends Exclude<EvidenceName, 'contract-event'>>(
    name: N,
    predicate: Omit<PredicateOf<N>, 'chain' | 'host' | 'tools'>,
  ): Envelope {
    this.seq += 1
    const chain: Chain = {
      tenant: this.tenant,
      agent: this.name,
      epoch: this.epoch,
      seq: this.seq,
      prev: this.prev,
      log: this.head,
    }
    const payload = encodeStatement(statementOf(name, { ...predicate, chain }))
    this.prev = paeDigest(payload)
    const introduces = 'event' in predicate && predicate.event === 'enrolled'
    return signEnvelope(payload, introduces ? [this.signer, this.token] : [this.signer])
  }
}

function statementOf(name: EvidenceName, predicate: { chain: Chain }): Statement {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: 'sets/filer', digest: { sha256: sha256Hex('set') } }],
    predicateType: predicateTypeOf(name),
    predicate: { host: 'srv1', tools: { agent: 'kit', restic: '0.18.1', os: 'linux' }, ...predicate },
  } as unknown as Statement
}

/** A statement as the log took it; each signature has its leaf, from `leafIndex` on. */
export interface Logged {
  envelope: Envelope
  leafIndex: number
  receivedAt: string
}

/** A collector's log, and what lies in it. */
export class World {
  readonly log = new MemoryLog('log.example/kit', signerOf('log'))
  readonly vkey = formatVkey('log.example/kit', signerOf('log').spki)
  readonly logged: Logged[] = []
  readonly agents: KitAgent[] = []
  readonly extraKeys: PackKey[] = []

  /** Logs an envelope as the collector would: one leaf per signature. */
  receive(envelope: Envelope, receivedAt: string): number {
    const opened = openEnvelope(envelope)
    const indexes = opened.signatures.map(({ keyid, sig }) =>
      this.log.append(
        formatEntry({ paeDigest: opened.paeDigest, signature: sig, spki: this.#spkiOf(keyid) }),
      ),
    )
    const leafIndex = indexes[0] ?? 0
    this.logged.push({ envelope, leafIndex, receivedAt })
    return leafIndex
  }

  /** Leaves of others, who share the log. */
  receiveOthers(count: number): void {
    for (let n = 0; n < count; n += 1) {
      const signer = signerOf(`stranger ${n}`)
      const payload = new TextEncoder().encode(`${this.log.size}`)
      this.log.append(
        formatEntry({ paeDigest: paeDigest(payload), signature: signer.sign(payload), spki: signer.spki }),
      )
    }
  }

  signers(): Signer[] {
    return [OFFICE, ...this.agents.flatMap(({ signer, token }) => [signer, token])]
  }

  /** The office says once which text of the contract was applied. */
  issue(receivedAt: string): void {
    if (this.#isIssued) return
    this.#isIssued = true
    const detail = { document: 'contract', revision: 1, sha256: sha256Hex(CONTRACT_YAML) }
    this.receive(this.register.say({ event: 'report-issued', at: receivedAt, detail }), receivedAt)
  }

  #isIssued = false
  /** The office's events of the contract. */
  readonly register = new Register(CONTRACT_ID, sha256Hex(CONTRACT_YAML))

  #spkiOf(keyid: string): Uint8Array {
    const signer = this.signers().find((one) => one.keyid === keyid)
    if (signer === undefined) throw new RangeError(`no signer ${keyid}`)
    return signer.spki
  }

  /** The newest head, as an agent keeps it after it verified a receipt. */
  async show(agent: KitAgent): Promise<void> {
    const { origin, size, root } = await this.log.checkpoint()
    agent.head = { origin, size, root: root.toBase64() }
  }

  keys(): PackKey[] {
    const of = (agent: KitAgent, signer: Signer, purpose: PackKey['purpose']): PackKey => ({
      keyid: signer.keyid,
      tenant: agent.tenant,
      agent: agent.name,
      epoch: agent.epoch,
      purpose,
    })
    const agents = this.agents.flatMap((agent) => [
      of(agent, agent.signer, 'agent'),
      of(agent, agent.token, 'token'),
    ])
    const office = { tenant: TENANT, agent: 'office', epoch: 1, purpose: 'office' } as const
    return this.#isIssued ? [...agents, { keyid: OFFICE.keyid, ...office }] : agents
  }

  trust(): string {
    const agents = this.agents.map(
      ({ tenant, name, signer }) => `  - { tenant: ${tenant}, agent: ${name}, keyid: ${signer.keyid} }`,
    )
    return `log: { vkey: "${this.vkey}" }\nagents:\n${agents.join('\n')}\n`
  }
}

const DAY_MS = 86_400_000
export const START = Date.parse('2025-01-01T05:00:00.000Z')
const at = (ms: number) => new Date(ms).toISOString()

/** What an agent says next, and when the collector takes it. */
export interface Said {
  readonly envelope: Envelope
  readonly receivedAt: string
}

/**
 * Some days of an agent's life: enrolled, then each day a backup, an inventory and a heartbeat. Each statement is
 * made when it is asked for, with the head of the log that the agent has seen by then.
 */
export function* daysOf(agent: KitAgent, days: number, begin = START): Generator<Said> {
  if (agent.seq === 0) {
    const enrolled = { at: at(begin), event: 'enrolled', key: agent.signer.keyid } as const
    yield { envelope: agent.state('agent-lifecycle', enrolled), receivedAt: at(begin + 4_310) }
  }
  for (let day = 0; day < days; day += 1) {
    const started = begin + day * DAY_MS + 16 * 3_600_000
    const ended = started + 540_000
    const snapshot: Snap = {
      id: sha256Hex(`${agent.name} snapshot ${started}`),
      time: at(started),
      tree: sha256Hex(`${agent.name} tree ${started}`),
      host: 'srv1',
      paths: ['/srv/data'],
    }
    const run = agent.state('backup-run', {
      set: 'filer',
      repository: REPOSITORY,
      startedAt: at(started),
      endedAt: at(ended),
      exitCode: 0,
      outcome: 'complete',
      snapshot,
      source: {
        files: 4201,
        bytes: 9_401_048_576,
        filesNew: 4,
        filesChanged: 21,
        filesUnmodified: 4176,
        addedBytes: 25,
      },
    })
    yield { envelope: run, receivedAt: at(ended + 4_000) }
    agent.snapshots.push(snapshot)
    const listing = inventoryDelta(agent.base, agent.snapshots)
    agent.base = { digest: listing.digest, ids: new Set(agent.snapshots.map(({ id }) => id)) }
    const inventory = { repository: REPOSITORY, takenAt: at(ended + 60_000), complete: true, ...listing }
    yield { envelope: agent.state('inventory', inventory), receivedAt: at(ended + 61_000) }
    const heartbeat = { at: at(ended + 90_000), event: 'heartbeat', clockOffsetMs: 12 } as const
    yield { envelope: agent.state('agent-lifecycle', heartbeat), receivedAt: at(ended + 91_000) }
  }
}

/** Lets an agent live in a world where others log too, and where it verifies the log's head now and then. */
export async function liveDays(
  world: World,
  agent: KitAgent,
  days: number,
  begin = START,
  issue = false,
): Promise<void> {
  if (!world.agents.includes(agent)) world.agents.push(agent)
  let said = 0
  for (const { envelope, receivedAt } of daysOf(agent, days, begin)) {
    if (issue && said === 3 * days) world.issue(receivedAt)
    world.receive(envelope, receivedAt)
    said += 1
    if (said % 3 !== 0) continue
    world.receiveOthers(said % 4)
    await world.show(agent)
  }
}

/** Two agents, some days: small enough to flip every bit of it. */
export async function smallWorld(days = 3): Promise<World> {
  const world = new World()
  world.receiveOthers(2)
  await liveDays(world, new KitAgent('srv1'), days)
  await liveDays(world, new KitAgent('srv2'), 1, START + days * DAY_MS, true)
  return world
}
