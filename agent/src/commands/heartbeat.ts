import { release } from 'node:os'
import { configWarnings } from '../config-warning.ts'
import { openCosigner } from '../evidence/cosigner.ts'
import { lifecycle } from '../evidence/lifecycle.ts'
import type { Identity } from '../evidence/identity.ts'
import type { Draft } from '../evidence/record.ts'
import { readAlarms } from '../outbox/alarm.ts'
import { loadClock } from '../outbox/clock.ts'
import { readSpool } from '../outbox/queue.ts'
import { loadMark } from '../schedule/mark.ts'
import type { Plan } from '../schedule/plan.ts'
import { VERSION } from '../version.ts'
import type { Opened } from './open.ts'

/** A sign of life with what the collector shows of an agent: clock, spool, what comes next, versions. */
export function heartbeat(
  { config, state, now }: Opened,
  identity: Identity,
  event: 'started' | 'stopped' | 'heartbeat',
  plans: readonly Plan[],
): Draft<'agent-lifecycle'> {
  const at = now()
  const clock = loadClock(state)
  const { depth, oldestAt, refused } = readSpool(state)
  const alarms = readAlarms(state.folder)
  const warnings = event === 'started' ? configWarnings(config, at) : []
  const next = plans.flatMap((plan) => {
    const { set, what } = plan
    const mark = loadMark(state, set, what)
    const due = plan.next(
      mark ?? { startedAt: at.toISOString(), endedAt: '', outcome: 'new', code: null },
      at,
    )
    return due === null ? [] : [{ set, what, at: due.toISOString() }]
  })
  const detail = {
    ...(refused > 0 && { refused }),
    ...(alarms.length > 0 && { alarms: alarms.map(({ code }) => code) }),
    ...(warnings.length > 0 && { warnings: warnings.slice(0, 20) }),
  }
  return lifecycle(identity, event, at, {
    ...(clock !== null && { clockOffsetMs: clock.offsetMs }),
    spool: { depth, oldestAt },
    // Said again at each start, for agents that enrolled before they cosigned.
    ...(event === 'started' && { cosigner: openCosigner(state, identity).vkey }),
    ...(event !== 'stopped' && { next: next.slice(0, 1000) }),
    versions: { agent: VERSION, node: process.versions.node, kernel: release() },
    ...(Object.keys(detail).length > 0 && { detail }),
  })
}
