/**
 * Cosignatures of the log's heads: what others have seen of it. Agents bring theirs, outside log witnesses are
 * asked for theirs; both are checked before they are kept.
 */
import { encodeBase64 } from '@bevis/shared/base64'
import { BevisError } from '@bevis/shared/error'
import { toInstant } from '@bevis/shared/format'
import type { Checkpoint } from '@bevis/shared/log/checkpoint'
import { agentCosignerName, parseCosignerKey, verifyCosignature } from '@bevis/shared/log/cosignature'
import { formatSignature, parseNote, signaturesBy } from '@bevis/shared/log/note'
import type { Kysely } from 'kysely'
import type { Log } from './log.ts'
import { newestCheckpointBefore } from '../store/read/checkpoints.ts'
import type { Store } from '../store/store.ts'
import type { Schema } from '../store/schema.ts'

/** The log whose heads are cosigned. */
type OwnLog = Pick<Log, 'origin' | 'open'>

/** A cosigner's clock may be ahead by so much. */
const AHEAD_MS = 5 * 60_000

/**
 * Takes an agent's cosignature of a head that this log signed.
 * @throws BevisError AGENT_UNKNOWN when none of its announced keys signed, CHECKPOINT_INVALID, AGENT_REVOKED
 */
export async function takeAgentCosignature(
  store: Store,
  { agent, note, log }: { agent: string; note: string; log: OwnLog },
  now: Date,
): Promise<void> {
  const head = log.open(note)
  const signed = await store.db
    .selectFrom('log_checkpoint')
    .select('root')
    .where('size', '=', head.size)
    .executeTakeFirst()
  if (signed === undefined || encodeBase64(signed.root) !== encodeBase64(head.root)) {
    throw new BevisError('CHECKPOINT_INVALID', `this log did not sign such a head of ${head.size} entries`)
  }
  const name = agentCosignerName(log.origin, agent)
  const keys = await store.db
    .selectFrom('agent_cosigner as cosigner')
    .innerJoin('agent', (join) =>
      join.onRef('agent.tenant', '=', 'cosigner.tenant').onRef('agent.id', '=', 'cosigner.agent'),
    )
    .select(['cosigner.vkey', 'agent.state'])
    .where('cosigner.agent', '=', agent)
    .execute()
  for (const { vkey, state } of keys) {
    const key = parseCosignerKey(vkey)
    if (key.name !== name || verifyCosignature(note, key) === null) continue
    if (state !== 'active') throw new BevisError('AGENT_REVOKED', `the agent ${agent} is ${state}`)
    await keepCosignature(store, { note, vkey }, now)
    return
  }
  throw new BevisError('AGENT_UNKNOWN', `none of the keys that ${agent} announced has cosigned this`)
}

/**
 * Keeps a cosignature that stands in a note.
 * @throws BevisError CHECKPOINT_INVALID when it is not there, does not hold, or is of a time to come
 */
export async function keepCosignature(
  store: Store,
  { note, vkey }: { note: string; vkey: string },
  now: Date,
): Promise<void> {
  const key = parseCosignerKey(vkey)
  const said = verifyCosignature(note, key)
  const [found] = signaturesBy(parseNote(note), key)
  if (said === null || found === undefined) {
    throw new BevisError('CHECKPOINT_INVALID', `${key.name} has not cosigned this head`)
  }
  if (said.at.getTime() > now.getTime() + AHEAD_MS) {
    throw new BevisError('CHECKPOINT_INVALID', `the cosignature of ${key.name} is of a time to come`)
  }
  const size = Number(note.split('\n')[1])
  const line = formatSignature(key, found.signature)
  await store.write((tx) =>
    tx
      .insertInto('log_cosignature')
      .values({ size, vkey, line, received_at: toInstant(now) })
      .onConflict((conflict) => conflict.doNothing()) // the first one says when the head was seen
      .execute(),
  )
}

/**
 * The head that everybody is asked to cosign in this hour: the last one of the hour before. Agents deliver at
 * different times, each to a head of its own; a quorum needs one that all of them can have seen.
 */
export async function headOfTheHour(db: Kysely<Schema>, log: OwnLog, now: Date): Promise<Checkpoint | null> {
  const hour = new Date(Math.floor(now.getTime() / 3_600_000) * 3_600_000)
  const row = await newestCheckpointBefore(db, toInstant(hour))
  return row === undefined || row.size === 0 ? null : log.open(row.note)
}
