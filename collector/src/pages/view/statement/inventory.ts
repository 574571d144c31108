import type { Inventory, Snap } from '@bevis/shared/evidence/predicates'
import { hash } from '../../design/element.ts'
import { table } from '../../design/table.ts'
import { html, nothing } from '../../html.ts'
import type { Html } from '../../html.ts'
import type { Locale } from '../../language/locale.ts'
import type { Told } from './tell.ts'
import { errorFact, hostFacts, panel, repositoryFacts } from './told.ts'

const SNAPSHOTS_SHOWN = 100

export function tellInventory(inventory: Inventory, locale: Locale): Told {
  const { t } = locale
  const { added, removed, base, sizeBytes } = inventory
  return {
    state: inventory.complete ? 'complete' : 'incomplete',
    lead: inventory.complete ? t('inventory.complete') : t('inventory.incomplete'),
    body: html`${panel(t('evidence.told'), [
      [t('inventory.count'), locale.number(inventory.count)],
      [t('inventory.added'), locale.number(added.length)],
      [t('inventory.removed'), locale.number(removed.length)],
      sizeBytes === undefined ? null : [t('inventory.size'), locale.bytes(sizeBytes)],
      [t('evidence.taken'), locale.instant(inventory.takenAt)],
      [t('inventory.digest'), hash(inventory.digest)],
      [t('inventory.base'), base === null ? t('inventory.whole') : hash(base)],
      errorFact(inventory.error, locale),
      ...repositoryFacts(inventory.repository, locale),
      ...hostFacts(inventory, locale),
    ])}
    ${added.length === 0 ? nothing : snapshots(added, locale)}
    ${removed.length === 0 ? nothing : gone(removed, locale)}`,
  }
}

function snapshots(added: readonly Snap[], locale: Locale): Html {
  const { t } = locale
  const rows = added.slice(-SNAPSHOTS_SHOWN).toReversed()
  return html`<section class="panel flush" aria-labelledby="added">
    <h2 id="added" class="inset">${t('inventory.newSnapshots')}</h2>
    ${table<Snap>({
      caption: t('inventory.newSnapshots'),
      rows,
      columns: [
        { head: t('evidence.snapshot'), cell: ({ id }) => hash(id) },
        { head: t('inventory.time'), cell: ({ time }) => locale.instant(time) },
        { head: t('evidence.host'), cell: ({ host }) => host },
        {
          head: t('evidence.paths'),
          cell: ({ paths }) => html`<span class="path">${paths.slice(0, 5).join(', ')}</span>`,
        },
      ],
    })}
    ${
      rows.length < added.length
        ? html`<p class="inset muted small">
            ${t('test.exceptionsMore', { shown: locale.number(rows.length), total: locale.number(added.length) })}
          </p>`
        : nothing
    }
  </section>`
}

function gone(removed: readonly string[], locale: Locale): Html {
  return html`<section class="panel">
    <h2>${locale.t('inventory.goneSnapshots')}</h2>
    ${removed.slice(0, SNAPSHOTS_SHOWN).map((id) => html`<div>${hash(id)}</div>`)}
  </section>`
}
