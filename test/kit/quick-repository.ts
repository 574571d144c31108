import { execFileSync } from 'node:child_process'
import { createCipheriv, createDecipheriv, createHash, randomBytes, scryptSync } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import type { ResticBuild } from './restic-versions.ts'

const CACHE = resolve(import.meta.dirname, '../../.cache/restic')
/** Of every repository that quickRepository makes. */
export const QUICK_PASSWORD = 'correct horse'

interface KeyFile {
  N: number
  r: number
  p: number
  salt: string
  data: string
}

/**
 * An empty repository in `folder` (which must not exist), whose commands take 0.2 s instead of 0.7 s. All that
 * come from one version have the same id and master key; a test that needs two apart makes one with init.
 */
export function quickRepository(build: ResticBuild, folder: string): void {
  const template = join(CACHE, `empty-${build.version}`)
  if (!existsSync(template)) {
    mkdirSync(CACHE, { recursive: true })
    const work = mkdtempSync(join(CACHE, '.empty-'))
    writeFileSync(join(work, 'password'), QUICK_PASSWORD)
    const repository = join(work, 'repository')
    execFileSync(build.binary, ['init', '-q', '-r', repository, '-p', join(work, 'password'), '--no-cache'])
    quickenRepository(repository, QUICK_PASSWORD)
    try {
      renameSync(repository, template)
    } catch {
      // Another test file was quicker: its template is as good.
    }
    rmSync(work, { recursive: true, force: true })
  }
  cpSync(template, folder, { recursive: true })
}

/**
 * Gives a local test repository a key that opens at once. restic takes half a second of computing per command
 * to derive the key from the password, which is nearly all of a test's time; the password and all else stay.
 * https://restic.readthedocs.io/en/stable/100_references.html#keys-encryption-and-mac
 */
export function quickenRepository(repository: string, password: string): void {
  const folder = join(repository, 'keys')
  const [name] = readdirSync(folder)
  if (name === undefined) throw new Error(`${repository} has no key`)
  const key = JSON.parse(readFileSync(join(folder, name), 'utf8')) as KeyFile
  const data = Buffer.from(key.data, 'base64')
  const slow = derive(password, key)
  const opened = createDecipheriv('aes-256-ctr', slow.subarray(0, 32), data.subarray(0, 16))
  const master = Buffer.concat([opened.update(data.subarray(16, -16)), opened.final()])

  const cheap = { ...key, N: 2, r: 8, p: 1, salt: randomBytes(64).toString('base64') }
  const quick = derive(password, cheap)
  const nonce = randomBytes(16)
  const closed = createCipheriv('aes-256-ctr', quick.subarray(0, 32), nonce)
  const secret = Buffer.concat([closed.update(master), closed.final()])
  const mac = poly1305Aes(quick.subarray(32, 48), quick.subarray(48, 64), nonce, secret)
  const text = JSON.stringify({ ...cheap, data: Buffer.concat([nonce, secret, mac]).toString('base64') })
  writeFileSync(join(folder, createHash('sha256').update(text).digest('hex')), text)
  chmodSync(join(folder, name), 0o600)
  rmSync(join(folder, name))
}

function derive(password: string, { N, r, p, salt }: KeyFile): Buffer {
  return scryptSync(password, Buffer.from(salt, 'base64'), 64, { N, r, p, maxmem: 256 * N * r * p + 2 ** 25 })
}

/** https://cr.yp.to/mac/poly1305-20050329.pdf */
function poly1305Aes(k: Buffer, r: Buffer, nonce: Buffer, message: Buffer): Buffer {
  const cipher = createCipheriv('aes-128-ecb', k, null).setAutoPadding(false)
  const s = number(cipher.update(nonce))
  const factor = number(r) & 0x0ffffffc0ffffffc0ffffffc0fffffffn
  let sum = 0n
  for (let at = 0; at < message.length; at += 16) {
    const block = Buffer.concat([message.subarray(at, at + 16), Buffer.from([1])])
    sum = ((sum + number(block)) * factor) % (2n ** 130n - 5n)
  }
  const tag = (sum + s) % 2n ** 128n
  return Buffer.from(tag.toString(16).padStart(32, '0'), 'hex').reverse()
}

/** Little-endian. */
function number(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}
