import { readFileSync } from 'node:fs'
import type PDFDocument from 'pdfkit'

/** Source Sans 3, SIL Open Font License 1.1: it may be embedded, and shipped beside the program. */
const FILES = {
  regular: new URL('../../../node_modules/source-sans/TTF/SourceSans3-Regular.ttf', import.meta.url),
  strong: new URL('../../../node_modules/source-sans/TTF/SourceSans3-Semibold.ttf', import.meta.url),
} as const
export type Face = keyof typeof FILES

/** A font as pdfkit has read it: tables that take a second to read, and do not change from document to document. */
export interface Font {
  hasGlyphForCodePoint(codePoint: number): boolean
}

const fonts = new Map<Face, Font>()

/** Makes the faces known to a document by their names. */
export function registerFonts(doc: typeof PDFDocument.prototype): void {
  for (const face of ['regular', 'strong'] as const) {
    const known = fonts.get(face)
    // pdfkit takes bytes, and a font that it has read before; its types know neither.
    doc.registerFont(face, (known ?? readFileSync(FILES[face])) as unknown as string)
    doc.font(face)
    fonts.set(face, known ?? fontIn(doc))
  }
}

/** The font that a document writes with now. */
export function fontIn(doc: typeof PDFDocument.prototype): Font {
  return (doc as unknown as { _font: { font: Font } })._font.font
}

/**
 * A text as the font can write it. PDF/A forbids the empty box that stands for an unknown character, and a control
 * character must not move the pen: both are written as `\u{1F4A9}`, which says what was there.
 */
export function printable(text: string, font: Font): string {
  let out = ''
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0
    const isFine =
      character === '\n' ||
      (!/[\p{Cc}\p{Cf}\p{Cs}\p{Co}]/u.test(character) && font.hasGlyphForCodePoint(codePoint))
    out += isFine ? character : `\\u{${codePoint.toString(16).toUpperCase()}}`
  }
  return out
}

/**
 * Breaks a text into lines that fit. A word that is too long for a line, such as a path or a digest, breaks after a
 * separator where it has one in the second half of the line, else anywhere.
 */
export function wrap(text: string, widthOf: (text: string) => number, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => wrapParagraph(paragraph, widthOf, width))
}

function wrapParagraph(text: string, widthOf: (text: string) => number, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/ +/)) {
    const longer = line === '' ? word : `${line} ${word}`
    if (widthOf(longer) <= width) {
      line = longer
      continue
    }
    if (line !== '') lines.push(line)
    line = word
    while (line !== '' && widthOf(line) > width) {
      const cut = cutOf(line, widthOf, width)
      lines.push(line.slice(0, cut))
      line = line.slice(cut)
    }
  }
  return [...lines, line]
}

/** How much of a word fits, at least one character. */
function cutOf(word: string, widthOf: (text: string) => number, width: number): number {
  let low = 1
  let high = word.length
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (widthOf(word.slice(0, middle)) <= width) low = middle
    else high = middle - 1
  }
  const separator = /^.*[/\\._:,;=-]/s.exec(word.slice(0, low))?.[0].length ?? 0
  return separator > low / 2 ? separator : low
}

/** A text that is longer than anybody reads in a table: its beginning and end, and that something is between. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text
  const half = Math.floor((limit - 3) / 2)
  return `${text.slice(0, half)} … ${text.slice(-half)}`
}
