import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import { formatVkey } from '@bevis/shared/log/checkpoint'
import { addAccount, listAccounts, readAddress } from '../account/accounts.ts'
import { assertPassword, generatePassword } from '../account/password.ts'
import type { CollectorConfig } from '../config.ts'
import { createLog } from '../log/log.ts'
import { ensureKeyFile, readSecretFile, stateFiles, writeNewFile } from '../state.ts'
import { openSqliteStore } from '../store/sqlite/open.ts'
import type { Outcome } from './outcome.ts'

export interface InitOptions {
  readonly email: string
  /** Given by file, environment or prompt; made up when undefined. */
  readonly password: string | undefined
  readonly language: 'da' | 'en'
}

/** Makes the state folder, the log with its key, and the first account; what an earlier `init` began, it ends. */
export async function initCommand(
  config: CollectorConfig,
  options: InitOptions,
  now: () => Date,
): Promise<Outcome> {
  readAddress(options.email) // before anything is made
  if (options.password !== undefined) assertPassword(options.password)
  mkdirSync(config.state, { recursive: true, mode: 0o700 })
  mkdirSync(dirname(config.checkpointFile), { recursive: true, mode: 0o700 })
  const files = stateFiles(config.state)
  const signer = ensureKeyFile(files.logKey)
  ensureKeyFile(files.officeKey)
  const vkey = formatVkey(config.origin, signer.spki)
  const store = await openSqliteStore({ stateFolder: config.state, create: true })
  try {
    if ((await listAccounts(store)).length > 0) {
      throw new BevisError('USAGE', `${config.state} is a collector already; nothing was changed`)
    }
    const { origin, checkpointFile } = config
    await createLog({ store, signer, origin, checkpointFile, now })
    writeFileSync(files.vkey, `${vkey}\n`, { mode: 0o644 })
    const isGenerated = options.password === undefined
    const password = options.password ?? ensurePassword(files.firstPassword)
    const { email } = await addAccount(
      store,
      { email: options.email, password, role: 'provider-admin', tenant: null, language: options.language },
      now(),
    )
    const passwordFile = isGenerated ? files.firstPassword : null
    return {
      exit: 0,
      json: { state: config.state, origin, vkey, checkpointFile, email, passwordFile },
      lines: [
        `The collector's state is in ${config.state}, the last signed head in ${checkpointFile}.`,
        `The log's verification key, for agents and auditors:`,
        `  ${vkey}`,
        isGenerated
          ? `Sign in as ${email} with the password in ${files.firstPassword}; delete that file when you have it.`
          : `Sign in as ${email}.`,
        `Keep a copy of ${files.logKey}, away from this machine: without it, this log can never be continued.`,
      ],
    }
  } finally {
    await store.close()
  }
}

/** In its file before anything depends on it: an `init` that was cut short finds it again. */
function ensurePassword(file: string): string {
  if (!existsSync(file)) writeNewFile(file, `${generatePassword()}\n`)
  return readSecretFile(file).trim()
}
