import { BevisError } from '@bevis/shared/error'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openDelivery, waitMs } from './delivery.ts'
import type { SendReport } from './send.ts'

const sent: SendReport = { logged: 1, refused: 0, alarms: [], retryAfterMs: null, failure: null }
const failed = (
  code: 'COLLECTOR_UNREACHABLE' | 'LOG_INCONSISTENT',
  retryAfterMs: number | null = null,
): SendReport => ({
  ...sent,
  logged: 0,
  failure: new BevisError(code, 'no'),
  retryAfterMs,
})

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

test('waits double up to five minutes, never by less than half, and a person’s matter is not hurried', () => {
  const waits = Array.from({ length: 12 }, (_, failures) =>
    waitMs(failures, failed('COLLECTOR_UNREACHABLE'), 1),
  )
  expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000])
  expect(waits.at(-1)).toBe(300_000)
  expect(waitMs(3, failed('COLLECTOR_UNREACHABLE'), 0)).toBe(4_000)
  expect(waitMs(0, failed('LOG_INCONSISTENT'), 1)).toBe(900_000)
})

test('what the collector asks for is heeded, within reason', () => {
  expect(waitMs(9, failed('COLLECTOR_UNREACHABLE', 7_000), 0)).toBe(7_000)
  expect(waitMs(0, failed('COLLECTOR_UNREACHABLE', 1e12), 0)).toBe(3_600_000)
})

test('it sends at once, then only when it is poked', async () => {
  let passes = 0
  const delivery = openDelivery(
    () => Promise.resolve({ ...sent, logged: ++passes }),
    () => {},
  )
  await vi.waitFor(() => expect(passes).toBe(1))
  delivery.poke()
  await vi.waitFor(() => expect(passes).toBe(2))
  await delivery.close()
  expect(passes).toBe(2)
})

test('a poke during a pass is not lost', async () => {
  let passes = 0
  const delivery = openDelivery(
    async () => {
      await Promise.resolve()
      if (++passes === 1) delivery.poke()
      return sent
    },
    () => {},
  )
  await vi.waitFor(() => expect(passes).toBe(2))
  await delivery.close()
})

test('a pass that throws is told and tried again; the loop never ends by itself', async () => {
  const told: SendReport[] = []
  let passes = 0
  const delivery = openDelivery(
    () => (++passes === 1 ? Promise.reject(new TypeError('a fault of ours')) : Promise.resolve(sent)),
    (report) => told.push(report),
  )
  await vi.waitFor(() => expect(told).toHaveLength(1))
  expect(told[0]?.failure).toMatchObject({ code: 'INTERNAL', message: 'a fault of ours' })
  await delivery.close()
})
