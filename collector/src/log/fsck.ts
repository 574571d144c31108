/**
 * Recomputes the log from its entries up: what is stored is believed only where it can be derived again.
 * Reads in pieces, so that memory stays small whatever the log's size.
 */
import { encodeBase64 } from '@bevis/shared/base64'
import { keyidOf, sha256Hex } from '@bevis/shared/crypto'
import { errorMessageOf } from '@bevis/shared/error'
import { assertSignature, encodeEnvelope, openEnvelope } from '@bevis/shared/evidence/envelope'
import type { OpenedEnvelope } from '@bevis/shared/evidence/envelope'
import { openCheckpointBy } from '@bevis/shared/log/checkpoint'
import type { VerificationKey } from '@bevis/shared/log/checkpoint'
import { formatEntry } from '@bevis/shared/log/entry'
import { appendLeaves, EMPTY_ROOT, leafHash } from '@bevis/shared/log/merkle'
import { formatStampEntry } from '@bevis/shared/time/entry'
import type { Kysely } from 'kysely'
import { checkCosignatures } from './fsck-cosignatures.ts'
import type { Schema } from '../store/schema.ts'

/** One thing that is not as it must be, and where. */
export interface Finding {
  readonly place: string
  readonly problem: string
}

export interface LogCheck {
  readonly statements: number
  readonly stamps: number
  readonly leaves: number
  readonly checkpoints: number
  readonly findings: readonly Finding[]
}

const PIECE = 500
/** More than these are the same damage told again. */
const FINDINGS_MAX = 1_000

/**
 * @param db one snapshot, if anybody may be writing
 * @param filed the note of the separate file, read before the snapshot was taken
 */
export async function checkLog(
  db: Kysely<Schema>,
  { keys, filed }: { keys: readonly VerificationKey[]; filed: string | null },
): Promise<LogCheck> {
  const findings: Finding[] = []
  const tell = (place: string, problem: string): void => {
    if (findings.length < FINDINGS_MAX) findings.push({ place, problem })
  }
  const spkis = await readKeys(db, tell)
  const heads = await readHeads(db, keys, tell)
  const tree = { size: 0, root: EMPTY_ROOT, edge: [] as Uint8Array[], nodes: 0 }
  compareHead(0, tree.root)
  let statements = 0
  let stamps = 0
  let receivedAt = ''
  for (let after = 0; ;) {
    const rows = await db
      .selectFrom('statement')
      .select(['id', 'leaf_index', 'pae_digest', 'payload', 'envelope', 'received_at'])
      .where('id', '>', after)
      .orderBy('id')
      .limit(PIECE)
      .execute()
    if (rows.length === 0) break
    const leaves = await readLeaves(db, rows[0]?.id ?? 0, rows.at(-1)?.id ?? 0)
    for (const row of rows) {
      const place = `statement ${row.id}`
      statements += 1
      if (row.id !== statements) tell(place, `number ${statements} was due`)
      if (row.received_at < receivedAt)
        tell(place, `received at ${row.received_at}, before the one before it`)
      receivedAt = row.received_at
      await growByTokens(row.leaf_index)
      if (row.leaf_index !== tree.size) tell(place, `begins at leaf ${row.leaf_index}; ${tree.size} was due`)
      const opened = checkEnvelope(row, place, tell)
      const mine = leaves.get(row.id) ?? []
      if (opened !== null) checkLeaves(opened, mine, spkis, place, tell)
      await growBy(mine, place)
    }
    after = rows.at(-1)?.id ?? after
  }
  await growByTokens(Infinity)
  for (const size of heads.keys())
    if (size > tree.size) tell(`head of ${size}`, `the log has ${tree.size} leaves`)
  await checkCounts(db, tree, tell)
  await checkCosignatures(db, tell)
  checkFile()
  return { statements, stamps, leaves: tree.size, checkpoints: heads.size, findings }

  /** Adds the tokens of stamps that lie before a leaf. */
  async function growByTokens(before: number): Promise<void> {
    while (tree.size < before) {
      const row = await db
        .selectFrom('log_leaf')
        .leftJoin('log_stamp', 'log_stamp.leaf_index', 'log_leaf.leaf_index')
        .select(['log_leaf.leaf_index', 'entry', 'statement_id', 'signature_no', 'token', 'log_stamp.size'])
        .where('log_leaf.leaf_index', '=', tree.size)
        .executeTakeFirst()
      if (row === undefined || row.statement_id !== null) return
      const place = `stamp ${row.leaf_index}`
      if (row.token === null) tell(place, 'its token is missing')
      else if (encodeBase64(formatStampEntry(row.token)) !== encodeBase64(row.entry))
        tell(place, 'its token is not that of its leaf')
      if (row.size !== null && (row.size > row.leaf_index || !heads.has(row.size)))
        tell(place, `stamps a head of ${row.size} leaves, which was not signed before it`)
      stamps += 1
      await growBy([{ ...row, statement_id: 0 }], place)
    }
  }

  /** Adds a statement's leaves to the recomputed tree, and compares nodes and heads on the way. */
  async function growBy(leaves: readonly Leaf[], place: string): Promise<void> {
    for (const leaf of leaves) {
      if (leaf.leaf_index !== tree.size) tell(place, `has leaf ${leaf.leaf_index} where ${tree.size} was due`)
      const grown = appendLeaves(tree.size, tree.edge, [leafHash(leaf.entry)])
      const stored = await readNodes(
        db,
        grown.nodes.map(({ id }) => id),
      )
      for (const { id, hash } of grown.nodes) {
        const there = stored.get(`${id.level}/${id.index}`)
        if (there === undefined) tell(`node ${id.level}/${id.index}`, 'is missing')
        else if (there !== encodeBase64(hash))
          tell(`node ${id.level}/${id.index}`, 'is not the hash of its children')
      }
      Object.assign(tree, { size: grown.size, root: grown.root, edge: grown.edge })
      tree.nodes += grown.nodes.length
      compareHead(tree.size, tree.root)
    }
  }

  function compareHead(size: number, root: Uint8Array): void {
    const signed = heads.get(size)
    if (signed !== undefined && signed !== encodeBase64(root)) {
      tell(`head of ${size}`, 'its signed root is not the root of the entries')
    }
  }

  function checkFile(): void {
    const place = 'the last signed head in its separate file'
    if (filed === null) return tell(place, 'is missing')
    try {
      const last = openCheckpointBy(filed, keys)
      if (last.size > tree.size) tell(place, `signs ${last.size} leaves, and the log has ${tree.size}`)
      else if (heads.get(last.size) !== encodeBase64(last.root)) {
        tell(place, `is of another history at ${last.size} leaves`)
      }
    } catch (error) {
      tell(place, errorMessageOf(error))
    }
  }
}

type Tell = (place: string, problem: string) => void
interface Leaf {
  leaf_index: number
  entry: Uint8Array
  statement_id: number
  signature_no: number
}

async function readKeys(db: Kysely<Schema>, tell: Tell): Promise<Map<string, Uint8Array>> {
  const rows = await db.selectFrom('agent_key').select(['keyid', 'spki']).execute()
  for (const { keyid, spki } of rows) {
    if (keyidOf(spki) !== keyid) tell(`key ${keyid}`, 'is not the digest of its public key')
  }
  return new Map(rows.map(({ keyid, spki }) => [keyid, spki]))
}

/** Every signed head: size to root, base64. */
async function readHeads(
  db: Kysely<Schema>,
  keys: readonly VerificationKey[],
  tell: Tell,
): Promise<Map<number, string>> {
  const heads = new Map<number, string>()
  for (let after = -1; ;) {
    const rows = await db
      .selectFrom('log_checkpoint')
      .selectAll()
      .where('size', '>', after)
      .orderBy('size')
      .limit(PIECE)
      .execute()
    if (rows.length === 0) return heads
    for (const { size, root, note } of rows) {
      heads.set(size, encodeBase64(root))
      try {
        const signed = openCheckpointBy(note, keys)
        if (signed.size !== size || encodeBase64(signed.root) !== encodeBase64(root)) {
          tell(`head of ${size}`, 'its note says something else')
        }
      } catch (error) {
        tell(`head of ${size}`, errorMessageOf(error))
      }
    }
    after = rows.at(-1)?.size ?? after
  }
}

async function readLeaves(db: Kysely<Schema>, from: number, to: number): Promise<Map<number, Leaf[]>> {
  const rows = await db
    .selectFrom('log_leaf')
    .selectAll()
    .where('statement_id', '>=', from)
    .where('statement_id', '<=', to)
    .orderBy('leaf_index')
    .execute()
  return Map.groupBy(
    rows.flatMap(({ statement_id, ...row }) => (statement_id === null ? [] : [{ ...row, statement_id }])),
    (row) => row.statement_id,
  )
}

async function readNodes(
  db: Kysely<Schema>,
  ids: readonly { level: number; index: number }[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const { level, index } of ids) {
    const row = await db
      .selectFrom('log_node')
      .select('hash')
      .where('level', '=', level)
      .where('node_index', '=', index)
      .executeTakeFirst()
    if (row !== undefined) found.set(`${level}/${index}`, encodeBase64(row.hash))
  }
  return found
}

function checkEnvelope(
  row: { pae_digest: string; payload: Uint8Array; envelope: string },
  place: string,
  tell: Tell,
): OpenedEnvelope | null {
  try {
    const opened = openEnvelope(JSON.parse(row.envelope))
    if (encodeEnvelope(opened.envelope) !== row.envelope)
      tell(place, 'its envelope is not in its stored form')
    if (opened.paeDigest !== row.pae_digest) tell(place, 'its digest is not that of its envelope')
    if (sha256Hex(opened.payload) !== sha256Hex(row.payload))
      tell(place, 'its payload is not that of its envelope')
    return opened
  } catch (error) {
    tell(place, errorMessageOf(error))
    return null
  }
}

function checkLeaves(
  opened: OpenedEnvelope,
  leaves: readonly Leaf[],
  spkis: ReadonlyMap<string, Uint8Array>,
  place: string,
  tell: Tell,
): void {
  if (leaves.length !== opened.signatures.length) {
    tell(place, `has ${leaves.length} leaves for ${opened.signatures.length} signatures`)
  }
  for (const [n, { keyid, sig }] of opened.signatures.entries()) {
    const spki = spkis.get(keyid)
    if (spki === undefined) {
      tell(place, `the key ${keyid} is not known`)
      continue
    }
    try {
      assertSignature(opened, n, spki)
    } catch (error) {
      tell(place, errorMessageOf(error))
    }
    const entry = formatEntry({ paeDigest: opened.paeDigest, signature: sig, spki })
    const leaf = leaves.find(({ signature_no }) => signature_no === n)
    if (leaf !== undefined && encodeBase64(leaf.entry) !== encodeBase64(entry)) {
      tell(place, `leaf ${leaf.leaf_index} is not the entry of its signature ${n}`)
    }
  }
}

/** What the entries do not lead to must not be there either. */
async function checkCounts(
  db: Kysely<Schema>,
  tree: { size: number; nodes: number },
  tell: Tell,
): Promise<void> {
  const leaves = await db
    .selectFrom('log_leaf')
    .select(({ fn }) => fn.countAll().as('n'))
    .executeTakeFirst()
  const nodes = await db
    .selectFrom('log_node')
    .select(({ fn }) => fn.countAll().as('n'))
    .executeTakeFirst()
  if (Number(leaves?.n ?? 0) !== tree.size) tell('log_leaf', `has ${leaves?.n} rows for ${tree.size} leaves`)
  if (Number(nodes?.n ?? 0) !== tree.nodes) tell('log_node', `has ${nodes?.n} rows for ${tree.nodes} nodes`)
}
