import { setOf } from '../config.ts'
import type { InventoryResult } from '../run/inventory.ts'
import { inventoryKeeper } from '../schedule/plan.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { paint } from './terminal.ts'
import { workOn } from './work.ts'
import type { WorkOptions, WorkResult } from './work.ts'

/** Lists a set's repository, or each repository once: 0 all complete, 2 one could not be listed. */
export async function inventoryCommand(
  opened: Opened,
  id: string | null,
  options: WorkOptions,
): Promise<Outcome> {
  const { runInventory } = await import('../run/inventory.ts')
  const { sets } = opened.config
  const chosen =
    id === null
      ? sets.filter((set) => inventoryKeeper(sets, set.repository.url) === set)
      : [setOf(opened.config, id)]
  const results: { set: string; result: InventoryResult }[] = []
  for (const set of chosen) {
    if (options.signal.aborted) break
    const work = { id: set.id, what: 'inventory' } as const
    results.push({
      set: set.id,
      result: await workOn(opened, work, options, (bench) => runInventory(bench), inventoryResult),
    })
  }
  const failed = results.find(({ result }) => !result.complete)
  return {
    exit: failed === undefined ? 0 : 2,
    json: {
      inventories: results.map(({ set, result }) => ({ set, ...inventoryJson(result) })),
      error: failed === undefined ? null : inventoryJson(failed.result).error,
    },
    lines: results.map(({ set, result }) => `${set}  ${describeInventory(result)}`),
  }
}

export function inventoryResult({ complete, error }: InventoryResult): WorkResult {
  return { outcome: complete ? 'passed' : 'failed', error }
}

export function inventoryJson({ error, ...result }: InventoryResult) {
  return { ...result, error: error === null ? null : { code: error.code, message: error.message } }
}

export function describeInventory({
  complete,
  count,
  added,
  removed,
  error,
  recorded,
}: InventoryResult): string {
  if (!complete) return paint('red', `✗ no inventory: ${error?.code ?? ''}: ${error?.message ?? ''}`)
  const told = `${paint('green', '✓')} inventory: snapshots ${count ?? 0}, added ${added}, gone ${removed}`
  return `${told}  statement ${recorded.epoch}/${recorded.seq}`
}
