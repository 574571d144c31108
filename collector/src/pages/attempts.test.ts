import { expect, test } from 'vitest'
import { createAttempts } from './attempts.ts'

test('a key is spent after so many failures, and free again when they are old', () => {
  let ms = 1_000_000
  const attempts = createAttempts({ max: 3, windowMs: 60_000, now: () => new Date(ms) })
  for (let n = 0; n < 3; n++) {
    expect(attempts.isSpent('192.0.2.1')).toBe(false)
    attempts.fail('192.0.2.1')
    ms += 10_000
  }
  expect(attempts.isSpent('192.0.2.1')).toBe(true)
  expect(attempts.isSpent('192.0.2.2')).toBe(false)
  ms += 31_000 // the first one is now more than a minute old
  expect(attempts.isSpent('192.0.2.1')).toBe(false)
})

test('guessing under ever new names does not fill the memory, and forgets the oldest first', () => {
  const attempts = createAttempts({ max: 1, windowMs: 60_000, now: () => new Date(0) })
  for (let n = 0; n < 10_001; n++) attempts.fail(`name ${n}`)
  expect(attempts.isSpent('name 0')).toBe(false)
  expect(attempts.isSpent('name 1')).toBe(true)
})
