/** The bodies that agents and collector exchange (HTTP, JSON). One schema on both sides. */
import { z } from 'zod'
import { ERROR_CODES } from './error.ts'
import { envelopeSchema } from './evidence/envelope.ts'
import { count, hex64, instant, slug } from './format.ts'

/** Limits of one `POST /v1/evidence`, measured before and after decompression. */
export const BATCH_LIMIT_ENVELOPES = 1_000
export const BATCH_LIMIT_BYTES = 4 * 1024 * 1024

const note = z.string().max(65_536)
const proof = z.string().max(131_072)
const hash = z.string().length(44)

export const enrolRequestSchema = z.strictObject({
  /** An `enrolled` statement with two signatures: the agent's new key first, then the token's. */
  envelope: envelopeSchema,
  /** The agent's SubjectPublicKeyInfo, base64. */
  key: z.string().length(60),
})
export type EnrolRequest = z.infer<typeof enrolRequestSchema>

export const enrolResponseSchema = z.object({
  tenant: slug,
  agent: slug,
  receivedAt: instant,
  checkpoint: note,
  /** One tlog-proof per signature, in their order. */
  proofs: z.array(proof).max(4),
})
export type EnrolResponse = z.infer<typeof enrolResponseSchema>

export const evidenceRequestSchema = z.strictObject({
  /** The size of the newest checkpoint that the agent verified; 0 for none. */
  from: count,
  envelopes: z.array(envelopeSchema).max(BATCH_LIMIT_ENVELOPES),
})

const answerSchema = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.enum(['logged', 'duplicate']),
    pae: hex64,
    receivedAt: instant,
    /** tlog-proof of the first signature against the response's checkpoint. */
    proof,
  }),
  z.object({
    outcome: z.literal('refused'),
    pae: hex64.nullable(),
    status: z.number().int(),
    code: z.enum(ERROR_CODES),
    message: z.string().max(4_096),
  }),
])
export type Answer = z.infer<typeof answerSchema>

export const evidenceResponseSchema = z.object({
  checkpoint: note,
  /** Consistency proof from the request's `from` to the checkpoint; empty when `from` is 0 or the same size. */
  consistency: z.array(hash).max(128),
  /** One per envelope, in their order. */
  answers: z.array(answerSchema).max(BATCH_LIMIT_ENVELOPES),
})
export type EvidenceResponse = z.infer<typeof evidenceResponseSchema>

/** A statement that a log had, sent again after its database was set back, with the receipt that it gave for it. */
const replayedSchema = z.strictObject({
  envelope: envelopeSchema,
  /** tlog-proof of the first signature, under whatever head it came with. */
  proof,
  receivedAt: instant,
  /** For an enrolment: the public keys of its signatures, base64, and the contracts of its invitation. */
  keys: z.array(z.string().length(60)).max(4).optional(),
  contracts: z.array(slug).max(100).optional(),
})
export type Replayed = z.infer<typeof replayedSchema>

export const replayRequestSchema = z.strictObject({
  statements: z.array(replayedSchema).max(BATCH_LIMIT_ENVELOPES),
})

export const replayResponseSchema = z.object({
  /** The leaves that the log lost: from the first, to before the second. */
  from: count,
  to: count,
  /** How many of them nobody has sent yet; 0: the log is whole again. */
  missing: count,
})
export type ReplayResponse = z.infer<typeof replayResponseSchema>

/** Where an agent's chain stands in the log, so that a restored agent sees that it was set back. */
export const agentHeadSchema = z.object({
  agent: slug,
  epoch: count,
  seq: count,
  /** SHA-256 of the newest statement's PAE; null before the first. */
  pae: hex64.nullable(),
  /** When that statement is dated: what an agent that was set back has made since is not in the log. */
  statedAt: instant.optional(),
  /** That statement as it was signed: an agent believes only its own word that it said more than it remembers. */
  envelope: envelopeSchema.optional(),
})
export type AgentHead = z.infer<typeof agentHeadSchema>

/** RFC 9457 problem details; `code` is of our error table. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().optional(),
  code: z.enum(ERROR_CODES).or(z.string()),
})
export type Problem = z.infer<typeof problemSchema>
