/** What changed in a month: the contract, what both agreed beside it, and the agents. */
import { isAccepted, PARTIES } from '@bevis/shared/contract/acceptance'
import type { Fact } from '@bevis/shared/contract/known'
import { isInMonth } from '@bevis/shared/contract/month'
import type { Month } from '@bevis/shared/contract/month'
import { isEvidence } from '@bevis/shared/evidence/statement'
import type { Matter } from '../facts.ts'
import type { ReportedChange } from './model.ts'

export function changesIn(matter: Matter, facts: readonly Fact[], month: Month): ReportedChange[] {
  const all = [...agreed(matter, facts, month), ...told(facts, month)]
  // Each version repeats what the ones before it agreed.
  const once = new Map(all.map((change) => [JSON.stringify(change), change]))
  return [...once.values()].toSorted((a, b) => a.at.localeCompare(b.at))
}

function agreed({ contract, texts }: Matter, facts: readonly Fact[], month: Month): ReportedChange[] {
  const events = facts.flatMap(({ statement }) =>
    isEvidence(statement, 'contract-event') ? [statement.predicate] : [],
  )
  // A draft changes nothing yet.
  const inForce = contract.versions.filter((version) => isAccepted(version, events))
  const first = `${month.name}-01`
  const last = month.days.at(-1)?.date ?? first
  const touches = (from: string, to: string) => from <= last && to >= first
  return [
    ...inForce
      .filter(({ effectiveFrom }) => touches(effectiveFrom, effectiveFrom))
      .map(({ no, effectiveFrom, changeNote }) => ({
        kind: 'version' as const,
        at: effectiveFrom,
        subject: String(no),
        ...(changeNote !== undefined && { note: changeNote }),
      })),
    ...texts
      .filter(({ applied_at }) => isInMonth(applied_at, month))
      .map(({ revision, applied_at, applied_by }) => ({
        kind: 'text' as const,
        at: applied_at,
        subject: String(revision),
        note: applied_by,
      })),
    ...inForce.flatMap(({ exclusions, holds }) => [
      ...exclusions
        .filter(({ from, to }) => touches(from, to))
        .map(({ sets, from, to, reason, approvedBy }) => ({
          kind: 'exclusion' as const,
          at: from,
          subject: sets.join(', '),
          from,
          to,
          note: reason,
          ...(PARTIES.some((party) => !approvedBy.includes(party)) && { unapproved: true }),
        })),
      ...holds
        .filter(({ start, end }) => touches(start, end ?? '9999-12-31'))
        .map(({ sets, start, end, authority }) => ({
          kind: 'hold' as const,
          at: start,
          subject: sets.join(', '),
          from: start,
          ...(end !== undefined && { to: end }),
          note: authority,
        })),
    ]),
  ]
}

function told(facts: readonly Fact[], month: Month): ReportedChange[] {
  const changes: ReportedChange[] = []
  const programs = new Map<string, string>()
  for (const { statement, receivedAt } of facts) {
    if (isEvidence(statement, 'contract-event')) {
      const { event, by, at, detail } = statement.predicate
      if (event === 'report-issued' || !isInMonth(at, month)) continue
      const reply = event === 'finding-acknowledged' ? detail['reply'] : undefined
      changes.push({
        kind: 'event',
        at,
        subject: by.person,
        to: typeof reply === 'string' ? `report-${reply}` : event,
        from: by.party,
        ...(typeof reply === 'string' && typeof detail['note'] === 'string' && { note: detail['note'] }),
      })
      continue
    }
    const { chain, tools } = statement.predicate
    const program = [tools.agent, ...(tools.restic === undefined ? [] : [`restic ${tools.restic}`])].join(
      ', ',
    )
    const before = programs.get(chain.agent)
    // Statements without restic's part say nothing of it.
    if (tools.restic !== undefined || before === undefined) programs.set(chain.agent, program)
    if (
      before !== undefined &&
      tools.restic !== undefined &&
      before !== program &&
      before.includes('restic') &&
      isInMonth(receivedAt, month)
    ) {
      changes.push({ kind: 'program', at: receivedAt, subject: chain.agent, from: before, to: program })
    }
    if (!isEvidence(statement, 'agent-lifecycle') || !isInMonth(statement.predicate.at, month)) continue
    const { event, at, reason } = statement.predicate
    if (event === 'alarm') {
      changes.push({ kind: 'alarm', at, subject: chain.agent, ...(reason !== undefined && { note: reason }) })
    } else if (['enrolled', 'rotated', 'reinstalled', 'revoked', 'retired'].includes(event)) {
      changes.push({ kind: 'key', at, subject: chain.agent, to: event })
    }
  }
  return changes
}
