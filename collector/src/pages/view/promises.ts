import { describeContract } from '@bevis/shared/contract/plain'
import type { PlainPart } from '@bevis/shared/contract/plain'
import type { Contract } from '@bevis/shared/contract/schema'
import type { ContractEvent } from '@bevis/shared/evidence/predicates'
import { facts, hash } from '../design/element.ts'
import { badge } from '../design/state.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import { contractTabHref, contractTabs } from './contract-tabs.ts'
import { heading } from './page.ts'

type PartyName = 'customer' | 'provider'

export interface VersionModel {
  no: number
  effectiveFrom: string
  standing: 'inForce' | 'coming' | 'past' | 'draft'
  acceptances: { party: PartyName; person: string; at: string }[]
  /** The party that the reader may accept it for; null: none, or it has accepted already. */
  mayAcceptFor: PartyName | null
}

export interface PromisesModel {
  id: string
  customer: string
  contract: Contract
  /** Of the whole text: what is accepted. */
  sha256: string
  /** What the log says of it. */
  events: readonly ContractEvent[]
  versions: VersionModel[]
  csrf: string
}

const PARTIES = ['customer', 'provider'] as const
const LOOKS = { inForce: 'compliant', coming: 'pending', past: 'recorded', draft: 'at-risk' } as const

/** What both parties read before they accept: the same sentences as `contract show --plain`. */
export function promisesView(model: PromisesModel, locale: Locale): Html {
  const { t } = locale
  const { contract, id, sha256 } = model
  const plain = describeContract(contract, locale.language, model.events)
  return html`${contractTabs(id, 'promises', locale)}
    ${heading({
      title: t('promises.title'),
      lead: t('promises.lead', { id }),
      note: html`${model.customer} · SHA-256 ${hash(sha256)}`,
    })}
    <section class="panel">
      <ul class="reading">
        ${plain.sentences.map((sentence) => html`<li>${sentence}</li>`)}
      </ul>
    </section>
    ${[...model.versions].reverse().map((version) => {
      const text = plain.versions.find(({ no }) => no === version.no)
      return html`<section class="panel version" aria-labelledby="version-${version.no}">
        <header class="between">
          <h2 id="version-${version.no}">${text?.heading ?? version.no}</h2>
          ${badge(
            LOOKS[version.standing],
            t(`promises.${version.standing}`, { day: locale.day(version.effectiveFrom) }),
          )}
        </header>
        ${(text?.sentences ?? []).map((sentence) => html`<p>${sentence}</p>`)}
        ${(text?.sets ?? []).map(partView)} ${acceptances(version, locale)}
        ${version.mayAcceptFor === null ? nothing : acceptForm(model, version, version.mayAcceptFor, locale)}
      </section>`
    })}
    ${plain.changes.map(
      ({ heading: title, none, parts }) =>
        html`<section class="panel">
          <h2>${title}</h2>
          ${parts.length === 0 ? html`<p>${none}</p>` : parts.map(partView)}
        </section>`,
    )}`
}

function partView({ heading: title, sentences }: PlainPart): Html {
  return html`<h3>${title}</h3>
    ${
      sentences.length === 0
        ? nothing
        : html`<ul class="reading">
            ${sentences.map((sentence) => html`<li>${sentence}</li>`)}
          </ul>`
    }`
}

function acceptances({ acceptances: all }: VersionModel, locale: Locale): Html {
  const { t } = locale
  return facts(
    PARTIES.map((party) => {
      const given = all.filter((one) => one.party === party)
      const told = given.map(({ person, at }) => `${person}, ${locale.instant(at)}`).join('; ')
      return [t(`promises.${party}`), told === '' ? t('promises.notYet') : told] as const
    }),
  )
}

function acceptForm(model: PromisesModel, version: VersionModel, party: PartyName, locale: Locale): Html {
  const { t } = locale
  const of = t(`promises.on.${party}`)
  return html`<form class="accept no-print" method="post" action="${contractTabHref(model.id, 'promises')}">
    <p>${t('promises.acceptLead', { no: version.no, party: of })}</p>
    <input type="hidden" name="_csrf" value="${model.csrf}" />
    <input type="hidden" name="version" value="${version.no}" />
    <input type="hidden" name="sha256" value="${model.sha256}" />
    <label class="check"
      ><input type="checkbox" name="read" value="yes" required />
      ${t('promises.confirm', { party: of })}</label
    >
    <button type="submit">${t('promises.accept')}</button>
  </form>`
}
