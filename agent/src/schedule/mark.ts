import type { State } from '../state.ts'

/** What is done on a schedule. */
export type Work =
  | 'backup'
  | 'restore-test'
  /** Restores that the collector asked for. */
  | 'requested-test'
  | 'inventory'
  | 'data-check'
  | 'deletion-probe'
  | 'retention'

/** The last run of one kind of work on one set, whoever started it. */
export interface Mark {
  readonly startedAt: string
  readonly endedAt: string
  /** What came out: `passed`, `failed`, `crashed`; `new` when the set was only seen. */
  readonly outcome: string
  /** The error's code, where there was one. */
  readonly code: string | null
}

export function loadMark(state: State, set: string, what: Work): Mark | null {
  const mark = state
    .sql<[string, string], Mark>(
      `select started_at as startedAt, ended_at as endedAt, outcome, code from schedule_mark
       where set_id = ? and what = ?`,
    )
    .get(set, what)
  return mark ?? null
}

export function saveMark(state: State, set: string, what: Work, mark: Mark): void {
  state
    .sql<[string, string, string, string, string, string | null], never>(
      `insert into schedule_mark (set_id, what, started_at, ended_at, outcome, code) values (?, ?, ?, ?, ?, ?)
       on conflict (set_id, what) do update set started_at = excluded.started_at, ended_at = excluded.ended_at,
         outcome = excluded.outcome, code = excluded.code`,
    )
    .run(set, what, mark.startedAt, mark.endedAt, mark.outcome, mark.code)
}
