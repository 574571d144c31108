import { decodeBase64, encodeBase64 } from '@bevis/shared/base64'
import type { Checkpoint } from '@bevis/shared/log/checkpoint'
import type { State } from '../state.ts'

/** The newest checkpoint of the log that this agent has verified, or null. */
export function loadHead(state: State): Checkpoint | null {
  const text = state.get('log')
  if (text === null) return null
  const { root, ...rest } = JSON.parse(text) as { origin: string; size: number; root: string; note: string }
  return { ...rest, root: decodeBase64(root) }
}

/** To be called in the transaction that relies on it. */
export function saveHead(state: State, { origin, size, root, note }: Checkpoint): void {
  state.put('log', JSON.stringify({ origin, size, root: encodeBase64(root), note }))
}
