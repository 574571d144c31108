/**
 * What a collector asks of an agent (`GET /v1/agents/:id/work`), and all that it can ask: it names no command, no
 * repository and no place to write. The agent's own configuration decides what becomes of it.
 */
import { z } from 'zod'
import { isLocalDate } from './contract/local.ts'
import { setSchema } from './contract/schema.ts'
import { hex64, instant, slug } from './format.ts'

/** How a requested test is named, in the request and in the statement that answers it. */
export const requestId = z.string().regex(/^[0-9a-f]{32}$/)

/** A whole path in the text that manifests use: absolute, no empty, `.` or `..` part, no control characters. */
export const requestedPath = z
  .string()
  .max(4096)
  .regex(/^(\/(?!\.{1,2}(\/|$))[^/\p{Cc}]+)+$/u, 'an absolute path is needed, such as /srv/shop/orders.db')

const testRequestSchema = z.object({
  id: requestId,
  /** As the agent's configuration calls it. */
  set: slug,
  /** A file, or a folder with all in it. */
  path: requestedPath,
  /** Left out: the set's newest. */
  snapshot: hex64.optional(),
  askedAt: instant,
})
export type TestRequest = z.infer<typeof testRequestSchema>

const localDay = z.string().refine(isLocalDate, 'a local day is needed, such as 2025-05-31')

/** What a version says of one set, and since when it counts. */
const versionOf = {
  version: z.number().int().min(1),
  effectiveFrom: localDay,
  amendmentPolicy: z.enum(['extend-live', 'prospective']),
  set: setSchema,
}

/** What a contract promises of one set, as far as an agent needs it; fees, people and penalties stay away. */
const termsSchema = z.object({
  contract: slug,
  /** Of the text that it is from. */
  sha256: hex64,
  version: z.number().int().min(1),
  timezone: z.string().max(64),
  holidays: z.enum(['DK', 'none']),
  /** The contract's own reading of the set; its `id` is the contract's name for it. */
  set: setSchema,
  /** Since when the version counts; left out by collectors that do not tell it. */
  effectiveFrom: versionOf.effectiveFrom.optional(),
  amendmentPolicy: versionOf.amendmentPolicy.optional(),
  /** What versions before it say of the set, the oldest first: what they owe is still owed. */
  earlier: z.array(z.object(versionOf)).max(1_000).default([]),
  /** Those on the set that have not been released, from the text and from the log; local days, both included. */
  holds: z
    .array(z.object({ covers: z.object({ from: localDay, to: localDay }), authority: z.string().max(4096) }))
    .max(1_000)
    .default([]),
})
export type Terms = z.infer<typeof termsSchema>

/** Chosen by the collector after it had logged an inventory with this digest: nobody knew it at the backup. */
const seedSchema = z.object({ set: slug, inventory: hex64, seed: hex64, revealedAt: instant })
export type RevealedSeed = z.infer<typeof seedSchema>

export const workSchema = z.object({
  agent: slug,
  at: instant,
  terms: z.array(termsSchema).max(1_000),
  seeds: z.array(seedSchema).max(1_000),
  requests: z.array(testRequestSchema).max(100),
})
export type Work = z.infer<typeof workSchema>
