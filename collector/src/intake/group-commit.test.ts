import { BevisError } from '@bevis/shared/error'
import { expect, test } from 'vitest'
import { groupCommit } from './group-commit.ts'

/** Commits by writing down; what is "poison" cannot be written. */
function recorder(limit = 10) {
  const groups: string[][][] = []
  const queue = groupCommit<string, string>(async (submissions) => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (submissions.flat().includes('poison')) throw new Error('nobody foresaw this')
    if (submissions.flat().includes('disk')) throw new BevisError('STORE_FAILED', 'the disk is full')
    groups.push(submissions.map((items) => [...items]))
    return submissions.map((items) => items.join('+'))
  }, limit)
  return { groups, queue }
}

test('who asks at the same moment, or waits, shares a transaction, in order', async () => {
  const { groups, queue } = recorder()
  const first = [queue.submit(['a']), queue.submit(['b', 'c'])]
  await new Promise((resolve) => setTimeout(resolve, 2)) // the first transaction is under way
  const second = [queue.submit(['d']), queue.submit([]), queue.submit(['e'])]
  expect(await Promise.all([...first, ...second])).toEqual(['a', 'b+c', 'd', '', 'e'])
  expect(groups).toEqual([
    [['a'], ['b', 'c']],
    [['d'], [], ['e']],
  ])
})

test('a transaction takes no more than its limit, but a single submission whole', async () => {
  const { groups, queue } = recorder(3)
  const big = ['1', '2', '3', '4', '5']
  await Promise.all([
    queue.submit(['a', 'b']),
    queue.submit(['c', 'd']),
    queue.submit(big),
    queue.submit(['e']),
  ])
  expect(groups).toEqual([[['a', 'b']], [['c', 'd']], [big], [['e']]])
})

test('what wants to be alone is, and order holds', async () => {
  const { groups, queue } = recorder()
  await Promise.all([
    queue.submit(['a']),
    queue.submit(['b'], true),
    queue.submit(['c']),
    queue.submit(['d']),
  ])
  expect(groups).toEqual([[['a']], [['b']], [['c'], ['d']]])
})

test('one submission’s own fault is not its neighbours’', async () => {
  const { queue } = recorder()
  const results = await Promise.allSettled([
    queue.submit(['a']),
    queue.submit(['poison']),
    queue.submit(['b']),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await queue.submit(['c'])).toBe('c')
})

test('a failed store fails all that shared the transaction, and the queue goes on', async () => {
  const { queue } = recorder()
  const results = await Promise.allSettled([queue.submit(['a']), queue.submit(['disk'])])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await queue.submit(['c'])).toBe('c')
})
