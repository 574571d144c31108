import type { Ledger, LedgerRow } from '@bevis/shared/contract/ledger'
import type { ReplyKind } from '@bevis/shared/contract/report-reply'
import type { Party } from '@bevis/shared/contract/schema'
import type { Paper } from '../../report/block.ts'
import type { ReportStanding, Which } from '../../report/service/issued.ts'
import type { Issued } from '../../report/service/telling.ts'
import { notice } from '../design/element.ts'
import { symbol } from '../design/symbol.ts'
import { table } from '../design/table.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import {
  evidenceHref,
  ledgerCsvHref,
  reportHref,
  reportIssueHref,
  reportPdfHref,
  reportRecordHref,
  reportReplyHref,
} from './address.ts'
import { blocksView } from './block.ts'
import { contractTabs } from './contract-tabs.ts'
import { heading } from './page.ts'

export interface ReportListModel {
  id: string
  customer: string
  problem: string | null
  /** The local date of its first version, where that is in a later month. */
  begins: string | null
  /** Null where it has not begun, or where the contract's text cannot be read. */
  ledger: Ledger | null
  /** `2026-10`, or `2026-10/unit`. */
  issued: ReadonlyMap<string, ReportStanding>
  units: { id: string; name: string }[]
  thisMonth: string
}

/** Every month with its report, and what was done in it. */
export function reportListView(model: ReportListModel, locale: Locale): Html {
  const { t } = locale
  const { id, customer, problem, ledger } = model
  if (model.begins !== null) {
    return html`${contractTabs(id, 'reports', locale)}
    ${heading({ title: t('serviceReport.pageTitle'), lead: t('serviceReport.reportsLead'), note: customer })}
    ${notice('none', t('contract.begins', { day: locale.day(model.begins) }))}`
  }
  const months = [...new Set(ledger?.rows.map(({ month }) => month))].toReversed()
  return html`${contractTabs(id, 'reports', locale)}
    ${heading({ title: t('serviceReport.pageTitle'), lead: t('serviceReport.reportsLead'), note: customer })}
    ${problem === null ? nothing : notice('bad', t('contract.invalid', { message: problem }))}
    <section class="panel flush" aria-label="${t('serviceReport.pageTitle')}">
      ${table({
        caption: t('serviceReport.pageTitle'),
        columns: [
          {
            head: t('paper.month'),
            cell: (month: string) => html`<a href="${reportHref(id, month)}">${locale.month(month)}</a>`,
          },
          { head: t('paper.state'), cell: (month) => mark(month, undefined, model, locale) },
          ...model.units.map((unit) => ({
            head: unit.name,
            cell: (month: string) =>
              html`<a href="${reportHref(id, month, unit.id)}">${mark(month, unit.id, model, locale)}</a>`,
          })),
          {
            head: 'PDF',
            cell: (month) => html`<a href="${reportPdfHref(id, month)}">${t('serviceReport.pdf')}</a>`,
          },
        ],
        rows: months,
      })}
    </section>
    <section class="panel paper wrapping" aria-labelledby="ledger">
      <h2 id="ledger">${t('serviceReport.ledger')}</h2>
      <p class="small muted">${t('serviceReport.ledgerLead')}</p>
      ${ledger === null ? nothing : ledgerTable(ledger, locale)}
      <p class="list-top no-print">
        <a class="button quiet" href="${ledgerCsvHref(id)}">${t('serviceReport.ledgerCsv')}</a>
      </p>
    </section>`
}

function mark(
  month: string,
  unit: string | undefined,
  { issued, thisMonth }: ReportListModel,
  { t }: Locale,
): Html {
  const standing = issued.get(unit === undefined ? month : `${month}/${unit}`)
  if (standing === undefined) {
    const text = t(month === thisMonth ? 'serviceReport.openMark' : 'serviceReport.draftMark')
    return html`<span class="word none">${symbol('ring')}<span>${text}</span></span>`
  }
  const isSigned = standing === 'signed-off'
  const text = t(isSigned ? 'serviceReport.signedMark' : 'serviceReport.issuedMark')
  return html`<span class="word none">${symbol(isSigned ? 'check' : 'dot')}<span>${text}</span></span>`
}

function ledgerTable({ rows }: Ledger, locale: Locale): Html {
  const { t } = locale
  const size = (sizeBytes: number | null) =>
    sizeBytes === null ? t('paper.unknownValue') : locale.bytes(sizeBytes)
  const tested = (counts: LedgerRow['restoreTests']) =>
    counts.passed + counts.failed + counts.inconclusive === 0
      ? t('paper.none')
      : t('evidenceReport.testsValue', counts)
  const isSilent = ({ backups, inventories }: LedgerRow) =>
    backups.complete + backups.partial + backups.failed + inventories.complete + inventories.incomplete === 0
  return table({
    caption: t('serviceReport.ledger'),
    columns: [
      {
        head: t('paper.month'),
        cell: ({ month, set }: LedgerRow) =>
          html`${locale.month(month)}<span class="under">${set === '' ? t('paper.none') : set}</span>`,
      },
      {
        head: t('evidenceReport.backups'),
        cell: (row) =>
          isSilent(row)
            ? html`<span class="word dark">${symbol('diamond')}<span>${t('paper.noEvidence')}</span></span>`
            : t('evidenceReport.backupsValue', row.backups),
      },
      { head: t('serviceReport.protected'), num: true, cell: ({ protectedBytes }) => size(protectedBytes) },
      { head: t('evidenceReport.storage'), num: true, cell: ({ storageBytes }) => size(storageBytes) },
      {
        head: t('evidenceReport.inventories'),
        num: true,
        cell: ({ inventories }) => locale.number(inventories.complete),
      },
      {
        head: t('evidenceReport.tests'),
        cell: ({ restoreTests }) => tested(restoreTests),
      },
      {
        head: t('evidenceReport.checks'),
        cell: ({ dataChecks }) => tested(dataChecks),
      },
    ],
    rows: rows.toReversed(),
  })
}

export interface ReportModel {
  which: Which
  paper: Paper
  damage: string | null
  units: { id: string; name: string }[]
  issued: Issued | null
  isOver: boolean
  csrf: string
  mayIssue: boolean
  /** For whom the reader speaks, and what may be said of the report now. */
  party: Party | null
  maySay: readonly ReplyKind[]
  /** What the customer may claim, in words. */
  claim: string | null
}

/** One month's report, as its PDF says it. */
export function reportView(model: ReportModel, locale: Locale): Html {
  const { t } = locale
  const { which, paper, damage, units, issued } = model
  const { contract, month, unit } = which
  const { cover } = paper
  const { tone, shape } = cover.state.look
  return html`${contractTabs(contract, 'reports', locale)}
    ${heading({
      title: cover.title,
      lead: cover.lead,
      note: cover.kicker,
      aside: html`<span class="badge ${tone} large">${symbol(shape)}<span>${cover.state.text}</span></span>`,
    })}
    ${damage === null ? nothing : notice('bad', t('serviceReport.damaged', { message: damage }))}
    <div class="downloads no-print">
      <a class="button quiet" href="${reportPdfHref(contract, month, unit)}">${t('serviceReport.pdf')}</a>
      ${
        issued?.statement === undefined || issued.statement === null
          ? nothing
          : html`<a class="button quiet" href="${evidenceHref(issued.statement)}"
                >${t('serviceReport.statement')}</a
              >
              <a class="button quiet" href="${reportRecordHref(contract, month, unit)}"
                >${t('serviceReport.recordPdf')}</a
              >`
      }
    </div>
    ${units.length === 0 ? nothing : unitChips(which, units, locale)} ${blocksView(paper.blocks)}
    ${issued === null && model.isOver && model.mayIssue ? issueForm(model, locale) : nothing}
    ${model.maySay.length === 0 ? nothing : replyForm(model, locale)}`
}

function replyForm({ which, csrf, party, maySay, claim }: ReportModel, { t }: Locale): Html {
  return html`<section class="panel no-print" aria-labelledby="reply">
    <h2 id="reply">
      ${t(party === 'customer' ? 'serviceReport.say.title' : 'serviceReport.say.titleProvider')}
    </h2>
    <p class="small muted">${t('serviceReport.say.hint')}</p>
    <form class="stacked" method="post" action="${reportReplyHref(which.contract, which.month)}">
      <input type="hidden" name="_csrf" value="${csrf}" />
      <input type="hidden" name="unit" value="${which.unit ?? ''}" />
      <fieldset>
        <legend>${t('serviceReport.say.what')}</legend>
        ${maySay.map(
          (reply) =>
            html`<label class="check"
              ><input type="radio" name="reply" value="${reply}" required />
              ${t(`serviceReport.say.${reply}`, { sum: claim ?? '' })}</label
            >`,
        )}
      </fieldset>
      <div class="field">
        <label for="field-note">${t('serviceReport.say.note')}</label>
        <textarea
          id="field-note"
          name="note"
          rows="3"
          maxlength="2000"
          aria-describedby="note-hint"
        ></textarea>
        <p class="small muted" id="note-hint">${t('serviceReport.say.noteHint')}</p>
      </div>
      <button type="submit">${t('serviceReport.say.send')}</button>
    </form>
  </section>`
}

function unitChips({ contract, month, unit }: Which, units: ReportModel['units'], { t }: Locale): Html {
  const chip = (id: string | undefined, name: string) =>
    html`<a href="${reportHref(contract, month, id)}" ${id === unit ? html` aria-current="page"` : nothing}
      >${name}</a
    >`
  return html`<nav class="chips no-print section-last" aria-label="${t('serviceReport.unit')}">
    ${chip(undefined, t('serviceReport.allUnits'))} ${units.map(({ id, name }) => chip(id, name))}
  </nav>`
}

function issueForm({ which, csrf }: ReportModel, { t }: Locale): Html {
  return html`<section class="panel no-print" aria-labelledby="issue">
    <h2 id="issue">${t('serviceReport.issue')}</h2>
    <p class="small muted">${t('serviceReport.issueHint')}</p>
    <form class="fields" method="post" action="${reportIssueHref(which.contract, which.month)}">
      <input type="hidden" name="_csrf" value="${csrf}" />
      <input type="hidden" name="unit" value="${which.unit ?? ''}" />
      <div class="field">
        <label for="field-person">${t('serviceReport.issuePerson')}</label>
        <input id="field-person" name="person" autocomplete="name" maxlength="256" required />
      </div>
      <button type="submit">${t('serviceReport.issue')}</button>
    </form>
  </section>`
}
