import { errorCodeOf } from '@bevis/shared/error'

/** Several callers' items under one transaction: the cost of its fsync is shared by all who wait. */
export interface GroupCommit<I, O> {
  /**
   * Commits the items together with whatever else waits, in order of asking.
   * @param alone in a transaction of its own
   */
  submit(items: readonly I[], alone?: boolean): Promise<O>
}

interface Waiting<I, O> {
  readonly items: readonly I[]
  readonly alone: boolean
  readonly done: PromiseWithResolvers<O>
}

/**
 * @param commit one transaction over several submissions; gives one outcome each, in their order
 * @param limit how many items one transaction takes, unless a single submission has more
 */
export function groupCommit<I, O>(
  commit: (submissions: readonly (readonly I[])[]) => Promise<readonly O[]>,
  limit: number,
): GroupCommit<I, O> {
  const queue: Waiting<I, O>[] = []
  let running = false

  /** Everything that waits, up to the limit and to what wants to be alone. */
  function takeGroup(): Waiting<I, O>[] {
    const first = queue.shift()
    if (first === undefined) return []
    const group = [first]
    let count = first.items.length
    while (!first.alone) {
      const next = queue[0]
      if (next === undefined || next.alone || count + next.items.length > limit) break
      queue.shift()
      group.push(next)
      count += next.items.length
    }
    return group
  }

  async function settle(group: readonly Waiting<I, O>[]): Promise<void> {
    try {
      const outcomes = await commit(group.map(({ items }) => items))
      for (const [n, outcome] of outcomes.entries()) group[n]?.done.resolve(outcome)
    } catch (error) {
      // What nobody foresaw may be one submission's fault: the others are not to suffer for it.
      if (group.length > 1 && errorCodeOf(error) === 'INTERNAL') {
        for (const one of group) await settle([one])
        return
      }
      for (const { done } of group) done.reject(error)
    }
  }

  async function run(): Promise<void> {
    running = true
    for (let group = takeGroup(); group.length > 0; group = takeGroup()) await settle(group)
    running = false
  }

  return {
    submit: (items, alone = false) => {
      const done = Promise.withResolvers<O>()
      queue.push({ items, alone, done })
      // On the next turn of the loop, so that requests of the same moment share one transaction.
      if (!running) {
        running = true
        setImmediate(() => void run())
      }
      return done.promise
    },
  }
}
