import { expect, test } from 'vitest'
import { generatePassword, hashPassword, verifyPassword } from './password.ts'

test('a password is verified against its own hash only', async () => {
  const hash = await hashPassword('rødgrød med fløde')
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await verifyPassword('rødgrød med fløde', hash)).toBe(true)
  expect(await verifyPassword('rødgrød med fløde'.normalize('NFD'), hash)).toBe(true)
  expect(await verifyPassword('rødgrød med fløde ', hash)).toBe(false)
  expect(await hashPassword('rødgrød med fløde')).not.toBe(hash)
})

test('what is no hash verifies nothing', async () => {
  for (const hash of ['', 'x', '$argon2id$v=19$m=19456,t=2,p=1$$', '$2b$10$abcdefghijklmnopqrstuv']) {
    expect(await verifyPassword('', hash)).toBe(false)
  }
})

test('short and endless passwords are refused', async () => {
  await expect(hashPassword('elevenchars')).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  await expect(hashPassword('x'.repeat(1_025))).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
})

test('a generated password is long enough, and another each time', () => {
  const made = new Set(Array.from({ length: 50 }, generatePassword))
  expect(made.size).toBe(50)
  for (const password of made) expect(password).toMatch(/^([a-z2-9]{5}-){4}[a-z2-9]{5}$/)
})
