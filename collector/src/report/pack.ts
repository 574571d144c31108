import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Answer } from '@bevis/shared/contract/answer'
import { Evaluation } from '@bevis/shared/contract/evaluation'
import { parseContract } from '@bevis/shared/contract/parse'
import type { Contract } from '@bevis/shared/contract/schema'
import { copyAnswer } from '@bevis/shared/contract/shown'
import { startSha256 } from '@bevis/shared/crypto'
import type { RunningHash } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { CLAUSE_IDS } from '@bevis/shared/evidence/clause'
import type { ClauseId } from '@bevis/shared/evidence/clause'
import { toInstant } from '@bevis/shared/format'
import { ClauseMarks } from '@bevis/shared/verify/clause-marks'
import { formatDescription, formatSeal } from '@bevis/shared/verify/description'
import type { Description } from '@bevis/shared/verify/description'
import { PACK_FILES, PACK_FORMAT } from '@bevis/shared/verify/pack'
import type { Log } from '../log/log.ts'
import { findDatedAhead } from '../store/read/ahead.ts'
import { findContract, listContractTexts } from '../store/read/contracts.ts'
import { withCosignatures } from '../store/read/cosignatures.ts'
import { listStamps } from '../store/read/stamps.ts'
import { assertWhole } from '../store/read/whole-text.ts'
import type { Scope, Store } from '../store/store.ts'
import { zipOf } from './archive.ts'
import type { ArchiveFile } from './archive.ts'
import { Archived } from './archived.ts'
import { Gist } from './gist.ts'
import { evidenceOf, packFiles, tableOf } from './pack-files.ts'
import type { PackParts } from './pack-files.ts'
import { StampChoice } from './stamps.ts'
import { selectionOf, surveyStatements } from './survey.ts'

export interface PackRequest {
  readonly store: Store
  /** Its head is what the pack's proofs lead to: stamped, where there are authorities. */
  readonly log: Pick<Log, 'vkey' | 'head' | 'successions'>
  /** PEM: the roots of the authorities; without it, the pack brings no stamps. */
  readonly tsaChain?: string | undefined
  /** Who asks: a contract of others does not exist for them. */
  readonly scope: Scope
  readonly contractId: string
  /** Statements dated in [from, to) are marked; the pack holds all from the agents' first. */
  readonly from: Date
  readonly to: Date
  /** Statements that may support these are marked, the others are there too; none or left out: nothing is marked. */
  readonly clauses?: readonly ClauseId[] | undefined
  /** The verdict is the state at `at`, from what had been received by `knownAt`; both are now if left out (of a log dated ahead, its newest date). */
  readonly at?: Date | undefined
  readonly knownAt?: Date | undefined
  readonly now: Date
  /** The text of verify.html, the verifier for a browser. */
  readonly page?: string | undefined
  /** Makes what people read beside the evidence ({@link PACK_FILES}.report): from the same survey and verdict. */
  readonly papers?: ((told: PackTold) => AsyncIterable<ArchiveFile>) | undefined
  /** A stream, or the path of a file that appears when it is whole. */
  readonly out: Writable | string
}

/** What the papers of a pack are made from. */
export interface PackTold {
  readonly pack: Description
  readonly contract: Contract
  readonly answer: Answer
  /** Of all statements of the pack, those outside the period included. */
  readonly gist: Gist
  /** The signed note of the head that the proofs lead to. */
  readonly checkpoint: string
  /** The contract's texts as they were applied, the oldest first. */
  readonly texts: readonly { readonly revision: number; readonly yaml: string }[]
  /** All envelopes, one a line, a page at a time. */
  readonly envelopes: () => AsyncIterable<string>
  /** The table of all statements, likewise. */
  readonly table: () => AsyncIterable<string>
}

export interface PackWritten {
  /** SHA-256 of pack.json, which names every other file by its own. */
  readonly sha256: string
  readonly contract: string
  readonly headline: string
  readonly statements: number
  /** Of these, dated in the period. */
  readonly inPeriod: number
  /** Bearing the mark of a clause, where clauses were asked for. */
  readonly marked: Description['population']['marked']
  readonly leaves: number
}

/**
 * Writes the evidence pack of a contract: a zip that `bevis-verify` checks offline. The same store, period and
 * instants give the same bytes.
 * @throws BevisError NOT_FOUND when there is no such contract, or no evidence of it; CONTRACT_INVALID;
 * REQUEST_TOO_LARGE; USAGE for a period or a file that cannot be; what the stream throws
 */
export async function writePack(request: PackRequest): Promise<PackWritten> {
  const { pack, parts, gist } = await surveyPack(request)
  const papers = request.papers?.(tell(request.store, pack, parts, gist))
  const files = packFiles({ ...request, papers }, pack, parts)
  const sha256 = await deliver(files, pack, request.out)
  const { statements, inPeriod, marked, leaves } = pack.population
  return {
    sha256,
    contract: pack.contract.id,
    headline: parts.answer.headline,
    statements,
    inPeriod,
    marked,
    leaves,
  }
}

/**
 * What a pack's papers are made from, without the pack.
 * @throws as {@link writePack}
 */
export async function tellPack(request: Omit<PackRequest, 'papers' | 'out'>): Promise<PackTold> {
  const { pack, parts, gist } = await surveyPack(request)
  return tell(request.store, pack, parts, gist)
}

function tell(store: Store, pack: Description, parts: PackParts, gist: Gist): PackTold {
  const { terms, answer, head, texts, selection } = parts
  return {
    pack,
    contract: terms,
    answer,
    gist,
    checkpoint: head.note,
    texts,
    envelopes: () => evidenceOf(store, selection),
    table: () => tableOf(store, pack, parts),
  }
}

async function surveyPack(
  request: Omit<PackRequest, 'papers' | 'out'>,
): Promise<{ pack: Description; parts: PackParts; gist: Gist }> {
  const { store, scope, contractId, now, log } = request
  const period = { from: toInstant(request.from), to: toInstant(request.to) }
  if (period.from >= period.to) throw new BevisError('USAGE', 'the period of a pack must end after it begins')
  const filter = filterOf(request.clauses ?? [])
  const contract = await findContract(store.db, scope, contractId)
  const texts = (await listContractTexts(store.db, scope, contractId)).toReversed()
  const text = texts.at(-1)
  if (contract === undefined || text === undefined) {
    throw new BevisError('NOT_FOUND', `there is no contract ${contractId}`)
  }
  for (const one of texts) assertWhole(one)
  const head = await withCosignatures(store.db, await log.head(), { tenant: contract.tenant })
  const selection = await selectionOf(store.db, scope, contract, head.size)
  const { contract: terms } = parseContract(text.yaml, { draft: true })
  if (terms === undefined) {
    throw new BevisError('CONTRACT_INVALID', `the text of ${contractId} can no longer be read: apply it anew`)
  }
  const at = request.at ?? now
  // What was received under a clock that was ahead is known all the same.
  const ahead = await findDatedAhead(store.db, now)
  const knownAt = request.knownAt ?? (ahead === null ? now : new Date(ahead.until))
  const evaluation = new Evaluation(terms, { at, knownAt })
  const choice =
    request.tsaChain === undefined ? undefined : new StampChoice(await listStamps(store.db), head)
  const gist = new Gist({ period, ...filter }, terms, at)
  const survey = await surveyStatements(store.db, selection, {
    period,
    marks: new ClauseMarks({ period, ...filter }, terms),
    onFact: (fact) => evaluation.add(fact),
    onStatement: (one) => {
      choice?.add(one.leafIndex, one.statement)
      gist.add(one)
    },
  })
  if (survey.population.chains.length === 0) {
    throw new BevisError(
      'NOT_FOUND',
      `no agent has sent evidence for ${contractId} yet: a pack would prove nothing`,
    )
  }
  const answer = copyAnswer(evaluation.answer())
  const pack: Description = {
    format: PACK_FORMAT,
    tenant: contract.tenant,
    contract: {
      id: contract.id,
      customer: contract.customer_name,
      texts: texts.map(({ revision, sha256, applied_at }) => ({ revision, sha256, appliedAt: applied_at })),
    },
    period,
    ...filter,
    verdict: { at: toInstant(at), knownAt: toInstant(knownAt) },
    madeAt: laterOf(toInstant(now), survey.lastReceivedAt),
    log: { origin: head.origin, size: head.size },
    population: survey.population,
  }
  const stamps = choice?.needed() ?? []
  return { pack, parts: { texts, terms, answer, selection, survey, head, stamps }, gist }
}

/** A pack is no older than what it holds, though the clock went back or more came in since `now` was asked for. */
function laterOf(now: string, lastReceivedAt: string): string {
  return lastReceivedAt > now ? lastReceivedAt : now
}

/** Each once and in the table's order, however they were asked for: the same wish gives the same bytes. */
function filterOf(asked: readonly ClauseId[]): Pick<Description, 'filter'> {
  const clauses = CLAUSE_IDS.filter((id) => asked.includes(id))
  return clauses.length === 0 ? {} : { filter: { clauses } }
}

/** Adds the description and its seal to the files, and gives the digest of the description. */
async function pour(files: AsyncIterable<ArchiveFile>, pack: Description, target: Writable): Promise<string> {
  const archived = new Archived()
  let sha256 = ''
  async function* described(): AsyncGenerator<ArchiveFile> {
    yield* files
    const hash = startSha256()
    yield { path: PACK_FILES.description, content: hashed(formatDescription(pack, archived), hash) }
    sha256 = hash.hex()
    yield { path: PACK_FILES.seal, content: formatSeal(sha256) }
  }
  const zip = zipOf(described(), archived)
  await pipeline(Readable.from(zip, { objectMode: false }), target)
  return sha256
}

function* hashed(pieces: Iterable<string>, hash: RunningHash): Generator<string> {
  for (const piece of pieces) {
    hash.update(Buffer.from(piece))
    yield piece
  }
}

/** A file gets its name only when it is whole and durable. */
async function deliver(
  files: AsyncIterable<ArchiveFile>,
  pack: Description,
  out: Writable | string,
): Promise<string> {
  if (typeof out !== 'string') return pour(files, pack, out)
  const draft = `${out}.part`
  try {
    const sha256 = await pour(files, pack, createWriteStream(draft, { flush: true }))
    await rename(draft, out)
    return sha256
  } catch (cause) {
    await rm(draft, { force: true })
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause
    throw new BevisError('USAGE', `${out} cannot be written: ${cause.message}`, { cause })
  }
}
