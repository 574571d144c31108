import { openRecover } from '../recover.ts'
import { openLogOf } from './open.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

/** Tells what a log whose database was set back has lost, and puts it together where all of it is there again. */
export async function recoverCommand(opened: Opened): Promise<Outcome> {
  const log = await openLogOf(opened)
  const { checkpointFile } = opened.config
  if (log.trouble !== null && log.trouble.code !== 'LOG_ROLLED_BACK') throw log.trouble
  const answer = await openRecover({ store: opened.store, log, now: opened.now }).missing()
  if (answer === null) {
    return {
      exit: 0,
      json: { missing: 0 },
      lines: ['Nothing is missing: the database has all that was signed.'],
    }
  }
  const { from, to, missing } = answer
  return {
    exit: missing === 0 ? 0 : 1,
    json: answer,
    lines:
      missing === 0
        ? [`The log has its ${to} entries again, and the root that was signed. Start serve anew.`]
        : [
            `The database ends at ${from} entries; a head of ${to} was signed (${checkpointFile}).`,
            `${missing} of the ${to - from} lost entries have not been brought back yet.`,
            'Let serve run: it takes nothing new, and agents that come bring back what they have receipts for.',
            'If a newer copy of the database is somewhere, restore that one. If an agent is gone for good, with what',
            'only it had, close the log: recover --close ORIGIN',
          ],
  }
}
