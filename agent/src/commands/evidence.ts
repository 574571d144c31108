import { BevisError } from '@bevis/shared/error'
import { parseStatement } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import { digestAt, findKept, listKept, listRefused } from '../outbox/queue.ts'
import type { Kept } from '../outbox/queue.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { alignColumns, formatInstant, paint } from './terminal.ts'

/** What this agent stated, newest first, and whether the log has it. */
export function evidenceListCommand(
  { state }: Opened,
  options: { limit: number; refused?: boolean },
): Outcome {
  const kept = options.refused === true ? listRefused(state, options.limit) : listKept(state, options.limit)
  const rows = kept.map((row) => [
    `${row.epoch}/${row.seq}`,
    row.name,
    formatInstant(row.createdAt),
    stateText(row),
    row.paeDigest.slice(0, 16),
  ])
  return { exit: 0, json: kept, lines: rows.length === 0 ? ['nothing yet'] : alignColumns(rows) }
}

/** One statement in full. `name` is its place, `1/42`, or the beginning of its digest. */
export function evidenceShowCommand({ state }: Opened, name: string): Outcome {
  const place = /^(\d{1,9})\/(\d{1,15})$/.exec(name)
  const prefix = place === null ? name : digestAt(state, Number(place[1]), Number(place[2]))
  if (prefix === null || (place === null && !/^[0-9a-f]{4,64}$/.test(name))) {
    throw new BevisError('NOT_FOUND', `there is no statement ${name} here; see bevis-agent evidence list`)
  }
  const [found, other] = findKept(state, prefix)
  if (found === undefined)
    throw new BevisError('NOT_FOUND', `there is no statement ${name} here; see bevis-agent evidence list`)
  if (other !== undefined)
    throw new BevisError('USAGE', `${name} is the beginning of several digests; give more of it`)
  const { payload, envelope, proof, ...kept } = found
  const statement: Statement = parseStatement(payload)
  return {
    exit: 0,
    json: {
      ...kept,
      statement,
      envelope: envelope === null ? null : (JSON.parse(envelope) as unknown),
      proof,
    },
    lines: [
      ...alignColumns([
        ['place', `${kept.epoch}/${kept.seq}`],
        ['digest', kept.paeDigest],
        ['kind', kept.name],
        ['state', stateText(kept)],
        ...(kept.message === null ? [] : [['reason', kept.message]]),
      ]),
      '',
      ...JSON.stringify(statement, null, 2).split('\n'),
      ...(proof === null ? [] : ['', ...proof.trimEnd().split('\n')]),
    ],
  }
}

function stateText({ state, code, receivedAt }: Kept): string {
  if (state === 'logged') return paint('green', `✓ in the log since ${formatInstant(receivedAt ?? '')}`)
  return state === 'refused' ? paint('red', `✗ refused: ${code ?? ''}`) : paint('yellow', '… waits')
}
