import type { FindingAnswer, Verdict } from './answer.ts'
import type { Known } from './known.ts'

const ORDER: readonly Verdict[] = ['not-applicable', 'compliant', 'at-risk', 'unknown', 'breached']

/** breached > unknown > at risk > compliant; what is not promised weighs nothing. */
export function worst(verdicts: Iterable<Verdict>): Verdict {
  let worstSoFar: Verdict = 'not-applicable'
  for (const verdict of verdicts) {
    if (ORDER.indexOf(verdict) > ORDER.indexOf(worstSoFar)) worstSoFar = verdict
  }
  return worstSoFar
}

/** What one dimension of a set comes to: its verdict, why, and when it would turn worse by itself. */
export class Opinion {
  verdict: Verdict
  readonly findings: FindingAnswer[] = []
  /** Instants at which something falls due, past ones included. */
  readonly deadlines: number[] = []
  readonly #set: string

  constructor(set: string, verdict: Verdict) {
    this.#set = set
    this.verdict = verdict
  }

  weigh(verdict: Verdict): void {
    this.verdict = worst([this.verdict, verdict])
  }

  find(
    code: string,
    at: number,
    detail: FindingAnswer['detail'],
    evidence: readonly (Known | undefined)[],
  ): void {
    this.findings.push({
      code,
      set: this.#set,
      at: formatInstant(at),
      detail,
      evidence: [...new Set(evidence.flatMap((fact) => fact?.digest ?? []))],
    })
  }
}

export function formatInstant(at: number): string {
  return new Date(at).toISOString()
}
