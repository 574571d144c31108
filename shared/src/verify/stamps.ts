/**
 * Time stamps of a pack. Their own signatures are looked at first, asynchronously, as a browser must; then, with all
 * else, whether the heads that they stamp belong to the log, whether their tokens lie in it, and what follows for
 * the statements.
 */
import { getEngine } from 'pkijs'
import { sha256Hex } from '../crypto.ts'
import { BevisError, errorMessageOf } from '../error.ts'
import { openCheckpointBy, parseVkey } from '../log/checkpoint.ts'
import type { Checkpoint, VerificationKey } from '../log/checkpoint.ts'
import { leafHash, verifyInclusion } from '../log/merkle.ts'
import { parseNote, signaturesBy } from '../log/note.ts'
import { parseProof } from '../log/proof.ts'
import { assertExtends } from '../log/receipt.ts'
import { contradictionOf, provenBounds, standingStamps } from '../time/bounds.ts'
import type { LoggedStamp, Placed, ProvenBounds } from '../time/bounds.ts'
import { readCertificates } from '../time/certificate.ts'
import type { Certificate } from '../time/certificate.ts'
import { formatStampEntry } from '../time/entry.ts'
import { readToken, stampedDigest } from '../time/query.ts'
import { verifyTimestamp } from '../time/timestamp.ts'
import type { Timestamp } from '../time/timestamp.ts'
import { textOf } from './description.ts'
import type { Description, PackContent } from './description.ts'
import type { LoggedStatement } from './index-lines.ts'
import { formerKeys, readSuccessions } from './keys.ts'
import type { Keys } from './keys.ts'
import { readHashes } from './log.ts'
import { PACK_FILES, checkpointFile, parseStampFile, proofFile } from './pack.ts'
import { counted } from './report.ts'
import type { Findings } from './report.ts'
import type { Trust } from './trust.ts'

/** How far the collector's clock may be off from an authority's before its claims contradict the stamps. */
const TOLERANCE_MS = 5 * 60_000

/** A stamp of which everything holds that it says by itself. */
export interface ExaminedStamp {
  readonly name: string
  readonly size: number
  /** Where the log has its token, as the file's name says. */
  readonly leafIndex: number
  /** The hash of the leaf that its token is in the log. */
  readonly leafHash: Uint8Array
  /** Null: it does not hold, for the reason in `problem`. */
  readonly stamp: Timestamp | null
  readonly problem: string
}

/** What a pack's stamps come to. */
export interface ProvenTimes {
  /** True: the authorities' roots are named in the trust file. False: they came with the pack. */
  readonly anchored: boolean
  readonly stamps: number
  readonly authorities: readonly string[]
  /** In log order, for statements side by side of which the same is proven. */
  readonly bounds: readonly BoundedRun[]
}

export interface BoundedRun extends ProvenBounds {
  /** The first and the last of their leaves. */
  readonly firstLeaf: number
  readonly lastLeaf: number
  readonly statements: number
}

/**
 * Looks at every stamp file of a pack by itself. Never throws; nothing of it is a finding yet. Null where there is
 * no cryptography for it, as in a browser's page of no secure origin: then the stamps stay unchecked.
 */
export async function examineStamps(
  files: PackContent,
  trust: Trust | null,
): Promise<ExaminedStamp[] | null> {
  const names: string[] = []
  for (const name of files.keys()) if (parseStampFile(name) !== null) names.push(name)
  if (names.length === 0) return []
  if (getEngine().crypto?.subtle === undefined) return null
  let keys: VerificationKey[]
  let roots: Certificate[]
  try {
    keys = [parseVkey(textOf(files, PACK_FILES.vkey).trimEnd()), ...formerKeys(readSuccessions(files))]
    roots = rootsOf(files, trust)
  } catch (error) {
    return names.map((name) => failed(name, errorMessageOf(error)))
  }
  const examined: ExaminedStamp[] = []
  for (const name of names) {
    try {
      const { size, leafIndex } = parseStampFile(name) ?? { size: 0, leafIndex: 0 }
      const token = readToken(files.get(name) ?? new Uint8Array())
      const note = textOf(files, checkpointFile(size))
      const digest = stampedDigest(note, signerOf(note, keys))
      const stamp = await verifyTimestamp({ token, digest, roots })
      examined.push({
        name,
        size,
        leafIndex,
        leafHash: leafHash(formatStampEntry(token)),
        stamp,
        problem: '',
      })
    } catch (error) {
      examined.push(failed(name, errorMessageOf(error)))
    }
  }
  return examined
}

/** A head is stamped as the newest of its signers signed it: while the log's key changes, two sign. */
function signerOf(note: string, keys: readonly VerificationKey[]): VerificationKey {
  const parsed = parseNote(note)
  const signer = keys.find((key) => signaturesBy(parsed, key).length > 0)
  if (signer === undefined)
    throw new BevisError('TIMESTAMP_INVALID', 'stamps a head that the log has not signed')
  return signer
}

function failed(name: string, problem: string): ExaminedStamp {
  return {
    name,
    size: 0,
    leafIndex: 0,
    leafHash: new Uint8Array(),
    stamp: null,
    problem,
    ...parseStampFile(name),
  }
}

/** The pack's roots; with a trust file that names some, only those. */
function rootsOf(files: PackContent, trust: Trust | null): Certificate[] {
  const roots = readCertificates(textOf(files, PACK_FILES.tsaChain))
  const named = trust?.tsa
  if (named === undefined) return roots
  const trusted = roots.filter(({ der }) => named.includes(sha256Hex(der)))
  if (trusted.length > 0) return trusted
  throw new BevisError('TIMESTAMP_INVALID', 'your trust file names none of the roots of its authorities')
}

const UNBOUNDED: ProvenBounds = { madeAfter: null, loggedAfter: null, before: null }

/** Checks `time.stamps` and `time.bounds`. */
export class Times {
  readonly #findings: Findings
  readonly #isAnchored: boolean
  readonly #stamps: readonly LoggedStamp[]
  readonly #authorities: readonly string[]
  /** Null: nobody has looked at the stamps, or nothing can be said of them. */
  readonly #boundsOf: ((placed: Placed) => ProvenBounds) | null
  readonly #runs: (BoundedRun & { lastLeaf: number; statements: number })[] = []
  #statements = 0
  #bounded = 0

  /** @param examined null: nobody has looked at them */
  constructor(
    files: PackContent,
    pack: Description,
    { keys, checkpoint }: { keys: Pick<Keys, 'log' | 'former'>; checkpoint: Checkpoint | undefined },
    examined: readonly ExaminedStamp[] | null,
    { trust, findings }: { trust: Trust | null; findings: Findings },
  ) {
    this.#findings = findings
    this.#isAnchored = trust?.tsa !== undefined
    assertHeadsDue(files, pack, findings)
    this.#stamps = []
    this.#authorities = []
    this.#boundsOf = null
    if (examined === null || keys.log === null || checkpoint === undefined) return
    const signers = [keys.log, ...keys.former]
    const stamps = examined.flatMap((one) => {
      const held = findings.attempt('time.stamps', one.name, () => {
        if (one.stamp === null) throw new BevisError('TIMESTAMP_INVALID', one.problem)
        return placeStamp(files, pack, { signers, checkpoint }, one, one.stamp)
      })
      return held ?? []
    })
    const standing = standingStamps(stamps, newestOf(pack, stamps))
    if (standing.length < stamps.length) {
      findings.fail(
        'time.stamps',
        `${counted(stamps.length - standing.length, 'stamp')} ended before the pack was made, and no later one vouches for them`,
      )
    }
    this.#stamps = stamps
    this.#authorities = [...new Set(standing.map(({ authority }) => authority))]
    this.#boundsOf = provenBounds(standing)
  }

  /**
   * What stamps prove of the statement. A clock that your trust file does not name may be that of whoever made the
   * pack: what it says can speak against the pack, and never for it, so nothing is proven to be `before` anything.
   */
  add({ chain, leafIndex, receivedAt, place }: LoggedStatement): ProvenBounds {
    if (this.#boundsOf === null) return UNBOUNDED
    const found = this.#boundsOf({ embeddedSize: chain?.log?.size ?? null, leafIndex })
    const contradiction = contradictionOf(found, receivedAt, TOLERANCE_MS)
    if (contradiction !== null) this.#findings.fail('time.bounds', `${place}: ${contradiction}`)
    this.#statements += 1
    if (found.before !== null) this.#bounded += 1
    const last = this.#runs.at(-1)
    const isSame =
      last?.madeAfter === found.madeAfter &&
      last.loggedAfter === found.loggedAfter &&
      last.before === found.before
    if (!isSame || last === undefined)
      this.#runs.push({ firstLeaf: leafIndex, lastLeaf: leafIndex, statements: 1, ...found })
    else {
      last.lastLeaf = leafIndex
      last.statements += 1
    }
    return this.#isAnchored ? found : { ...found, before: null }
  }

  /** The instant before which a leaf was logged, as stamps of clocks that you named prove it; null where none does. */
  before(leafIndex: number): string | null {
    if (!this.#isAnchored) return null
    return this.#boundsOf?.({ embeddedSize: null, leafIndex }).before ?? null
  }

  /** Null without stamps. */
  conclude(): ProvenTimes | null {
    const [findings, stamps, authorities] = [this.#findings, this.#stamps, this.#authorities]
    if (this.#boundsOf === null) {
      findings.skip('time.stamps', 'the stamps were not looked at')
      findings.skip('time.bounds', 'the stamps were not looked at')
      return null
    }
    const anchored = this.#isAnchored
    const by = `${counted(stamps.length, 'stamp')} by ${authorities.join('; ')}`
    const whose = anchored ? '' : '; their roots came with the pack (name them in your trust file: tsa)'
    findings.hold('time.stamps', stamps.length === 0 ? 'the pack has none' : `${by}${whose}`)
    findings.hold(
      'time.bounds',
      `${this.#bounded} of ${counted(this.#statements, 'statement')} logged before a stamp`,
    )
    return stamps.length === 0 ? null : { anchored, stamps: stamps.length, authorities, bounds: this.#runs }
  }
}

/** When the pack was made: as it says, which nobody signs, and no earlier than what it brings was stamped. */
function newestOf({ madeAt }: Description, stamps: readonly LoggedStamp[]): Date {
  return new Date(stamps.reduce((ms, { genTime }) => Math.max(ms, Date.parse(genTime)), Date.parse(madeAt)))
}

/** No head lies in the pack that is neither the one that the proofs lead to nor stamped. */
function assertHeadsDue(files: PackContent, pack: Description, findings: Findings): void {
  const due = new Set([checkpointFile(pack.log.size)])
  for (const name of files.keys()) {
    const stamp = parseStampFile(name)
    if (stamp !== null) due.add(checkpointFile(stamp.size))
  }
  for (const name of files.keys()) {
    if (name.endsWith('.txt') && name.startsWith('checkpoints/') && !due.has(name))
      findings.fail('log.checkpoint', `${name}: neither stamped nor the one that the proofs lead to`)
  }
}

/**
 * That the stamped head is the log's, and its token in the log where it lies before the pack's own head. A former key
 * may have signed it, in the name of a closed log even: that the checkpoint extends it is what makes it the log's.
 */
function placeStamp(
  files: PackContent,
  pack: Description,
  { signers, checkpoint }: { signers: readonly VerificationKey[]; checkpoint: Checkpoint },
  { size, leafIndex, leafHash }: ExaminedStamp,
  { genTime, accuracyMs, validUntil, authority }: Timestamp,
): LoggedStamp {
  const signed = openCheckpointBy(textOf(files, checkpointFile(size)), signers)
  const stamped = { ...signed, origin: checkpoint.origin }
  if (stamped.size !== size || size > checkpoint.size || leafIndex < size)
    throw new BevisError('TIMESTAMP_INVALID', 'stamps another head than its name says')
  assertExtends(stamped, checkpoint, size === checkpoint.size ? [] : readHashes(files, checkpoint, size))
  const said = { size, genTime, accuracyMs, validUntil, authority }
  if (leafIndex >= pack.log.size) return { ...said, leafIndex: null }
  const proof = parseProof(textOf(files, proofFile(leafIndex)))
  const included =
    proof.checkpoint === checkpoint.note &&
    proof.index === leafIndex &&
    verifyInclusion({
      index: leafIndex,
      size: checkpoint.size,
      leafHash,
      proof: proof.hashes,
      root: checkpoint.root,
    })
  if (!included) throw new BevisError('PROOF_INVALID', 'its token is not the leaf that its name says')
  return { ...said, leafIndex }
}
