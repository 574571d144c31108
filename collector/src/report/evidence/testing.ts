import type { Desk } from './desk.ts'
import { boundsOf } from './tests.ts'
import type { TestTold } from './tests.ts'
import { parseNote } from '@bevis/shared/log/note'

/** Tests that are listed one by one; those that did not pass always are. */
const TESTS_SHOWN = 60

/** How files were chosen. */
export function writeSelection(desk: Desk): void {
  const { sheet, voice, locale, t, tests } = desk
  sheet.heading(2, t('evidenceReport.selection'))
  if (tests.length === 0) {
    sheet.notice(voice.look('unknown'), t('evidenceReport.selectionNone'))
    return
  }
  sheet.paragraph(t('evidenceReport.selectionText'))
  const ways = Map.groupBy(tests, ({ test: { selection } }) =>
    JSON.stringify([
      selection.algorithm,
      selection.seedFrom,
      selection.strata.map((one) => (typeof one === 'string' ? one : one.name)),
    ]),
  )
  sheet.table(
    [
      { head: t('evidenceReport.algorithm'), share: 0.24, cell: ([key]) => readWay(key)[0] },
      {
        head: t('evidenceReport.seedFrom'),
        share: 0.2,
        cell: ([key]) => t(`test.seedFrom.${readWay(key)[1]}`),
      },
      {
        head: t('evidenceReport.strata'),
        share: 0.4,
        cell: ([key]) => readWay(key)[2].map(voice.stratum).join('; ') || t('paper.none'),
      },
      {
        head: t('evidenceReport.tests'),
        share: 0.16,
        num: true,
        cell: ([, list]) => locale.number(list.length),
      },
    ],
    [...ways],
  )
}

/** What each test came to. */
export function writeResults(desk: Desk): void {
  const { sheet, voice, locale, t, state, tests } = desk
  if (tests.length === 0) return
  sheet.heading(2, t('evidenceReport.results'))
  sheet.paragraph(t('evidenceReport.resultsText'))
  const newest = tests.slice(-TESTS_SHOWN)
  const shown = tests.filter((one) => newest.includes(one) || one.test.result !== 'PASSED').toReversed()
  if (shown.length < tests.length) {
    sheet.paragraph(
      t('evidenceReport.resultsCapped', { shown: newest.length, total: locale.number(tests.length) }),
      { quiet: true },
    )
  }
  sheet.table<TestTold>(
    [
      {
        head: t('paper.when'),
        share: 0.185,
        cell: ({ test }) => ({ text: locale.instant(test.endedAt), under: test.set }),
      },
      {
        head: t('evidenceReport.tested'),
        share: 0.245,
        cell: ({ test: { snapshot, reason } }) => ({
          text: snapshot.id.slice(0, 12),
          under: `${t('evidenceReport.testedUnder', { at: locale.instant(snapshot.time) })}; ${voice.reason(reason)}`,
        }),
      },
      {
        head: t('evidenceReport.drawn'),
        share: 0.13,
        num: true,
        cell: ({ test: { selection, population } }) => ({
          text: t('evidenceReport.drawnValue', {
            drawn: locale.number(selection.files),
            files: locale.number(population.files),
          }),
          under: locale.bytes(population.bytes),
        }),
      },
      {
        head: t('evidenceReport.conclusive'),
        share: 0.1,
        num: true,
        cell: ({ conclusive }) => locale.number(conclusive),
      },
      {
        head: t('evidenceReport.badFiles'),
        share: 0.06,
        num: true,
        cell: ({ failedFiles }) => locale.number(failedFiles),
      },
      {
        head: t('evidenceReport.rto'),
        share: 0.13,
        num: true,
        cell: ({ test: { rto } }) =>
          rto === undefined ? t('paper.unknownValue') : locale.duration(rto.measuredSeconds * 1000),
      },
      { head: t('paper.result'), share: 0.15, cell: ({ test }) => state(test.result) },
    ],
    shown,
  )
}

/** What follows for what was not drawn, and what does not follow at all. */
export function writeLimits(desk: Desk): void {
  const { sheet, locale, t, tests } = desk
  sheet.heading(2, t('evidenceReport.limits'))
  sheet.paragraph(t('evidenceReport.limitsText'))
  sheet.list(
    boundsOf(tests).map((bound) =>
      [
        t('evidenceReport.limitsSet', {
          set: bound.set,
          failed: locale.number(bound.failed),
          n: locale.number(bound.conclusive),
          tests: locale.number(bound.tests),
        }),
        bound.ruleOfThree === null
          ? t(bound.failed > 0 ? 'evidenceReport.limitsNone' : 'evidenceReport.limitsEmpty')
          : t('evidenceReport.limitsBound', { bound: shareUp(bound.ruleOfThree, locale.language) }),
        ...(bound.stated === null || bound.failed > 0
          ? []
          : [t('evidenceReport.limitsStated', { bound: shareUp(bound.stated, locale.language) })]),
      ].join(' '),
    ),
  )
  sheet.heading(3, t('evidenceReport.notProven'))
  sheet.list(
    (['time', 'newest', 'machine', 'keys', 'source'] as const).map((name) =>
      t(`evidenceReport.notProvenList.${name}`),
    ),
  )
}

/** Whose hand did what. */
export function writeIndependence(desk: Desk): void {
  const { sheet, told, locale, t, tests } = desk
  const { pack, checkpoint } = told
  const all = tests.map(({ test }) => test)
  const agents = [...new Set(pack.population.chains.map(({ agent }) => agent))]
  const hosts = [...new Set(all.map(({ host }) => host))]
  const by = (seedFrom: string) => all.filter(({ selection }) => selection.seedFrom === seedFrom).length
  const sum = (of: 'manifest' | 'source' | 'none') =>
    locale.number(all.reduce((total, { reference }) => total + reference[of], 0))
  const cosigners = parseNote(checkpoint)
    .signatures.map(({ name }) => name)
    .filter((name) => name !== pack.log.origin)
  sheet.heading(2, t('evidenceReport.independence'))
  sheet.paragraph(t('evidenceReport.independenceText'))
  sheet.facts([
    [t('evidenceReport.madeBy'), locale.list(agents)],
    [
      t('evidenceReport.testedBy'),
      hosts.length === 0
        ? t('evidenceReport.selectionNone')
        : t('evidenceReport.testedByValue', { hosts: locale.list(hosts) }),
    ],
    ...(all.length === 0
      ? []
      : ([
          [
            t('evidenceReport.chosenBy'),
            t('evidenceReport.chosenByValue', { collector: by('collector'), agent: by('agent') }),
          ],
          [
            t('evidenceReport.requested'),
            t('evidenceReport.requestedValue', {
              count: all.filter(({ reason }) => reason === 'requested').length,
            }),
          ],
          [
            t('evidenceReport.reference'),
            t('evidenceReport.referenceValue', {
              manifest: sum('manifest'),
              source: sum('source'),
              none: sum('none'),
            }),
          ],
          [
            t('evidenceReport.control'),
            t('evidenceReport.controlValue', {
              caught: all.filter(({ negativeControl }) => negativeControl === 'caught').length,
              tests: all.length,
            }),
          ],
        ] as [string, string][])),
    [t('evidenceReport.logBy'), t('evidenceReport.logByValue', { origin: pack.log.origin })],
    [
      t('evidenceReport.cosigned'),
      cosigners.length === 0 ? t('evidenceReport.cosignedNone') : locale.list([...new Set(cosigners)]),
    ],
    [t('evidenceReport.office'), t('evidenceReport.officeValue')],
  ])
}

/** A bound is never rounded to less than it is. */
function shareUp(share: number, language: 'da' | 'en'): string {
  return new Intl.NumberFormat(language === 'da' ? 'da-DK' : 'en-GB', {
    style: 'percent',
    maximumFractionDigits: 1,
    roundingMode: 'ceil',
  }).format(share)
}

function readWay(key: string): [algorithm: string, seedFrom: 'agent' | 'collector', strata: string[]] {
  return JSON.parse(key) as [string, 'agent' | 'collector', string[]]
}
