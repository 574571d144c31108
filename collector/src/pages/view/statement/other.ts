import type { EvidenceName } from '@bevis/shared/evidence/predicates'
import type { Statement } from '@bevis/shared/evidence/statement'
import { hash } from '../../design/element.ts'
import type { Content } from '../../design/element.ts'
import { isState } from '../../design/state.ts'
import type { State } from '../../design/state.ts'
import { html } from '../../html.ts'
import type { Locale } from '../../language/locale.ts'
import type { Told } from './tell.ts'
import { panel } from './told.ts'
import type { Fact } from './told.ts'

/** Kinds without a form of their own: every field by its own name, readable by its value. */
export function tellOther(name: EvidenceName, predicate: Statement['predicate'], locale: Locale): Told {
  const fields: Record<string, unknown> = { ...predicate }
  delete fields['chain']
  return {
    state: stateOf(fields),
    lead: null,
    body: panel(
      locale.t('evidence.told'),
      Object.entries(fields).map(([key, value]): Fact => [labelOf(key, locale), show(value, locale)]),
    ),
  }
}

function stateOf(fields: Record<string, unknown>): State | null {
  const text = fields['result'] ?? fields['outcome'] ?? fields['event']
  return typeof text === 'string' && isState(text) ? text : null
}

const LABELS = {
  host: 'evidence.host',
  tools: 'evidence.tools',
  at: 'evidence.at',
  event: 'evidence.event',
  contract: 'evidence.contract',
  by: 'evidence.by',
  reason: 'evidence.reason',
  detail: 'evidence.detail',
  repository: 'evidence.repository',
  startedAt: 'evidence.started',
  endedAt: 'evidence.ended',
  exitCode: 'evidence.exitCode',
  key: 'proof.key',
  set: 'evidence.set',
  removed: 'inventory.removed',
} as const

/** The fields that are shown by another name; the rest keep that of the format. */
function labelOf(key: string, { t }: Locale): string {
  return Object.hasOwn(LABELS, key) ? t(LABELS[key as keyof typeof LABELS]) : key
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

function show(value: unknown, locale: Locale): Content {
  if (typeof value === 'string') {
    if (/^[0-9a-f]{64}$/.test(value)) return hash(value)
    return INSTANT.test(value) ? locale.instant(value) : value
  }
  if (typeof value === 'number') return locale.number(value)
  if (Array.isArray(value)) {
    return value.length === 0
      ? '–'
      : html`${value.slice(0, 100).map((one) => html`<div>${show(one, locale)}</div>`)}`
  }
  if (typeof value === 'object' && value !== null) {
    return html`${Object.entries(value).map(
      ([key, one]) =>
        html`<div><span class="muted">${labelOf(key, locale)}</span> ${show(one, locale)}</div>`,
    )}`
  }
  return typeof value === 'boolean' ? String(value) : '–'
}
