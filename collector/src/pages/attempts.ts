/** How many keys are remembered; beyond that the oldest are forgotten, so that guessing cannot fill the memory. */
const KEYS_KEPT = 10_000

/** Counts failures by key within a sliding window: who succeeds is never counted. */
export function createAttempts(limit: { max: number; windowMs: number; now: () => Date }) {
  const { max, windowMs, now } = limit
  const failures = new Map<string, number[]>()

  const recent = (key: string) => (failures.get(key) ?? []).filter((at) => at > now().getTime() - windowMs)

  return {
    /**
     * Counts a failure before anything is looked at, so that attempts beside each other do not all pass as the first.
     * @returns what takes it back, for who was right after all; null: the key is spent, and nothing was counted
     */
    begin(key: string): (() => void) | null {
      const times = recent(key)
      if (times.length >= max) return null
      const at = now().getTime()
      failures.delete(key) // and back at the end of the line
      failures.set(key, [...times, at])
      const [oldest] = failures.keys()
      if (failures.size > KEYS_KEPT && oldest !== undefined) failures.delete(oldest)
      return () => {
        const left = recent(key)
        const own = left.indexOf(at)
        if (own >= 0) left.splice(own, 1)
        if (left.length > 0) failures.set(key, left)
        else failures.delete(key)
      }
    },
  }
}
