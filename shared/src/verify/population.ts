import type { Chains } from './chains.ts'
import type { LoggedStatement } from './log.ts'
import { PACK_FILES } from './pack.ts'
import type { Pack } from './pack.ts'
import { counted } from './report.ts'
import type { Findings } from './report.ts'
import { isInPeriod } from './table.ts'

/** Checks `completeness.population`: what was counted when the pack was made is all here. */
export function countPopulation(
  pack: Pack,
  logged: readonly LoggedStatement[],
  chains: Chains,
  findings: Findings,
): void {
  const { population } = pack
  const leaves = logged.reduce((sum, statement) => sum + statement.leaves.length, 0)
  const inPeriod = logged.filter(({ statement }) => isInPeriod(statement, pack.period)).length
  const compare = (what: string, said: number, found: number) => {
    if (said !== found) {
      findings.fail(
        'completeness.population',
        `${PACK_FILES.description} counts ${said} ${what}, here are ${found}`,
      )
    }
  }
  compare('statements', population.statements, logged.length)
  compare('leaves', population.leaves, leaves)
  compare('statements in the period', population.inPeriod, inPeriod)
  compare('chains', population.chains.length, chains.epochs.length)
  for (const [index, said] of population.chains.entries()) {
    const found = chains.epochs[index]
    const same =
      found?.agent === said.agent &&
      found.epoch === said.epoch &&
      found.statements === said.statements &&
      found.lastSeq === said.lastSeq &&
      found.bySeq.get(found.lastSeq)?.paeDigest === said.head
    if (!same) {
      findings.fail(
        'completeness.population',
        `${said.agent} epoch ${said.epoch}: ${said.statements} statements up to number ${said.lastSeq} were counted, not these`,
      )
    }
  }
  findings.hold(
    'completeness.population',
    `${counted(logged.length, 'statement')}, ${inPeriod} in the period`,
  )
}
