/** The conformance cases of the contract specification, and how an answer is held against one. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const root = join(import.meta.dirname, '../vectors/compliance')

const checksSchema = z.array(
  z.object({
    at: z.string(),
    knownAt: z.string().optional(),
    expect: z.record(z.string(), z.unknown()),
    why: z.string(),
  }),
)

export interface ComplianceCase {
  name: string
  contractText: string
  /** JSON lines in log order. */
  facts: string
  checks: z.infer<typeof checksSchema>
}

export const CASES: readonly ComplianceCase[] = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => {
    const read = (file: string) => readFileSync(join(root, name, file), 'utf8')
    return {
      name,
      contractText: read('contract.yaml'),
      facts: read('facts.jsonl'),
      checks: checksSchema.parse(JSON.parse(read('expect.json'))),
    }
  })

/**
 * The subset rule of the cases: every key given must be there and match; a list's objects match one of the
 * answer's each, in any order (sets by their id, obligations by tier and bucket); instants as instants, a
 * rate within 0.0001, everything else exactly.
 */
export function differences(actual: unknown, expected: unknown, path: string): string[] {
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
