import { BevisError } from '@bevis/shared/error'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import type { WorkOptions } from './work.ts'

export function inventoryCommand(
  _opened: Opened,
  _set: string | null,
  _options: WorkOptions,
): Promise<Outcome> {
  throw new BevisError('INTERNAL', 'not yet')
}
