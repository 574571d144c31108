/**
 * The building blocks of our PDFs: PDF/A-3b (ISO 19005-3), tagged, with embedded fonts, and the same bytes for the
 * same inputs. Nothing is compressed, since a deflated stream differs between processors.
 */
import PDFDocument from 'pdfkit'
import { drawGrid } from './grid.ts'
import type { Cell, Column } from './grid.ts'
import { Pen } from './pen.ts'
import type { Document } from './pen.ts'
import { drawSign } from './sign.ts'
import type { Look } from './sign.ts'
import { CONTENT, INK, MARGIN, PAGE, SIZE, TONES } from './theme.ts'

export interface SheetOptions {
  /** It stands in the metadata, and at the top of each page but the first. */
  readonly title: string
  readonly language: 'da' | 'en'
  /** When what it says was made: the only time in it. */
  readonly madeAt: Date
  /** At the foot of each page. */
  readonly foot: string
  /** `Page 2 of 9` */
  readonly pageOf: (page: number, pages: number) => string
}

export interface Attachment {
  readonly name: string
  readonly type: string
  readonly content: Uint8Array
  readonly description: string
  /** ISO 19005-3, 6.8: what the file is to the document. */
  readonly relationship: 'Data' | 'Source' | 'Supplement'
}

/** One column of a bar chart; null where nothing is known. */
export interface Bar {
  readonly label: string
  readonly value: number | null
  readonly shown: string
}

const BAR_HEIGHT = 86

/** A PDF that is written from top to bottom. */
export class Sheet {
  readonly #options: SheetOptions
  readonly #pen: Pen
  readonly #attached: Attachment[] = []

  constructor(options: SheetOptions) {
    this.#options = options
    // pdfkit writes the title into XML as it is.
    const title = options.title.replace(/[<>&\p{C}]/gu, ' ')
    const doc = new PDFDocument({
      pdfVersion: '1.7',
      subset: 'PDF/A-3b',
      tagged: true,
      lang: options.language === 'da' ? 'da-DK' : 'en-GB',
      displayTitle: true,
      compress: false,
      bufferPages: true,
      autoFirstPage: false,
      size: [PAGE.width, PAGE.height],
      margin: 0,
      // None that is not embedded.
      font: '',
      info: { Title: title, Creator: 'Bevis', Producer: 'Bevis', CreationDate: options.madeAt },
    })
    this.#pen = new Pen(doc)
  }

  /** The first page's head: what it is, of whom, and how it stands. */
  cover({
    kicker,
    title,
    lead,
    state,
  }: {
    kicker: string
    title: string
    lead: string
    state?: { text: string; look: Look }
  }): void {
    const pen = this.#pen
    pen.artifact(() => pen.doc.rect(0, 0, PAGE.width, 7).fill(INK.accent))
    pen.y = 60
    pen.block('P', kicker, { size: SIZE.text, face: 'strong', color: INK.accent, after: 3 })
    pen.block('H1', title, { size: SIZE.h1, face: 'strong', after: 3 })
    pen.block('P', lead, { size: 11, color: INK.quiet, after: 12 })
    if (state === undefined) return
    const { tint, text: color } = TONES[state.look.tone]
    const word = pen.set(state.text, { face: 'strong', size: 12, color }, CONTENT.width)
    const width = pen.widthOf(word.lines[0] ?? '', 'strong') * 12 + 48
    const { y } = pen
    pen.artifact(() => {
      pen.doc.roundedRect(MARGIN.left, y, width, 28, 14).fill(tint)
      drawSign(pen.doc, state.look, MARGIN.left + 12, y + 7, 14)
    })
    pen.root.add(pen.doc.struct('P', () => pen.put(word, MARGIN.left + 33, y + 6.5)))
    pen.y += 42
  }

  /**
   * It stands on the page of what follows.
   * @param keep how much of that must be there too, where it is more than its first rows or lines
   */
  heading(level: 2 | 3, text: string, keep = 0): void {
    const pen = this.#pen
    const style = { size: level === 2 ? SIZE.h2 : SIZE.h3, face: 'strong', color: INK.text } as const
    const [before, after] = level === 2 ? [18, 6] : [9, 3]
    const { height } = pen.set(text, style, CONTENT.width)
    pen.hold(before + height + after, () => {
      if (pen.y > MARGIN.top) pen.y += before
      pen.block(`H${level}`, text, { ...style, after })
    })
    if (keep > 0) pen.ensure(keep)
  }

  /** Right below a heading it leads to what follows, and stands with both. */
  paragraph(text: string, { quiet = false } = {}): void {
    const pen = this.#pen
    const style = { size: SIZE.text, color: quiet ? INK.quiet : INK.text, face: 'regular', after: 6 } as const
    const draw = () => pen.block('P', text, style)
    if (pen.isHolding) pen.hold(pen.set(text, style, CONTENT.width).height + style.after, draw)
    else draw()
  }

  /** What a contract or a statement says word for word. */
  quote(text: string): void {
    const pen = this.#pen
    const set = pen.set(text, { face: 'regular', size: 10.5, color: INK.text }, CONTENT.width - 12)
    pen.ensure(Math.min(set.height, 200))
    const { y } = pen
    const isWhole = y + set.height <= CONTENT.bottom
    pen.block('BlockQuote', text, { size: 10.5, after: 8, indent: 12 })
    if (isWhole) pen.artifact(() => pen.doc.rect(MARGIN.left, y, 2.5, set.height).fill(INK.accent))
  }

  /** @param numbered with numbers instead of dots */
  list(items: readonly string[], { numbered = false } = {}): void {
    if (items.length === 0) return
    const pen = this.#pen
    const style = { face: 'regular', size: SIZE.text, color: INK.text } as const
    pen.ensure(SIZE.text * 2)
    const list = pen.doc.struct('L')
    pen.root.add(list)
    for (const [place, item] of items.entries()) {
      const text = pen.set(item, style, CONTENT.width - 16)
      pen.ensure(text.height + 3)
      const { y } = pen
      const li = pen.doc.struct('LI')
      list.add(li)
      if (numbered) {
        const number = pen.set(`${place + 1}.`, { ...style, face: 'strong', color: INK.accent }, 16)
        li.add(pen.doc.struct('Lbl', () => pen.put(number, MARGIN.left, y)))
      } else pen.artifact(() => pen.doc.circle(MARGIN.left + 4, y + 6.4, 1.7).fill(INK.accent))
      li.add(pen.doc.struct('LBody', () => pen.put(text, MARGIN.left + 16, y)))
      li.end()
      pen.y += text.height + 3
    }
    list.end()
    pen.y += 5
  }

  /** A coloured box: what must not be overlooked. */
  notice(look: Look, text: string): void {
    const pen = this.#pen
    const set = pen.set(text, { face: 'regular', size: SIZE.text, color: INK.text }, CONTENT.width - 40)
    const height = set.height + 16
    pen.ensure(height)
    const { y } = pen
    pen.artifact(() => {
      pen.doc.roundedRect(MARGIN.left, y, CONTENT.width, height, 5).fill(TONES[look.tone].tint)
      drawSign(pen.doc, look, MARGIN.left + 11, y + 9, 11)
    })
    pen.root.add(pen.doc.struct('P', () => pen.put(set, MARGIN.left + 29, y + 8)))
    pen.y += height + 10
  }

  /** Names and what they are, two columns. */
  facts(pairs: readonly (readonly [string, Cell] | null)[]): void {
    const rows = pairs.filter((pair) => pair !== null)
    const columns: Column<readonly [string, Cell]>[] = [
      { head: '', share: 0.27, cell: ([name]) => name },
      { head: '', share: 0.73, cell: ([, value]) => value },
    ]
    drawGrid(this.#pen, columns, rows, { hasHead: false, isFacts: true })
  }

  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    drawGrid(this.#pen, columns, rows, { hasHead: true, isFacts: false })
  }

  /** One measure over time. `describe` says the same in words. */
  bars(bars: readonly Bar[], describe: string): void {
    const pen = this.#pen
    pen.ensure(BAR_HEIGHT + 30)
    const top = pen.y + 12
    const most = Math.max(1, ...bars.map(({ value }) => value ?? 0))
    const step = CONTENT.width / Math.max(bars.length, 6)
    const put = (text: string, x: number, y: number, color: string) =>
      pen.put(pen.set(text, { face: 'regular', size: 7, color }, step), x, y, 'center')
    const draw = () => {
      for (const [place, { label, value, shown }] of bars.entries()) {
        const x = MARGIN.left + place * step
        const height = value === null ? 0 : Math.max(1, (value / most) * (BAR_HEIGHT - 12))
        pen.doc
          .rect(x + 5, top + BAR_HEIGHT - Math.max(height, 0.5), step - 10, Math.max(height, 0.5))
          .fill(value === null ? INK.line : INK.bar)
        put(shown, x, top + BAR_HEIGHT - height - 11, INK.text)
        put(label, x, top + BAR_HEIGHT + 3, INK.quiet)
      }
    }
    pen.root.add(pen.doc.struct('Figure', { alt: pen.clean(describe) }, draw))
    pen.y = top + BAR_HEIGHT + 22
  }

  /** Lines to sign on by hand. */
  signatures(names: readonly string[]): void {
    const pen = this.#pen
    pen.ensure(74)
    const width = (CONTENT.width - 24 * (names.length - 1)) / names.length
    const y = pen.y + 44
    for (const [place, name] of names.entries()) {
      const x = MARGIN.left + place * (width + 24)
      pen.artifact(() =>
        pen.doc
          .moveTo(x, y)
          .lineTo(x + width, y)
          .lineWidth(0.7)
          .stroke(INK.quiet),
      )
      const set = pen.set(name, { face: 'regular', size: SIZE.small, color: INK.quiet }, width)
      pen.root.add(pen.doc.struct('P', () => pen.put(set, x, y + 4)))
    }
    pen.y = y + 34
  }

  attach(file: Attachment): void {
    this.#attached.push(file)
  }

  get attached(): readonly Attachment[] {
    return this.#attached
  }

  /** @param last what comes last into the document, such as the place of its seal */
  async finish(last: (doc: Document) => void = () => {}): Promise<Buffer> {
    const { doc, root } = this.#pen
    const { madeAt } = this.#options
    this.#pen.ensure(0)
    for (const { content, ...rest } of this.#attached) {
      doc.file(Buffer.from(content), { ...rest, creationDate: madeAt, modifiedDate: madeAt })
    }
    this.#frame()
    root.end()
    last(doc)
    const chunks: Buffer[] = []
    const ended = new Promise<void>((resolve, reject) => {
      doc.on('data', (chunk: Buffer) => chunks.push(chunk))
      doc.on('end', resolve)
      doc.on('error', reject)
    })
    doc.end()
    await ended
    return Buffer.concat(chunks)
  }

  /** The head and foot of each page, when their number is known. */
  #frame(): void {
    const pen = this.#pen
    const { count } = pen.doc.bufferedPageRange()
    const { title, foot, pageOf } = this.#options
    const put = (text: string, y: number, align: 'left' | 'right') =>
      pen.put(
        pen.set(text, { face: 'regular', size: SIZE.small, color: INK.quiet }, CONTENT.width),
        MARGIN.left,
        y,
        align,
      )
    for (let page = 0; page < count; page++) {
      pen.doc.switchToPage(page)
      pen.artifact(() => {
        if (page > 0) {
          put(title, 33, 'left')
          pen.rule(49)
        }
        pen.rule(PAGE.height - 48)
        put(foot, PAGE.height - 42, 'left')
        put(pageOf(page + 1, count), PAGE.height - 42, 'right')
      })
    }
  }
}
