import type { Kysely, Transaction } from 'kysely'
import type { Schema } from './schema.ts'

/** The data layer, as all rooms see it: any engine that Kysely speaks can stand behind it. */
export interface Store {
  /** For reading. What is written here is refused: write by {@link Store.write}. */
  readonly db: Kysely<Schema>

  /**
   * Runs `work` in one transaction, after all that were asked for before it. Durable when it resolves;
   * nothing of it happened when it rejects. `work` must not wait for anything but the transaction.
   */
  write<T>(work: (tx: Transaction<Schema>) => Promise<T>): Promise<T>

  /**
   * Takes a lock that the operating system (or the database server) releases when this process ends,
   * however it ends. Waits up to `waitMs`.
   * @throws BevisError STATE_LOCKED when another process holds it
   */
  lock(name: LockName, waitMs: number): Promise<Lock>

  /** Writes something that changes nothing, durably. @throws BevisError STORE_FAILED, STATE_LOCKED */
  probe(): Promise<void>

  /** Writes a consistent copy of the whole database to a new file while others read and write. */
  backup(file: string): Promise<void>

  close(): Promise<void>
}

/** `serve`: there is one server. `log`: one process at a time appends and moves the last checkpoint. */
export type LockName = 'serve' | 'log'

export interface Lock {
  release(): void
}

/** Whose rows a reader may see: a query cannot be asked without saying it. */
export type Scope = { readonly all: true } | { readonly tenant: string }

/** The one tenant that a scope is limited to; null for all. */
export function tenantOf(scope: Scope): string | null {
  return 'all' in scope ? null : scope.tenant
}
