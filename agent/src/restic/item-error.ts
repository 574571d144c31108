import { getSystemErrorMessage } from 'node:util'
import type { ItemError } from './interface.ts'
import type { ErrorMessage } from './messages.ts'

/** One file's error as it came in JSON. Until 0.16 the reason is an operation and a number (errno). */
export function messageOfItem({ error, message, during, item }: ErrorMessage): ItemError {
  return {
    ...(item !== undefined && item !== '' && { path: item }),
    message: (error?.message ?? message ?? reasonOf(error) ?? 'restic gave no reason').slice(0, 2_000),
    ...(during !== undefined && { during }),
  }
}

function reasonOf(error: ErrorMessage['error']): string | undefined {
  if (error?.Op === undefined || typeof error.Err !== 'number') return error && JSON.stringify(error)
  return `${error.Op}: ${getSystemErrorMessage(-error.Err) ?? `error ${error.Err}`}`
}
