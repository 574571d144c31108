import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { BevisError } from '@bevis/shared/error'

const derive = promisify(argon2)

/** OWASP's second choice: 19 MiB, two passes, one lane; about 60 ms. */
const MEMORY_KIB = 19_456
const PASSES = 2
const TAG_BYTES = 32
const FORM = /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=1\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{43})$/

const PASSWORD_MIN = 12
const PASSWORD_MAX = 1_024

/**
 * The PHC text of a password, `$argon2id$v=19$m=…,t=…,p=1$salt$tag`.
 * @throws BevisError REQUEST_INVALID when it is too short or too long
 */
export async function hashPassword(password: string): Promise<string> {
  assertPassword(password)
  const salt = randomBytes(16)
  const tag = await tagOf(password, salt, MEMORY_KIB, PASSES)
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$${unpadded(salt)}$${unpadded(tag)}`
}

/** @throws BevisError REQUEST_INVALID when it is too short or too long */
export function assertPassword({ length }: string): void {
  if (length >= PASSWORD_MIN && length <= PASSWORD_MAX) return
  throw new BevisError(
    'REQUEST_INVALID',
    `a password has ${PASSWORD_MIN} to ${PASSWORD_MAX} characters, and this one ${length}`,
  )
}

/** False for a wrong password, and for a hash that is none. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [, memory, passes, salt = '', tag = ''] = FORM.exec(hash) ?? []
  if (memory === undefined || passes === undefined || password.length > PASSWORD_MAX) return false
  const expected = Buffer.from(tag, 'base64')
  const actual = await tagOf(password, Buffer.from(salt, 'base64'), Number(memory), Number(passes))
  return timingSafeEqual(actual, expected)
}

/** 130 bits, in words of five that can be read aloud. */
export function generatePassword(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789' // 32 of them, none that looks like another
  const text = Array.from(randomBytes(25), (byte) => letters[byte & 31]).join('')
  return text.match(/.{5}/g)?.join('-') ?? text
}

function tagOf(password: string, salt: Uint8Array, memory: number, passes: number): Promise<Buffer> {
  const message = password.normalize('NFC')
  return derive('argon2id', { message, nonce: salt, parallelism: 1, tagLength: TAG_BYTES, memory, passes })
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
