import type { FactIndex } from './facts.ts'
import type { History } from './history.ts'
import type { Known } from './known.ts'
import type { FlawedTest } from './points.ts'
import type { Opinion } from './verdict.ts'

/** What is wrong with the evidence itself: it weighs nothing, because what it would prove is missing already. */
export function tellDoubts(
  opinion: Opinion,
  history: History,
  flawedTests: readonly FlawedTest[],
  index: FactIndex,
  at: number,
): void {
  for (const { fact, flaw } of history.lineage.flawed) {
    opinion.find(flaw, fact.receivedAt, { kind: 'inventory', agent: agentOf(fact) }, [fact])
  }
  for (const { test, flaw } of flawedTests) {
    if (!history.terms.set.selector.hosts.includes(test.predicate.snapshot.host)) continue
    const { id } = test.predicate.snapshot
    opinion.find(flaw, test.receivedAt, { kind: 'restore-test', agent: agentOf(test), snapshot: id }, [test])
  }
  for (const { attestations } of history.doubted) {
    for (const { run, standing } of attestations) {
      if (standing === 'sound' || run.receivedAt > at) continue
      const snapshot = run.predicate.snapshot?.id ?? ''
      opinion.find(standing, run.receivedAt, { kind: 'backup-run', agent: agentOf(run), snapshot }, [run])
    }
  }
  for (const { code, fact } of index.disregarded) {
    const { predicate } = fact
    if (fact.receivedAt > at || !('repository' in predicate)) continue
    const { id } = predicate.repository as { id: string }
    if (!history.lineage.repositories.has(id)) continue
    opinion.find(code, fact.receivedAt, { agent: agentOf(fact) }, [fact])
  }
}

function agentOf({ chain }: Known): string {
  return chain?.agent ?? ''
}
