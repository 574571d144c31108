import type { Chains } from './chains.ts'
import type { Description } from './description.ts'
import type { LoggedStatement } from './index-lines.ts'
import { PACK_FILES } from './pack.ts'
import { counted } from './report.ts'
import type { Findings } from './report.ts'
import { isInPeriod } from './table.ts'

/** Checks `completeness.population`: what was counted when the pack was made is all here. */
export class Population {
  readonly #pack: Description
  #statements = 0
  #leaves = 0
  #inPeriod = 0

  constructor(pack: Description) {
    this.#pack = pack
  }

  add({ statement, leaves }: LoggedStatement): void {
    this.#statements += 1
    this.#leaves += leaves.length
    if (isInPeriod(statement, this.#pack.period)) this.#inPeriod += 1
  }

  conclude(chains: Chains, findings: Findings): void {
    const { population } = this.#pack
    const epochs = chains.epochs()
    const compare = (what: string, said: number, found: number) => {
      if (said !== found) {
        findings.fail(
          'completeness.population',
          `${PACK_FILES.description} counts ${said} ${what}, here are ${found}`,
        )
      }
    }
    compare('statements', population.statements, this.#statements)
    compare('leaves', population.leaves, this.#leaves)
    compare('statements in the period', population.inPeriod, this.#inPeriod)
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
      `${counted(this.#statements, 'statement')}, ${this.#inPeriod} in the period`,
    )
  }
}
