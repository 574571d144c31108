import type { Answer, FindingAnswer, ObligationAnswer } from '@bevis/shared/contract/answer'
import type { Desk } from './desk.ts'
import type { TestTold } from './tests.ts'

const PLACES_SHOWN = 8

/**
 * What the verdict found, and what was broken in the period and is owed no more: the verdict does not tell of that,
 * and the period's figures count it.
 */
export function exceptionsOf(
  { findings, sets }: Answer,
  period: { from: string; to: string },
): FindingAnswer[] {
  const nameOf = (set: string, code: string, tier: unknown, bucket: unknown) =>
    JSON.stringify([set, code, tier, bucket])
  const found = new Set(
    findings.map(({ set, code, detail: { tier, bucket } }) => nameOf(set, code, tier, bucket)),
  )
  const past = sets.flatMap(({ id: set, obligations }) =>
    obligations
      .filter(({ state, from, to }) => isBroken(state) && from < period.to && to > period.from)
      .filter(({ state, tier, bucket }) => !found.has(nameOf(set, state, tier, bucket)))
      .map(({ state, tier, bucket, since, due }) => ({
        set,
        code: state,
        at: since ?? due,
        detail: { tier, bucket },
        evidence: [],
      })),
  )
  return [...past, ...findings]
}

const isBroken = (state: ObligationAnswer['state']) => state === 'missed' || state === 'lost'

/** What contradicts the contract, and what came of it. */
export function writeExceptions(desk: Desk): void {
  const { sheet, told, voice, locale, t, state } = desk
  const { answer } = told
  sheet.heading(2, t('evidenceReport.exceptions'))
  const all = exceptionsOf(answer, told.pack.period)
  const groups = [...Map.groupBy(all, ({ set, code }) => `${set} ${code}`).values()].toSorted(
    ([a], [b]) => rankOf(a, desk) - rankOf(b, desk),
  )
  if (groups.length === 0) sheet.paragraph(t('evidenceReport.exceptionsNone'))
  else {
    sheet.heading(3, t('evidenceReport.findings'))
    sheet.table(
      [
        {
          head: t('evidenceReport.finding'),
          share: 0.34,
          cell: ([first]) =>
            first === undefined
              ? ''
              : { text: voice.finding(first.code), look: voice.findingLook(first), under: first.set },
        },
        { head: t('paper.count'), share: 0.09, num: true, cell: (group) => locale.number(group.length) },
        {
          head: t('evidenceReport.findingPlaces'),
          share: 0.39,
          cell: (group) => placesOf(group, desk),
        },
        {
          head: t('paper.evidence'),
          share: 0.18,
          cell: (group) =>
            [...new Set(group.flatMap(({ evidence }) => evidence))]
              .slice(0, 3)
              .map((digest) => digest.slice(0, 12))
              .join(' '),
        },
      ],
      groups,
    )
  }
  writeFailedTests(desk)
  writeDamage(desk)
  if (answer.corrections.length === 0) return
  sheet.heading(3, t('evidenceReport.corrections'))
  sheet.paragraph(t('evidenceReport.correctionsText'))
  sheet.table(
    [
      {
        head: t('paper.what'),
        share: 0.4,
        cell: ({ tier, bucket, set }) => ({ text: voice.bucket(tier, bucket), under: set }),
      },
      { head: t('evidenceReport.was'), share: 0.2, cell: ({ was }) => state(was) },
      { head: t('evidenceReport.is'), share: 0.2, cell: ({ is }) => state(is) },
      {
        head: t('paper.when'),
        share: 0.2,
        cell: ({ receivedAt }) => locale.instant(receivedAt),
      },
    ],
    answer.corrections.slice(0, 200),
  )
}

function placesOf(group: readonly FindingAnswer[], desk: Desk): string {
  const { voice, t } = desk
  const places = group.map(({ detail: { tier, bucket, snapshot }, at }) =>
    typeof tier === 'string' && typeof bucket === 'string'
      ? voice.bucket(tier, bucket)
      : `${typeof snapshot === 'string' ? `${snapshot.slice(0, 12)}, ` : ''}${voice.locale.instant(at)}`,
  )
  const rest = places.length - PLACES_SHOWN
  const named = places.slice(-PLACES_SHOWN).toReversed().join('; ')
  return rest > 0 ? `${named}; ${t('paper.more', { count: rest })}` : named
}

/** No verdict tells of it. */
function writeDamage({ sheet, told, locale, t, state }: Desk): void {
  const { period } = told.pack
  const damages = told.gist.damages.list.filter(({ at }) => at >= period.from && at < period.to)
  if (damages.length === 0) return
  sheet.heading(3, t('evidenceReport.damage'))
  for (const { repository, subset, errors, at, digest, over } of damages.toReversed()) {
    sheet.facts([
      [locale.instant(at), state('FAILED')],
      [t('evidenceReport.damaged'), `${repository.lineage ?? repository.id.slice(0, 12)} ${subset}`],
      [t('evidenceReport.damageErrors'), locale.number(errors)],
      [
        t('evidenceReport.followUp'),
        over === null
          ? t('evidenceReport.damageStands')
          : t('evidenceReport.damageOver', { at: locale.instant(over.at) }),
      ],
      [t('paper.evidence'), digest],
    ])
  }
}

function writeFailedTests(desk: Desk): void {
  const { sheet, voice, locale, t, state, tests } = desk
  sheet.heading(3, t('evidenceReport.testExceptions'))
  const failed = tests.filter(({ test }) => test.result !== 'PASSED').toReversed()
  if (failed.length === 0) {
    sheet.paragraph(
      tests.length === 0 ? t('evidenceReport.selectionNone') : t('evidenceReport.testExceptionsNone'),
    )
    return
  }
  for (const { test, digest, followUp } of failed) {
    sheet.facts([
      [locale.instant(test.endedAt), state(test.result)],
      [t('evidenceReport.tested'), `${test.snapshot.id} (${test.set})`],
      test.error === undefined ? null : [t('evidence.error'), `${test.error.code}: ${test.error.message}`],
      [
        t('evidenceReport.classes'),
        locale.list(
          Object.entries(test.classes).map(
            ([name, count]) =>
              `${locale.number(count)} ${voice.fileClass(name).toLocaleLowerCase(locale.language)}`,
          ),
        ),
      ],
      [t('evidenceReport.followUp'), followUp === null ? '' : tellFollowUp(followUp, desk)],
      [t('paper.evidence'), digest],
    ])
    if (test.exceptions.length === 0) continue
    sheet.table(
      [
        {
          head: t('paper.file'),
          share: 0.56,
          cell: ({ path, pathDigest }) => path ?? pathDigest?.slice(0, 24) ?? t('test.hidden'),
        },
        {
          head: t('paper.result'),
          share: 0.44,
          cell: ({ class: name, detail }) => ({
            text: voice.fileClass(name),
            ...(detail === undefined ? {} : { under: detail }),
          }),
        },
      ],
      test.exceptions.slice(0, 20),
    )
    if (test.exceptionsTotal > Math.min(test.exceptions.length, 20)) {
      sheet.paragraph(
        t('test.exceptionsMore', {
          shown: Math.min(test.exceptions.length, 20),
          total: test.exceptionsTotal,
        }),
        { quiet: true },
      )
    }
  }
}

function tellFollowUp({ retest, acknowledged }: NonNullable<TestTold['followUp']>, desk: Desk): string {
  const { locale, t } = desk
  const said =
    retest === null
      ? t('evidenceReport.retestNone')
      : t(
          retest.result === 'PASSED'
            ? 'evidenceReport.retestPassed'
            : retest.result === 'FAILED'
              ? 'evidenceReport.retestFailed'
              : 'evidenceReport.retestOpen',
          { at: locale.instant(retest.at) },
        )
  const looked = acknowledged.map(({ by, at }) =>
    t('evidenceReport.acknowledged', {
      person: by.person,
      party: t(`evidenceReport.party.${by.party}`),
      at: locale.instant(at),
    }),
  )
  return [said, ...(looked.length === 0 ? [t('evidenceReport.acknowledgedNone')] : looked)].join(' ')
}

/** What is broken, what nobody knows, what may break. */
function rankOf(finding: FindingAnswer | undefined, { voice }: Desk): number {
  return finding === undefined ? 9 : ['bad', 'dark', 'risk'].indexOf(voice.findingLook(finding).tone)
}
