import type { ObligationAnswer } from '@bevis/shared/contract/answer'
import type { LedgerRow } from '@bevis/shared/contract/ledger'
import { CLAUSES } from '@bevis/shared/evidence/clause'
import type { Desk } from './desk.ts'

/** All that there is, before anything is drawn from it. */
export function writePopulation(desk: Desk): void {
  const { sheet, told, voice, locale, t } = desk
  const { pack, answer, gist } = told
  sheet.heading(2, t('evidenceReport.population'))
  sheet.paragraph(t('evidenceReport.populationText'))
  sheet.table(
    [
      { head: t('evidenceReport.kind'), share: 0.6, cell: (kind: string) => voice.kind(kind) },
      {
        head: t('evidenceReport.inPeriod'),
        share: 0.2,
        num: true,
        cell: (kind) => locale.number(gist.kinds.get(kind)?.inPeriod ?? 0),
      },
      {
        head: t('evidenceReport.inAll'),
        share: 0.2,
        num: true,
        cell: (kind) => locale.number(gist.kinds.get(kind)?.all ?? 0),
      },
    ],
    [...gist.kinds.keys()].toSorted(),
  )
  writeMarked(desk)
  sheet.heading(3, t('evidenceReport.chains'))
  sheet.table(
    [
      { head: t('paper.agent'), share: 0.24, cell: ({ agent }) => agent },
      {
        head: t('evidenceReport.identity'),
        share: 0.12,
        num: true,
        cell: ({ epoch }) => locale.number(epoch),
      },
      {
        head: t('evidenceReport.numbers'),
        share: 0.2,
        num: true,
        cell: ({ lastSeq }) => t('evidenceReport.numbersValue', { last: locale.number(lastSeq) }),
      },
      {
        head: t('paper.state'),
        share: 0.44,
        cell: ({ statements: count, lastSeq }) =>
          count === lastSeq
            ? { text: t('evidenceReport.whole'), look: voice.look('complete') }
            : count < lastSeq
              ? {
                  text: t('evidenceReport.broken', { missing: lastSeq - count }),
                  look: voice.look('FAILED'),
                }
              : {
                  text: t('evidenceReport.doubled', { extra: count - lastSeq }),
                  look: voice.look('partial'),
                },
      },
    ],
    pack.population.chains,
  )
  writeTools(desk)
  sheet.heading(3, t('evidenceReport.obligations'))
  const promised = answer.sets.flatMap(({ id, obligations }) =>
    [
      ...Map.groupBy(
        obligations.filter(({ from, to }) => from < pack.period.to && to > pack.period.from),
        ({ tier }) => tier,
      ),
    ].map(([tier, list]) => ({ set: id, tier, list })),
  )
  const column = (head: string, ...states: ObligationAnswer['state'][]) => ({
    head,
    share: 0.12,
    num: true,
    cell: ({ list }: (typeof promised)[number]) =>
      locale.number(list.filter(({ state }) => states.includes(state)).length),
  })
  sheet.table(
    [
      {
        head: t('evidenceReport.tier'),
        share: 0.4,
        cell: ({ set, tier }) => ({ text: voice.tier(tier), under: set }),
      },
      column(t('evidenceReport.kept'), 'met', 'discharged'),
      column(t('evidenceReport.broken2'), 'missed', 'lost'),
      column(t('evidenceReport.undecided'), 'unknown', 'stale'),
      column(t('evidenceReport.excused'), 'excused'),
      column(t('evidenceReport.open'), 'pending', 'late'),
    ],
    promised,
  )
  sheet.heading(3, t('evidenceReport.services'))
  const isEmpty = (row: LedgerRow) =>
    row.inventories.complete +
      row.inventories.incomplete +
      row.restoreTests.passed +
      row.restoreTests.failed +
      row.restoreTests.inconclusive +
      row.backups.complete +
      row.backups.partial +
      row.backups.failed ===
    0
  sheet.table<LedgerRow>(
    [
      {
        head: t('paper.month'),
        share: 0.18,
        cell: ({ month, set }) => ({
          text: locale.month(month),
          under: set === '' ? t('paper.none') : set,
        }),
      },
      {
        head: t('evidenceReport.backups'),
        share: 0.26,
        cell: (row) =>
          isEmpty(row)
            ? { text: t('paper.noEvidence'), look: voice.look('unknown') }
            : t('evidenceReport.backupsValue', row.backups),
      },
      {
        head: t('evidenceReport.inventories'),
        share: 0.18,
        num: true,
        cell: ({ inventories }) => locale.number(inventories.complete),
      },
      {
        head: t('evidenceReport.tests'),
        share: 0.26,
        cell: ({ restoreTests }) =>
          Object.values(restoreTests).every((count) => count === 0)
            ? t('paper.none')
            : t('evidenceReport.testsValue', restoreTests),
      },
      {
        head: t('evidenceReport.storage'),
        share: 0.12,
        num: true,
        cell: ({ storageBytes }) =>
          storageBytes === null ? t('paper.unknownValue') : locale.bytes(storageBytes),
      },
    ],
    gist.ledger.rows,
  )
}

/** How much there is for each clause that was asked for; nothing where none was. */
function writeMarked({ sheet, told, locale, t }: Desk): void {
  const { filter, population } = told.pack
  if (filter === undefined || population.marked === undefined) return
  const { clauses } = told.gist
  sheet.heading(3, t('evidenceReport.marked'))
  sheet.paragraph(
    t('evidenceReport.markedText', {
      inPeriod: locale.number(population.marked.inPeriod),
      all: locale.number(population.marked.statements),
    }),
  )
  sheet.table(
    [
      {
        head: t('evidenceReport.clause'),
        share: 0.6,
        cell: ({ id, name }) => ({ text: name[locale.language], under: id }),
      },
      {
        head: t('evidenceReport.inPeriod'),
        share: 0.2,
        num: true,
        cell: ({ id }) => locale.number(clauses.get(id)?.inPeriod ?? 0),
      },
      {
        head: t('evidenceReport.inAll'),
        share: 0.2,
        num: true,
        cell: ({ id }) => locale.number(clauses.get(id)?.all ?? 0),
      },
    ],
    CLAUSES.filter(({ id }) => filter.clauses.includes(id)),
  )
}

function writeTools({ sheet, told, locale, t }: Desk): void {
  sheet.heading(3, t('evidenceReport.tools'))
  sheet.table(
    [
      { head: t('paper.agent'), share: 0.24, cell: ({ agent }) => agent },
      {
        head: t('evidenceReport.tools'),
        share: 0.46,
        cell: ({ tools }) =>
          tools.restic === undefined
            ? t('evidenceReport.toolsBare', tools)
            : t('evidenceReport.toolsValue', { ...tools, restic: tools.restic }),
      },
      {
        head: t('paper.period'),
        share: 0.3,
        cell: ({ from, to }) => t('paper.periodValue', { from: locale.date(from), to: locale.date(to) }),
      },
    ],
    [...told.gist.tools.values()],
  )
}
