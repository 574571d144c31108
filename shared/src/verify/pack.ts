/**
 * The evidence pack: which files it holds, and the three that describe the others. The collector writes by
 * these, the verifier reads by them.
 *
 * Every JSON file has one form only: what `JSON.stringify` gives of the parsed value, and an LF. So nothing can
 * hide in a key given twice, in a number's spelling, or in a field that nobody reads.
 */
import { z } from 'zod'
import { BevisError } from '../error.ts'
import { CLAUSE_IDS } from '../evidence/clause.ts'
import { count, hex64, instant, slug } from '../format.ts'

export const PACK_FORMAT = 'bevis-evidence-pack/v1'

/** The names in a pack. */
export const PACK_FILES = {
  description: 'pack.json',
  /** `sha256sum -c` reads it. It finds damage to the description; it is no signature. */
  seal: 'pack.json.sha256',
  readme: 'README.txt',
  evidence: 'evidence.intoto.jsonl',
  index: 'index.jsonl',
  table: 'evidence.csv',
  verdict: 'verdict.json',
  /** For people; what it says is checked against nothing but its own digest. */
  report: 'report.pdf',
  /** The verifier for a browser. Whoever distrusts the pack takes it from elsewhere. */
  page: 'verify.html',
  keys: 'keys/keys.json',
  vkey: 'keys/log.vkey',
  /** PEM: the roots of the time stamping authorities. */
  tsaChain: 'tsa-chain.pem',
  /** How the log's keys follow each other, where there was more than one: notes, JSON. */
  successions: 'keys/log.successions.json',
} as const

/**
 * What is written and read at most: some four million statements, of which the verifier then keeps a few gigabytes.
 * A pack is stored, not packed, so its own size bounds what comes out of it.
 */
export const PACK_LIMITS = { entries: 8_000_000, totalBytes: 2 ** 36 }

/** The contract's text as it was applied for the `revision`th time. */
export const contractFile = (revision: number) => `contract/${revision}.yaml`
/** A public key, PEM, as openssl reads it. */
export const keyFile = (keyid: string) => `keys/${keyid}.pem`
/** C2SP tlog-checkpoint. */
export const checkpointFile = (size: number) => `checkpoints/${size}.txt`
/** RFC 3161: a stamp over the checkpoint of `size` leaves, whose token is a leaf of the log itself. */
export const stampFile = (size: number, leafIndex: number) => `checkpoints/${size}-${leafIndex}.tsr`
/** C2SP tlog-proof of one leaf. */
export const proofFile = (leafIndex: number) => `proofs/${leafIndex}.tlog-proof`
/** The body of C2SP tlog-witness' `add-checkpoint`: that the log of `to` leaves extends the log of `from`. */
export const consistencyFile = (from: number, to: number) => `proofs/consistency-${from}-${to}.txt`

const NUMBER = '(?:0|[1-9]\\d{0,15})'
const VARIABLE_NAMES = new RegExp(
  `^(?:contract/${NUMBER}\\.yaml|cosigned/${NUMBER}\\.txt|keys/[0-9a-f]{64}\\.pem|checkpoints/${NUMBER}\\.txt|checkpoints/${NUMBER}-${NUMBER}\\.tsr|` +
    `proofs/${NUMBER}\\.tlog-proof|proofs/consistency-${NUMBER}-${NUMBER}\\.txt)$`,
)
const FIXED_NAMES: ReadonlySet<string> = new Set(Object.values(PACK_FILES))

/** True for names that a pack may hold; whatever else lies in the zip is refused. */
export function isPackFile(name: string): boolean {
  return FIXED_NAMES.has(name) || VARIABLE_NAMES.test(name)
}

/** A head with the cosignatures of others (C2SP tlog-cosignature). */
export const cosignedFile = (size: number) => `cosigned/${size}.txt`

/** The size that the name of such a file says; null for other files. */
export function parseCosignedFile(name: string): number | null {
  const size = /^cosigned\/(\d{1,16})\.txt$/.exec(name)?.[1]
  return size === undefined ? null : Number(size)
}

/** What the name of a stamp's file says; null for other files. */
export function parseStampFile(name: string): { size: number; leafIndex: number } | null {
  const [, size, leafIndex] = /^checkpoints\/(\d{1,16})-(\d{1,16})\.tsr$/.exec(name) ?? []
  return size === undefined ? null : { size: Number(size), leafIndex: Number(leafIndex) }
}

/** The proofs and consistency files that stamps and cosigned heads have, beside those of statements. */
export function filesOfStamps(
  files: { keys(): Iterable<string> },
  size: number,
): { leaves: Set<number>; sizes: Set<number> } {
  const leaves = new Set<number>()
  const sizes = new Set<number>()
  for (const name of files.keys()) {
    const cosigned = parseCosignedFile(name)
    if (cosigned !== null && cosigned < size) sizes.add(cosigned)
    const stamp = parseStampFile(name)
    if (stamp === null) continue
    if (stamp.leafIndex < size) leaves.add(stamp.leafIndex)
    if (stamp.size < size) sizes.add(stamp.size)
  }
  return { leaves, sizes }
}

/** One agent's chain in one epoch, as far as the pack goes. */
const chainSchema = z.strictObject({
  agent: slug,
  epoch: count.min(1),
  /** How many of its statements the pack holds, those logged for a place already taken included. */
  statements: count,
  /** The highest number; they begin at 1. */
  lastSeq: count,
  /** SHA-256 of the PAE of that statement. */
  head: hex64,
})
export type PackChain = z.infer<typeof chainSchema>

export const packFileSchema = z.strictObject({ path: z.string().max(256), sizeBytes: count, sha256: hex64 })

/** In the order of the table of clauses, each once. */
const clausesSchema = z
  .array(z.enum(CLAUSE_IDS))
  .min(1)
  .max(CLAUSE_IDS.length)
  .refine(
    (ids) => ids.join() === CLAUSE_IDS.filter((id) => ids.includes(id)).join(),
    'not in order, each once',
  )

export const packSchema = z.strictObject({
  format: z.literal(PACK_FORMAT),
  tenant: slug,
  contract: z.strictObject({
    id: slug,
    customer: z.string().min(1).max(512),
    /** Every text that was applied, oldest first; the verdict is computed by the last. */
    texts: z
      .array(z.strictObject({ revision: count, sha256: hex64, appliedAt: instant }))
      .min(1)
      .max(10_000),
  }),
  /** What was asked for: statements dated in [from, to) are marked in the table. The pack holds the others too. */
  period: z.strictObject({ from: instant, to: instant }),
  /** Where clauses were asked for: the table marks what may support them. A mark too, and never an omission. */
  filter: z.strictObject({ clauses: clausesSchema }).optional(),
  /** The verdict is the state at `at`, from what the collector had received by `knownAt`. */
  verdict: z.strictObject({ at: instant, knownAt: instant }),
  madeAt: instant,
  log: z.strictObject({ origin: z.string().min(1).max(512), size: count }),
  population: z.strictObject({
    statements: count,
    leaves: count,
    inPeriod: count,
    /** Of all and of those in the period, how many bear a clause's mark; there if `filter` is. */
    marked: z.strictObject({ statements: count, inPeriod: count }).optional(),
    chains: z.array(chainSchema).max(100_000),
  }),
  /** All other files of the pack but the seal, in the order of the zip. The last field: the list is long. */
  files: z.array(packFileSchema),
})
export type Pack = z.infer<typeof packSchema>

export const packKeySchema = z.strictObject({
  keyid: hex64,
  tenant: slug,
  agent: slug,
  /** The epoch that it opened. */
  epoch: count,
  /** `token`: authorised one enrolment. `office`: the collector's own, for contract events. */
  purpose: z.enum(['agent', 'token', 'office']),
})
export type PackKey = z.infer<typeof packKeySchema>

/** One leaf: a signature over a statement, and where the log has it. */
export const indexLineSchema = z.strictObject({
  index: count,
  /** SHA-256 of the PAE. */
  pae: hex64,
  /** SHA-256 of the signature's 64 bytes. */
  signature: hex64,
  keyid: hex64,
  /** When the collector says that it took the statement. */
  receivedAt: instant,
})
export type IndexLine = z.infer<typeof indexLineSchema>

/** The one form in which a pack's JSON files are written. */
export function encodeJson(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}

/**
 * Reads what {@link encodeJson} wrote.
 * @throws BevisError PACK_INVALID when it is not JSON in that form, or does not fit the schema
 */
export function decodeJson<T>(text: string, schema: z.ZodType<T>, place: string): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new BevisError('PACK_INVALID', `${place}: not JSON`, { cause })
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new BevisError('PACK_INVALID', `${place}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  if (encodeJson(parsed.data) !== text) throw new BevisError('PACK_INVALID', `${place}: not in its one form`)
  return parsed.data
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Strict UTF-8. @throws BevisError PACK_INVALID */
export function decodeText(bytes: Uint8Array, place: string): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new BevisError('PACK_INVALID', `${place}: not UTF-8`, { cause })
  }
}

/** More than a line of any file of a pack has: an envelope is 350 KB at most. */
const LINE_LIMIT_BYTES = 2 ** 20

export interface Line {
  readonly text: string
  /** From 1. */
  readonly number: number
  /** Its bytes in the file, the LF left out: [from, to). */
  readonly from: number
  readonly to: number
}

/** The lines of a file that ends in LF, from its pieces. @throws BevisError PACK_INVALID */
export function* linesOf(pieces: Iterable<Uint8Array>, place: string): Generator<Line> {
  let [number, from] = [1, 0]
  let rest: Uint8Array = new Uint8Array()
  for (const piece of pieces) {
    let at = 0
    for (let end = piece.indexOf(0x0a); end >= 0; end = piece.indexOf(0x0a, at)) {
      const bytes = joined(rest, piece.subarray(at, end))
      yield { text: decodeText(bytes, `${place}: line ${number}`), number, from, to: from + bytes.length }
      from += bytes.length + 1
      number += 1
      rest = new Uint8Array()
      at = end + 1
    }
    rest = joined(rest, piece.slice(at))
    if (rest.length > LINE_LIMIT_BYTES)
      throw new BevisError('PACK_INVALID', `${place}: line ${number} is too long`)
  }
  if (rest.length > 0) throw new BevisError('PACK_INVALID', `${place}: line ${number} is cut off`)
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}
