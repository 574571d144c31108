import type Database from 'better-sqlite3'
import { CompiledQuery, SqliteAdapter, SqliteDialect, SqliteDriver } from 'kysely'
import type { DatabaseConnection, DialectAdapter, Driver, SqliteDatabase, SqliteStatement } from 'kysely'
import { whileBusy } from './busy.ts'

/** Kysely's SQLite with prepared statements kept; its transactions take the write lock at their start. */
export class WritingDialect extends SqliteDialect {
  readonly #database: Database.Database
  readonly #busyMs: number

  /** @param busyMs how long a transaction waits for another process's */
  constructor(database: Database.Database, busyMs: number) {
    super({ database: keepStatements(database) })
    this.#database = database
    this.#busyMs = busyMs
  }

  override createDriver(): Driver {
    return new WritingDriver(this.#database, this.#busyMs)
  }

  override createAdapter(): DialectAdapter {
    return new TransactionalAdapter()
  }
}

/** Kysely's SQLite with prepared statements kept. */
export class ReadingDialect extends SqliteDialect {
  constructor(database: Database.Database) {
    super({ database: keepStatements(database) })
  }
}

/** SQLite does roll schema changes back, so that a migration cut short leaves nothing. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class WritingDriver extends SqliteDriver {
  readonly #database: Database.Database
  readonly #busyMs: number

  constructor(database: Database.Database, busyMs: number) {
    super({ database: keepStatements(database) })
    this.#database = database
    this.#busyMs = busyMs
  }

  /** A deferred transaction that reads first cannot become a writer once another process has written. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await whileBusy(this.#busyMs, () => connection.executeQuery(CompiledQuery.raw('begin immediate')))
  }

  /** A full or broken disk has made SQLite roll back by itself; what failed is to be told, not this. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.inTransaction) await super.rollbackTransaction(connection)
  }
}

const MAX_KEPT = 500

function keepStatements(database: Database.Database): SqliteDatabase {
  const kept = new Map<string, Database.Statement<unknown[]>>()
  const prepare = (sql: string): Database.Statement<unknown[]> => {
    const statement = kept.get(sql) ?? database.prepare<unknown[]>(sql)
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(sql, statement)
    return statement.busy ? database.prepare<unknown[]>(sql) : statement // busy: a stream is still reading it
  }
  return {
    prepare: (sql) => asKyselyStatement(prepare(sql)),
    close: () => {
      database.close()
    },
  }
}

function asKyselyStatement(statement: Database.Statement<unknown[]>): SqliteStatement {
  return {
    reader: statement.reader,
    all: (parameters) => statement.all(parameters),
    run: (parameters) => statement.run(parameters),
    iterate: (parameters) => statement.iterate(parameters),
  }
}
