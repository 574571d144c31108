import { askForTest } from '../request/ask.ts'
import { findContract } from '../store/read/contracts.ts'
import { listRequests } from '../store/read/requests.ts'
import type { RequestRow } from '../store/read/requests.ts'
import { BevisError } from '@bevis/shared/error'
import type { Opened } from './open.ts'
import { alignColumns } from './outcome.ts'
import type { Outcome } from './outcome.ts'

const ALL = { all: true } as const

export interface RequestOptions {
  readonly set: string
  readonly path: string
  readonly snapshot?: string
  readonly by: string
}

export async function requestAddCommand(
  { store, now }: Opened,
  contract: string,
  options: RequestOptions,
): Promise<Outcome> {
  const asked = await askForTest(store, ALL, { contract, ...options }, now())
  return {
    exit: 0,
    json: asked,
    lines: [
      `${asked.agent} is asked to restore ${asked.path}; it comes for it by itself, and answers with a signed statement.`,
      `  bevis-collector request list ${contract}`,
    ],
  }
}

/** 1 when a requested restore failed. */
export async function requestListCommand({ store }: Opened, contract: string): Promise<Outcome> {
  if ((await findContract(store.db, ALL, contract)) === undefined)
    throw new BevisError('NOT_FOUND', `there is no contract ${contract}`)
  const requests = await listRequests(store.db, ALL, { contract })
  const head = ['ASKED', 'BY', 'AGENT', 'PATH', 'ANSWER', 'STATEMENT']
  return {
    exit: requests.some(({ answer }) => answer?.outcome === 'FAILED') ? 1 : 0,
    json: requests,
    lines:
      requests.length === 0
        ? ['Nobody has asked for a restore under this contract.']
        : alignColumns([head, ...requests.map(cellsOf)]),
  }
}

function cellsOf({ askedAt, askedBy, agent, path, answer }: RequestRow): string[] {
  const told =
    answer === null
      ? 'waits'
      : answer.detail === null
        ? answer.outcome
        : `${answer.outcome}: ${answer.detail}`
  return [askedAt, askedBy, agent, path, told, answer?.statement.slice(0, 16) ?? '']
}
