import { BevisError, errorMessageOf } from '../error.ts'
import { piecesOf } from './description.ts'
import type { Description, PackContent } from './description.ts'
import type { LoggedStatement } from './index-lines.ts'
import type { ClauseMarks } from './clause-marks.ts'
import { PACK_FILES } from './pack.ts'
import { counted } from './report.ts'
import type { Findings } from './report.ts'
import { formatRow, formatTableHead, isInPeriod } from './table.ts'

/** Checks `table.rederived`, row by row. */
export class RederivedTable {
  readonly #findings: Findings
  readonly #period: Description['period']
  readonly #marks: ClauseMarks
  readonly #pieces: Iterator<Uint8Array>
  readonly #encoder = new TextEncoder()
  #rest: Uint8Array = new Uint8Array()
  #rows = 0
  #isOver = false

  constructor(files: PackContent, pack: Description, marks: ClauseMarks, findings: Findings) {
    this.#findings = findings
    this.#period = pack.period
    this.#marks = marks
    this.#pieces = (findings.attempt('table.rederived', '', () => piecesOf(files, PACK_FILES.table)) ?? [])[
      Symbol.iterator
    ]()
    this.#take(formatTableHead(pack), 'the head')
  }

  add(logged: LoggedStatement): void {
    this.#rows += 1
    const inPeriod = isInPeriod(logged.statement, this.#period)
    const clauses = this.#marks.of(logged.statement)
    this.#take(formatRow({ ...logged, inPeriod, clauses }), `the row of leaf ${logged.leafIndex}`)
  }

  conclude(): void {
    this.#attempt(() => {
      if (this.#fill(1)) throw new BevisError('PACK_INVALID', 'more rows than statements')
    })
    this.#findings.hold('table.rederived', counted(this.#rows, 'row'))
  }

  #take(text: string, row: string): void {
    this.#attempt(() => {
      const bytes = this.#encoder.encode(text)
      const isThere = this.#fill(bytes.length)
      const table = this.#rest
      if (!isThere || !bytes.every((byte, index) => table[index] === byte))
        throw new BevisError('PACK_INVALID', `${row} is not what the statement gives`)
      this.#rest = table.subarray(bytes.length)
    })
  }

  /** Behind the first place that does not fit, nothing does. */
  #attempt(work: () => void): void {
    if (this.#isOver) return
    try {
      work()
    } catch (error) {
      this.#isOver = true
      this.#findings.fail('table.rederived', `${PACK_FILES.table}: ${errorMessageOf(error)}`)
    }
  }

  /** Reads on until so many bytes are at hand; false where the file ends before. */
  #fill(count: number): boolean {
    while (this.#rest.length < count) {
      const next = this.#pieces.next()
      if (next.done === true) return false
      const both = new Uint8Array(this.#rest.length + next.value.length)
      both.set(this.#rest)
      both.set(next.value, this.#rest.length)
      this.#rest = both
    }
    return true
  }
}
