import type { FindingAnswer } from '@bevis/shared/contract/answer'
import { nameBucket, parseTier } from '../design/bucket.ts'
import { notice } from '../design/element.ts'
import { isState, LOOKS } from '../design/state.ts'
import type { Tone } from '../design/state.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import { en } from '../language/en.ts'
import type { Locale } from '../language/locale.ts'
import { evidenceHref, obligationHref } from './address.ts'

/** How many groups and how many places of one group are shown: a year of silence is one finding to a person. */
const GROUPS_SHOWN = 6
const PLACES_SHOWN = 5

/** How loud each is when it does not say its own verdict. What is not here has broken a promise. */
const TONES: Record<string, Tone> = {
  late: 'risk',
  stale: 'risk',
  'purge-due': 'risk',
  'failed-test': 'risk',
  'copy-stale': 'risk',
  'copy-late': 'risk',
  'future-dated': 'risk',
  backdated: 'risk',
  'broken-inventory': 'risk',
  'revoked-key': 'risk',
  equivocation: 'risk',
  unknown: 'dark',
  quarantined: 'dark',
  'copy-unknown': 'dark',
  'deletion-unproven': 'dark',
}
const LOUDNESS: readonly Tone[] = ['bad', 'dark', 'risk']

export function toneOf({ code, detail: { verdict } }: FindingAnswer): Tone {
  if (typeof verdict === 'string' && isState(verdict)) return LOOKS[verdict].tone
  return TONES[code] ?? 'bad'
}

interface Where {
  contract: string
  knownOn?: string
}

/** What was found, one notice for each kind and set, the loudest first. */
export function findingList(findings: readonly FindingAnswer[], where: Where, locale: Locale): Html {
  if (findings.length === 0) return nothing
  const groups = [...Map.groupBy(findings, ({ code, set }) => `${set} ${code}`).values()].toSorted(
    (a, b) => loudnessOf(a) - loudnessOf(b),
  )
  const list = (part: typeof groups) =>
    html`<ul class="stack">
      ${part.map((group) => html`<li>${groupNotice(group, where, locale)}</li>`)}
    </ul>`
  const rest = groups.slice(GROUPS_SHOWN)
  return html`<section aria-labelledby="findings">
    <h2 id="findings" class="visually-hidden">${locale.t('contract.findings')}</h2>
    ${list(groups.slice(0, GROUPS_SHOWN))}
    ${
      rest.length === 0
        ? nothing
        : html`<details class="more">
            <summary>${locale.t('contract.moreKinds', { count: rest.length })}</summary>
            ${list(rest)}
          </details>`
    }
  </section>`
}

function loudnessOf(group: readonly FindingAnswer[]): number {
  return Math.min(...group.map((finding) => LOUDNESS.indexOf(toneOf(finding))))
}

function groupNotice(group: readonly FindingAnswer[], where: Where, locale: Locale): Html {
  const { t } = locale
  const newest = group.toSorted((a, b) => sortKeyOf(b).localeCompare(sortKeyOf(a)))
  const [first] = newest
  if (first === undefined) return nothing
  const title = Object.hasOwn(en.finding, first.code)
    ? t(`finding.${first.code as keyof typeof en.finding}`)
    : first.code
  const rest = newest.length - PLACES_SHOWN
  return notice(
    toneOf(first),
    html`<p>
        <strong>${title}</strong>
        <span class="muted"
          >· ${first.set}${newest.length > 1 ? html` · ${locale.number(newest.length)}` : nothing}</span
        >
      </p>
      <ul class="places">
        ${newest.slice(0, PLACES_SHOWN).map((finding) => html`<li>${place(finding, where, locale)}</li>`)}
        ${rest > 0 ? html`<li class="muted">${t('contract.moreFindings', { count: rest })}</li>` : nothing}
      </ul>`,
  )
}

/** By the bucket that it is about, else by when it was found. */
function sortKeyOf({ at, detail: { bucket } }: FindingAnswer): string {
  return typeof bucket === 'string' ? bucket : at
}

/** Where it was found: the obligation if it is about one, else when; what else is known; and the evidence. */
function place(finding: FindingAnswer, { contract, knownOn }: Where, locale: Locale): Html {
  const { t } = locale
  const { tier: tierName, bucket } = finding.detail
  const tier = typeof tierName === 'string' ? parseTier(tierName) : null
  const subject =
    tier === null || typeof bucket !== 'string'
      ? locale.instant(finding.at)
      : html`<a href="${obligationHref(contract, finding.set, tier.name, bucket, knownOn)}"
          >${nameBucket(tier.per, bucket, locale)}</a
        >`
  // That nobody has tried yet is what the finding says itself.
  const told = Object.entries(finding.detail).filter(
    ([key, value]) => Object.hasOwn(en.detail, key) && value !== 'none',
  )
  const [evidence] = finding.evidence
  return html`${subject}${told.map(
    ([key, value]) =>
      html`<span class="muted">, ${t(`detail.${key as keyof typeof en.detail}`)}</span>
        ${valueOf(key, value, locale)}`,
  )}${
    evidence === undefined
      ? nothing
      : html`<span class="muted">, ${t('detail.basis')}</span>
          <a href="${evidenceHref(evidence)}"><code>${evidence.slice(0, 12)}</code></a>`
  }`
}

function valueOf(key: string, value: string | number, locale: Locale): Html | string {
  if (typeof value === 'number') return locale.number(value)
  if (key === 'outcome' && isState(value)) return locale.t(`state.${value}`)
  if (key === 'every') return locale.isoDuration(value)
  if (/^[0-9a-f]{64}$/.test(value)) return html`<code>${value.slice(0, 12)}</code>`
  return key === 'newest' ? locale.instant(value) : value
}
