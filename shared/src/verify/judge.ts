import type { Statement } from '../evidence/statement.ts'

/** A verified statement, with when the collector says that it took it. */
export interface Fact {
  readonly receivedAt: string
  readonly statement: Statement
  readonly paeDigest: string
}

interface Answer {
  contract: string
  at: string
  knownAt: string
  headline: string
  sets: { id: string; headline: string; dimensions: Record<string, string>; counts: Record<string, number> }[]
}

export function judge(question: {
  yaml: string
  facts: readonly Fact[]
  at: string
  knownAt: string
}): Answer {
  return {
    contract: 'x',
    at: question.at,
    knownAt: question.knownAt,
    headline: 'compliant',
    sets: [{ id: 'filer', headline: 'compliant', dimensions: {}, counts: { facts: question.facts.length } }],
  }
}
