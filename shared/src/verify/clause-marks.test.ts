import { describe, expect, test } from 'vitest'
import { describe as describePack, descriptionOf, packOf } from '../../../test/kit/pack.ts'
import { smallWorld } from '../../../test/kit/world.ts'
import type { PackOptions } from '../../../test/kit/pack.ts'
import { CLAUSE_IDS } from '../evidence/clause.ts'
import { PACK_FILES, packSchema } from './pack.ts'
import type { Pack } from './pack.ts'
import { parseTrust } from './trust.ts'
import { verifyPack } from './verify-pack.ts'

const world = await smallWorld()
const ASKED: PackOptions = { clauses: ['iso27001-5.22', 'cis-11'], from: '2025-01-02T00:00:00.000Z' }
const asked = await packOf(world, ASKED)
const plain = await packOf(world, { from: ASKED.from ?? '' })

const tableOf = (files: ReadonlyMap<string, Uint8Array>) =>
  new TextDecoder().decode(files.get(PACK_FILES.table)).trimEnd().split('\r\n')

function verified(files: Map<string, Uint8Array>) {
  return verifyPack({ files, trust: parseTrust(world.trust()) })
}

/** The pack with its table, its description or both written anew, by somebody who can describe packs. */
function forged(
  { row = (text: string) => text, pack = (honest: Pack) => honest },
  files: ReadonlyMap<string, Uint8Array> = asked,
): Map<string, Uint8Array> {
  const table = `${tableOf(files).map(row).join('\r\n')}\r\n`
  const lying = new Map(files).set(PACK_FILES.table, new TextEncoder().encode(table))
  return describePack(lying, pack(descriptionOf(files)))
}

function failuresOf(files: Map<string, Uint8Array>): string[] {
  return verified(files).checks.flatMap(({ id, outcome, detail }) =>
    outcome === 'failed' ? [`${id}: ${detail}`] : [],
  )
}

describe('a pack that was asked for clauses', () => {
  test('holds, and the report tells how many are marked and that the others are there', () => {
    const { result, checks } = verified(asked)
    expect(result).toBe('verified')
    const { statements, marked } = descriptionOf(asked).population
    const rest = statements - (marked?.statements ?? 0)
    expect(rest).toBeGreaterThan(0)
    expect(marked?.inPeriod).toBeLessThan(marked?.statements ?? 0)
    expect(checks.find(({ id }) => id === 'completeness.population')?.detail).toContain(
      `${marked?.statements} marked, ${marked?.inPeriod} of them in the period, for iso27001-5.22, cis-11; the other ${rest} are here too`,
    )
  })

  test('leaves nothing out, and is but for the marks the pack that was asked for nothing', () => {
    for (const name of [PACK_FILES.evidence, PACK_FILES.index, PACK_FILES.verdict]) {
      expect(asked.get(name), name).toEqual(plain.get(name))
    }
    const unmarked = tableOf(asked).map((row) => row.split(',').toSpliced(3, 1).join(','))
    expect(unmarked).toEqual(tableOf(plain))
    const { filter, population, files: _, ...rest } = descriptionOf(asked)
    const { marked, ...counts } = population
    const { files: __, ...bare } = descriptionOf(plain)
    expect({ ...rest, population: counts }).toEqual(bare)
    expect([filter?.clauses, marked]).not.toContain(undefined)
  })

  test('marks each statement with what it may support', () => {
    const marks = new Map(tableOf(asked).map((row) => [row.split(',')[7], row.split(',')[3]]))
    expect(Object.fromEntries(marks)).toMatchObject({
      'backup-run': 'iso27001-5.22 cis-11',
      inventory: 'iso27001-5.22',
      'agent-lifecycle': 'cis-11',
      'contract-event': '',
    })
  })
})

describe('marks that lie are refused', () => {
  test('a mark that the statement does not give', () => {
    const row = (text: string) => text.replace(',iso27001-5.22,', ',iso27001-5.22 cis-11,')
    expect(failuresOf(forged({ row }))).toEqual([
      expect.stringMatching(
        /^table.rederived: evidence.csv: the row of leaf \d+ is not what the statement gives/,
      ),
    ])
  })

  test('a mark taken away', () => {
    const row = (text: string) => text.replace(',iso27001-5.22,', ',,')
    expect(failuresOf(forged({ row }))).toEqual([expect.stringContaining('table.rederived')])
  })

  test.each(['statements', 'inPeriod'] as const)('a count of marked %s that is not so', (which) => {
    const pack = (honest: Pack) => {
      const marked = honest.population.marked ?? { statements: 0, inPeriod: 0 }
      const { statements, leaves, inPeriod, chains } = honest.population
      const lie = { ...marked, [which]: marked[which] + 1 }
      return { ...honest, population: { statements, leaves, inPeriod, marked: lie, chains } }
    }
    expect(failuresOf(forged({ pack }))).toEqual([
      expect.stringMatching(
        /^completeness.population: pack.json counts \d+ (statements marked|marked statements)/,
      ),
    ])
  })

  test('clauses that were asked for, and are no longer told', () => {
    const pack = (honest: Pack) => ({ ...honest, filter: undefined })
    expect(failuresOf(forged({ pack })).map((text) => text.split(':')[0])).toEqual([
      'completeness.population',
      'table.rederived',
    ])
  })

  test('rows left out because they bear no mark', () => {
    const without = forged({}, new Map(asked))
    const rows = tableOf(asked).filter((row) => row.split(',')[3] !== '')
    without.set(PACK_FILES.table, new TextEncoder().encode(`${rows.join('\r\n')}\r\n`))
    expect(failuresOf(describePack(without, descriptionOf(asked)))).toEqual([
      expect.stringContaining('table.rederived'),
    ])
  })
})

test('clauses are known ones, each once, in the order of their table', () => {
  const parse = (clauses: unknown) => packSchema.shape.filter.safeParse({ clauses })
  expect(parse(CLAUSE_IDS).success).toBe(true)
  expect(parse(['cis-11', 'iso27001-8.13']).success).toBe(false)
  expect(parse(['cis-11', 'cis-11']).success).toBe(false)
  expect(parse([]).success).toBe(false)
  expect(parse(['cis-12']).error?.message).toContain('cis-11')
})
