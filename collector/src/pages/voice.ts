import type { Dimension, FindingAnswer, SetAnswer, Verdict } from '@bevis/shared/contract/answer'
import { nameBucket, parseTier } from './design/bucket.ts'
import { LOOKS, isState } from './design/state.ts'
import type { Look } from './design/state.ts'
import { en } from './language/en.ts'
import { localeOf } from './language/locale.ts'
import type { Language, Locale } from './language/locale.ts'
import { sayDimensions, sayHeadline, seenOf } from './load/dimensions.ts'
import type { Seen } from './load/dimensions.ts'
import { firstTestDue } from './load/first-test.ts'
import { toneOf } from './view/finding.ts'
import { sentenceOf } from './view/verdict.ts'
import type { Said, SaidState } from './view/verdict.ts'

const FINDING_SHAPES = {
  good: 'check',
  risk: 'triangle',
  bad: 'square',
  dark: 'diamond',
  none: 'dot',
} as const

/** The pages' words and signs, for papers that tell the same: what no page calls kept, no paper does. */
export function voiceOf(language: Language, zone?: string) {
  const locale = localeOf(language, zone)
  const { t } = locale
  return {
    locale,
    look: (state: string): Look => (isState(state) ? LOOKS[state] : LOOKS.recorded),
    word: (state: string) => (isState(state) ? t(`state.${state}`) : state),
    seenOf,
    firstTestDue,
    dimensions: (set: SetAnswer, findings: FindingAnswer[], seen: Seen) => sayDimensions(set, findings, seen),
    headline: (headline: Verdict, said: readonly Record<Dimension, Said>[]): SaidState =>
      sayHeadline(headline, said),
    sentence: (dimension: Dimension, said: Said) => sentenceOf(dimension, said, locale),
    finding: (code: string) =>
      Object.hasOwn(en.finding, code) ? t(`finding.${code as keyof typeof en.finding}`) : code,
    findingLook: (finding: FindingAnswer): Look => {
      const tone = toneOf(finding)
      return { tone, shape: FINDING_SHAPES[tone] }
    },
    /** A bucket of a tier as people say it; as it is, if it is none. */
    bucket: (tier: string, bucket: string) => {
      const parsed = parseTier(tier)
      return parsed === null ? `${tier} ${bucket}` : nameBucket(parsed.per, bucket, locale)
    },
    /** `days, each kept for 30 days` */
    tier: (name: string) => {
      const parsed = parseTier(name)
      if (parsed === null) return name
      const { per, keep } = parsed
      return `${t(`calendar.title.${per}`)}, ${t('calendar.kept', { keep: t(`keep.${per}`, { count: keep }) })}`
    },
    kind: (name: string) => (Object.hasOwn(en.kind, name) ? t(`kind.${name as keyof typeof en.kind}`) : name),
    fileClass: (name: string) =>
      Object.hasOwn(en.class, name) ? t(`class.${name as keyof typeof en.class}`) : name,
    /** Why a restore test was made. */
    reason: (name: string) =>
      Object.hasOwn(en.test.reason, name) ? t(`test.reason.${name as keyof typeof en.test.reason}`) : name,
    /** A part of a sample, without how many files it has. */
    stratum: (name: string) =>
      Object.hasOwn(en.test.stratum, name)
        ? t(`test.stratum.${name as keyof typeof en.test.stratum}`, { files: '' }).replace(/^[ ,]+/, '')
        : name,
    /** A contract's event. */
    event: (name: string) =>
      Object.hasOwn(en.serviceReport.events, name)
        ? t(`serviceReport.events.${name as keyof typeof en.serviceReport.events}`)
        : name,
    /** An agent's event. */
    lifecycle: (name: string) =>
      Object.hasOwn(en.event, name) ? t(`event.${name as keyof typeof en.event}`) : name,
  }
}

export type Voice = ReturnType<typeof voiceOf> & { readonly locale: Locale }
