import type { Dimension } from '@bevis/shared/contract/answer'
import { DIMENSIONS } from '@bevis/shared/contract/answer'
import { acceptancesOf, isAccepted } from '@bevis/shared/contract/acceptance'
import { describeSet } from '@bevis/shared/contract/plain'
import type { Desk } from './desk.ts'
import { eventsOf, lastInstant } from './desk.ts'

/** What it is, of whom, and how it stands. */
export function writeSummary(desk: Desk): void {
  const { sheet, told, voice, locale, t, state } = desk
  const { pack, contract, answer } = told
  const sets = answer.sets.map((set) => ({
    set,
    said: voice.dimensions(
      set,
      answer.findings,
      voice.seenOf(set, voice.firstTestDue(contract, answer.version, set.id)),
    ),
  }))
  const headline = voice.headline(
    answer.headline,
    sets.map(({ said }) => said),
  )
  const period = { from: locale.date(pack.period.from), to: locale.date(lastInstant(pack.period.to)) }
  sheet.cover({
    kicker: t('evidenceReport.kicker'),
    title: contract.customer.name,
    lead: t('evidenceReport.lead', { customer: contract.customer.name, ...period }),
    state: state(headline),
  })
  const party = ({ name, cvr }: { name: string; cvr?: string | undefined }) =>
    cvr === undefined ? name : t('paper.cvr', { name, cvr })
  sheet.facts([
    [
      t('paper.contract'),
      answer.version === null
        ? t('paper.contractNone', { id: contract.id })
        : t('paper.contractValue', { id: contract.id, version: answer.version }),
    ],
    [t('paper.customer'), party(contract.customer)],
    [t('paper.provider'), party(contract.provider)],
    [t('paper.period'), t('paper.periodValue', period)],
    [
      t('paper.verdict'),
      t('paper.verdictValue', {
        at: locale.instant(pack.verdict.at),
        known: locale.instant(pack.verdict.knownAt),
      }),
    ],
    [t('paper.log'), t('paper.logValue', { origin: pack.log.origin, size: locale.number(pack.log.size) })],
    [t('paper.made'), locale.instant(pack.madeAt)],
  ])
  if (pack.period.to > pack.verdict.at) {
    sheet.notice(
      voice.look('pending'),
      t('evidenceReport.periodOpen', { at: locale.instant(pack.verdict.at) }),
    )
  }
  sheet.heading(2, t('evidenceReport.summary'))
  sheet.paragraph(t('evidenceReport.summaryText'))
  for (const { set, said } of sets) {
    sheet.heading(3, `${t('paper.set')} ${set.id}`)
    sheet.table<Dimension>(
      [
        { head: t('paper.what'), share: 0.24, cell: (dimension) => t(`dimension.${dimension}.name`) },
        { head: t('paper.state'), share: 0.2, cell: (dimension) => state(said[dimension].state) },
        { head: '', share: 0.56, cell: (dimension) => voice.sentence(dimension, said[dimension]) },
      ],
      DIMENSIONS,
    )
  }
  sheet.paragraph(t('paper.zone', { zone: locale.zone }), { quiet: true })
}

/** The clauses, and how they are read. */
export function writePromised(desk: Desk): void {
  const { sheet, told, locale, t } = desk
  const { contract, answer } = told
  sheet.heading(2, t('evidenceReport.promised'))
  sheet.paragraph(t('evidenceReport.promisedText'), { quiet: true })
  const version = contract.versions.find(({ no }) => no === answer.version)
  for (const set of version?.sets ?? []) {
    sheet.heading(3, `${t('paper.set')} ${set.id}`)
    sheet.quote(set.retention.wording)
    if (version === undefined) continue
    const sentences = describeSet(set, version, locale.language)
    sheet.list(sentences.filter((sentence) => !sentence.includes(set.retention.wording)))
  }
  sheet.heading(3, t('evidenceReport.versions'))
  const events = eventsOf(told.gist.kept)
  sheet.facts(
    contract.versions.map((one) => {
      const acceptances = acceptancesOf(one, events)
      const who = acceptances.map(({ person, party, at }) =>
        t('evidenceReport.acceptedOne', {
          person,
          party: t(`evidenceReport.party.${party}`),
          at: locale.date(new Date(at).toISOString()),
        }),
      )
      const said = who.length === 0 ? [] : [t('evidenceReport.accepted', { who: locale.list(who) })]
      const open = isAccepted(one, events) ? [] : [t('evidenceReport.draft')]
      return [
        t('evidenceReport.version', { no: one.no, from: locale.day(one.effectiveFrom) }),
        [...said, ...open].join('; '),
      ]
    }),
  )
}
