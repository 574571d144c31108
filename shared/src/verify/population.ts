import type { Chains } from './chains.ts'
import type { ClauseMarks } from './clause-marks.ts'
import type { Description } from './description.ts'
import type { LoggedStatement } from './index-lines.ts'
import { PACK_FILES } from './pack.ts'
import { counted } from './report.ts'
import type { Findings } from './report.ts'
import { isInPeriod } from './table.ts'

/** Checks `completeness.population`: what was counted when the pack was made is all here. */
export class Population {
  readonly #pack: Description
  readonly #marks: ClauseMarks
  #statements = 0
  #leaves = 0
  #inPeriod = 0

  constructor(pack: Description, marks: ClauseMarks) {
    this.#pack = pack
    this.#marks = marks
  }

  add({ statement, leaves }: LoggedStatement): void {
    this.#statements += 1
    this.#leaves += leaves.length
    this.#marks.add(statement)
    if (isInPeriod(statement, this.#pack.period)) this.#inPeriod += 1
  }

  conclude(chains: Chains, findings: Findings): void {
    const { population, filter } = this.#pack
    const marked = this.#marks.counted()
    const epochs = chains.epochs()
    const compare = (what: string, said: number | undefined, found: number | undefined) => {
      if (said !== found) {
        findings.fail(
          'completeness.population',
          `${PACK_FILES.description} counts ${said ?? 'no'} ${what}, here are ${found ?? 'none asked for'}`,
        )
      }
    }
    compare('statements', population.statements, this.#statements)
    compare('leaves', population.leaves, this.#leaves)
    compare('statements in the period', population.inPeriod, this.#inPeriod)
    compare('statements marked with a clause', population.marked?.statements, marked?.statements)
    compare('marked statements in the period', population.marked?.inPeriod, marked?.inPeriod)
    compare('chains', population.chains.length, epochs.length)
    for (const [index, said] of population.chains.entries()) {
      const found = epochs[index]
      const same =
        found?.agent === said.agent &&
        found.epoch === said.epoch &&
        found.statements === said.statements &&
        found.lastSeq === said.lastSeq &&
        found.head === said.head
      if (!same) {
        findings.fail(
          'completeness.population',
          `${said.agent} epoch ${said.epoch}: ${said.statements} statements up to number ${said.lastSeq} were counted, not these`,
        )
      }
    }
    findings.hold(
      'completeness.population',
      `${counted(this.#statements, 'statement')}, ${this.#inPeriod} in the period${
        marked === undefined
          ? ''
          : `; ${marked.statements} marked, ${marked.inPeriod} of them in the period, for ${filter?.clauses.join(', ') ?? ''}; the other ${this.#statements - marked.statements} are here too`
      }`,
    )
  }
}
