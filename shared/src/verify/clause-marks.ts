import type { Contract } from '../contract/schema.ts'
import { CLAUSES, copiesOf, objectsOf } from '../evidence/clause.ts'
import type { ClauseId } from '../evidence/clause.ts'
import type { Statement } from '../evidence/statement.ts'
import type { Pack } from './pack.ts'
import { isInPeriod } from './table.ts'

/** Marks statements with the clauses that a pack was asked for. It leaves none out: what bears no mark is there too. */
export class ClauseMarks {
  readonly #asked: typeof CLAUSES | null
  readonly #copies: ReadonlySet<string>
  readonly #period: Pack['period']
  readonly #count = { statements: 0, inPeriod: 0 }

  /** @param contract undefined where it cannot be read: then its copies are not known */
  constructor({ filter, period }: Pick<Pack, 'filter' | 'period'>, contract: Contract | undefined) {
    this.#asked = filter === undefined ? null : CLAUSES.filter(({ id }) => filter.clauses.includes(id))
    this.#copies = contract === undefined ? new Set() : copiesOf(contract)
    this.#period = period
  }

  /** The clauses asked for that it may support, in the order of the table; undefined where none were asked for. */
  of(statement: Statement): ClauseId[] | undefined {
    if (this.#asked === null) return undefined
    const objects = objectsOf(statement, this.#copies)
    return this.#asked
      .filter(({ evidence }) => evidence.some((object) => objects.includes(object)))
      .map(({ id }) => id)
  }

  add(statement: Statement): void {
    const marks = this.of(statement)
    if (marks === undefined || marks.length === 0) return
    this.#count.statements += 1
    if (isInPeriod(statement, this.#period)) this.#count.inPeriod += 1
  }

  /** Of those added, how many bear a mark; undefined where none was asked for. */
  counted(): Pack['population']['marked'] {
    return this.#asked === null ? undefined : { ...this.#count }
  }
}
