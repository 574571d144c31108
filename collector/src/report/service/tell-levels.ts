import type { Voice } from '../../pages/voice.ts'
import type { Block } from '../block.ts'
import type { Cell } from '../pdf/grid.ts'
import type { ReportedLevel, ServiceReport } from './model.ts'
import type { Telling } from './telling.ts'

type ReportedSet = ServiceReport['sets'][number]

/** Fewer statements than this share of what is plausible are told as few. */
const FEW = 0.8

/** Every service level: what was agreed, what it came to, how it is known, and by how much data. */
export function tellLevels({ report, voice }: Telling): Block[] {
  const { t } = voice.locale
  return [
    { kind: 'heading', level: 2, text: t('serviceReport.levels') },
    { kind: 'paragraph', text: t('serviceReport.levelsText'), quiet: true },
    ...report.sets.flatMap((set): Block[] => [
      { kind: 'heading', level: 3, text: `${t('paper.set')} ${set.id}`, keep: 110 },
      ...(set.wording === '' ? [] : [{ kind: 'quote', text: set.wording } as const]),
      {
        kind: 'table',
        caption: `${t('serviceReport.levels')}: ${set.id}`,
        heads: [
          { text: t('serviceReport.level'), share: 0.2 },
          { text: t('serviceReport.target'), share: 0.22 },
          { text: t('serviceReport.actual'), share: 0.3 },
          { text: t('serviceReport.data'), share: 0.12, num: true },
          { text: t('serviceReport.state'), share: 0.16 },
        ],
        rows: set.levels.map((level) => [
          { text: t(`dimension.${level.dimension}.name`) },
          targetOf(set, level, voice),
          actualOf(level, voice),
          dataOf(level, voice),
          stateOf(level, voice),
        ]),
      },
      {
        kind: 'table',
        caption: `${t('serviceReport.daysHead')}: ${set.id}`,
        heads: [
          { text: t('serviceReport.level'), share: 0.2 },
          { text: t('serviceReport.daysHead'), share: 0.8 },
        ],
        rows: set.levels
          .filter(({ days }) => days.some((day) => day !== 'not-applicable'))
          .map((level) => [
            t(`dimension.${level.dimension}.name`),
            { text: daysInWords(level.days, voice), signs: level.days.map((day) => voice.look(day)) },
          ]),
      },
    ]),
  ]
}

function stateOf({ month, atEnd }: ReportedLevel, voice: Voice): Cell {
  const { t } = voice.locale
  const end =
    atEnd.state === month.state ? undefined : t('serviceReport.atEnd', { state: voice.word(atEnd.state) })
  return {
    text: voice.word(month.state),
    look: voice.look(month.state),
    ...(end !== undefined && { under: end }),
  }
}

function targetOf(
  { promises }: ReportedSet,
  { dimension, month }: ReportedLevel,
  { locale, tier }: Voice,
): string {
  const { t } = locale
  const span = (name: string) => locale.isoDuration(promises[name] ?? '')
  const has = (name: string) => promises[name] !== undefined && promises[name] !== ''
  const none = t('serviceReport.targets.none')
  switch (dimension) {
    case 'points':
      return has('every')
        ? t('serviceReport.targets.points', {
            every: span('every'),
            rpo: span('rpo'),
            grace: span('lateGrace'),
          })
        : none
    case 'retention':
      return has('tiers')
        ? t('serviceReport.targets.retention', {
            tiers: (promises['tiers'] ?? '')
              .split(' ')
              .map((name) => tier(name))
              .join('. '),
          })
        : none
    case 'ceiling':
      if (has('maxAge')) return t('serviceReport.targets.ceiling', { age: span('maxAge') })
      // Without a ceiling the dimension is judged only where a hold is in force.
      return month.state === 'not-applicable' ? none : t('serviceReport.targets.held')
    case 'proof':
      if (!has('testEvery')) return none
      return has('rto')
        ? t('serviceReport.targets.proofRto', { every: span('testEvery'), rto: span('rto') })
        : t('serviceReport.targets.proof', { every: span('testEvery') })
    case 'copies':
      return has('copies') ? t('serviceReport.targets.copies', { copies: promises['copies'] ?? '' }) : none
    case 'evidence':
      return has('inventoryEvery')
        ? t('serviceReport.targets.evidence', { every: span('inventoryEvery') })
        : none
  }
}

function actualOf({ dimension, figures, atEnd }: ReportedLevel, { locale }: Voice): Cell {
  const { t } = locale
  if (atEnd.state === 'not-applicable') return '–'
  if (dimension === 'copies' && atEnd.state === 'unknown')
    return { text: t('dimension.copies.unknown'), under: t('serviceReport.methods.copies') }
  const number = (name: string) => locale.number(figures[name] ?? 0)
  const under = t(`serviceReport.methods.${dimension}`)
  const say = (text: string): Cell => ({ text, under })
  switch (dimension) {
    case 'points': {
      const { kept, broken, uncertain } = figures
      const sum = locale.number((kept ?? 0) + (broken ?? 0) + (uncertain ?? 0))
      return say(
        t('serviceReport.actuals.points', {
          kept: number('kept'),
          broken: number('broken'),
          uncertain: number('uncertain'),
          all: sum,
        }),
      )
    }
    case 'retention':
      return say(
        t('serviceReport.actuals.retention', {
          kept: number('kept'),
          broken: number('broken'),
          uncertain: number('uncertain'),
        }),
      )
    case 'ceiling':
      return say(
        t('serviceReport.actuals.ceiling', {
          within: number('within'),
          due: number('due'),
          over: number('over'),
          held: number('held'),
        }),
      )
    case 'proof': {
      const counts = {
        passed: number('passed'),
        failed: number('failed'),
        inconclusive: number('inconclusive'),
      }
      const slowest = figures['slowestSeconds']
      return say(
        slowest === null || slowest === undefined
          ? t('serviceReport.actuals.proof', counts)
          : t('serviceReport.actuals.proofRto', { ...counts, slowest: locale.duration(slowest * 1000) }),
      )
    }
    case 'copies':
      return say(
        t('serviceReport.actuals.copies', {
          missing: number('missing'),
          late: number('late'),
          probes: number('probes'),
        }),
      )
    case 'evidence':
      return say(
        t('serviceReport.actuals.evidence', {
          complete: number('complete'),
          incomplete: number('incomplete'),
          silentDays: number('silentDays'),
        }),
      )
  }
}

function dataOf({ data: { received, expected }, atEnd }: ReportedLevel, voice: Voice): Cell {
  const { locale } = voice
  const { t } = locale
  if (atEnd.state === 'not-applicable') return '–'
  if (received === 0 && (expected === null ? atEnd.state === 'unknown' : expected > 0))
    return { text: t('serviceReport.dataNone'), look: voice.look('unknown') }
  const few = expected !== null && received < expected * FEW
  return {
    text:
      expected === null || expected === 0
        ? t('serviceReport.dataPlain', { received: locale.number(received) })
        : t('serviceReport.dataValue', {
            received: locale.number(received),
            expected: locale.number(expected),
          }),
    ...(few && { under: t('serviceReport.dataFew') }),
  }
}

/** `28 days compliant, 2 days breached` */
function daysInWords(days: ReportedLevel['days'], voice: Voice): string {
  const { locale, word } = voice
  const counts = Map.groupBy(days, (day) => day)
  return locale.list(
    [...counts].map(([day, list]) => locale.t('serviceReport.day', { count: list.length, state: word(day) })),
  )
}
