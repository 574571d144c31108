/**
 * The predicates of Bevis's evidence: what one run observed, failure included.
 * Readers ignore fields that they do not know, so objects are open; sizes are capped because all of it
 * comes from outside. Instants RFC 3339 UTC with milliseconds, sizes in bytes, digests 64 lowercase hex.
 */
import { z } from 'zod'
import { count, hex64, instant, slug } from '../format.ts'

const text = z.string().max(4096)
const name = z.string().min(1).max(512)
const path = z.string().min(1).max(65_536)
const paths = z.array(path).max(1_000)

/** The failure that kept a run from its result: a code of the error table (or of a newer one), and a message. */
const failure = z.object({ code: z.string().regex(/^[A-Z][A-Z_]{1,63}$/), message: text })

export const chainSchema = z.object({
  tenant: slug,
  agent: slug,
  /** Counts the agent's identities: 1 at enrolment, one more after each rotation or re-installation. */
  epoch: count.min(1),
  /** 1 for the first statement of an epoch. */
  seq: count.min(1),
  /** SHA-256 of the PAE before this one; zeros at the very start. */
  prev: hex64,
  /** The newest checkpoint that the agent had verified, which entangles its chain with the log. */
  log: z.object({ origin: name, size: count, root: z.string().max(64) }).nullable(),
})
export type Chain = z.infer<typeof chainSchema>

const common = {
  chain: chainSchema,
  host: name,
  tools: z.object({ agent: name, restic: name.optional(), os: name }),
}

const repositorySchema = z.object({
  /** restic's own repository ID. */
  id: hex64,
  /** The name that a contract gives to a repository and its successors. */
  lineage: name.optional(),
  /** Where it is, credentials cut out. */
  location: text,
})
export type Repo = z.infer<typeof repositorySchema>

export const snapSchema = z.object({
  id: hex64,
  time: instant,
  tree: hex64,
  host: name,
  paths,
  original: hex64.optional(),
  tags: z.array(text).max(1_000).optional(),
})
export type Snap = z.infer<typeof snapSchema>

const backupRun = z.object({
  ...common,
  set: slug,
  repository: repositorySchema,
  startedAt: instant,
  endedAt: instant,
  exitCode: z.number().int(),
  outcome: z.enum(['complete', 'partial', 'failed']),
  snapshot: snapSchema.optional(),
  /** What froze the source while it was read, by the name that the agent's configuration gives it: lvm, btrfs, zfs. */
  fileSystemSnapshot: name.optional(),
  source: z
    .object({
      files: count,
      bytes: count,
      filesNew: count,
      filesChanged: count,
      filesUnmodified: count,
      addedBytes: count,
    })
    .optional(),
  failed: z.object({ count, paths: z.array(path).max(100) }).optional(),
  manifest: z
    .object({
      sha256: hex64,
      files: count,
      bytes: count,
      witnessed: count,
      torn: count,
      /** Of the torn: files that got another name meanwhile. */
      renamed: count.optional(),
    })
    .optional(),
  torn: z.array(path).max(100).optional(),
  anomaly: z.record(z.string().max(64), z.unknown()).optional(),
  error: failure.optional(),
})

const inventory = z.object({
  ...common,
  repository: repositorySchema,
  takenAt: instant,
  /** True only for an unfiltered listing with exit status 0. */
  complete: z.boolean(),
  count,
  /** Over the IDs of all snapshots: see {@link inventoryDigest}. */
  digest: hex64,
  /** The digest of the inventory that `added` and `removed` are relative to; null: `added` is the whole list. */
  base: hex64.nullable(),
  added: z.array(snapSchema).max(100_000),
  removed: z.array(hex64).max(100_000),
  sizeBytes: count.optional(),
  error: failure.optional(),
})

const restoreTest = z.object({
  ...common,
  set: slug,
  repository: repositorySchema,
  snapshot: snapSchema,
  reason: z.enum(['scheduled', 'ladder', 'requested', 'drill', 'retest']),
  /** The request that it answers, where the collector handed one over. */
  request: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
  mode: z.enum(['sample', 'full']),
  startedAt: instant,
  endedAt: instant,
  population: z.object({
    files: count,
    bytes: count,
    manifest: hex64.optional(),
    inventory: hex64.optional(),
  }),
  selection: z.object({
    algorithm: name,
    seed: z.string().max(256),
    seedFrom: z.enum(['agent', 'collector']),
    strata: z.array(z.union([z.string().max(256), z.object({ name, files: count }).loose()])).max(100),
    files: count,
    bytes: count,
  }),
  restored: z.object({
    files: count,
    bytes: count,
    seconds: z.number().min(0),
    method: z.enum(['stream', 'disk']),
  }),
  /** By what the restored files were judged: a witness, the source as it is now, or nothing. */
  reference: z.object({ manifest: count, source: count, none: count }),
  classes: z.record(z.string().regex(/^[a-z][a-z-]{1,31}$/), count),
  exceptions: z
    .array(
      z.object({
        path: path.optional(),
        pathDigest: hex64.optional(),
        class: z.string().max(32),
        expected: z.string().max(256).optional(),
        actual: z.string().max(256).optional(),
        detail: text.optional(),
      }),
    )
    .max(1_000),
  exceptionsTotal: count,
  /** Type, mode, owner, times, links; `attributes`: extended ones and ACLs, of those files that could be asked. */
  metadata: z
    .object({
      compared: count,
      different: count,
      attributes: z.object({ compared: count, different: count }).optional(),
      /** What was not compared, and why. */
      notCompared: text.optional(),
    })
    .optional(),
  negativeControl: z.enum(['caught', 'missed', 'not-run']),
  probes: z
    .array(z.object({ name, outcome: z.enum(['passed', 'failed', 'inconclusive']), detail: text.optional() }))
    .max(100)
    .optional(),
  rto: z
    .object({ measuredSeconds: z.number().min(0), agreedSeconds: z.number().min(0).optional() })
    .optional(),
  limit: z
    .object({ confidence: z.number().min(0).max(1), maxDefectRate: z.number().min(0).max(1) })
    .loose()
    .optional(),
  /** How much of the set was restored by tests so far, this one among them: files that came back identical. */
  coverage: z
    .object({
      /** In the newest snapshot. */
      files: count,
      restored: count,
      /** Of those: in the version that the newest snapshot has. */
      current: count,
      /** No restore that they rest on is older. */
      since: instant.nullable(),
      at: instant,
      /** Every file has its turn in `of` tests; so many of them were, and restored so many. */
      cycle: z.object({ tests: count, of: count, restored: count }),
      lastCycle: z.object({ restored: count, files: count, at: instant }).nullable(),
    })
    .optional(),
  result: z.enum(['PASSED', 'FAILED', 'INCONCLUSIVE']),
  error: failure.optional(),
})

const retentionRun = z.object({
  ...common,
  set: slug.optional(),
  repository: repositorySchema,
  startedAt: instant,
  endedAt: instant,
  exitCode: z.number().int(),
  policy: z.union([text, z.record(z.string().max(64), z.unknown())]),
  removed: z.array(hex64).max(100_000),
  kept: count,
  pruned: z.boolean(),
  freedBytes: count.optional(),
  heldBy: text.optional(),
})

const dataCheck = z.object({
  ...common,
  repository: repositorySchema,
  startedAt: instant,
  endedAt: instant,
  exitCode: z.number().int(),
  subset: z.string().max(64),
  bytes: count.optional(),
  errors: count,
  result: z.enum(['PASSED', 'FAILED', 'INCONCLUSIVE']),
})

const deletionProbe = z.object({
  ...common,
  repository: repositorySchema,
  at: instant,
  attempted: hex64,
  outcome: z.enum(['refused', 'allowed', 'inconclusive']),
  by: text,
})

const agentLifecycle = z.object({
  ...common,
  at: instant,
  event: z.enum([
    'enrolled',
    'started',
    'stopped',
    'heartbeat',
    'rotated',
    'reinstalled',
    'alarm',
    'revoked',
    'retired',
  ]),
  /** The key identifier that the event is about: the agent's new key, or the revoked one. */
  key: hex64.optional(),
  /** The key with which the agent cosigns heads of the log (C2SP tlog-cosignature, type 04). */
  cosigner: z.string().max(1_024).optional(),
  reason: text.optional(),
  /** The agent's clock less the collector's. */
  clockOffsetMs: z.number().int().optional(),
  spool: z.object({ depth: count, oldestAt: instant.nullable().optional() }).optional(),
  next: z
    .array(z.object({ set: slug, what: name, at: instant }))
    .max(1_000)
    .optional(),
  versions: z.record(z.string().max(64), text).optional(),
  detail: z.union([text, z.record(z.string().max(64), z.unknown())]).optional(),
})

/** Signed by the collector's office key, and by a party's where it has one: it stands in no agent's chain. */
const contractEvent = z.object({
  contract: slug,
  version: count.min(1).optional(),
  at: instant,
  by: z.object({ party: z.enum(['customer', 'provider']), person: name }),
  event: z.enum([
    'version-accepted',
    'exclusion-approved',
    'hold-started',
    'hold-released',
    'finding-acknowledged',
    'repository-succession',
    'erasure-approved',
    'key-revoked',
    'report-issued',
  ]),
  detail: z.record(z.string().max(64), z.unknown()),
  /**
   * Its place among the office's events of the contract, from 1, and the PAE digest of the one before it (zeros
   * for the first): none can be left out unseen. A party's own tool may leave it away.
   */
  register: z.object({ no: count.min(1), prev: hex64 }).optional(),
})

/** Every predicate by its name in the type `urn:bevis:evidence:<name>:v1`. */
export const PREDICATES = {
  'backup-run': backupRun,
  inventory,
  'restore-test': restoreTest,
  'retention-run': retentionRun,
  'data-check': dataCheck,
  'deletion-probe': deletionProbe,
  'agent-lifecycle': agentLifecycle,
  'contract-event': contractEvent,
} as const

export type EvidenceName = keyof typeof PREDICATES
export const EVIDENCE_NAMES = Object.keys(PREDICATES) as [EvidenceName, ...EvidenceName[]]
export type PredicateOf<N extends EvidenceName> = z.infer<(typeof PREDICATES)[N]>

export type BackupRun = PredicateOf<'backup-run'>
export type Inventory = PredicateOf<'inventory'>
export type RestoreTest = PredicateOf<'restore-test'>
export type RetentionRun = PredicateOf<'retention-run'>
export type DataCheck = PredicateOf<'data-check'>
export type DeletionProbe = PredicateOf<'deletion-probe'>
export type AgentLifecycle = PredicateOf<'agent-lifecycle'>
export type ContractEvent = PredicateOf<'contract-event'>

/** `urn:bevis:evidence:<name>:v1` */
export function predicateTypeOf<N extends EvidenceName>(evidence: N): `urn:bevis:evidence:${N}:v1` {
  return `urn:bevis:evidence:${evidence}:v1`
}
