import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BevisError, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import { formatVkey, parseVkey } from '@bevis/shared/log/checkpoint'
import type { Succession } from '@bevis/shared/log/succession'
import { changeLog, requireIdentity } from '../evidence/identity.ts'
import { raiseAlarm, writeDurably } from '../outbox/alarm.ts'
import { askForSuccessions, followClosure } from '../outbox/follow.ts'
import type { Transport } from '../outbox/transport.ts'
import type { SendReport } from '../outbox/send.ts'
import type { Opened } from './open.ts'

/**
 * Goes on with the log's next key, or with the log that follows a closed one, where the key that is known says so.
 * That a log was closed is an alarm: evidence was lost, and somebody must know.
 */
export async function followLog({ state, now }: Opened, transport: Transport): Promise<SendReport['alarms']> {
  const { vkey } = requireIdentity(state)
  const alarms: SendReport['alarms'][number][] = []
  const tell = (error: unknown, about: string): void => {
    const alarm = { code: errorCodeOf(error), message: errorMessageOf(error), about, at: now() }
    const raised = raiseAlarm(state.folder, alarm, undefined)
    if (raised !== null) alarms.push(raised)
  }
  try {
    for (const succession of await askForSuccessions(transport, parseVkey(vkey))) {
      const { kind, from, to } = succession
      let again = 0
      state.write(() => {
        if (kind === 'closure') again = followClosure(state, succession)
        changeLog(state, formatVkey(to.name, to.spki))
      })
      rewriteTrust(join(state.folder, 'trust.yaml'), succession)
      if (kind === 'closure') {
        const { kept, last } = succession
        const message =
          `the log ${from.name} lost its entries from ${kept.size} to ${last.size} and is closed; ${to.name} goes on, ` +
          `and ${again} statements are sent again`
        tell(new BevisError('LOG_ROLLED_BACK', message), message)
      }
    }
  } catch (error) {
    if (!(error instanceof BevisError)) throw error
    if (error.code !== 'COLLECTOR_UNREACHABLE') tell(error, `succession of ${vkey}`)
  }
  return alarms
}

/** The trust file names the key that is followed now; what was before it stays as a remark. */
function rewriteTrust(file: string, { from, to, at }: Succession): void {
  if (!existsSync(file)) return
  const [old, next] = [from, to].map((key) => formatVkey(key.name, key.spki))
  const text = readFileSync(file, 'utf8')
  if (old === undefined || next === undefined || !text.includes(old)) return
  writeDurably(
    file,
    `# Until ${at} the log's key was ${old}; it signed the one that follows it.\n${text.replace(old, next)}`,
  )
}
