/**
 * What a paper is made of, in words and signs, before it is a PDF or a page: both show the same blocks, so that
 * neither can say what the other does not.
 */
import type { Cell } from './pdf/grid.ts'
import type { Bar, Sheet } from './pdf/sheet.ts'
import type { Look } from './pdf/sign.ts'

export interface Head {
  readonly text: string
  /** A share of the width; all heads' together are the whole. */
  readonly share: number
  readonly num?: boolean
}

export type Block =
  | { readonly kind: 'heading'; readonly level: 2 | 3; readonly text: string; readonly keep?: number }
  | { readonly kind: 'paragraph'; readonly text: string; readonly quiet?: boolean }
  | { readonly kind: 'quote'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[]; readonly numbered?: boolean }
  | { readonly kind: 'notice'; readonly look: Look; readonly text: string }
  | { readonly kind: 'facts'; readonly pairs: readonly (readonly [string, Cell])[] }
  | {
      readonly kind: 'table'
      readonly caption: string
      readonly heads: readonly Head[]
      readonly rows: readonly (readonly Cell[])[]
    }
  | { readonly kind: 'bars'; readonly bars: readonly Bar[]; readonly describe: string }
  | { readonly kind: 'signatures'; readonly names: readonly string[] }

/** What stands above the blocks. */
export interface Cover {
  readonly kicker: string
  readonly title: string
  readonly lead: string
  readonly state: { readonly text: string; readonly look: Look }
}

export interface Paper {
  readonly cover: Cover
  readonly blocks: readonly Block[]
}

export function writeBlocks(sheet: Sheet, { cover, blocks }: Paper): void {
  sheet.cover(cover)
  for (const block of blocks) writeBlock(sheet, block)
}

function writeBlock(sheet: Sheet, block: Block): void {
  switch (block.kind) {
    case 'heading':
      return sheet.heading(block.level, block.text, block.keep)
    case 'paragraph':
      return sheet.paragraph(block.text, { quiet: block.quiet === true })
    case 'quote':
      return sheet.quote(block.text)
    case 'list':
      return sheet.list(block.items, { numbered: block.numbered === true })
    case 'notice':
      return sheet.notice(block.look, block.text)
    case 'facts':
      return sheet.facts(block.pairs)
    case 'table': {
      const columns = block.heads.map(({ text, share, num = false }, place) => ({
        head: text,
        share,
        num,
        cell: (row: readonly Cell[]) => row[place] ?? '',
      }))
      return sheet.table(columns, block.rows)
    }
    case 'bars':
      return sheet.bars(block.bars, block.describe)
    case 'signatures':
      return sheet.signatures(block.names)
  }
}
