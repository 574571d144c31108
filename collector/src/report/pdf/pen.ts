import type PDFDocument from 'pdfkit'
import { fontIn, printable, registerFonts, wrap } from './text.ts'
import type { Face } from './text.ts'
import { CONTENT, INK, MARGIN } from './theme.ts'

export type Document = typeof PDFDocument.prototype
/** A node of the structure tree (ISO 32000-1, 14.7.2), which pdfkit's types do not tell. */
export interface Element {
  add(child: Element): unknown
  end(): void
}

export interface Style {
  readonly face: Face
  readonly size: number
  readonly color: string
}

/** A text broken into lines for a width. */
export interface SetText {
  readonly lines: readonly string[]
  readonly style: Style
  readonly width: number
  readonly height: number
}

/** What is held together is at most so high, or a page would be left half empty for it. */
const HELD_MOST = 150

/** The line's height, as a multiple of the font's size. */
const LEADING = 1.32

/** Where the next thing goes, and how it is written. Its texts may hold anything: what the font lacks is spelt out. */
export class Pen {
  readonly doc: Document
  readonly root: Element
  y: number = MARGIN.top
  readonly #widths = new Map<string, number>()
  #held: { readonly height: number; readonly draw: () => void }[] = []

  constructor(doc: Document) {
    this.doc = doc
    registerFonts(doc)
    doc.addPage()
    this.root = doc.struct('Document')
    doc.addStructure(this.root)
  }

  /** Breaks a text into lines. */
  set(text: string, style: Style, width: number): SetText {
    const { face, size } = style
    const lines = wrap(this.clean(text), (piece) => this.widthOf(piece, face) * size, width)
    return { lines, style, width, height: lines.length * size * LEADING }
  }

  /** Writes it; where it goes in the document's structure is the caller's to say. */
  put(
    { lines, style, width }: SetText,
    x: number,
    y: number,
    align: 'left' | 'right' | 'center' = 'left',
  ): void {
    const { face, size, color } = style
    const rooms = align === 'left' ? [] : lines.map((line) => width - this.widthOf(line, face) * size)
    this.doc.font(face).fontSize(size).fillColor(color)
    for (const [place, line] of lines.entries()) {
      if (line === '') continue
      const room = (rooms[place] ?? 0) / (align === 'center' ? 2 : 1)
      this.doc.text(line, x + room, y + place * size * LEADING, { lineBreak: false })
    }
  }

  /** In ems. */
  widthOf(text: string, face: Face): number {
    const key = `${face} ${text}`
    const known = this.#widths.get(key)
    if (known !== undefined) return known
    const width: number = this.doc.font(face).fontSize(1).widthOfString(text)
    this.#widths.set(key, width)
    return width
  }

  clean(text: string): string {
    // Both faces have the same characters.
    return printable(text, fontIn(this.doc.font('regular')))
  }

  /** What an assistive program passes over: lines, grounds, page numbers. */
  artifact(draw: () => void): void {
    this.doc.markContent('Artifact', { type: 'Layout' })
    draw()
    this.doc.endMarkedContent()
  }

  /** A paragraph, heading or the like, over pages if it must. */
  block(
    tag: string,
    text: string,
    {
      after,
      indent = 0,
      ...style
    }: { face?: Face; size: number; color?: string; after: number; indent?: number },
  ): void {
    const whole = this.set(text, { face: 'regular', color: INK.text, ...style }, CONTENT.width - indent)
    const lineHeight = whole.height / whole.lines.length
    if (whole.height <= CONTENT.bottom - MARGIN.top) this.ensure(whole.height)
    let rest = whole.lines
    while (rest.length > 0) {
      this.ensure(lineHeight)
      const count = Math.max(1, Math.floor((CONTENT.bottom - this.y) / lineHeight))
      const piece = { ...whole, lines: rest.slice(0, count) }
      const y = this.y
      this.root.add(this.doc.struct(tag, () => this.put(piece, MARGIN.left + indent, y)))
      this.y += piece.lines.length * lineHeight
      rest = rest.slice(count)
    }
    this.y += after
  }

  /** Something that must not stand alone at the foot of a page: it is drawn with what comes next. */
  hold(height: number, draw: () => void): void {
    if (this.#heldHeight() + height > HELD_MOST) this.ensure(height)
    this.#held.push({ height, draw })
  }

  get isHolding(): boolean {
    return this.#held.length > 0
  }

  #heldHeight(): number {
    return this.#held.reduce((sum, { height }) => sum + height, 0)
  }

  /** Goes to the next page unless so much fits on this one, with what was held for it; that is drawn then. */
  ensure(height: number): void {
    if (this.y + this.#heldHeight() + height > CONTENT.bottom && this.y > MARGIN.top) this.newPage()
    const held = this.#held
    this.#held = []
    for (const { draw } of held) draw()
  }

  newPage(): void {
    this.doc.addPage()
    this.y = MARGIN.top
  }

  rule(y: number, width = 0.4): void {
    this.doc
      .moveTo(MARGIN.left, y)
      .lineTo(MARGIN.left + CONTENT.width, y)
      .lineWidth(width)
      .stroke(INK.line)
  }
}
