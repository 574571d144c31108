import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Answer } from '@bevis/shared/contract/answer'
import { evaluate } from '@bevis/shared/contract/evaluate'
import { parseContract } from '@bevis/shared/contract/parse'
import type { Contract } from '@bevis/shared/contract/schema'
import { spkiToPem, startSha256 } from '@bevis/shared/crypto'
import type { RunningHash } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { toInstant } from '@bevis/shared/format'
import { parseVkey } from '@bevis/shared/log/checkpoint'
import type { Checkpoint, VerificationKey } from '@bevis/shared/log/checkpoint'
import { consistencyProof, inclusionProof } from '@bevis/shared/log/merkle'
import { formatProof } from '@bevis/shared/log/proof'
import { formatConsistency } from '@bevis/shared/log/consistency'
import { formatDescription, formatSeal } from '@bevis/shared/verify/description'
import type { Description } from '@bevis/shared/verify/description'
import {
  PACK_FILES,
  PACK_FORMAT,
  checkpointFile,
  consistencyFile,
  contractFile,
  encodeJson,
  keyFile,
  proofFile,
} from '@bevis/shared/verify/pack'
import type { IndexLine, Pack, PackKey } from '@bevis/shared/verify/pack'
import { TABLE_HEAD, formatRow, isInPeriod } from '@bevis/shared/verify/table'
import type { Log } from '../log/log.ts'
import { assertWhole } from '../store/read/whole-text.ts'
import { findContract, listContractTexts } from '../store/read/contracts.ts'
import { withCosignatures } from '../store/read/cosignatures.ts'
import { chunksOf } from '../store/rows.ts'
import type { Scope, Store } from '../store/store.ts'
import { zipOf } from './archive.ts'
import type { ArchiveFile } from './archive.ts'
import { Archived } from './archived.ts'
import { formatReadme } from './readme.ts'
import { nodeCache } from './node-cache.ts'
import { cosignedHeads } from './cosigned.ts'
import { stampFilesOf, stampsFor } from './stamps.ts'
import { pagesOf, selectionOf, surveyStatements } from './survey.ts'
import type { Selection, Survey, Surveyed } from './survey.ts'

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
  /** The verdict is the state at `at`, from what had been received by `knownAt`; both are now if left out. */
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
  /** The description, its list of files still empty. */
  readonly pack: Pack
  readonly contract: Contract
  readonly answer: Answer
  /** All statements of the pack in log order, those outside the period included. */
  readonly statements: readonly Surveyed[]
  /** The signed note of the head that the proofs lead to. */
  readonly checkpoint: string
  /** The contract's texts as they were applied, the oldest first. */
  readonly texts: readonly { readonly revision: number; readonly yaml: string }[]
  /** All envelopes, one a line, a page at a time. */
  readonly envelopes: () => AsyncIterable<string>
}

export interface PackWritten {
  /** SHA-256 of pack.json, which names every other file by its own. */
  readonly sha256: string
  readonly contract: string
  readonly headline: string
  readonly statements: number
  /** Of these, dated in the period. */
  readonly inPeriod: number
  readonly leaves: number
}

/**
 * Writes the evidence pack of a contract: a zip that `bevis-verify` checks offline. The same store, period and
 * instants give the same bytes.
 * @throws BevisError NOT_FOUND when there is no such contract, or no evidence of it; CONTRACT_INVALID;
 * REQUEST_TOO_LARGE; USAGE for a period or a file that cannot be; what the stream throws
 */
export async function writePack(request: PackRequest): Promise<PackWritten> {
  const { pack, parts } = await surveyPack(request)
  const sha256 = await deliver(filesOf(request, pack, parts), pack, request.out)
  const { statements, inPeriod, leaves } = pack.population
  return { sha256, contract: pack.contract.id, headline: parts.answer.headline, statements, inPeriod, leaves }
}

/**
 * What a pack's papers are made from, without the pack.
 * @throws as {@link writePack}
 */
export async function tellPack(request: Omit<PackRequest, 'papers' | 'out'>): Promise<PackTold> {
  const { pack, parts } = await surveyPack(request)
  return tell(request.store, pack, parts)
}

function tell(store: Store, pack: Pack, { terms, answer, survey, head, texts, selection }: Parts): PackTold {
  return {
    pack,
    contract: terms,
    answer,
    statements: survey.statements,
    checkpoint: head.note,
    texts,
    envelopes: () => evidenceOf(store, selection),
  }
}

async function surveyPack(
  request: Omit<PackRequest, 'papers' | 'out'>,
): Promise<{ pack: Pack; parts: Parts }> {
  const { store, scope, contractId, now, log } = request
  const period = { from: toInstant(request.from), to: toInstant(request.to) }
  if (period.from >= period.to) throw new BevisError('USAGE', 'the period of a pack must end after it begins')
  const contract = await findContract(store.db, scope, contractId)
  const texts = (await listContractTexts(store.db, scope, contractId)).toReversed()
  const text = texts.at(-1)
  if (contract === undefined || text === undefined) {
    throw new BevisError('NOT_FOUND', `there is no contract ${contractId}`)
  }
  for (const one of texts) assertWhole(one)
  const head = await withCosignatures(store.db, await log.head(), { tenant: contract.tenant })
  const selection = await selectionOf(store.db, scope, contract, head.size)
  const survey = await surveyStatements(store.db, selection, period)
  if (survey.population.chains.length === 0) {
    throw new BevisError(
      'NOT_FOUND',
      `no agent has sent evidence for ${contractId} yet: a pack would prove nothing`,
    )
  }
  const { contract: terms } = parseContract(text.yaml, { draft: true })
  if (terms === undefined) {
    throw new BevisError('CONTRACT_INVALID', `the text of ${contractId} can no longer be read: apply it anew`)
  }
  const [at, knownAt] = [request.at ?? now, request.knownAt ?? now]
  const facts = survey.statements.filter(({ counted }) => counted)
  const answer = evaluate({ contract: terms, facts, at, knownAt })
  const pack: Pack = {
    format: PACK_FORMAT,
    tenant: contract.tenant,
    contract: {
      id: contract.id,
      customer: contract.customer_name,
      texts: texts.map(({ revision, sha256, applied_at }) => ({ revision, sha256, appliedAt: applied_at })),
    },
    period,
    verdict: { at: toInstant(at), knownAt: toInstant(knownAt) },
    madeAt: toInstant(now),
    log: { origin: head.origin, size: head.size },
    population: survey.population,
    files: [],
  }
  return { pack, parts: { texts, terms, answer, selection, survey, head } }
}

/** What a pack is made of. */
interface Parts {
  readonly texts: readonly { readonly revision: number; readonly yaml: string }[]
  readonly terms: Contract
  readonly answer: Answer
  readonly selection: Selection
  readonly survey: Survey
  readonly head: Checkpoint
}

/** All files but the two that describe them, in the order in which people look at them. */
async function* filesOf(request: PackRequest, pack: Pack, parts: Parts): AsyncGenerator<ArchiveFile> {
  const { store, log, page, papers } = request
  const { texts, answer, selection, survey, head } = parts
  yield { path: PACK_FILES.readme, content: formatReadme(pack, survey.statements.at(-1)?.leafIndex ?? 0) }
  if (page !== undefined) yield { path: PACK_FILES.page, content: page }
  for (const { revision, yaml } of texts) yield { path: contractFile(revision), content: yaml }
  yield* keysOf(store, log.vkey, pack.tenant, survey)
  if (log.successions.length > 0) yield { path: PACK_FILES.successions, content: encodeJson(log.successions) }
  yield { path: PACK_FILES.evidence, content: evidenceOf(store, selection) }
  yield { path: PACK_FILES.index, content: indexOf(survey) }
  yield { path: PACK_FILES.table, content: tableOf(survey, pack.period) }
  yield { path: PACK_FILES.verdict, content: encodeJson(answer) }
  if (papers !== undefined) yield* papers(tell(store, pack, parts))
  yield* proofsOf(store, survey, head, { tsaChain: request.tsaChain, key: parseVkey(log.vkey) })
}

/** The keys that signed what the pack holds, and the log's. */
async function* keysOf(
  store: Store,
  vkey: string,
  tenant: string,
  survey: Survey,
): AsyncGenerator<ArchiveFile> {
  const keyids = new Set(survey.leaves.map(({ entry }) => readEntry(entry).keyid))
  const keys: (PackKey & { spki: Uint8Array; fromLeaf: number })[] = []
  for (const chunk of chunksOf([...keyids])) {
    const rows = await store.db.selectFrom('agent_key').selectAll().where('keyid', 'in', chunk).execute()
    for (const { keyid, spki, agent, epoch, purpose, from_leaf } of rows) {
      keys.push({ keyid, tenant, agent, epoch, purpose, spki, fromLeaf: from_leaf })
    }
  }
  keys.sort((a, b) => a.fromLeaf - b.fromLeaf)
  for (const { keyid, spki } of keys) yield { path: keyFile(keyid), content: spkiToPem(spki) }
  const lines: PackKey[] = keys.map(({ keyid, tenant, agent, epoch, purpose }) => ({
    keyid,
    tenant,
    agent,
    epoch,
    purpose,
  }))
  yield { path: PACK_FILES.keys, content: encodeJson(lines) }
  yield { path: PACK_FILES.vkey, content: `${vkey}\n` }
}

async function* evidenceOf(store: Store, selection: Selection): AsyncGenerator<string> {
  for await (const page of pagesOf(store.db, selection)) {
    yield page.map(({ envelope }) => `${envelope}\n`).join('')
  }
}

function* indexOf({ leaves }: Survey): Generator<string> {
  for (const { leafIndex, entry, receivedAt } of leaves) {
    const line: IndexLine = { index: leafIndex, ...readEntry(entry), receivedAt }
    yield encodeJson(line)
  }
}

/** The three digests behind the label of an entry, see `@bevis/shared/log/entry`. */
function readEntry(entry: Uint8Array): Pick<IndexLine, 'pae' | 'signature' | 'keyid'> {
  const digest = (number: number) => entry.subarray(17 + 32 * number, 49 + 32 * number).toHex()
  return { pae: digest(0), signature: digest(1), keyid: digest(2) }
}

function* tableOf({ statements }: Survey, period: Pack['period']): Generator<string> {
  yield TABLE_HEAD
  for (const surveyed of statements) {
    yield formatRow({ ...surveyed, inPeriod: isInPeriod(surveyed.statement, period) })
  }
}

async function* proofsOf(
  store: Store,
  survey: Survey,
  head: Checkpoint,
  { tsaChain, key }: { tsaChain: string | undefined; key: VerificationKey },
): AsyncGenerator<ArchiveFile> {
  const read = nodeCache(store.db)
  const checkpoint = head.note
  yield { path: checkpointFile(head.size), content: checkpoint }
  for (const { leafIndex: index } of survey.leaves) {
    const hashes = await inclusionProof(index, head.size, read)
    yield { path: proofFile(index), content: formatProof({ index, hashes, checkpoint }) }
  }
  const stamps = tsaChain === undefined ? [] : await stampsFor(store.db, survey, head)
  if (tsaChain !== undefined && stamps.length > 0) yield { path: PACK_FILES.tsaChain, content: tsaChain }
  yield* stampFilesOf(store.db, stamps, head, read)
  const cosigned = await cosignedHeads(store.db, head, key)
  for (const { file } of cosigned) yield file
  const smaller = [...stamps, ...cosigned].map(({ size }) => size).filter((size) => size < head.size)
  for (const from of new Set([...survey.heads, ...smaller])) {
    const hashes = await consistencyProof(from, head.size, read)
    yield { path: consistencyFile(from, head.size), content: formatConsistency({ from, hashes, checkpoint }) }
  }
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
