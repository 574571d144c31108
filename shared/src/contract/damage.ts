/** What data checks found damaged in repositories, and what later checks read there and found sound. */
import type { DataCheck } from '../evidence/predicates.ts'

/** A data check that failed. Instants as the statements have them. */
export interface Damage {
  readonly repository: DataCheck['repository']
  /** `n/t`, as restic names the part of the packs that was read. */
  readonly subset: string
  readonly errors: number
  readonly at: string
  /** SHA-256 of its statement's PAE. */
  readonly digest: string
  /** The last of the checks that have since read all of the same packs and found them sound; null: it stands. */
  readonly over: { readonly at: string; readonly digest: string } | null
}

/** restic tells packs apart by the first byte of their IDs: no part is finer. */
const PARTS = 256

/** Takes data checks in log order; of those that passed, it keeps nothing but what they end. */
export class Damages {
  readonly #list: { damage: Damage; unread: Set<number | string> }[] = []

  get list(): Damage[] {
    return this.#list.map(({ damage }) => damage)
  }

  add({ repository, subset, errors, endedAt: at, result }: DataCheck, digest: string): void {
    const read = packsOf(subset)
    if (result === 'FAILED') {
      this.#list.push({ damage: { repository, subset, errors, at, digest, over: null }, unread: read })
    }
    if (result !== 'PASSED') return
    for (const one of this.#list) {
      const { damage, unread } = one
      if (damage.over !== null || damage.repository.id !== repository.id || at <= damage.at) continue
      one.unread = unread.difference(read)
      if (one.unread.size === 0) one.damage = { ...damage, over: { at, digest } }
    }
  }
}

/** The first bytes of the packs that a part has; what names no part is a part of its own. */
function packsOf(subset: string): Set<number | string> {
  const [, part = 0, of = 0] = (/^(\d{1,3})\/(\d{1,3})$/.exec(subset) ?? []).map(Number)
  if (part < 1 || part > of || of > PARTS) return new Set([subset])
  return new Set(Array.from({ length: PARTS }, (_, byte) => byte).filter((byte) => byte % of === part - 1))
}
