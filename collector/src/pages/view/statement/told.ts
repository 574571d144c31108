import type { Repo, Snap } from '@bevis/shared/evidence/predicates'
import { facts, hash } from '../../design/element.ts'
import type { Content } from '../../design/element.ts'
import { html, nothing } from '../../html.ts'
import type { Html } from '../../html.ts'
import type { Locale } from '../../language/locale.ts'
import { namesItself } from '../agent-words.ts'

export type Fact = readonly [string, Content] | null

/** A titled group of facts. */
export function panel(title: string, pairs: readonly Fact[], after: Html = nothing): Html {
  return html`<section class="panel">
    <h2>${title}</h2>
    ${facts(pairs)} ${after}
  </section>`
}

export function snapshotFacts(snapshot: Snap, locale: Locale): Fact[] {
  const { t } = locale
  return [
    [t('evidence.snapshot'), hash(snapshot.id)],
    [t('evidence.taken'), locale.instant(snapshot.time)],
    [t('evidence.paths'), pathLines(snapshot.paths)],
    [t('evidence.tree'), hash(snapshot.tree)],
    snapshot.original === undefined ? null : [t('evidence.original'), hash(snapshot.original)],
    snapshot.tags === undefined || snapshot.tags.length === 0
      ? null
      : [t('evidence.tags'), snapshot.tags.join(', ')],
  ]
}

export function repositoryFacts(repository: Repo, locale: Locale): Fact[] {
  const { t } = locale
  return [
    [
      t('evidence.repository'),
      html`<span class="path">${repository.location}</span> <span class="note">${hash(repository.id)}</span>`,
    ],
    repository.lineage === undefined ? null : [t('evidence.lineage'), repository.lineage],
  ]
}

export function hostFacts(
  predicate: { host: string; tools: { agent: string; restic?: string | undefined; os: string } },
  { t }: Locale,
): Fact[] {
  const { agent, restic, os } = predicate.tools
  return [
    [t('evidence.host'), predicate.host],
    [
      t('evidence.tools'),
      [
        namesItself('bevis-agent', agent) ? agent : `bevis-agent ${agent}`,
        restic === undefined ? null : `restic ${restic}`,
        os,
      ]
        .filter(Boolean)
        .join(' · '),
    ],
  ]
}

export function spanFacts(startedAt: string, endedAt: string, locale: Locale): Fact[] {
  const { t } = locale
  const ms = new Date(endedAt).getTime() - new Date(startedAt).getTime()
  return [
    [t('evidence.started'), locale.instant(startedAt)],
    [t('evidence.took'), locale.duration(ms)],
  ]
}

export function errorFact(error: { code: string; message: string } | undefined, { t }: Locale): Fact {
  return error === undefined
    ? null
    : [t('evidence.error'), html`${error.message} <span class="note"><code>${error.code}</code></span>`]
}

const PATHS_SHOWN = 200

export function pathLines(paths: readonly string[]): Html {
  const hidden = paths.length - PATHS_SHOWN
  return html`${paths.slice(0, PATHS_SHOWN).map((path) => html`<div class="path">${path}</div>`)}
  ${hidden > 0 ? html`<div class="muted">+ ${hidden}</div>` : nothing}`
}
