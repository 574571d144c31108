import type { DeletionProbeResult } from '../run/deletion-probe.ts'
import { cureOfCode } from '../cure.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { alignColumns, paint } from './terminal.ts'
import { workOn } from './work.ts'
import type { WorkOptions } from './work.ts'

/** Probes whether a set's storage refuses deletion: 0 refused, 1 allowed, 2 inconclusive with its code. */
export async function probeDeletionCommand(
  opened: Opened,
  id: string,
  options: WorkOptions,
): Promise<Outcome> {
  const { runDeletionProbe } = await import('../run/deletion-probe.ts')
  const result = await workOn(
    opened,
    { id, what: 'deletion-probe' },
    options,
    (bench) => runDeletionProbe(bench),
    ({ outcome, error }) => ({
      outcome: outcome === 'refused' ? 'passed' : outcome === 'allowed' ? 'failed' : 'inconclusive',
      error,
    }),
  )
  return outcomeOf(id, result)
}

const MARKS = {
  refused: paint('green', '✓ refused'),
  allowed: paint('red', '✗ allowed'),
  inconclusive: paint('yellow', '? inconclusive'),
}

const MEANINGS = {
  refused: 'the storage is append-only for this agent',
  allowed: 'whoever has this agent’s credentials can delete backups',
  inconclusive: 'nothing is proven',
}

function outcomeOf(
  id: string,
  { outcome, snapshotId, answer, error, recorded }: DeletionProbeResult,
): Outcome {
  const told = error === null ? null : { code: error.code, message: error.message }
  return {
    exit: outcome === 'refused' ? 0 : outcome === 'allowed' ? 1 : 2,
    json: { set: id, outcome, snapshot: snapshotId, answer, recorded, error: told },
    lines: [
      `${MARKS[outcome]}  ${MEANINGS[outcome]}`,
      ...alignColumns(
        [
          ...(snapshotId === null ? [] : [['attempted', `snapshot ${snapshotId.slice(0, 16)}`]]),
          ...(told === null ? [['answer', answer]] : []),
          ['statement', `${recorded.epoch}/${recorded.seq}  ${recorded.paeDigest.slice(0, 16)}`],
        ],
        '  ',
      ),
      ...(told === null ? [] : [`${told.code}: ${told.message}`, `  ${cureOfCode(told.code)}`]),
    ],
  }
}
