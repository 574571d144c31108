/** The files of a pack: all of them are read from the store as they are written, and none is kept. */
import type { Answer } from '@bevis/shared/contract/answer'
import type { Contract } from '@bevis/shared/contract/schema'
import { spkiToPem } from '@bevis/shared/crypto'
import { parseStatement } from '@bevis/shared/evidence/statement'
import { parseVkey } from '@bevis/shared/log/checkpoint'
import type { Checkpoint, VerificationKey } from '@bevis/shared/log/checkpoint'
import { formatConsistency } from '@bevis/shared/log/consistency'
import { consistencyProof, inclusionProof } from '@bevis/shared/log/merkle'
import { formatProof } from '@bevis/shared/log/proof'
import { ClauseMarks } from '@bevis/shared/verify/clause-marks'
import type { Description } from '@bevis/shared/verify/description'
import {
  PACK_FILES,
  checkpointFile,
  consistencyFile,
  contractFile,
  encodeJson,
  keyFile,
  proofFile,
} from '@bevis/shared/verify/pack'
import type { IndexLine, PackKey } from '@bevis/shared/verify/pack'
import { formatRow, formatTableHead, isInPeriod } from '@bevis/shared/verify/table'
import type { Log } from '../log/log.ts'
import type { StampLine } from '../store/read/stamps.ts'
import { chunksOf } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import type { ArchiveFile } from './archive.ts'
import { cosignedHeads } from './cosigned.ts'
import { nodeCache } from './node-cache.ts'
import { formatReadme } from './readme.ts'
import { stampFilesOf } from './stamps.ts'
import { leavesOf, pagesOf, readEntry } from './survey.ts'
import type { Selection, Survey } from './survey.ts'

/** What a pack is made of. */
export interface PackParts {
  readonly texts: readonly { readonly revision: number; readonly yaml: string }[]
  readonly terms: Contract
  readonly answer: Answer
  readonly selection: Selection
  readonly survey: Survey
  readonly head: Checkpoint
  /** Those that the pack brings. */
  readonly stamps: readonly StampLine[]
}

export interface PackSources {
  readonly store: Store
  readonly log: Pick<Log, 'vkey' | 'successions'>
  readonly tsaChain?: string | undefined
  readonly page?: string | undefined
  readonly papers?: AsyncIterable<ArchiveFile> | undefined
}

/** All files but the two that describe them, in the order in which people look at them. */
export async function* packFiles(
  { store, log, page, papers, tsaChain }: PackSources,
  pack: Description,
  parts: PackParts,
): AsyncGenerator<ArchiveFile> {
  const { texts, answer, selection, survey } = parts
  yield { path: PACK_FILES.readme, content: formatReadme(pack, survey.lastLeaf) }
  if (page !== undefined) yield { path: PACK_FILES.page, content: page }
  for (const { revision, yaml } of texts) yield { path: contractFile(revision), content: yaml }
  yield* keysOf(store, log.vkey, pack.tenant, survey)
  if (log.successions.length > 0) yield { path: PACK_FILES.successions, content: encodeJson(log.successions) }
  const evidence = evidenceOf(store, selection)
  yield { path: PACK_FILES.evidence, content: evidence, sizeBytes: survey.evidenceBytes }
  yield { path: PACK_FILES.index, content: indexOf(store, selection) }
  yield { path: PACK_FILES.table, content: tableOf(store, pack, parts) }
  yield { path: PACK_FILES.verdict, content: encodeJson(answer) }
  if (papers !== undefined) yield* papers
  yield* proofsOf(store, parts, { tsaChain, key: parseVkey(log.vkey) })
}

/** The keys that signed what the pack holds, and the log's. */
async function* keysOf(
  store: Store,
  vkey: string,
  tenant: string,
  survey: Survey,
): AsyncGenerator<ArchiveFile> {
  const keys: (PackKey & { spki: Uint8Array; fromLeaf: number })[] = []
  for (const chunk of chunksOf(survey.keyids)) {
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

export async function* evidenceOf(store: Store, selection: Selection): AsyncGenerator<string> {
  for await (const page of pagesOf(store.db, selection)) {
    yield page.map(({ envelope }) => `${envelope}\n`).join('')
  }
}

async function* indexOf(store: Store, selection: Selection): AsyncGenerator<string> {
  for await (const page of leavesOf(store.db, selection)) {
    const lines = page.map(({ leafIndex, entry, receivedAt }): IndexLine => {
      return { index: leafIndex, ...readEntry(entry), receivedAt }
    })
    yield lines.map(encodeJson).join('')
  }
}

export async function* tableOf(
  store: Store,
  pack: Description,
  { selection, terms }: Pick<PackParts, 'selection' | 'terms'>,
): AsyncGenerator<string> {
  const marks = new ClauseMarks(pack, terms)
  yield formatTableHead(pack)
  for await (const page of pagesOf(store.db, selection)) {
    const rows = page.map(({ leaf_index: leafIndex, received_at, pae_digest: paeDigest, payload }) => {
      const statement = parseStatement(payload)
      const inPeriod = isInPeriod(statement, pack.period)
      const clauses = marks.of(statement)
      return formatRow({ leafIndex, receivedAt: received_at, paeDigest, statement, inPeriod, clauses })
    })
    yield rows.join('')
  }
}

async function* proofsOf(
  store: Store,
  { selection, survey, head, stamps }: PackParts,
  { tsaChain, key }: { tsaChain: string | undefined; key: VerificationKey },
): AsyncGenerator<ArchiveFile> {
  const read = nodeCache(store.db)
  const checkpoint = head.note
  yield { path: checkpointFile(head.size), content: checkpoint }
  for await (const page of leavesOf(store.db, selection)) {
    for (const { leafIndex: index } of page) {
      const hashes = await inclusionProof(index, head.size, read)
      yield { path: proofFile(index), content: formatProof({ index, hashes, checkpoint }) }
    }
  }
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
