import type { AgentLifecycle } from '@bevis/shared/evidence/predicates'
import { hash } from '../../design/element.ts'
import { isState } from '../../design/state.ts'
import { html } from '../../html.ts'
import type { Html } from '../../html.ts'
import type { Locale } from '../../language/locale.ts'
import { clock, nameRun, versionsOf, waiting } from '../agent-words.ts'
import type { Told } from './tell.ts'
import { hostFacts, panel } from './told.ts'

export function tellLifecycle(told: AgentLifecycle, locale: Locale): Told {
  const { t } = locale
  const { event, key, reason, clockOffsetMs, spool, next, versions, detail } = told
  const waits = spool === undefined ? null : { depth: spool.depth, oldestAt: spool.oldestAt ?? null }
  return {
    state: isState(event) ? event : null,
    lead: t(`eventLead.${event}`),
    body: panel(t('evidence.told'), [
      [t('evidence.event'), t(`event.${event}`)],
      [t('evidence.at'), locale.instant(told.at)],
      reason === undefined ? null : [t('evidence.reason'), reason],
      key === undefined ? null : [t('proof.key'), hash(key)],
      clockOffsetMs === undefined ? null : [t('agent.clock'), clock(clockOffsetMs, locale)],
      waits === null ? null : [t('agent.spool'), waiting(waits, locale)],
      next === undefined ? null : [t('agent.next'), html`${next.map((run) => runLine(run, locale))}`],
      versions === undefined ? null : [t('agent.versions'), versionsOf(versions)],
      detail === undefined
        ? null
        : [
            t('evidence.detail'),
            typeof detail === 'string' ? detail : html`<code>${JSON.stringify(detail)}</code>`,
          ],
      ...hostFacts(told, locale),
    ]),
  }
}

function runLine({ set, what, at }: { set: string; what: string; at: string }, locale: Locale): Html {
  return html`<div>${nameRun(what, locale)} ${set} <span class="muted">${locale.instant(at)}</span></div>`
}
