import type { Element, Pen, SetText } from './pen.ts'
import { drawSign } from './sign.ts'
import type { Look } from './sign.ts'
import { shorten } from './text.ts'
import { CONTENT, INK, MARGIN, SIZE, TONES } from './theme.ts'

/** A cell: text, with a state's sign before it, or several signs in a row. */
export type Cell =
  | string
  | {
      readonly text: string
      readonly look?: Look
      /** In small letters below. */
      readonly under?: string
      readonly strong?: boolean
      /** One sign each, above; `text` says the same in words. */
      readonly signs?: readonly Look[]
    }

export interface Column<Row> {
  readonly head: string
  /** A share of the width; all columns' together are the whole. */
  readonly share: number
  readonly num?: boolean
  readonly cell: (row: Row) => Cell
}

interface Manner {
  readonly hasHead: boolean
  /** The first column names what the second says. */
  readonly isFacts: boolean
}

const CELL_LIMIT = 420
/** Facts that are together lower than this are not broken over pages. */
const KEPT_WHOLE = 260
const PAD = { x: 5, y: 3.6 } as const
const SIGN = 8

interface LaidCell {
  readonly text: SetText
  readonly under: SetText | null
  readonly look: Look | null
  readonly signs: readonly Look[]
  readonly x: number
  readonly width: number
  readonly num: boolean
  readonly height: number
}

/** A table that goes on over pages with its head repeated. */
export function drawGrid<Row>(
  pen: Pen,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  manner: Manner,
): void {
  const { doc } = pen
  const widths = columns.map(({ share }) => share * CONTENT.width)
  const starts = widths.map(
    (_, place) => MARGIN.left + widths.slice(0, place).reduce((sum, one) => sum + one, 0),
  )
  const headings = columns.map(({ head, num }, place) => {
    const inner = (widths[place] ?? 0) - 2 * PAD.x
    return {
      text: pen.set(head, { face: 'strong', size: SIZE.small, color: INK.quiet }, inner),
      num: num === true,
    }
  })
  const headHeight = manner.hasHead ? Math.max(...headings.map(({ text }) => text.height)) + 2 * PAD.y : 0

  const drawHead = (parent: Element | null) => {
    if (!manner.hasHead) return
    const { y } = pen
    const ground = () => doc.rect(MARGIN.left, y, CONTENT.width, headHeight).fill(INK.sunk)
    const put = (place: number) => {
      const heading = headings[place]
      if (heading !== undefined)
        pen.put(heading.text, (starts[place] ?? 0) + PAD.x, y + PAD.y, heading.num ? 'right' : 'left')
    }
    if (parent === null) {
      pen.artifact(() => {
        ground()
        for (const place of headings.keys()) put(place)
      })
    } else {
      pen.artifact(ground)
      const head = doc.struct('THead')
      const tr = doc.struct('TR')
      parent.add(head)
      head.add(tr)
      for (const place of headings.keys()) tr.add(doc.struct('TH', { scope: 'Column' }, () => put(place)))
      tr.end()
      head.end()
    }
    pen.y += headHeight
  }

  const laid = rows.map((row) =>
    columns.map((column, place) =>
      layCell(pen, column.cell(row), {
        x: starts[place] ?? 0,
        width: widths[place] ?? 0,
        num: column.num === true,
        isName: place === 0,
        isFacts: manner.isFacts,
      }),
    ),
  )
  const heightOf = (cells: readonly LaidCell[]) => Math.max(...cells.map(({ height }) => height)) + 2 * PAD.y
  const heights = laid.map(heightOf)
  const whole = heights.reduce((sum, height) => sum + height, headHeight)
  // A few facts stand together; of a table no row stands alone, neither below its head nor on its last page.
  pen.ensure(
    manner.isFacts && whole <= KEPT_WHOLE ? whole : headHeight + (heights[0] ?? 0) + (heights[1] ?? 0),
  )
  const table = doc.struct('Table')
  pen.root.add(table)
  drawHead(table)
  const body = manner.hasHead ? doc.struct('TBody') : table
  if (manner.hasHead) table.add(body)
  for (const [place, cells] of laid.entries()) {
    const height = heights[place] ?? 0
    const needed = place > 0 && place === laid.length - 2 ? height + (heights[place + 1] ?? 0) : height
    if (pen.y + needed > CONTENT.bottom) {
      pen.newPage()
      drawHead(null)
    }
    const { y } = pen
    const tr = doc.struct('TR')
    body.add(tr)
    for (const [place, cell] of cells.entries()) {
      const draw = () => drawCell(pen, cell, y + PAD.y)
      tr.add(place === 0 ? doc.struct('TH', { scope: 'Row' }, draw) : doc.struct('TD', draw))
    }
    tr.end()
    pen.y += height
    pen.artifact(() => pen.rule(y + height))
  }
  if (manner.hasHead) body.end()
  table.end()
  pen.y += 10
}

function layCell(
  pen: Pen,
  cell: Cell,
  place: { x: number; width: number; num: boolean; isName: boolean; isFacts: boolean },
): LaidCell {
  const { text, look, under, signs = [], strong } = typeof cell === 'string' ? plain(cell) : cell
  const { x, width, num, isName, isFacts } = place
  const inner = width - 2 * PAD.x - (look === undefined ? 0 : SIGN + 4)
  const color = look === undefined ? (isFacts && isName ? INK.quiet : INK.text) : TONES[look.tone].text
  const face = strong === true || (isName && !isFacts) ? 'strong' : 'regular'
  const own = pen.set(shorten(text, CELL_LIMIT), { face, size: SIZE.table, color }, inner)
  const below =
    under === undefined
      ? null
      : pen.set(shorten(under, CELL_LIMIT), { face: 'regular', size: SIZE.under, color: INK.quiet }, inner)
  const height = own.height + (below?.height ?? 0) + (signs.length === 0 ? 0 : SIGN + 4)
  return { text: own, under: below, look: look ?? null, signs, x, width, num, height }
}

function plain(text: string): Exclude<Cell, string> {
  return { text }
}

function drawCell(pen: Pen, { text, under, look, signs, x, width, num }: LaidCell, top: number): void {
  let y = top
  if (signs.length > 0) {
    const step = Math.min(SIGN + 2, (width - 2 * PAD.x) / signs.length)
    for (const [place, one] of signs.entries()) {
      drawSign(pen.doc, one, x + PAD.x + place * step, y + 1, Math.min(SIGN, step - 1.2))
    }
    y += SIGN + 4
  }
  const left = x + PAD.x + (look === null ? 0 : SIGN + 4)
  if (look !== null) {
    const { face, size } = text.style
    const room = num ? text.width - pen.widthOf(text.lines[0] ?? '', face) * size : 0
    drawSign(pen.doc, look, left - SIGN - 4 + room, y + 1.6, SIGN)
  }
  const align = num ? 'right' : 'left'
  pen.put(text, left, y, align)
  if (under !== null) pen.put(under, left, y + text.height, align)
}
