/** The evidence pack of a world, as the collector writes it, by shared code alone. */
import { evaluate } from '@bevis/shared/contract/evaluate'
import { parseContract } from '@bevis/shared/contract/parse'
import type { Fact } from '@bevis/shared/contract/known'
import { sha256Hex, spkiToPem } from '@bevis/shared/crypto'
import type { Signer } from '@bevis/shared/crypto'
import { encodeEnvelope, openEnvelope } from '@bevis/shared/evidence/envelope'
import { parseStatement } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import { formatProof } from '@bevis/shared/log/proof'
import { formatConsistency } from '@bevis/shared/log/consistency'
import { ClauseMarks } from '@bevis/shared/verify/clause-marks'
import { formatSeal } from '@bevis/shared/verify/description'
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
import { formatRow, formatTableHead, isInPeriod } from '@bevis/shared/verify/table'
import { CONTRACT_ID, CONTRACT_YAML, START, TENANT } from './world.ts'
import type { Logged, World } from './world.ts'

const encode = (text: string) => new TextEncoder().encode(text)
const at = (ms: number) => new Date(ms).toISOString()

export interface PackOptions {
  from?: string
  to?: string
  at?: string
  knownAt?: string
  /** In the order of the table of clauses. */
  clauses?: NonNullable<Pack['filter']>['clauses']
  /** Changes the parts before the pack is described: a forger with the collector's pen, but no keys. */
  edit?: (parts: PackParts) => void
}

/** What a forger of a whole pack may choose. */
export interface PackParts {
  logged: Logged[]
  keys: PackKey[]
  signers: Signer[]
  yaml: string
  size: number
  vkey: string
}

/** The pack of a world, as the collector writes it: file by name. */
export async function packOf(world: World, options: PackOptions = {}): Promise<Map<string, Uint8Array>> {
  const last = world.logged.at(-1)?.receivedAt ?? at(START)
  world.issue(last)
  const parts: PackParts = {
    logged: [...world.logged],
    keys: world.keys(),
    signers: world.signers(),
    yaml: CONTRACT_YAML,
    size: world.log.size,
    vkey: world.vkey,
  }
  options.edit?.(parts)
  const checkpoint = await world.log.checkpoint(parts.size)
  const period = { from: options.from ?? at(START), to: options.to ?? at(Date.parse(last) + 1) }
  const verdictAt = { at: options.at ?? last, knownAt: options.knownAt ?? last }
  const files = new Map<string, Uint8Array>()
  const put = (name: string, text: string) => files.set(name, encode(text))
  put(contractFile(1), parts.yaml)
  const statements = parts.logged.map(({ envelope, ...place }) => {
    const opened = openEnvelope(envelope)
    return { ...place, envelope, opened, statement: parseStatement(opened.payload) }
  })
  put(PACK_FILES.evidence, statements.map(({ envelope }) => `${encodeEnvelope(envelope)}\n`).join(''))
  const index: IndexLine[] = statements.flatMap(({ opened, leafIndex, receivedAt }) =>
    opened.signatures.map(({ keyid, sig }, number) => ({
      index: leafIndex + number,
      pae: opened.paeDigest,
      signature: sha256Hex(sig),
      keyid,
      receivedAt,
    })),
  )
  put(PACK_FILES.index, index.map(encodeJson).join(''))
  for (const { index: leaf } of index) {
    const hashes = await world.log.inclusion(leaf, parts.size)
    put(proofFile(leaf), formatProof({ index: leaf, hashes, checkpoint: checkpoint.note }))
  }
  for (const { statement } of statements) {
    const head = 'chain' in statement.predicate ? statement.predicate.chain.log : null
    if (head === null || head.size === 0 || head.size >= parts.size) continue
    const from = head.size
    const hashes = await world.log.consistency(from, parts.size)
    put(consistencyFile(from, parts.size), formatConsistency({ from, hashes, checkpoint: checkpoint.note }))
  }
  put(checkpointFile(parts.size), checkpoint.note)
  for (const { keyid } of parts.keys) {
    const signer = parts.signers.find((one) => one.keyid === keyid)
    if (signer !== undefined) put(keyFile(keyid), spkiToPem(signer.spki))
  }
  put(PACK_FILES.keys, encodeJson(parts.keys))
  put(PACK_FILES.vkey, `${parts.vkey}\n`)
  const counted = new Set<string>()
  const facts = statements.flatMap(({ statement, receivedAt, opened }) => {
    if (!('chain' in statement.predicate)) return [{ statement, receivedAt, paeDigest: opened.paeDigest }]
    const { agent, epoch, seq } = statement.predicate.chain
    if (counted.has(`${agent} ${epoch} ${seq}`)) return []
    counted.add(`${agent} ${epoch} ${seq}`)
    return [{ statement, receivedAt, paeDigest: opened.paeDigest }]
  })
  put(PACK_FILES.verdict, encodeJson(verdictOf(parts.yaml, facts, verdictAt)))
  const filter = options.clauses && { filter: { clauses: options.clauses } }
  const marks = new ClauseMarks({ period, ...filter }, parseContract(parts.yaml).contract)
  for (const { statement } of statements) marks.add(statement)
  const rows = statements.map((one) => {
    const [inPeriod, clauses] = [isInPeriod(one.statement, period), marks.of(one.statement)]
    return formatRow({ ...one, paeDigest: one.opened.paeDigest, inPeriod, clauses })
  })
  put(PACK_FILES.table, formatTableHead({ ...filter }) + rows.join(''))
  put(PACK_FILES.readme, 'A pack made by a test.\n')
  const pack: Pack = {
    format: PACK_FORMAT,
    tenant: TENANT,
    contract: {
      id: CONTRACT_ID,
      customer: 'Vestkyst Tømrer & Snedker ApS',
      texts: [{ revision: 1, sha256: sha256Hex(parts.yaml), appliedAt: at(START) }],
    },
    period,
    ...filter,
    verdict: verdictAt,
    madeAt: last,
    log: { origin: world.log.origin, size: parts.size },
    population: populationOf(statements, index.length, period, marks.counted()),
    files: [],
  }
  return describe(files, pack)
}

function verdictOf(yaml: string, facts: readonly Fact[], when: { at: string; knownAt: string }) {
  const { contract, errors } = parseContract(yaml)
  if (contract === undefined) throw new Error(JSON.stringify(errors))
  return evaluate({ contract, facts, at: new Date(when.at), knownAt: new Date(when.knownAt) })
}

type Described = { statement: Statement; opened: { paeDigest: string } }

function populationOf(
  statements: readonly Described[],
  leaves: number,
  period: Pack['period'],
  marked: Pack['population']['marked'],
): Pack['population'] {
  const chains = new Map<string, Pack['population']['chains'][number]>()
  const first = new Set<string>()
  for (const { statement, opened } of statements) {
    if (!('chain' in statement.predicate)) continue
    const { agent, epoch, seq } = statement.predicate.chain
    const chain = chains.get(`${agent} ${epoch}`) ?? { agent, epoch, statements: 0, lastSeq: 0, head: '' }
    chains.set(`${agent} ${epoch}`, chain)
    chain.statements += 1
    if (seq > chain.lastSeq && !first.has(`${agent} ${epoch} ${seq}`)) {
      chain.lastSeq = seq
      chain.head = opened.paeDigest
    }
    first.add(`${agent} ${epoch} ${seq}`)
  }
  return {
    statements: statements.length,
    leaves,
    inPeriod: statements.filter(({ statement }) => isInPeriod(statement, period)).length,
    ...(marked && { marked }),
    chains: [...chains.values()].toSorted((a, b) =>
      a.agent === b.agent ? a.epoch - b.epoch : a.agent < b.agent ? -1 : 1,
    ),
  }
}

/** Writes the description of files as they now are: a forger needs no key for that. */
export function describe(files: ReadonlyMap<string, Uint8Array>, pack: Pack): Map<string, Uint8Array> {
  const described = new Map(files)
  described.delete(PACK_FILES.description)
  described.delete(PACK_FILES.seal)
  const list = [...described].map(([path, content]) => ({
    path,
    sizeBytes: content.length,
    sha256: sha256Hex(content),
  }))
  const text = encodeJson({ ...pack, files: list })
  described.set(PACK_FILES.description, encode(text))
  described.set(PACK_FILES.seal, encode(formatSeal(sha256Hex(text))))
  return described
}

/** The description of a pack. */
export function descriptionOf(files: ReadonlyMap<string, Uint8Array>): Pack {
  return JSON.parse(new TextDecoder().decode(files.get(PACK_FILES.description))) as Pack
}
