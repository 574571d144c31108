/** What an agent would have stated over the years: statements of every kind, chained and signed with a real key. */
import { sha256Hex, signerFromPem } from '@bevis/shared/crypto'
import { generateSigningKey } from '@bevis/shared/crypto'
import { ZERO_DIGEST } from '@bevis/shared/evidence/chain'
import { paeDigest, signEnvelope } from '@bevis/shared/evidence/envelope'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { inventoryDelta } from '@bevis/shared/evidence/inventory'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import type { EvidenceName, PredicateOf, RestoreTest, Snap } from '@bevis/shared/evidence/predicates'
import { encodeStatement } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
const iso = (ms: number) => new Date(ms).toISOString()

export interface Place {
  tenant: string
  agent: string
  host: string
  set: string
  lineage: string
  paths: string[]
}

/** Everything but the chain, the host and the tools. */
type Draft<N extends EvidenceName> = Omit<PredicateOf<N>, 'chain' | 'host' | 'tools'>

/** One agent with its key, its chain and its repository, writing its own history. */
export function openAgent(place: Place) {
  const key = generateSigningKey()
  const signer = signerFromPem(key.privatePem)
  const envelopes: Envelope[] = []
  const repository = {
    id: sha256Hex(place.lineage),
    lineage: place.lineage,
    location: `rest:https://backup.nordlys.example/${place.lineage}`,
  }
  const listed = new Map<string, Snap>()
  let base: { digest: string; ids: Set<string> } | null = null
  let seq = 0
  let prev = ZERO_DIGEST

  function envelopeOf<N extends EvidenceName>(
    name: N,
    draft: Draft<N>,
    subject: string,
    signers = [signer],
  ): Envelope {
    const { tenant, agent, host } = place
    const predicate = {
      chain: { tenant, agent, epoch: 1, seq: ++seq, prev, log: null },
      host,
      tools: { agent: '0.1.0', restic: '0.18.0', os: 'Debian GNU/Linux 13' },
      ...draft,
    }
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: subject, digest: { sha256: sha256Hex(subject) } }],
      predicateType: predicateTypeOf(name),
      predicate,
    }
    const payload = encodeStatement(statement as unknown as Statement)
    prev = paeDigest(payload)
    return signEnvelope(payload, signers)
  }

  function state<N extends EvidenceName>(name: N, draft: Draft<N>): void {
    envelopes.push(envelopeOf(name, draft, `sets/${place.set}`))
  }

  function snapshotAt(at: number): Snap {
    const id = sha256Hex(`${place.agent} ${at}`)
    return { id, time: iso(at), tree: sha256Hex(`tree ${id}`), host: place.host, paths: place.paths }
  }

  return {
    place,
    signer,
    envelopes,
    listed,

    /** The enrolment, to be sent before everything else. */
    enrolment(at: number, token: typeof signer) {
      const draft = {
        at: iso(at),
        event: 'enrolled',
        key: signer.keyid,
        versions: { agent: '0.1.0', restic: '0.18.0' },
      } as const
      return {
        envelope: envelopeOf('agent-lifecycle', draft, `agents/${place.agent}`, [signer, token]),
        key: key.spki.toBase64(),
      }
    },

    backup(at: number, more: Partial<Draft<'backup-run'>> = {}): void {
      const snapshot = snapshotAt(at + 2_000)
      const files = 18_204 + (Math.floor(at / DAY) % 97) * 3
      state('backup-run', {
        set: place.set,
        repository,
        startedAt: iso(at),
        endedAt: iso(at + 214_000),
        exitCode: 0,
        outcome: 'complete',
        snapshot,
        source: {
          files,
          bytes: files * 412_380,
          filesNew: 31,
          filesChanged: 118,
          filesUnmodified: files - 149,
          addedBytes: 48_310_220,
        },
        manifest: {
          sha256: sha256Hex(`manifest ${at}`),
          files,
          bytes: files * 412_380,
          witnessed: files - 2,
          torn: 2,
        },
        torn: ['/srv/shop/dump/orders.sql.zst', '/srv/shop/media/cache/index.lock'],
        ...more,
      })
      if (more.outcome !== 'failed') listed.set(snapshot.id, snapshot)
    },

    inventory(at: number): void {
      const snapshots = [...listed.values()]
      const delta = inventoryDelta(base, snapshots)
      base = { digest: delta.digest, ids: new Set(listed.keys()) }
      state('inventory', {
        repository,
        takenAt: iso(at),
        complete: true,
        sizeBytes: 84_213_004_118,
        ...delta,
      })
    },

    restoreTest(at: number, more: Partial<RestoreTest> = {}): void {
      const snapshot = [...listed.values()].at(-1)
      if (snapshot === undefined) return
      state('restore-test', {
        set: place.set,
        repository,
        snapshot,
        reason: 'scheduled',
        mode: 'sample',
        startedAt: iso(at),
        endedAt: iso(at + 96_000),
        population: { files: 18_402, bytes: 7_588_616_760, manifest: sha256Hex(`manifest ${snapshot.time}`) },
        selection: {
          algorithm: 'sha256-order',
          seed: sha256Hex(`seed ${at}`).slice(0, 32),
          seedFrom: 'agent',
          strata: [
            { name: 'random', files: 50 },
            { name: 'new', files: 10, of: 149 },
            { name: 'largest', files: 1 },
            { name: 'rotation', files: 351, part: 17, parts: 52 },
          ],
          files: 412,
          bytes: 184_220_117,
        },
        restored: { files: 412, bytes: 184_220_117, seconds: 41.2, method: 'disk' },
        reference: { manifest: 412, source: 0, none: 0 },
        classes: { identical: 412 },
        exceptions: [],
        exceptionsTotal: 0,
        negativeControl: 'caught',
        metadata: { compared: 430, different: 0, attributes: { compared: 100, different: 0 } },
        rto: { measuredSeconds: 41.2, agreedSeconds: 14_400 },
        coverage: {
          files: 18_402,
          restored: 18_153,
          current: 17_011,
          since: iso(at - 340 * DAY),
          at: iso(at + 96_000),
          cycle: { tests: 17, of: 52, restored: 6_120 },
          lastCycle: { restored: 18_089, files: 18_204, at: iso(at - 120 * DAY) },
        },
        limit: { confidence: 0.95, maxDefectRate: 0.058 },
        result: 'PASSED',
        ...more,
      })
    },

    lifecycle(
      at: number,
      event: Draft<'agent-lifecycle'>['event'],
      more: Partial<Draft<'agent-lifecycle'>> = {},
    ): void {
      state('agent-lifecycle', { at: iso(at), event, ...more })
    },

    /** As a restored copy of the machine would: the last number again, with something else to say. */
    repeatItself(at: number): void {
      const place = { seq, prev }
      const [last] = envelopes.slice(-1)
      if (last === undefined) return
      seq -= 1
      prev = (
        JSON.parse(Buffer.from(last.payload, 'base64').toString()) as {
          predicate: { chain: { prev: string } }
        }
      ).predicate.chain.prev
      state('agent-lifecycle', { at: iso(at), event: 'started' })
      seq = place.seq
      prev = place.prev
    },

    state,
    repository,
  }
}

export type StoryAgent = ReturnType<typeof openAgent>
