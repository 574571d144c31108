import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contradictionOf, provenBounds, standingStamps } from './bounds.ts'
import type { LoggedStamp } from './bounds.ts'

const HOUR = 3_600_000
const START = Date.parse('2026-11-23T00:00:00.000Z')
const at = (hour: number) => new Date(START + hour * HOUR).toISOString()

/** Over the first `size` leaves, made at an hour, its token the leaf after them. */
const stampOf = (size: number, hour: number, more: Partial<LoggedStamp> = {}): LoggedStamp => ({
  ...{ size, leafIndex: size, genTime: at(hour), accuracyMs: 0 },
  ...{ validUntil: at(10_000), authority: 'CN=tsa' },
  ...more,
})

describe('bounds', () => {
  const boundsOf = provenBounds([stampOf(10, 1), stampOf(20, 2), stampOf(30, 3, { leafIndex: null })])

  test('after the newest token that its own checkpoint holds, before the first stamp that includes it', () => {
    expect(boundsOf({ embeddedSize: 15, leafIndex: 16 })).toEqual({
      ...{ madeAfter: at(1), loggedAfter: at(1), before: at(2) },
    })
    expect(boundsOf({ embeddedSize: 5, leafIndex: 25 })).toEqual({
      ...{ madeAfter: null, loggedAfter: at(2), before: at(3) },
    })
  })

  test('a token is inside of a checkpoint only from its own leaf on, and a stamp is over what is below its size', () => {
    expect(boundsOf({ embeddedSize: 10, leafIndex: 9 })).toMatchObject({ madeAfter: null, before: at(1) })
    expect(boundsOf({ embeddedSize: 11, leafIndex: 11 })).toMatchObject({ madeAfter: at(1), before: at(2) })
    expect(boundsOf({ embeddedSize: null, leafIndex: 30 })).toEqual({
      ...{ madeAfter: null, loggedAfter: at(2), before: null },
    })
  })

  test('the authority’s own doubt goes against the proof', () => {
    const doubtful = provenBounds([stampOf(10, 1, { accuracyMs: 60_000 })])
    expect(doubtful({ embeddedSize: 11, leafIndex: 11 }).madeAfter).toBe('2026-11-23T00:59:00.000Z')
    expect(doubtful({ embeddedSize: 0, leafIndex: 1 }).before).toBe('2026-11-23T01:01:00.000Z')
  })

  test('are those that a look through all stamps gives', () => {
    const stamp = fc
      .record({ size: fc.nat(50), lag: fc.nat(5), hour: fc.nat(40), inLog: fc.boolean() })
      .map(({ size, lag, hour, inLog }) => stampOf(size, hour, { leafIndex: inLog ? size + lag : null }))
    fc.assert(
      fc.property(
        fc.array(stamp, { maxLength: 12 }),
        fc.nat(60),
        fc.nat(60),
        (stamps, embeddedSize, leafIndex) => {
          const inside = (size: number) =>
            stamps
              .filter((one) => one.leafIndex !== null && one.leafIndex < size)
              .map(({ genTime }) => genTime)
          const over = stamps.filter(({ size }) => size > leafIndex).map(({ genTime }) => genTime)
          expect(provenBounds(stamps)({ embeddedSize, leafIndex })).toEqual({
            madeAfter: inside(embeddedSize).toSorted().at(-1) ?? null,
            loggedAfter: inside(leafIndex).toSorted().at(-1) ?? null,
            before: over.toSorted()[0] ?? null,
          })
        },
      ),
    )
  })
})

test('a claim outside of the bounds is named', () => {
  const bounds = { madeAfter: null, loggedAfter: at(1), before: at(2) }
  expect(contradictionOf(bounds, at(1.5), 0)).toBeNull()
  expect(contradictionOf(bounds, at(0.9), 60_000)).toMatch(/what lies before it was stamped at/)
  expect(contradictionOf(bounds, at(2.1), 60_000)).toMatch(/it was stamped at .* already/)
  expect(contradictionOf({ madeAfter: null, loggedAfter: null, before: null }, at(99), 0)).toBeNull()
})

describe('when certificates end', () => {
  const old = stampOf(10, 1, { validUntil: at(100) })
  const now = new Date(at(200))

  test('a stamp that nothing renewed proves nothing any more', () => {
    expect(standingStamps([old], new Date(at(100)))).toEqual([old])
    expect(standingStamps([old], now)).toEqual([])
  })

  test('one that a later stamp covers still stands, if that was made in time', () => {
    const inTime = stampOf(40, 99)
    const late = stampOf(40, 101)
    expect(standingStamps([old, inTime], now)).toEqual([old, inTime])
    expect(standingStamps([old, late], now)).toEqual([late])
    // The token itself must be inside of what is stamped.
    expect(standingStamps([{ ...old, leafIndex: 40 }, inTime], now)).toEqual([inTime])
    expect(standingStamps([{ ...old, leafIndex: null }, inTime], now)).toEqual([inTime])
  })

  test('over more than one generation', () => {
    const second = stampOf(40, 90, { validUntil: at(150) })
    const third = stampOf(60, 140)
    expect(standingStamps([old, second, third], now)).toHaveLength(3)
    expect(standingStamps([old, third], now)).toEqual([third])
  })
})
