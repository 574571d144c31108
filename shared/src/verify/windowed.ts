import type { ByteSource } from './zip-format.ts'

const WINDOW_BYTES = 2 ** 17

/**
 * Reads on where small pieces are read one behind the other, as a pack's hundred thousand proofs are: each would have
 * memory of its own outside the heap, of which much waits at a time to be collected.
 */
export function windowed(sizeBytes: number, read: ByteSource['read']): ByteSource {
  let window: Uint8Array = new Uint8Array()
  let [windowAt, nextAt] = [0, 0]
  return {
    sizeBytes,
    read(from, to, room) {
      const isNext = from === nextAt
      nextAt = to
      const isThere = from >= windowAt && to <= windowAt + window.length
      if (!isThere) {
        if (!isNext || 4 * (to - from) > WINDOW_BYTES) return read(from, to, room)
        window = read(from, Math.min(sizeBytes, from + WINDOW_BYTES))
        windowAt = from
      }
      return window.subarray(from - windowAt, to - windowAt)
    },
  }
}
