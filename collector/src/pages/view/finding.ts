import type { FindingAnswer } from '@bevis/shared/contract/answer'
import { nameBucket, parseTier } from '../design/bucket.ts'
import { notice } from '../design/element.ts'
import type { Tone } from '../design/state.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import { en } from '../language/en.ts'
import type { Locale } from '../language/locale.ts'
import { evidenceHref, obligationHref } from './address.ts'

/** How many groups and how many places of one group are shown: a year of silence is one finding to a person. */
const GROUPS_SHOWN = 6
const PLACES_SHOWN = 5

const TONES: Record<string, Tone> = {
  late: 'risk',
  stale: 'risk',
  'purge-due': 'risk',
  guarded: 'risk',
  'test-failed': 'risk',
  'test-overdue': 'risk',
  unknown: 'dark',
  quarantined: 'dark',
  'broken-inventory': 'dark',
}
const LOUDNESS: readonly Tone[] = ['bad', 'dark', 'risk']
const toneOf = (code: string): Tone => TONES[code] ?? 'bad'

interface Where {
  contract: string
  knownOn?: string
}

/** What was found, one notice for each kind and set, the loudest first. */
export function findingList(findings: readonly FindingAnswer[], where: Where, locale: Locale): Html {
  if (findings.length === 0) return nothing
  const groups = [...Map.groupBy(findings, ({ code, set }) => `${set} ${code}`).values()]
    .toSorted((a, b) => loudnessOf(a) - loudnessOf(b))
    .slice(0, GROUPS_SHOWN)
  return html`<section aria-labelledby="findings">
    <h2 id="findings" class="visually-hidden">${locale.t('contract.findings')}</h2>
    <ul class="stack">
      ${groups.map((group) => html`<li>${groupNotice(group, where, locale)}</li>`)}
    </ul>
  </section>`
}

function loudnessOf(group: readonly FindingAnswer[]): number {
  return LOUDNESS.indexOf(toneOf(group[0]?.code ?? ''))
}

function groupNotice(group: readonly FindingAnswer[], where: Where, locale: Locale): Html {
  const { t } = locale
  const newest = group.toSorted((a, b) => b.at.localeCompare(a.at))
  const [first] = newest
  if (first === undefined) return nothing
  const title = Object.hasOwn(en.finding, first.code)
    ? t(`finding.${first.code as keyof typeof en.finding}`)
    : first.code
  const rest = newest.length - PLACES_SHOWN
  return notice(
    toneOf(first.code),
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

/** Where it was found: the obligation if it is about one, else what the evaluation says; and the evidence. */
function place(finding: FindingAnswer, { contract, knownOn }: Where, locale: Locale): Html {
  const { tier: tierName, bucket, ...rest } = finding.detail
  const tier = typeof tierName === 'string' ? parseTier(tierName) : null
  const subject =
    tier === null || typeof bucket !== 'string'
      ? locale.instant(finding.at)
      : html`<a href="${obligationHref(contract, finding.set, tier.name, bucket, knownOn)}"
          >${nameBucket(tier.per, bucket, locale)}</a
        >`
  const evidence = finding.evidence.slice(0, 3)
  return html`${subject}
  ${Object.entries(rest).map(([key, value]) => html` <span class="muted">${key}</span> ${valueOf(value, locale)}`)}
  ${evidence.map((digest) => html` <a href="${evidenceHref(digest)}"><code>${digest.slice(0, 12)}</code></a>`)}`
}

function valueOf(value: string | number, locale: Locale): Html | string {
  if (typeof value === 'number') return locale.number(value)
  if (/^[0-9a-f]{64}$/.test(value)) return html`<code>${value.slice(0, 12)}</code>`
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) ? locale.instant(value) : value
}
