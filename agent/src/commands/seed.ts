import { setTimeout as sleep } from 'node:timers/promises'
import { inventoryDigest } from '@bevis/shared/evidence/inventory'
import { loadAsked } from '../outbox/ask.ts'
import { seedFor, useSeed } from '../run/asked.ts'
import { loadInventoryBase } from '../run/inventory-base.ts'
import { knownCopy } from '../run/repository.ts'
import type { CollectorSeed } from '../run/test-request.ts'
import { inventoryResult } from './inventory.ts'
import { sendEvidence } from './open.ts'
import type { Opened } from './open.ts'
import { keepMark } from './work.ts'
import type { Bench } from './work.ts'

/** So long a test waits for the collector's seed; without one it draws by its own, and says so. */
const SEED_WAIT_MS = 20_000

/**
 * The collector's seed for a test of these snapshots, which are all that the repository holds. It is told only for an
 * inventory that is in the log: so one is taken if the last is no longer true, and sent. Null when there is none to be
 * had in time.
 */
export async function fetchSeed(
  opened: Opened,
  bench: Bench,
  ids: readonly string[],
): Promise<CollectorSeed | null> {
  const { state, now } = opened
  const { set, stateDir, signal } = bench
  const startedAt = now()
  try {
    const digest = inventoryDigest(ids)
    const repository = knownCopy(stateDir, set)
    const last = repository === null ? null : await loadInventoryBase(stateDir, repository)
    if (last?.digest !== digest) {
      const { runInventory } = await import('../run/inventory.ts')
      keepMark(opened, set, 'inventory', startedAt.toISOString(), inventoryResult(await runInventory(bench)))
    }
    const patience = AbortSignal.any([signal, AbortSignal.timeout(SEED_WAIT_MS)])
    for (let isSent = false; !patience.aborted;) {
      const asked = loadAsked(state)
      const found = asked === null ? null : seedFor(asked.work, set.id, digest, state)
      if (found !== null) {
        useSeed(state, set.id, found)
        return { value: found.seed, inventory: found.inventory }
      }
      if (isSent) return null
      // Another process may be sending: then what it brings back is for us too.
      const report = await sendEvidence(opened, patience)
      if (report === null) await sleep(500, undefined, { signal: patience })
      else isSent = true
    }
    return null
  } catch {
    // What hinders here hinders the test too, or does not matter to it; the test says so itself.
    return null
  }
}
