/** Comma-separated values: RFC 4180, and safe to open in a spreadsheet. */

export type Cell = string | number | boolean | null

/** One line. An unknown value is an empty cell. */
export function formatCsvLine(cells: readonly Cell[]): string {
  return `${cells.map(formatCell).join(',')}\r\n`
}

/**
 * A spreadsheet takes a text that begins with one of these for a formula, also behind spaces; an apostrophe before
 * it makes it a text. A number of ours is none, whatever its sign.
 */
function formatCell(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell !== 'string') return String(cell)
  const text = /^[\s\p{Cf}]*[=+\-@|%\t\r\uFF1D\uFF0B\uFF0D\uFF20]/u.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
