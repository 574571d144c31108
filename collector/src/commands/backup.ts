import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import { toInstant } from '@bevis/shared/format'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

/** @throws BevisError USAGE */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.W_OK)
  } catch (cause) {
    throw new BevisError('USAGE', `${folder} cannot be written: ${errorMessageOf(cause)}`, { cause })
  }
}

/** A consistent copy of the database in a new folder; keys are left out, and that is said. */
export async function backupCommand({ config, store, files, now }: Opened, folder: string): Promise<Outcome> {
  const target = join(folder, 'collector.db')
  if (existsSync(target)) throw new BevisError('USAGE', `${target} exists: name a new folder`)
  makeFolder(folder)
  await store.backup(target)
  const notIncluded = [files.logKey, files.officeKey, config.checkpointFile]
  return {
    exit: 0,
    json: { database: target, at: toInstant(now()), notIncluded },
    lines: [
      `The database is in ${target}, consistent as of now.`,
      'Not in it, and each needs a place of its own:',
      `  ${files.logKey} and ${files.officeKey}: private keys; keep one copy where nobody can take it.`,
      `  ${config.checkpointFile}: never restore it from a backup. It tells a restored database from a current one.`,
    ],
  }
}
