/** An agent without restic: a key, a chain, and what it says to a collector over HTTP. */
import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { encodeBase64, decodeBase64 } from '@bevis/shared/base64'
import { generateSigningKey, sha256Hex, signerFromPem, signerFromSeed } from '@bevis/shared/crypto'
import type { Signer } from '@bevis/shared/crypto'
import { ZERO_DIGEST } from '@bevis/shared/evidence/chain'
import { parseToken, seedOf } from '@bevis/shared/evidence/enrolment'
import type { EnrolmentToken } from '@bevis/shared/evidence/enrolment'
import { paeDigest, signEnvelope } from '@bevis/shared/evidence/envelope'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import type { AgentLifecycle, Chain, EvidenceName, PredicateOf } from '@bevis/shared/evidence/predicates'
import { encodeStatement, STATEMENT_TYPE } from '@bevis/shared/evidence/statement'
import type { Statement, Subject } from '@bevis/shared/evidence/statement'
import { parseVkey } from '@bevis/shared/log/checkpoint'
import type { Checkpoint } from '@bevis/shared/log/checkpoint'
import { openCheckpoint } from '@bevis/shared/log/checkpoint'
import { assertExtends, verifyLeaf } from '@bevis/shared/log/receipt'
import { enrolResponseSchema, evidenceResponseSchema } from '@bevis/shared/wire'
import type { EnrolResponse, EvidenceResponse } from '@bevis/shared/wire'

export interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers
}

export async function post(url: string, body: unknown, options: { gzip?: boolean } = {}): Promise<Reply> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(options.gzip === true ? { 'content-encoding': 'gzip' } : {}),
    },
    body: options.gzip === true ? gzipSync(text) : text,
  })
  return { status: response.status, body: await response.json().catch(() => null), headers: response.headers }
}

/** The kinds of evidence that stand in an agent's chain. */
type AgentEvidence = Exclude<EvidenceName, 'contract-event'>

export type Said = Partial<Omit<AgentLifecycle, 'chain'>> & { chain?: Partial<Chain> }

export class FakeAgent {
  readonly token: EnrolmentToken
  readonly tokenSigner: Signer
  signer: Signer
  epoch: number
  seq = 0
  prev: string
  /** The newest head that this agent has verified. */
  last: Checkpoint | null = null

  constructor(tokenText: string, place: { epoch?: number; prev?: string; signer?: Signer } = {}) {
    this.token = parseToken(tokenText)
    this.tokenSigner = signerFromSeed(seedOf(this.token))
    this.signer = place.signer ?? signerFromPem(generateSigningKey().privatePem)
    this.epoch = place.epoch ?? 1
    this.prev = place.prev ?? ZERO_DIGEST
  }

  get vkey() {
    return parseVkey(this.token.vkey)
  }

  /** A lifecycle statement's payload at a place of the chain that the caller says; nothing is moved on. */
  payload(said: Said = {}): Uint8Array {
    const { tenant, agent, host } = this.token
    const { chain, ...rest } = said
    return encodeStatement({
      _type: STATEMENT_TYPE,
      subject: [{ name: `agents/${agent}`, digest: { sha256: this.signer.keyid } }],
      predicateType: predicateTypeOf('agent-lifecycle'),
      predicate: {
        chain: { tenant, agent, epoch: this.epoch, seq: this.seq + 1, prev: this.prev, log: null, ...chain },
        host,
        tools: { agent: 'fake 1', os: 'test' },
        at: new Date().toISOString(),
        event: 'heartbeat',
        detail: randomUUID(),
        ...rest,
      },
    })
  }

  /** The next statement of the chain, signed. */
  next(said: Said = {}): Envelope {
    const payload = this.payload(said)
    this.seq += 1
    this.prev = paeDigest(payload)
    return signEnvelope(payload, [this.signer])
  }

  /** The next statement of the chain, of any kind, signed. */
  say<N extends AgentEvidence>(
    name: N,
    subject: Subject,
    predicate: Omit<PredicateOf<N>, 'chain' | 'host' | 'tools'>,
  ): Envelope {
    const { tenant, agent, host } = this.token
    const payload = encodeStatement({
      _type: STATEMENT_TYPE,
      subject: [subject],
      predicateType: predicateTypeOf(name),
      predicate: {
        chain: { tenant, agent, epoch: this.epoch, seq: this.seq + 1, prev: this.prev, log: null },
        host,
        tools: { agent: 'fake 1', os: 'test' },
        ...predicate,
      },
    } as unknown as Statement)
    this.seq += 1
    this.prev = paeDigest(payload)
    return signEnvelope(payload, [this.signer])
  }

  many(count: number): Envelope[] {
    return Array.from({ length: count }, () => this.next())
  }

  enrolment(said: Said = {}): { envelope: Envelope; key: string } {
    const payload = this.payload({ event: 'enrolled', key: this.signer.keyid, ...said })
    this.seq += 1
    this.prev = paeDigest(payload)
    return {
      envelope: signEnvelope(payload, [this.signer, this.tokenSigner]),
      key: encodeBase64(this.signer.spki),
    }
  }

  async enrol(): Promise<EnrolResponse> {
    const request = this.enrolment()
    const { status, body } = await post(`${this.token.collector}/v1/enrol`, request)
    if (status !== 200) throw new Error(`enrolment answered ${status}: ${JSON.stringify(body)}`)
    const response = enrolResponseSchema.parse(body)
    for (const [signature, spki] of [this.signer.spki, this.tokenSigner.spki].entries()) {
      const proof = response.proofs[signature] ?? ''
      verifyLeaf({ envelope: request.envelope, signature, spki, proof, vkey: this.vkey })
    }
    this.last = openCheckpoint(response.checkpoint, this.vkey)
    return response
  }

  /** Sends, and verifies all that an agent must verify. */
  async send(envelopes: readonly Envelope[], options: { gzip?: boolean } = {}): Promise<EvidenceResponse> {
    const from = this.last?.size ?? 0
    const { status, body } = await post(`${this.token.collector}/v1/evidence`, { from, envelopes }, options)
    if (status !== 200) throw new Error(`evidence answered ${status}: ${JSON.stringify(body)}`)
    const response = evidenceResponseSchema.parse(body)
    const head = openCheckpoint(response.checkpoint, this.vkey)
    assertExtends(this.last, head, response.consistency.map(decodeBase64))
    for (const [n, answer] of response.answers.entries()) {
      const envelope = envelopes[n]
      if (answer.outcome === 'refused' || envelope === undefined) continue
      const leaf = verifyLeaf({
        envelope,
        signature: 0,
        spki: this.signer.spki,
        proof: answer.proof,
        vkey: this.vkey,
      })
      if (leaf.checkpoint.note !== head.note) throw new Error('the proof is under another head')
    }
    this.last = head
    return response
  }

  /** One envelope's outcome: `logged`, `duplicate`, or the code of its refusal. */
  async outcomeOf(envelope: unknown): Promise<string> {
    const { answers } = await this.send([envelope as Envelope])
    const [answer] = answers
    return answer?.outcome === 'refused' ? answer.code : (answer?.outcome ?? 'none')
  }
}

/** Digests that never repeat, for made-up snapshots. */
export const someDigest = (): string => sha256Hex(randomUUID())

/** The refusal of one envelope. */
export async function refusalOf(agent: FakeAgent, envelope: unknown) {
  const { answers } = await agent.send([envelope as Envelope])
  const [answer] = answers
  if (answer?.outcome !== 'refused') throw new Error(`${answer?.outcome}, not refused`)
  return answer
}
