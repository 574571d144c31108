import { BevisError } from '@bevis/shared/error'
import { fullId } from './messages.ts'

/** `latest` and prefixes may mean another snapshot by the time that restic looks. */
export function assertFullId(id: string): void {
  if (!fullId.safeParse(id).success)
    throw new BevisError('USAGE', `not a full snapshot id: ${JSON.stringify(id)}`)
}
