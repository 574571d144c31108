import type { Voice } from '../../pages/voice.ts'
import type { Block } from '../block.ts'
import type { Cell } from '../pdf/grid.ts'
import type { ReportedChange, ReportedTest } from './model.ts'
import type { Telling } from './telling.ts'

export function tellTests(telling: Telling): Block[] {
  return [...tellRestores(telling), ...tellDamage(telling)]
}

function tellRestores({ report, voice }: Telling): Block[] {
  const { locale } = voice
  const { t } = locale
  const heading: Block = { kind: 'heading', level: 2, text: t('serviceReport.tests') }
  if (report.tests.length === 0) {
    return [heading, { kind: 'notice', look: voice.look('unknown'), text: t('serviceReport.testsNone') }]
  }
  return [
    heading,
    {
      kind: 'table',
      caption: t('serviceReport.tests'),
      heads: [
        { text: t('paper.when'), share: 0.19 },
        { text: t('evidenceReport.tested'), share: 0.27 },
        { text: t('evidenceReport.conclusive'), share: 0.13, num: true },
        { text: t('evidenceReport.badFiles'), share: 0.09, num: true },
        { text: t('evidenceReport.rto'), share: 0.15, num: true },
        { text: t('paper.result'), share: 0.17 },
      ],
      rows: report.tests.map((test) => tellTest(test, voice)),
    },
  ]
}

/** No level tells of it, and so it is told wherever there is some. */
function tellDamage({ report: { damage = [] }, voice }: Telling): Block[] {
  const { locale } = voice
  const { t } = locale
  if (damage.length === 0) return []
  return [
    {
      kind: 'table',
      caption: t('evidenceReport.damage'),
      heads: [
        { text: t('paper.when'), share: 0.2 },
        { text: t('evidenceReport.damage'), share: 0.36 },
        { text: t('evidenceReport.damageErrors'), share: 0.1, num: true },
        { text: t('evidenceReport.followUp'), share: 0.34 },
      ],
      rows: damage.map(({ repository, subset, errors, at, over, evidence }) => [
        locale.instant(at),
        {
          text: `${repository.slice(0, 40)} ${subset}`,
          look: voice.look('FAILED'),
          under: evidence.slice(0, 12),
        },
        locale.number(errors),
        over === null
          ? t('evidenceReport.damageStands')
          : t('evidenceReport.damageOver', { at: locale.instant(over) }),
      ]),
    },
  ]
}

function tellTest(test: ReportedTest, voice: Voice): Cell[] {
  const { locale } = voice
  const { t } = locale
  return [
    { text: locale.instant(test.at), under: test.set },
    {
      text: test.snapshot.slice(0, 12),
      under: `${t('evidenceReport.testedUnder', { at: locale.instant(test.takenAt) })}; ${voice.reason(test.reason)}`,
    },
    t('evidenceReport.drawnValue', {
      drawn: locale.number(test.conclusive),
      files: locale.number(test.files),
    }),
    locale.number(test.failed),
    test.seconds === null ? t('paper.unknownValue') : locale.duration(test.seconds * 1000),
    { text: voice.word(test.result), look: voice.look(test.result), under: test.evidence.slice(0, 12) },
  ]
}

export function tellChanges({ report, voice }: Telling): Block[] {
  const { locale } = voice
  const { t } = locale
  const heading: Block = { kind: 'heading', level: 2, text: t('serviceReport.changes') }
  if (report.changes.length === 0)
    return [heading, { kind: 'paragraph', text: t('serviceReport.changesNone') }]
  return [
    heading,
    {
      kind: 'table',
      caption: t('serviceReport.changes'),
      heads: [
        { text: t('paper.when'), share: 0.22 },
        { text: t('serviceReport.change'), share: 0.78 },
      ],
      rows: report.changes.map((change) => [
        change.at.includes('T') ? locale.instant(change.at) : locale.day(change.at),
        {
          text: changeInWords(change, voice),
          ...(change.note !== undefined && { under: change.note }),
          ...(change.kind === 'alarm' && { look: voice.look('alarm') }),
        },
      ]),
    },
  ]
}

function changeInWords(
  { kind, subject, from = '', to = '', unapproved = false }: ReportedChange,
  { locale, event, lifecycle }: Voice,
): string {
  const { t } = locale
  switch (kind) {
    case 'exclusion':
      return t(`serviceReport.changed.${unapproved ? 'exclusionUnapproved' : 'exclusion'}`, {
        subject,
        from: locale.day(from),
        to: locale.day(to),
      })
    case 'hold':
      return t('serviceReport.changed.hold', { subject, from: locale.day(from) })
    case 'event':
      return t('serviceReport.changed.event', {
        person: subject,
        party: t(`evidenceReport.party.${from === 'customer' ? 'customer' : 'provider'}`),
        event: event(to),
      })
    case 'key':
      return t('serviceReport.changed.key', { subject, event: lifecycle(to) })
    case 'program':
      return t('serviceReport.changed.program', { subject, from, to })
    case 'version':
    case 'text':
    case 'alarm':
      return t(`serviceReport.changed.${kind}`, { subject })
  }
}
