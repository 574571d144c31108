/** A service report in words: the blocks that its PDF and its page are made of. */
import type { Voice } from '../../pages/voice.ts'
import type { Block, Paper } from '../block.ts'
import { tellCapacity, tellServices } from './tell-capacity.ts'
import { tellAgenda, tellCredits, tellDeviations, tellSignOff } from './tell-deviations.ts'
import { tellLevels } from './tell-levels.ts'
import { tellChanges, tellTests } from './tell-tests.ts'
import type { Corrections } from './compare.ts'
import type { Telling } from './telling.ts'

export function tellServiceReport(telling: Telling): Paper {
  const { report, voice } = telling
  const { locale } = voice
  const { t } = locale
  const month = locale.month(report.month)
  return {
    cover: {
      kicker: t('serviceReport.kicker'),
      title: report.customer.name,
      lead:
        report.unit === null
          ? t('serviceReport.lead', { month: capitalize(month) })
          : t('serviceReport.leadUnit', { month, unit: report.unit.name }),
      state: { text: voice.word(report.headline), look: voice.look(report.headline) },
    },
    blocks: [
      ...opening(telling),
      ...tellLevels(telling),
      ...tellDeviations(telling),
      ...tellCredits(telling),
      ...tellTests(telling),
      ...tellChanges(telling),
      ...tellCapacity(telling),
      ...tellServices(telling),
      ...tellAgenda(telling),
      ...tellSignOff(telling),
    ],
  }
}

function opening({ report, voice, issued, corrections }: Telling): Block[] {
  const { locale } = voice
  const { t } = locale
  const party = ({ name, cvr }: { name: string; cvr?: string | undefined }) =>
    cvr === undefined ? name : t('paper.cvr', { name, cvr })
  const { unit } = report
  const facts: [string, string][] = [
    [
      t('paper.contract'),
      report.version === null
        ? t('paper.contractNone', { id: report.contract })
        : t('paper.contractValue', { id: report.contract, version: report.version }),
    ],
    [t('paper.customer'), party(report.customer)],
    [t('paper.provider'), party(report.provider)],
    ...(unit === null
      ? []
      : ([
          [
            t('serviceReport.unit'),
            unit.site === undefined
              ? unit.name
              : t('serviceReport.unitSite', { name: unit.name, site: unit.site }),
          ],
        ] as [string, string][])),
    [t('serviceReport.month'), locale.month(report.month)],
    [
      t('serviceReport.judged'),
      t('serviceReport.judgedValue', {
        at: locale.instant(report.at),
        known: locale.instant(report.knownAt),
      }),
    ],
    [
      t('serviceReport.statements'),
      report.statements === 0
        ? t('serviceReport.statementsNone')
        : t('serviceReport.statementsValue', { count: report.statements }),
    ],
    ...(issued === null
      ? []
      : ([
          ...(issued.statement === null ? [] : [[t('serviceReport.statement'), issued.statement]]),
          [t('serviceReport.digest'), issued.sha256],
        ] as [string, string][])),
  ]
  const notices: Block[] = []
  const notice = (state: string, text: string) =>
    notices.push({ kind: 'notice', look: voice.look(state), text })
  if (report.statements === 0) notice('unknown', t('serviceReport.noEvidence'))
  if ((report.damage ?? []).length > 0) notice('FAILED', t('serviceReport.damageFound'))
  if (!report.isOver) notice('pending', t('serviceReport.open', { at: locale.instant(report.at) }))
  if (issued === null) notice('pending', t('serviceReport.draft'))
  else {
    const by = { at: locale.instant(issued.at), person: issued.person }
    // The PDF that is issued has no corrections in it, and never will.
    notice('recorded', t(corrections === null ? 'serviceReport.issuing' : 'serviceReport.issued', by))
  }
  return [
    { kind: 'facts', pairs: facts },
    ...notices,
    { kind: 'paragraph', text: t('paper.zone', { zone: report.timezone }), quiet: true },
    ...(corrections === null ? [] : tellCorrections(corrections, voice)),
  ]
}

function tellCorrections({ levels, deviations, credits }: Corrections, voice: Voice): Block[] {
  const { locale } = voice
  const { t } = locale
  const heading: Block = { kind: 'heading', level: 2, text: t('serviceReport.corrections') }
  const state = (name: string) => ({ text: voice.word(name), look: voice.look(name) })
  const rows = [
    ...levels.map(({ set, dimension, was, is }) => [
      { text: t(`dimension.${dimension}.name`), under: set },
      state(was),
      state(is),
    ]),
    ...deviations.map(({ set, code, subject, was, is }) => [
      { text: voice.finding(code), under: `${set} ${subject}` },
      was ? state('breached') : t('paper.none'),
      is ? state('breached') : t('paper.none'),
    ]),
    ...(credits === null
      ? []
      : [
          [
            t('serviceReport.creditsChanged'),
            t('serviceReport.creditPct', { pct: locale.rate(credits.was) }),
            t('serviceReport.creditPct', { pct: locale.rate(credits.is) }),
          ],
        ]),
  ]
  if (rows.length === 0) return [heading, { kind: 'paragraph', text: t('serviceReport.correctionsNone') }]
  return [
    heading,
    { kind: 'paragraph', text: t('serviceReport.correctionsText') },
    {
      kind: 'table',
      caption: t('serviceReport.corrections'),
      heads: [
        { text: t('serviceReport.level'), share: 0.44 },
        { text: t('serviceReport.was'), share: 0.28 },
        { text: t('serviceReport.is'), share: 0.28 },
      ],
      rows,
    },
  ]
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
