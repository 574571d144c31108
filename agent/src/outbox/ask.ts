import { BevisError, ERROR_CODES } from '@bevis/shared/error'
import type { Signer } from '@bevis/shared/crypto'
import { instant } from '@bevis/shared/format'
import { signRequest } from '@bevis/shared/http-signature'
import { problemSchema } from '@bevis/shared/wire'
import { workSchema } from '@bevis/shared/work'
import type { Work } from '@bevis/shared/work'
import { z } from 'zod'
import type { State } from '../state.ts'
import { loadClock } from './clock.ts'
import type { Transport } from './transport.ts'

/** What the collector asked for last, as it was read; nothing in it has been agreed to. */
export interface Asked {
  /** By our clock. */
  readonly at: string
  readonly work: Work
}

const askedSchema = z.object({ at: instant, work: workSchema })

/** More than the largest contracts have. */
const MOST_BYTES = 8 * 1024 * 1024

/** Asks what is wanted, and keeps the answer. @throws BevisError COLLECTOR_UNREACHABLE, COLLECTOR_REFUSED */
export async function askForWork(
  parts: {
    readonly state: State
    readonly transport: Transport
    readonly agent: string
    readonly origin: string
    readonly signer: Signer
    readonly now: () => Date
  },
  signal?: AbortSignal,
): Promise<Work> {
  const { state, transport, agent, origin, signer, now } = parts
  const path = `/v1/agents/${agent}/work`
  // By the collector's clock: a host whose own is wrong can ask all the same.
  const at = new Date(now().getTime() - (loadClock(state)?.offsetMs ?? 0))
  const headers = { ...signRequest({ method: 'GET', path, origin }, signer, at) }
  const reply = await transport.get(path, signal, headers)
  if (reply.status !== 200) {
    const { code = '', detail = '' } = problemSchema.safeParse(reply.body).data ?? {}
    const known = ERROR_CODES.some((one) => one === code)
    throw new BevisError(
      'COLLECTOR_REFUSED',
      `no work: the collector answered ${reply.status} ${known ? code : ''} ${detail}`,
    )
  }
  const work = workSchema.safeParse(reply.body)
  if (!work.success || work.data.agent !== agent || reply.text.length > MOST_BYTES)
    throw new BevisError(
      'COLLECTOR_REFUSED',
      'what the collector asks for is not in the form that was agreed',
    )
  state.put('work', JSON.stringify({ at: now().toISOString(), work: work.data } satisfies Asked))
  return work.data
}

/** Null before the first answer. */
export function loadAsked(state: State): Asked | null {
  try {
    return askedSchema.parse(JSON.parse(state.get('work') ?? ''))
  } catch {
    return null
  }
}
