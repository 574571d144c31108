import type { Contract } from '@bevis/shared/contract/schema'

/** The local date on which the first restore test of a set is due, by the version in force. */
export function firstTestDue(text: Contract, version: number | null, id: string): string | null {
  const inForce = text.versions.find(({ no }) => no === version)
  const set = inForce?.sets.find((one) => one.id === id)
  if (inForce === undefined || set?.restoreTest === undefined) return null
  const from = Temporal.PlainDate.from(set.onboardedAt ?? inForce.effectiveFrom)
  const due = from.toZonedDateTime(text.timezone).add(set.restoreTest.every)
  return due.toPlainDate().toString()
}
