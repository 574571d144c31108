import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Content } from './element.ts'

export interface Column<Row> {
  head: string
  cell: (row: Row) => Content | null
  num?: boolean
}

interface Table<Row> {
  /** For a screen reader; to the eye a heading above says it. */
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
}

/**
 * A table that turns into cards on a narrow screen. The first column is the row's heading. Roles are written out,
 * because `display: block` takes a table's meaning away from a screen reader.
 */
export function table<Row>({ caption, columns, rows }: Table<Row>): Html {
  return html`<table class="cards" role="table">
    <caption class="visually-hidden">
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(({ head, num }) => html`<th role="columnheader" scope="col" ${numeric(num)}>${head}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (row) =>
          html`<tr role="row">
            ${columns.map((column, at) => cellOf(column, row, at))}
          </tr>`,
      )}
    </tbody>
  </table>`
}

function cellOf<Row>({ head, cell, num }: Column<Row>, row: Row, at: number): Html {
  const content = cell(row)
  if (at === 0) return html`<th role="rowheader" scope="row">${content}</th>`
  if (content === null) return html`<td role="cell" class="blank"></td>`
  return html`<td role="cell" data-label="${head}" ${numeric(num)}><div>${content}</div></td>`
}

function numeric(num: boolean | undefined): Html {
  return num === true ? html` class="num"` : nothing
}
