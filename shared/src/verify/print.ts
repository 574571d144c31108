/** The report for people: a line per check, then the verdict, then what nobody has proven. */
import { counted } from './report.ts'
import type { Cause, Check, Outcome, ProvenTimes, Report, VerdictSummary } from './report.ts'

const MARKS: Readonly<Record<Outcome, { mark: string; word: string; colour: number }>> = {
  held: { mark: '✓', word: 'held', colour: 32 },
  failed: { mark: '✗', word: 'FAILED', colour: 31 },
  'not-checked': { mark: '?', word: 'not checked', colour: 33 },
}

const CONCLUSIONS: Readonly<Record<Report['result'], { text: string; colour: number }>> = {
  verified: { text: 'VERIFIED: everything held, by the keys that you trust', colour: 32 },
  'self-consistent, not anchored': {
    text: 'self-consistent, not anchored: everything agrees, but nobody has vouched for the keys',
    colour: 33,
  },
  'not checked in full': { text: 'NOT CHECKED IN FULL: nothing failed, something is missing', colour: 33 },
  refused: { text: 'REFUSED: do not rely on this pack', colour: 31 },
}

/** What a pack says about a contract, shown as four states that words tell apart, not colours alone. */
const STATE_COLOURS: Readonly<Record<string, number>> = {
  compliant: 32,
  'at-risk': 33,
  unknown: 33,
  breached: 31,
}

/** Text with one LF at its end. `colour` says whether escape sequences may be used. */
export function printReport(report: Report, { colour }: { colour: boolean }): string {
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)
  const lines: string[] = []
  const { pack } = report
  if (pack !== null) {
    lines.push(
      ...aligned([
        ['Contract', `${printable(pack.contract)}, ${printable(pack.customer)}`],
        ['Period', `${pack.period.from} to ${pack.period.to}`],
        ['Pack', `made ${pack.madeAt}, ${counted(pack.statements, 'statement')}, SHA-256 ${pack.sha256}`],
        ['Log', `${printable(pack.log.origin)}, ${counted(pack.log.size, 'leaf', 'leaves')}`],
      ]),
      '',
    )
  }
  const width = Math.max(...report.checks.map(({ title }) => title.length))
  const reached =
    pack === null ? report.checks.filter(({ outcome }) => outcome !== 'not-checked') : report.checks
  if (report.cause !== null) lines.push(...causeLines(report.cause, paint), '')
  // What follows from one cause is told in a line each: the places are many and all the same.
  const isBrief = report.cause !== null
  for (const check of reached) lines.push(...checkLines(check, width, paint, isBrief))
  if (pack === null)
    lines.push(`${paint(33, '?')} ${report.checks.length - reached.length} more checks were not reached`)
  lines.push('')
  if (report.times !== null) lines.push(...timeLines(report.times), '')
  if (report.verdict !== null) lines.push(...verdictLines(report.verdict, paint), '')
  lines.push('Not proven by this pack:', ...report.notProven.map((text) => `  · ${text}`), '')
  const { text, colour: code } = CONCLUSIONS[report.result]
  lines.push(paint(code, text))
  return `${lines.join('\n')}\n`
}

/** The widest bounds, for the first and the last statement; `--json` has them for each. */
function timeLines({ anchored, authorities, bounds }: ProvenTimes): string[] {
  const after = bounds.flatMap(({ madeAfter }) => madeAfter ?? []).toSorted()[0]
  const stamped = bounds.filter(({ before }) => before !== null)
  const count = (runs: ProvenTimes['bounds']) => runs.reduce((sum, { statements }) => sum + statements, 0)
  const open = count(bounds) - count(stamped)
  const last = stamped
    .flatMap(({ before }) => before ?? [])
    .toSorted()
    .at(-1)
  return [
    `Proven by the clock of ${authorities.map(printable).join('; ')}${anchored ? '' : ' (its roots came with the pack)'}:`,
    ...(last === undefined ? [] : [`  ${count(stamped)} statements logged before ${last}`]),
    ...(after === undefined ? [] : [`  the first that embeds a stamp was made after ${after}`]),
    ...(open === 0 ? [] : [`  ${open} statements after the last stamp: nothing but the collector’s word`]),
  ]
}

type Paint = (code: number, text: string) => string

function causeLines({ what, cure }: Cause, paint: Paint): string[] {
  return [
    ...what.map((one) => paint(31, printable(one))),
    'What it signed cannot be checked, and most of what fails below follows from that.',
    cure,
  ]
}

function checkLines(check: Check, width: number, paint: Paint, isBrief: boolean): string[] {
  const { mark, word, colour } = MARKS[check.outcome]
  const head = `${paint(colour, mark)} ${check.title.padEnd(width)}  ${paint(colour, word.padEnd(11))}`
  if (check.outcome !== 'failed') return [`${head}  ${printable(check.detail)}`]
  const shown = isBrief ? check.failures.slice(0, 1) : check.failures
  const places = shown.map((place) => `    ${printable(place)}`)
  const more = check.failuresTotal - shown.length
  return [`${head}  ${check.id}`, ...places, ...(more > 0 ? [`    … and ${more} more`] : [])]
}

function verdictLines(verdict: VerdictSummary, paint: Paint): string[] {
  const state = (word: string) => paint(STATE_COLOURS[word] ?? 0, word)
  const lines = [
    `Contract ${printable(verdict.contract)} at ${verdict.at}${verdict.knownAt === verdict.at ? '' : `, as known ${verdict.knownAt ?? 'ever'}`}: ${state(verdict.headline)}`,
  ]
  for (const { id, headline, dimensions, counts } of verdict.sets) {
    const parts = Object.entries(dimensions).filter(([, word]) => word !== 'not-applicable')
    const numbers = Object.entries(counts).filter(([, count]) => count > 0)
    lines.push(
      `  ${printable(id)}: ${state(headline)}`,
      `    ${parts.map(([name, word]) => `${name} ${state(word)}`).join(', ')}`,
      `    obligations: ${numbers.map(([name, count]) => `${count} ${name}`).join(', ') || 'none yet'}`,
    )
  }
  return lines
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`)
}

/** What stands in a pack was written by others: no escape sequence and no bidi mark of theirs reaches the terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '\uFFFD')
}
