import { openPartyWord } from '@bevis/shared/contract/party-word'
import { repliesTo } from '@bevis/shared/contract/report-reply'
import { keyidOf } from '@bevis/shared/crypto'
import type { ContractEvent } from '@bevis/shared/evidence/predicates'
import { hash } from '../../design/element.ts'
import type { Content } from '../../design/element.ts'
import { html } from '../../html.ts'
import { en } from '../../language/en.ts'
import type { Locale } from '../../language/locale.ts'
import { contractHref, evidenceHref } from '../address.ts'
import type { Told } from './tell.ts'
import { panel } from './told.ts'
import type { Fact } from './told.ts'

/** What a person said about a contract, as the office signed it. */
export function tellEvent(told: ContractEvent, locale: Locale): Told {
  const { t } = locale
  const { contract, version, at, by, detail, register } = told
  const party = t(`evidenceReport.party.${by.party === 'customer' ? 'customer' : 'provider'}`)
  return {
    state: null,
    lead: t('serviceReport.changed.event', { person: by.person, party, event: whatIsSaid(told, locale) }),
    body: panel(t('evidence.said'), [
      [t('evidence.contract'), html`<a href="${contractHref(contract)}">${contract}</a>`],
      version === undefined ? null : [t('eventDetail.version'), locale.number(version)],
      [t('evidence.at'), locale.instant(at)],
      [t('evidence.by'), `${by.person}, ${party}`],
      ...Object.entries(detail).map(([key, value]): Fact => [labelOf(key, locale), show(key, value, locale)]),
      register === undefined ? null : [t('evidence.register'), locale.number(register.no)],
    ]),
  }
}

/** A reply to a service report is an acknowledgement by its form, and more than that by what it says. */
function whatIsSaid(told: ContractEvent, { t }: Locale): string {
  const [reply] = repliesTo(String(told.detail['statement']), [{ paeDigest: '', event: told }])
  return reply === undefined
    ? t(`serviceReport.events.${told.event}`)
    : t(`serviceReport.events.report-${reply.reply}`)
}

function labelOf(key: string, { t }: Locale): string {
  return Object.hasOwn(en.eventDetail, key) ? t(`eventDetail.${key as keyof typeof en.eventDetail}`) : key
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const DAY = /^\d{4}-\d\d-\d\d$/

/** The name alone says little: whoever makes a key gives it one. */
function showKey(signed: string): Content {
  const { name, spki } = openPartyWord(signed).key
  return html`${name} ${hash(keyidOf(spki))}`
}

function show(key: string, value: unknown, locale: Locale): Content {
  const { t } = locale
  if (typeof value === 'string') {
    if (key === 'signed') return showKey(value)
    if (key === 'document' && Object.hasOwn(en.eventDocument, value))
      return t(`eventDocument.${value as keyof typeof en.eventDocument}`)
    if (key === 'reply' && Object.hasOwn(en.serviceReport.reply, value))
      return t(`serviceReport.reply.${value as keyof typeof en.serviceReport.reply}`)
    if (key === 'statement')
      return html`<a href="${evidenceHref(value)}"><code>${value.slice(0, 12)}</code></a>`
    if (/^[0-9a-f]{64}$/.test(value)) return hash(value)
    if (key === 'month') return locale.month(value)
    if (INSTANT.test(value)) return locale.instant(value)
    return DAY.test(value) ? locale.day(value) : value
  }
  if (typeof value === 'number') return locale.number(value)
  if (Array.isArray(value)) return value.map(String).join(', ')
  if (typeof value !== 'object' || value === null) return String(value)
  const inner = Object.entries(value)
  return html`${inner.map(
    ([name, one]) =>
      html`<div><span class="muted">${labelOf(name, locale)}</span> ${show(name, one, locale)}</div>`,
  )}`
}
