/** The conformance cases of the contract specification: every check of every case, by its subset rule. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { runEvaluate } from '@bevis/shared/verify/evaluate'

const root = join(import.meta.dirname, 'vectors/compliance')

const checks = z.array(
  z.object({
    at: z.string(),
    knownAt: z.string().optional(),
    expect: z.record(z.string(), z.unknown()),
    why: z.string(),
  }),
)

const cases = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

test('there are cases', () => {
  expect(cases.length).toBeGreaterThanOrEqual(17)
})

describe.each(cases)('%s', (name) => {
  const read = (file: string) => readFileSync(join(root, name, file), 'utf8')
  const contractText = read('contract.yaml')
  const facts = read('facts.jsonl')

  test.each(checks.parse(JSON.parse(read('expect.json'))))('$at $knownAt: $why', (check) => {
    const answer = runEvaluate({
      contractText,
      facts,
      at: new Date(check.at),
      ...(check.knownAt !== undefined && { knownAt: new Date(check.knownAt) }),
    })
    expect(differences(JSON.parse(JSON.stringify(answer)), check.expect, '')).toEqual([])
  })
})

/**
 * The subset rule of the cases: every key given must be there and match; a list's objects match one of the
 * answer's each, in any order (sets by their id, obligations by tier and bucket); instants as instants, a
 * rate within 0.0001, everything else exactly.
 */
function differences(actual: unknown, expected: unknown, path: string): string[] {
  if (Array.isArray(expected)) {
    const items = Array.isArray(actual) ? actual : []
    return expected.flatMap((wanted: unknown) => {
      const near = items.filter((item) => isSameObligation(item, wanted))
      if (near.some((item) => differences(item, wanted, path).length === 0)) return []
      const only = near.length === 1 ? differences(near[0], wanted, path).join('; ') : ''
      return [`${path} has none like ${JSON.stringify(wanted)} ${only}`]
    })
  }
  if (typeof expected === 'object' && expected !== null) {
    const holder = asRecord(path === '/sets' ? setsById(actual) : actual)
    return Object.entries(expected).flatMap(([key, value]) =>
      key in holder ? differences(holder[key], value, `${path}/${key}`) : [`${path} has no ${key}`],
    )
  }
  const same =
    actual === expected ||
    (typeof expected === 'number' &&
      !Number.isInteger(expected) &&
      Math.abs(Number(actual) - expected) < 1e-4) ||
    (typeof expected === 'string' &&
      /^\d{4}-.*Z$/.test(expected) &&
      Date.parse(String(actual)) === Date.parse(expected))
  return same ? [] : [`${path} is ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`]
}

function isSameObligation(item: unknown, wanted: unknown): boolean {
  const [one, other] = [asRecord(item), asRecord(wanted)]
  return ['tier', 'bucket'].every((key) => other[key] === undefined || other[key] === one[key])
}

function setsById(sets: unknown): Record<string, unknown> {
  const list: unknown[] = Array.isArray(sets) ? sets : []
  return Object.fromEntries(list.map((set) => [String(asRecord(set)['id']), set]))
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
