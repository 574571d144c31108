import { existsSync } from 'node:fs'
import { BevisError } from '@bevis/shared/error'
import { openEnvelope } from '@bevis/shared/evidence/envelope'
import { parseStatement } from '@bevis/shared/evidence/statement'
import { decodeBase64 } from '@bevis/shared/base64'
import { toInstant } from '@bevis/shared/format'
import { formatVkey, parseVkey, signCheckpoint } from '@bevis/shared/log/checkpoint'
import { openSuccession, signSuccession } from '@bevis/shared/log/succession'
import type { LogClosure } from '@bevis/shared/log/succession'
import { readCheckpointFile, swapCheckpointFile } from '../log/checkpoint-file.ts'
import { bringText } from '../log/bring-own.ts'
import { ownEntriesFile, readOwnEntries } from '../log/own-entries.ts'
import type { OwnStatement } from '../log/own-entries.ts'
import { keepSuccession, nextKey, readLogKeys, readSuccessions, takeNextKey } from '../log-keys.ts'
import { openReceive } from '../receive.ts'
import { readKeyFile } from '../state.ts'
import { newestCheckpoint } from '../store/read/checkpoints.ts'
import { lockServe } from './key.ts'
import { openLogOf } from './open.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

/**
 * Closes a log that lost what nobody can bring back: its key signs where it ends and what goes on, under another name
 * and with a key of its own, from the entries that are left. The old key never signs again. What was cut short is
 * ended by calling it again.
 */
export async function closeCommand(opened: Opened, options: { origin: string }): Promise<Outcome> {
  const { config, files, store, now } = opened
  const { checkpointFile, state } = config
  const lock = await lockServe(opened)
  try {
    const closure = existsSync(files.nextLogKey) ? begunClosure(opened) : null
    const { from, to, kept, last } = closure ?? (await beginClosure(opened, options.origin))
    const vkey = formatVkey(to.name, to.spki)
    const head = signCheckpoint({ ...kept, origin: to.name }, nextKey(state))
    await store.write(async (tx) => {
      await tx.updateTable('log_checkpoint').set({ note: head.note }).where('size', '=', kept.size).execute()
      // They are over the closed log's own name.
      await tx.deleteFrom('log_cosignature').where('size', '>=', kept.size).execute()
      await tx.deleteFrom('log_replay').execute()
      await tx.deleteFrom('log_replay_head').execute()
    })
    const filed = await readCheckpointFile(checkpointFile)
    if (filed !== head.note) await swapCheckpointFile(checkpointFile, filed, head.note)
    takeNextKey(state, `${files.logKey}.closed`, vkey)
    const next: Opened = { ...opened, config: { ...config, origin: to.name } }
    const own = await sayAgain(next, kept.size)
    return {
      exit: 0,
      json: {
        closed: from.name,
        kept: kept.size,
        last: last.size,
        origin: to.name,
        vkey,
        own,
        at: toInstant(now()),
      },
      lines: [
        `The log ${from.name} is closed: ${last.size} entries were signed, ${kept.size} are left.`,
        `${to.name} goes on from these, with a key of its own. Set this in the configuration, then start serve:`,
        `  origin: ${to.name}`,
        'Agents follow, since the old key signed the closure; they raise an alarm, and send again what was lost.',
        'Agents that were enrolled in what was lost must be invited anew. For new trust files:',
        `  ${vkey}`,
      ],
    }
  } finally {
    lock.release()
  }
}

/** @throws BevisError USAGE when nothing is lost, or the name is none */
async function beginClosure(opened: Opened, origin: string): Promise<LogClosure> {
  const { config, files, store, now } = opened
  const { signer, known } = readLogKeys(config.state, config.origin)
  const log = await openLogOf(opened)
  const lost = await log.lost()
  if (lost === null) throw new BevisError('USAGE', 'the log has lost nothing: it is not closed')
  if (origin === config.origin || !/^[A-Za-z0-9][A-Za-z0-9./_-]{0,254}$/.test(origin)) {
    throw new BevisError(
      'USAGE',
      'the log that goes on needs a name of its own, such as collector.example.net/log-2',
    )
  }
  const row = await newestCheckpoint(store.db)
  if (row === undefined) throw new BevisError('LOG_INCONSISTENT', 'the log has no head')
  const kept = log.open(row.note)
  const [from] = known
  if (from === undefined) throw new BevisError('SECRET_UNREADABLE', 'the log has no key')
  const to = parseVkey(formatVkey(origin, nextKey(config.state).spki))
  const closure: LogClosure = { kind: 'closure', from, to, at: toInstant(now()), kept, last: lost.to }
  keepSuccession(files.successions, signSuccession(closure, signer))
  return closure
}

/** The closure of a call that was cut short. */
function begunClosure({ config, files }: Opened): LogClosure | null {
  const note = readSuccessions(files.successions).at(-1)
  if (note === undefined) return null
  const from = parseVkey(note.split('\n')[1] ?? '')
  const closure = openSuccession(note, from)
  const isOurs =
    formatVkey(config.origin, readKeyFile(files.logKey).spki) === formatVkey(from.name, from.spki)
  return closure.kind === 'closure' && isOurs ? closure : null
}

/** What the office had logged in the lost part goes into the log that goes on, as it was signed. */
async function sayAgain(opened: Opened, from: number): Promise<number> {
  const { store, now, config } = opened
  const file = ownEntriesFile(config.checkpointFile)
  const byIndex = new Map<number, OwnStatement>()
  for await (const entry of readOwnEntries(file, from)) {
    if ('envelope' in entry) byIndex.set(entry.index, entry) // tokens are over the closed log's own heads
  }
  const entries = [...byIndex.values()].toSorted((a, b) => a.index - b.index)
  if (entries.length === 0) return 0
  const receive = openReceive({ store, log: await openLogOf(opened), now })
  await receive.office(async (tx) => {
    for (const { tenant, text } of entries) if (text !== undefined) await bringText(tx, tenant, text)
    const events = entries.map(({ envelope, keys, tenant, text }) => {
      const read = openEnvelope(envelope)
      const signatures = read.signatures.map(({ keyid }, n) => ({ keyid, spki: decodeBase64(keys[n] ?? '') }))
      const event = { opened: read, statement: parseStatement(read.payload), signatures, eventTenant: tenant }
      return text === undefined ? event : { ...event, text }
    })
    return { result: null, events }
  })
  return entries.length
}
