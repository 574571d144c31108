import type { RestoreTest } from '@bevis/shared/evidence/predicates'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'

export type CoverageTold = NonNullable<RestoreTest['coverage']>

/** How much of a set was restored so far, as an agent told it. */
export function coverage(told: CoverageTold, locale: Locale): Html {
  const { t } = locale
  const { files, restored, current, since, cycle, lastCycle } = told
  const share = (part: number, of: number) => locale.percent(of === 0 ? 0 : floored(part / of))
  return html`${t('coverage.restored', { share: share(restored, files), files: locale.number(files) })}
    ${since === null ? nothing : html` ${t('coverage.since', { since: locale.instant(since) })}`}
    ${
      current === restored
        ? nothing
        : html`<span class="note">${t('coverage.current', { share: share(current, files) })}</span>`
    }
    <span class="note"
      >${t('coverage.cycle', { tests: cycle.tests, of: cycle.of, share: share(cycle.restored, files) })}</span
    >
    ${
      lastCycle === null
        ? nothing
        : html`<span class="note"
            >${t('coverage.lastCycle', {
              share: share(lastCycle.restored, lastCycle.files),
              at: locale.instant(lastCycle.at),
            })}</span
          >`
    }`
}

/** Rounding up would say that more was restored than was. */
function floored(share: number): number {
  return Math.floor(share * 1_000) / 1_000
}
