import { encodeBase64 } from '@bevis/shared/base64'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import { assertSignature, openEnvelope } from '@bevis/shared/evidence/envelope'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { isEvidence, parseStatement } from '@bevis/shared/evidence/statement'
import type { Checkpoint } from '@bevis/shared/log/checkpoint'
import { parseVkey } from '@bevis/shared/log/checkpoint'
import { verifyLeaf } from '@bevis/shared/log/receipt'
import { provenBounds, standingStamps } from '@bevis/shared/time/bounds'
import type { ProvenBounds } from '@bevis/shared/time/bounds'
import { findDatedAhead } from '../../store/read/ahead.ts'
import { listStamps, listTsas } from '../../store/read/stamps.ts'
import { listCheckpoints } from '../../store/read/checkpoints.ts'
import { findStatement, listStatements } from '../../store/read/statements.ts'
import type { StatementRow } from '../../store/read/statements.ts'
import type { EvidenceListModel, EvidenceModel, ProofModel } from '../view/evidence.ts'
import type { LogModel } from '../view/log.ts'
import { customersOf, rowOf } from './source.ts'
import type { Source } from './source.ts'

const ROWS_SHOWN = 50

/** The part of the log that a page needs. */
export interface LogReader {
  readonly origin: string
  readonly vkey: string
  head(): Promise<Checkpoint>
  proof(index: number, head: Checkpoint): Promise<string>
}

export async function loadEvidenceList(
  source: Source,
  wish: { kind?: string; agent?: string; before?: number },
): Promise<EvidenceListModel> {
  const { kind, agent, before } = wish
  const { db, scope } = source
  const customers = await customersOf(source)
  const { lines, next } = await listStatements(db, scope, {
    limit: ROWS_SHOWN,
    ...(kind === undefined ? {} : { name: kind }),
    ...(agent === undefined ? {} : { agent }),
    ...(before === undefined ? {} : { before }),
  })
  return {
    rows: lines.map((line) => rowOf(line, customers)),
    filter: { ...(kind === undefined ? {} : { kind }), ...(agent === undefined ? {} : { agent }) },
    before: next,
    paged: before !== undefined,
  }
}

export async function loadEvidence(source: Source, log: LogReader, digest: string): Promise<EvidenceModel> {
  const row = await statementOf(source, digest)
  const { epoch, seq, prev } = row
  return {
    row: rowOf(row, await customersOf(source)),
    statement: parseStatement(row.payload),
    json: JSON.stringify(JSON.parse(new TextDecoder().decode(row.payload)), null, 2),
    keyid: row.keyid,
    chain: epoch === null || seq === null || prev === null ? null : { epoch, seq, prev },
    counted: row.counted === 1,
    proof: await prove(source, log, row),
    clock: await clockBefore(source, row),
    bounds: await boundsOf(source, row),
    aheadMs: Math.max(0, Date.parse(row.stated_at) - Date.parse(row.received_at)),
  }
}

/** Between which instants of outside clocks it was made and logged. */
async function boundsOf({ db, now }: Source, row: StatementRow): Promise<ProvenBounds> {
  const stamps = (await listStamps(db)).map((stamp) => ({
    size: stamp.size,
    leafIndex: stamp.leaf_index,
    genTime: stamp.gen_time,
    accuracyMs: stamp.accuracy_ms,
    validUntil: stamp.valid_until,
    authority: stamp.authority,
  }))
  const { predicate } = parseStatement(row.payload)
  const embeddedSize = 'chain' in predicate ? (predicate.chain.log?.size ?? null) : null
  return provenBounds(standingStamps(stamps, now))({ embeddedSize, leafIndex: row.leaf_index })
}

/** How many of an agent's own statements about itself are read for the newest that tells of its clock. */
const LIFECYCLES_READ = 20

/** The offset that the agent had told of last when it made a statement: by it, its times are corrected. */
async function clockBefore({ db }: Source, row: StatementRow): Promise<EvidenceModel['clock']> {
  const { tenant, agent, epoch, seq } = row
  if (agent === null || epoch === null || seq === null) return null
  const told = await db
    .selectFrom('statement')
    .select(['payload', 'stated_at'])
    .where('tenant', '=', tenant)
    .where('agent', '=', agent)
    .where('name', '=', 'agent-lifecycle')
    .where('counted', '=', 1)
    .where((eb) => eb.or([eb('epoch', '<', epoch), eb.and([eb('epoch', '=', epoch), eb('seq', '<', seq)])]))
    .orderBy('epoch', 'desc')
    .orderBy('seq', 'desc')
    .limit(LIFECYCLES_READ)
    .execute()
  for (const { payload, stated_at } of told) {
    const statement = parseStatement(payload)
    const offsetMs = isEvidence(statement, 'agent-lifecycle') ? statement.predicate.clockOffsetMs : undefined
    if (offsetMs !== undefined) return { offsetMs, toldAt: stated_at }
  }
  return null
}

export async function statementOf({ db, scope }: Source, digest: string): Promise<StatementRow> {
  const row = await findStatement(db, scope, { pae: digest })
  if (row === undefined)
    throw new BevisError('NOT_FOUND', 'there is no such statement that this account may see')
  return row
}

/** Checks a statement as an auditor would: signature, place, checkpoint, each from the stored bytes. */
async function prove(source: Source, log: LogReader, row: StatementRow): Promise<ProofModel> {
  const [newest] = await listCheckpoints(source.db, { limit: 1 })
  try {
    const head = await log.head()
    const envelope = JSON.parse(row.envelope) as Envelope
    const spki = await keyOf(source, row.keyid)
    assertSignature(openEnvelope(envelope), 0, spki)
    const proof = await log.proof(row.leaf_index, head)
    const { checkpoint } = verifyLeaf({ envelope, signature: 0, spki, proof, vkey: parseVkey(log.vkey) })
    const { size, root, note } = checkpoint
    const signedAt = newest?.signed_at ?? row.received_at
    return { problem: null, checkpoint: { size, root: encodeBase64(root), note, signedAt } }
  } catch (error) {
    if (!(error instanceof BevisError)) throw error
    return { problem: errorMessageOf(error), checkpoint: null }
  }
}

async function keyOf({ db }: Source, keyid: string): Promise<Uint8Array> {
  const key = await db.selectFrom('agent_key').select('spki').where('keyid', '=', keyid).executeTakeFirst()
  if (key === undefined) throw new BevisError('KEY_INVALID', `the key ${keyid} is not known`)
  return key.spki
}

export async function loadLog({ db, now }: Source, log: LogReader): Promise<LogModel> {
  const rows = await listCheckpoints(db, { limit: 30 })
  const { lines } = await listStatements(db, { all: true }, { limit: 1 }) // how many the log has, whoever asks
  const stamps = await listStamps(db)
  return {
    now,
    datedUntil: (await findDatedAhead(db, now))?.until ?? null,
    stamps: stamps
      .slice(-30)
      .toReversed()
      .map(({ leaf_index: leaf, size, gen_time: at, authority }) => ({ leaf, size, at, authority })),
    silent: (await listTsas(db)).flatMap(({ url, failed_since: since, failure }) =>
      since === null ? [] : { url, since, reason: failure ?? '' },
    ),
    origin: log.origin,
    vkey: log.vkey,
    statements: lines[0]?.id ?? 0,
    checkpoints: rows.map(({ size, root, note, signed_at }) => ({
      size,
      root: encodeBase64(root),
      note,
      signedAt: signed_at,
    })),
  }
}
