import { styleText } from 'node:util'
import { plainText } from '../plain-text.ts'

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow'

/** Colour where the stream is a terminal and NO_COLOR is not set. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

/** What paint writes. */
// oxlint-disable-next-line no-control-regex -- styles are made of control characters
const OWN_STYLE = /^\u001b\[(?:1|2|22|31|32|33|39)m$/

/** What may be printed: our own colours stay, everything else that steers a terminal goes. */
export function printable(text: string): string {
  return plainText(text, (found) => OWN_STYLE.test(found))
}

/** Columns that line up; the last one is not padded. Styles do not count as width. */
export function alignColumns(rows: readonly (readonly string[])[], indent = ''): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))
  }
  return rows.map((row) => {
    const cells = row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
    return `${indent}${cells.join('  ')}`.trimEnd()
  })
}

function widthOf(cell: string): number {
  // oxlint-disable-next-line no-control-regex -- styles are made of control characters
  return cell.replace(/\u001b\[[0-9;]*m/g, '').length
}

/** `1.3 GB` */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1)
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power]}`
}

/** `2026-11-23 04:05` in this machine's zone. */
export function formatInstant(instant: string): string {
  const local = Temporal.Instant.from(instant).toZonedDateTimeISO(Temporal.Now.timeZoneId())
  return local.toPlainDateTime().toString({ smallestUnit: 'minute' }).replace('T', ' ')
}

/** `3 h ago`, `in 2 d` */
export function formatDistance(instant: string, now: Date): string {
  const seconds = Math.round((Date.parse(instant) - now.getTime()) / 1000)
  const size = Math.abs(seconds)
  const told =
    size < 60
      ? `${size} s`
      : size < 5_400
        ? `${Math.round(size / 60)} min`
        : size < 129_600
          ? `${Math.round(size / 3_600)} h`
          : `${Math.round(size / 86_400)} d`
  return seconds > 0 ? `in ${told}` : `${told} ago`
}

/** Says how far long work has come: a line that is rewritten on a terminal, a line now and then elsewhere. */
export interface ProgressLine {
  /** `fraction` from 0 to 1, or null while it is not known. */
  update(step: string, fraction: number | null, detail: string): void
  end(): void
}

const BAR_WIDTH = 24
const PLAIN_INTERVAL_MS = 10_000

export function openProgress(stream: NodeJS.WriteStream, now: () => number): ProgressLine {
  const startedAt = now()
  let said = startedAt
  let shown = false
  return {
    update(step, fraction, detail) {
      const interval = stream.isTTY ? 100 : PLAIN_INTERVAL_MS
      if (now() - startedAt < 1_000 || now() - said < interval) return
      said = now()
      const share = fraction === null ? null : Math.min(Math.max(fraction, 0), 1)
      const percent = share === null ? '' : ` ${String(Math.floor(share * 100)).padStart(3)} %`
      if (!stream.isTTY) {
        stream.write(`${printable(`${step}${percent} ${detail}`)}\n`)
        return
      }
      const filled = Math.round((share ?? 0) * BAR_WIDTH)
      const bar = share === null ? '' : ` ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`
      shown = true
      stream.write(`\r\u001b[K${`${step}${bar}${percent} ${detail}`.slice(0, stream.columns - 1)}`)
    },
    end() {
      if (shown) stream.write('\r\u001b[K')
      shown = false
    },
  }
}
