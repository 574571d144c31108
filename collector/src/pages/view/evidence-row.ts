import { shortHash } from '../design/element.ts'
import type { Content } from '../design/element.ts'
import { isState, word } from '../design/state.ts'
import { table } from '../design/table.ts'
import type { Column } from '../design/table.ts'
import { html } from '../html.ts'
import type { Html } from '../html.ts'
import { en } from '../language/en.ts'
import type { Locale } from '../language/locale.ts'
import { agentHref, evidenceHref } from './address.ts'

type Kind = keyof typeof en.kind
type Event = keyof typeof en.event

/** A statement in a list. */
export interface EvidenceRow {
  digest: string
  kind: string
  /** Whose agent it is, by name. */
  customer: string
  /** Null: the provider's office, for contract events. */
  agent: string | null
  set: string | null
  snapshot: string | null
  outcome: string | null
  /** When it happened, by the agent's clock. */
  statedAt: string
  receivedAt: string
  leaf: number
}

export type EvidenceColumn = 'agent' | 'set' | 'outcome' | 'snapshot' | 'received' | 'leaf'

interface EvidenceTable {
  caption: string
  rows: readonly EvidenceRow[]
  columns: readonly EvidenceColumn[]
}

export function kindOf(kind: string, { t }: Locale): string {
  return Object.hasOwn(en.kind, kind) ? t(`kind.${kind as Kind}`) : kind
}

/** An outcome in the words of the statement, or of an agent's event. */
export function outcomeOf(outcome: string, { t }: Locale): Html {
  if (isState(outcome)) return word(outcome, t(`state.${outcome}`))
  return word('recorded', Object.hasOwn(en.event, outcome) ? t(`event.${outcome as Event}`) : outcome)
}

export function evidenceTable({ caption, rows, columns }: EvidenceTable, locale: Locale): Html {
  return table({
    caption,
    rows,
    columns: [first(locale), ...columns.map((column) => columnOf(column, locale))],
  })
}

function first(locale: Locale): Column<EvidenceRow> {
  return {
    head: locale.t('evidence.what'),
    cell: (row) =>
      html`<a href="${evidenceHref(row.digest)}">${kindOf(row.kind, locale)}</a>
        <span class="under">${locale.instant(row.statedAt)}</span>`,
  }
}

function columnOf(column: EvidenceColumn, locale: Locale): Column<EvidenceRow> {
  const { t } = locale
  const cells: Record<EvidenceColumn, (row: EvidenceRow) => Content | null> = {
    agent: (row) =>
      row.agent === null
        ? html`<span class="muted">${t('evidence.office')}</span>`
        : html`<a href="${agentHref(row.agent)}">${row.agent}</a> <span class="under">${row.customer}</span>`,
    set: (row) => row.set,
    outcome: (row) => (row.outcome === null ? null : outcomeOf(row.outcome, locale)),
    snapshot: (row) => (row.snapshot === null ? null : shortHash(row.snapshot)),
    received: (row) => locale.instant(row.receivedAt),
    leaf: (row) => locale.number(row.leaf),
  }
  return { head: t(`evidence.${column}`), cell: cells[column], num: column === 'leaf' }
}
