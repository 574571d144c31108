import { existsSync, rmSync } from 'node:fs'
import { sha256Hex } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { toInstant } from '@bevis/shared/format'
import { formatVkey, parseVkey } from '@bevis/shared/log/checkpoint'
import { openSuccession, signSuccession } from '@bevis/shared/log/succession'
import { keepSuccession, nextKey, readLogKeys, readSuccessions, takeNextKey } from '../log-keys.ts'
import { openLogOf, openOfficeOf } from './open.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

/**
 * Gives the log its next key: the old one signs that it is, every head is signed by both from now on, and each
 * contract's register says so. What was cut short is ended by calling it again.
 */
export async function keyRotateCommand(opened: Opened, by: { person: string }): Promise<Outcome> {
  const { config, files, store, now } = opened
  const lock = await lockServe(opened)
  try {
    const { trouble } = await openLogOf(opened)
    if (trouble !== null) throw trouble
    const { origin } = config
    const keys = readLogKeys(config.state, origin)
    const from = parseVkey(formatVkey(origin, keys.signer.spki))
    const vkey = formatVkey(origin, nextKey(config.state).spki)
    const begun = readSuccessions(files.successions).at(-1)
    const note =
      begun !== undefined && !keys.successions.includes(begun)
        ? begun
        : signSuccession({ kind: 'key', from, to: parseVkey(vkey), at: toInstant(now()) }, keys.signer)
    openSuccession(note, from)
    keepSuccession(files.successions, note)
    takeNextKey(config.state, files.formerLogKey, vkey)
    const contracts = await store.db.selectFrom('contract').select('id').orderBy('id').execute()
    const office = await openOfficeOf(opened)
    for (const { id: contract } of contracts) {
      await office.record({
        contract,
        event: 'report-issued',
        by: { party: 'provider', person: by.person },
        detail: { document: 'log-key', sha256: sha256Hex(note), note },
      })
    }
    return {
      exit: 0,
      json: { vkey, former: formatVkey(origin, from.spki), succession: note },
      lines: [
        'The log has a new key; every head is signed by it and by the one before. For new trust files:',
        `  ${vkey}`,
        'Agents follow by themselves, since the old key signed it. When all have come, end the old one with',
        '  bevis-collector key retire',
        `Keep a copy of ${files.logKey}, away from this machine.`,
      ],
    }
  } finally {
    lock.release()
  }
}

/** From now on heads are signed by the newest key alone, and the one before is gone. */
export async function keyRetireCommand(opened: Opened): Promise<Outcome> {
  const { files } = opened
  const lock = await lockServe(opened)
  try {
    if (!existsSync(files.formerLogKey))
      throw new BevisError('NOT_FOUND', 'there is no former key that still signs')
    rmSync(files.formerLogKey)
    return {
      exit: 0,
      json: { retired: true },
      lines: [
        'Heads are signed by the newest key alone. The note by which agents and verifiers follow stays.',
      ],
    }
  } finally {
    lock.release()
  }
}

/** A server holds the keys in memory. @throws BevisError STATE_LOCKED */
export function lockServe({ store }: Opened): ReturnType<Opened['store']['lock']> {
  return store.lock('serve', 0)
}
