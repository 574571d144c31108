import { expect, test } from 'vitest'
import { createAttempts } from './attempts.ts'

test('a key is spent after so many failures, and free again when they are old', () => {
  let ms = 1_000_000
  const attempts = createAttempts({ max: 3, windowMs: 60_000, now: () => new Date(ms) })
  for (let n = 0; n < 3; n++) {
    expect(attempts.begin('192.0.2.1')).not.toBeNull()
    ms += 10_000
  }
  expect(attempts.begin('192.0.2.1')).toBeNull()
  expect(attempts.begin('192.0.2.2')).not.toBeNull()
  ms += 31_000 // the first one is now more than a minute old
  expect(attempts.begin('192.0.2.1')).not.toBeNull()
  expect(attempts.begin('192.0.2.1')).toBeNull()
})

test('who was right takes back the own attempt, and no other', () => {
  const attempts = createAttempts({ max: 2, windowMs: 60_000, now: () => new Date(0) })
  const [wrong, right] = [attempts.begin('liv'), attempts.begin('liv')]
  expect([wrong, right]).not.toContain(null)
  expect(attempts.begin('liv')).toBeNull()
  right?.()
  expect(attempts.begin('liv')).not.toBeNull()
  expect(attempts.begin('liv')).toBeNull()
})

test('guessing under ever new names does not fill the memory, and forgets the oldest first', () => {
  const attempts = createAttempts({ max: 1, windowMs: 60_000, now: () => new Date(0) })
  for (let n = 0; n < 10_001; n++) attempts.begin(`name ${n}`)
  expect(attempts.begin('name 1')).toBeNull()
  expect(attempts.begin('name 0')).not.toBeNull()
})
