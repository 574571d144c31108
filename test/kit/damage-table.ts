/** The table that the damage matrix prints: what each damage came to, and where it came to something else. */
import type { RestoreTestResult } from '../../agent/src/run/restore-test.ts'
import { lastOf } from './proof.ts'

export interface Outcome {
  readonly verdict: string
  readonly classes: Readonly<Record<string, number>>
  /** '' without one. */
  readonly code: string
}

/** By the last test, or the first. */
export function outcomeOf(result: RestoreTestResult, which: 'first' | 'last' = 'last'): Outcome {
  const [first] = result.tests
  const { result: verdict, classes, error } = which === 'first' && first ? first.result : lastOf(result)
  return { verdict, classes, code: error?.code ?? '' }
}

/** What a test said of one file, `identical` where it named no other class, and what it told of its source. */
export function outcomeAt(result: RestoreTestResult, path: string): Outcome & { readonly said: string[] } {
  const said = lastOf(result)
    .exceptions.filter((one) => one.path === path)
    .map((one) => one.class)
  const isClassed = said.some((name) => !BESIDE.includes(name))
  return { ...outcomeOf(result), said: isClassed ? said : ['identical', ...said] }
}

/** Of the source, beside the class of the file. */
const BESIDE = ['rot', 'moved-back']

export interface DamageTable {
  add(
    damage: string,
    version: string,
    backend: string,
    outcome: Outcome & { said?: string[]; dataCheck?: string },
  ): void
  print(title: string): void
}

export function openDamageTable(
  builds: readonly { readonly version: string }[],
  backends: readonly string[],
): DamageTable {
  const order = builds.flatMap(({ version }) => backends.map((backend) => `${version} ${backend}`))
  const rows = new Map<string, Map<string, Set<string>>>()
  return {
    add(damage, version, backend, { verdict, classes, code, said, dataCheck = '' }) {
      const names = Object.keys(classes).toSorted((one, other) => (one < other ? -1 : 1))
      const counts = names.map((name) => `${name} ${classes[name]}`)
      const key = [verdict, (said ?? counts).join(', ') || '-', code || '-', dataCheck || '-'].join('\t')
      const row = rows.get(damage) ?? new Map<string, Set<string>>()
      rows.set(damage, row)
      row.set(key, (row.get(key) ?? new Set()).add(`${version} ${backend}`))
    },
    print(title) {
      const lines = [['damage', 'restore test', 'classes', 'error', 'data check', 'on']]
      for (const [damage, row] of rows) {
        for (const [key, places] of row) {
          const on = order.filter((place) => places.has(place))
          lines.push([damage, ...key.split('\t'), on.length === order.length ? 'all' : on.join(', ')])
        }
      }
      const widths = [0, 1, 2, 3, 4].map((at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)))
      const text = lines.map((line) =>
        line
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd(),
      )
      process.stdout.write(`\n${title}\n${text.map((line) => `  ${line}\n`).join('')}`)
    },
  }
}
