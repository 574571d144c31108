/** How many keys are remembered; beyond that the oldest are forgotten, so that guessing cannot fill the memory. */
const KEYS_KEPT = 10_000

/** Counts failures by key within a sliding window: who succeeds is never counted. */
export function createAttempts(limit: { max: number; windowMs: number; now: () => Date }) {
  const { max, windowMs, now } = limit
  const failures = new Map<string, number[]>()

  const recent = (key: string) => (failures.get(key) ?? []).filter((at) => at > now().getTime() - windowMs)

  return {
    isSpent: (key: string): boolean => recent(key).length >= max,

    fail(key: string): void {
      const times = [...recent(key), now().getTime()].slice(-max)
      failures.delete(key) // and back at the end of the line
      failures.set(key, times)
      const [oldest] = failures.keys()
      if (failures.size > KEYS_KEPT && oldest !== undefined) failures.delete(oldest)
    },
  }
}
