/**
 * What this agent stated of its own backups and restore tests, kept for as long as their snapshots may be owed. The
 * outbox drops what the log has after a thousand statements; whoever decides what may be removed needs to know of
 * every snapshot which run made it and whether it is whole. A snapshot that is not in here is in doubt, and stays.
 */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { statementSchema } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import { instant } from '@bevis/shared/format'
import { z } from 'zod'
import type { State } from '../state.ts'

const FILE = 'own-runs.jsonl'

/** A line: when it was received, or made if it has not been yet, and the statement without its long lists. */
const line = z.object({ receivedAt: instant, statement: statementSchema })
export type OwnRun = z.output<typeof line>

/** The kinds that a decision about a snapshot stands on; a lifecycle says how far off the clock was. */
const KINDS = `('backup-run', 'restore-test', 'agent-lifecycle')`

interface Row {
  epoch: number
  seq: number
  payload: Uint8Array
  at: string
}

/** Takes over what has been stated since the last time. Called after every run; what it misses comes with the next. */
export function keepOwnRuns(state: State): void {
  const { epoch = 0, seq = 0 } = JSON.parse(state.get('own-runs') ?? '{}') as { epoch?: number; seq?: number }
  const rows = state
    .sql<[number, number], Row>(
      `select epoch, seq, payload, coalesce(received_at, created_at) as at from statement
       where (epoch, seq) > (?, ?) and name in ${KINDS} and state <> 'refused' order by epoch, seq`,
    )
    .all(epoch, seq)
  const last = rows.at(-1)
  if (last === undefined) return
  const kept = rows.flatMap(({ payload, at }) => {
    const statement = shorten(JSON.parse(Buffer.from(payload).toString('utf8')) as Statement)
    return statement === null ? [] : [JSON.stringify({ receivedAt: at, statement })]
  })
  if (kept.length > 0) append(join(state.folder, FILE), `${kept.join('\n')}\n`)
  // After the lines: a crash in between writes them twice, and the second is told from the first by its number.
  state.put('own-runs', JSON.stringify({ epoch: last.epoch, seq: last.seq }))
}

/** All of them, in the chain's order. What cannot be read is left out: its snapshot is in doubt then. */
export function readOwnRuns(folder: string): OwnRun[] {
  let text: string
  try {
    text = readFileSync(join(folder, FILE), 'utf8')
  } catch {
    return []
  }
  return text.split('\n').flatMap((each) => {
    try {
      return [line.parse(JSON.parse(each))]
    } catch {
      return []
    }
  })
}

function shorten(statement: Statement): Statement | null {
  const { predicate } = statement
  if ('clockOffsetMs' in predicate && predicate.clockOffsetMs !== undefined) {
    const { chain, host, tools, at, event, clockOffsetMs } = predicate
    return { ...statement, predicate: { chain, host, tools, at, event, clockOffsetMs } } as Statement
  }
  if ('snapshot' in predicate && 'outcome' in predicate) {
    const { torn: _torn, anomaly: _anomaly, ...rest } = predicate
    return { ...statement, predicate: rest } as Statement
  }
  return 'snapshot' in predicate ? statement : null
}

/** A line that a crash cut off must not spoil the next one. */
function append(file: string, text: string): void {
  const handle = openSync(file, 'a', 0o600)
  try {
    writeSync(handle, `\n${text}`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
