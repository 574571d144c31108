import { h } from './element.ts'
import type { Words } from './en.ts'
import type { Row } from './message.ts'
import { formatInstant, formatNumber, stateWord } from './result.ts'

/** So many at once: a table of ten thousand would make a phone stand still. */
const ROWS_AT_ONCE = 100

/**
 * The statements as a table, a page of them at a time, each of which opens.
 * @param open asks for the whole statement of a row and shows it in the element
 */
export function showEvidence(
  rows: readonly Row[],
  words: Words,
  open: (row: number, into: HTMLElement) => void,
): HTMLElement {
  const { column } = words
  const body = h('tbody')
  const count = h('span', { class: 'small muted' })
  const more = h('button', { class: 'quiet', type: 'button' }, words.next)
  const kinds = [...new Set(rows.map(({ kind }) => kind))]
  const filter = h(
    'select',
    { id: 'kind' },
    h('option', { value: '' }, words.all),
    ...kinds.map((kind) => h('option', { value: kind }, words.kind[kind] ?? kind)),
  )
  const numbered = rows.map((row, number) => ({ row, number }))
  let chosen = numbered
  let shown = 0
  const showMore = () => {
    const page = chosen.slice(shown, shown + ROWS_AT_ONCE)
    body.append(...page.flatMap(({ row, number }) => showRow(row, number, words, open)))
    shown += page.length
    count.textContent = words.shown
      .replace('{shown}', formatNumber(shown, words))
      .replace('{total}', formatNumber(chosen.length, words))
    more.hidden = shown >= chosen.length
  }
  const start = () => {
    chosen = numbered.filter(({ row }) => filter.value === '' || row.kind === filter.value)
    shown = 0
    body.replaceChildren()
    showMore()
  }
  filter.addEventListener('change', start)
  more.addEventListener('click', showMore)
  start()
  const heads = [column.dated, column.kind, column.agent, column.set, column.outcome, column.leaf]
  return h(
    'section',
    { class: 'section' },
    h('div', { class: 'section-head' }, h('h2', {}, words.evidence), count),
    h('p', { class: 'muted' }, rows.length === 0 ? words.hidden : words.evidenceLead),
    ...(rows.length === 0
      ? []
      : [
          h(
            'div',
            { class: 'fields no-print section-last' },
            h('div', { class: 'field' }, h('label', { for: 'kind' }, words.filter), filter),
          ),
          h(
            'div',
            { class: 'panel flush scroll' },
            h(
              'table',
              { class: 'cards' },
              h('thead', {}, h('tr', {}, ...heads.map((head) => h('th', { scope: 'col' }, head)))),
              body,
            ),
          ),
          h('p', { class: 'list-top' }, more),
        ]),
  )
}

function showRow(
  row: Row,
  number: number,
  words: Words,
  open: (row: number, into: HTMLElement) => void,
): HTMLElement[] {
  const { column } = words
  const cell = (label: string, ...content: readonly (Node | string)[]) =>
    h('td', { 'data-label': label, class: content[0] === '' ? 'blank' : null }, ...content)
  const button = h(
    'button',
    { type: 'button', class: 'plain', 'aria-expanded': 'false' },
    formatInstant(row.dated, words),
  )
  const content = h('pre', { tabindex: '0' })
  const detail = h('tr', { class: 'detail' }, h('td', { colspan: '6' }, content))
  detail.hidden = true
  button.addEventListener('click', () => {
    detail.hidden = !detail.hidden
    button.setAttribute('aria-expanded', String(!detail.hidden))
    if (content.textContent === '') open(number, content)
  })
  return [
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, button),
      cell(column.kind, words.kind[row.kind] ?? row.kind),
      cell(column.agent, row.agent),
      cell(column.set, row.set),
      cell(column.outcome, stateWord(row.outcome, words)),
      cell(column.leaf, String(row.leafIndex)),
    ),
    detail,
  ]
}
