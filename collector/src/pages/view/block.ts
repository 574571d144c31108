/** A paper's blocks as a page: what its PDF says, word for word. */
import type { Bar } from '../../report/pdf/sheet.ts'
import type { Block, Head } from '../../report/block.ts'
import type { Cell } from '../../report/pdf/grid.ts'
import type { Look } from '../../report/pdf/sign.ts'
import { facts, notice } from '../design/element.ts'
import { symbol } from '../design/symbol.ts'
import { table } from '../design/table.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'

/** The headings of level 2 begin sections. */
export function blocksView(blocks: readonly Block[]): Html {
  const sections: Block[][] = [[]]
  for (const block of blocks) {
    if (block.kind === 'heading' && block.level === 2) sections.push([])
    sections.at(-1)?.push(block)
  }
  return html`${sections
    .filter((section) => section.length > 0)
    .map((section) => html`<section class="panel paper wrapping">${section.map(blockView)}</section>`)}`
}

function blockView(block: Block): Html {
  switch (block.kind) {
    case 'heading':
      return block.level === 2 ? html`<h2>${block.text}</h2>` : html`<h3>${block.text}</h3>`
    case 'paragraph':
      return html`<p class="${block.quiet === true ? 'small muted' : ''}">${block.text}</p>`
    case 'quote':
      return html`<blockquote>${block.text}</blockquote>`
    case 'list': {
      const items = html`${block.items.map((item) => html`<li>${item}</li>`)}`
      return block.numbered === true
        ? html`<ol class="questions">
            ${items}
          </ol>`
        : html`<ul class="reading">
            ${items}
          </ul>`
    }
    case 'notice':
      return notice(block.look.tone, block.text)
    case 'facts':
      return facts(block.pairs.map(([name, value]) => [name, cellView(value)]))
    case 'table':
      return tableView(block.caption, block.heads, block.rows)
    case 'bars':
      return barsView(block.bars, block.describe)
    case 'signatures':
      return html`<dl class="sign-off">
        ${block.names.map(
          (name) =>
            html`<dt>${name}</dt>
              <dd></dd>`,
        )}
      </dl>`
  }
}

function tableView(caption: string, heads: readonly Head[], rows: readonly (readonly Cell[])[]): Html {
  return table({
    caption,
    columns: heads.map(({ text, num }, place) => ({
      head: text,
      ...(num === true && { num }),
      cell: (row: readonly Cell[]) => {
        const cell = row[place] ?? ''
        return cell === '' ? null : cellView(cell)
      },
    })),
    rows,
  })
}

function cellView(cell: Cell): Html {
  if (typeof cell === 'string') return html`${cell}`
  const { text, look, under, strong, signs } = cell
  const said =
    look === undefined
      ? strong === true
        ? html`<strong>${text}</strong>`
        : html`${text}`
      : wordOf(look, text)
  return html`${signs === undefined ? nothing : signsView(signs)}${said}${
    under === undefined ? nothing : html`<span class="under">${under}</span>`
  }`
}

function wordOf({ tone, shape }: Look, text: string): Html {
  return html`<span class="word ${tone}">${symbol(shape)}<span>${text}</span></span>`
}

/** Decoration: the words beside them say the same. */
function signsView(signs: readonly Look[]): Html {
  return html`<span class="signs" aria-hidden="true"
    >${signs.map(({ tone, shape }) => html`<span class="word ${tone}">${symbol(shape)}</span>`)}</span
  >`
}

const BAR = { width: 40, gap: 10, height: 90 }

function barsView(bars: readonly Bar[], describe: string): Html {
  const most = Math.max(1, ...bars.map(({ value }) => value ?? 0))
  const step = BAR.width + BAR.gap
  return html`<svg
    class="bars"
    role="img"
    aria-label="${describe}"
    viewBox="0 0 ${bars.length * step} ${BAR.height + 34}"
  >
    ${bars.map(({ label, value, shown }, place) => {
      const height = value === null ? 0 : Math.max(1, (value / most) * BAR.height)
      const x = place * step + BAR.gap / 2
      return html`<rect
          x="${x}"
          y="${16 + BAR.height - height}"
          width="${BAR.width}"
          height="${Math.max(height, 0.5)}"
        />
        <text x="${x + BAR.width / 2}" y="${10 + BAR.height - height}" text-anchor="middle">${shown}</text>
        <text x="${x + BAR.width / 2}" y="${BAR.height + 30}" text-anchor="middle">${label}</text>`
    })}
  </svg>`
}
