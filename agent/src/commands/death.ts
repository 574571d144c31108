import { requireIdentity } from '../evidence/identity.ts'
import { lifecycle } from '../evidence/lifecycle.ts'
import { isAtWork, loadAttempts, saveAttempt } from '../schedule/attempt.ts'
import type { Attempt } from '../schedule/attempt.ts'
import { recorderOf } from './open.ts'
import type { Opened } from './open.ts'

/**
 * States every run that was begun and died without a word: kill -9, a power cut. It could not sign anything
 * itself, so whoever comes next does, as an alarm: what it had come to, nobody saw.
 * @param held a repository whose lock the caller holds, so that nobody else can be at work on it
 */
export async function stateDeaths(opened: Opened, held: string | null = null): Promise<Attempt[]> {
  const { state, now } = opened
  const dead = loadAttempts(state).filter(
    ({ endedAt, repository }) =>
      endedAt === null && (repository === held || !isAtWork(state.folder, repository, now())),
  )
  for (const attempt of dead) {
    const { set, what, startedAt } = attempt
    const detail = { set, what, startedAt }
    const draft = lifecycle(requireIdentity(state), 'alarm', now(), { reason: 'the run died', detail })
    await recorderOf(opened).record(draft)
    saveAttempt(state, { ...attempt, endedAt: now().toISOString() })
  }
  return dead
}
