import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { makeTsa, TSA_EXTENSIONS, TSA_POLICY } from '../../../test/kit/tsa.ts'
import type { Tsa, TsaOptions } from '../../../test/kit/tsa.ts'
import { sha256 } from '../crypto.ts'
import { readCertificates } from './certificate.ts'
import { formatQuery, formatResponse, nonceOf, readToken } from './query.ts'
import { verifyTimestamp } from './timestamp.ts'

const text = new TextEncoder().encode('log.example/kit\n5\nroot\n\nsignature\n')
const digest = sha256(text)
const made: Tsa[] = []
const tsaOf = (options: TsaOptions = {}): Tsa => {
  const tsa = makeTsa(options)
  made.push(tsa)
  return tsa
}
afterAll(() => {
  for (const tsa of made) tsa.remove()
})

const ask = (tsa: Tsa, nonce = nonceOf(randomBytes(8))) => ({
  nonce,
  token: readToken(tsa.answer(formatQuery(digest, nonce))),
})
const rootsOf = (tsa: Tsa) => readCertificates(tsa.root)
const refusal = async (question: Parameters<typeof verifyTimestamp>[0]): Promise<string> => {
  try {
    await verifyTimestamp(question)
    return 'taken'
  } catch (error) {
    expect(error).toMatchObject({ code: 'TIMESTAMP_INVALID' })
    return error instanceof Error ? error.message : ''
  }
}

const sound = tsaOf()

test.each([
  ['ECDSA', {}],
  ['RSA', { key: 'rsa' }],
  ['an intermediate authority', { intermediate: true }],
] as const)('a stamp by openssl, %s, is taken, and says when', async (_, options) => {
  const tsa = tsaOf(options)
  const before = Date.now()
  const { token, nonce } = ask(tsa)
  const stamp = await verifyTimestamp({ token, digest, roots: rootsOf(tsa), nonce, policy: TSA_POLICY })
  expect(Math.abs(Date.parse(stamp.genTime) - before)).toBeLessThan(60_000)
  expect(stamp).toMatchObject({
    policy: TSA_POLICY,
    accuracyMs: 1000,
    authority: 'CN=Bevis test TSA, O=Bevis',
  })
  expect(Date.parse(stamp.validUntil)).toBeGreaterThan(before)
})

test('openssl takes our query as its own, and our wrapping of a token as an answer', () => {
  const { token } = ask(sound)
  const here = (name: string) => join(sound.folder, name)
  writeFileSync(here('wrapped.tsr'), formatResponse(token))
  writeFileSync(here('stamped'), text)
  const args = [
    'ts',
    '-verify',
    '-data',
    here('stamped'),
    '-in',
    here('wrapped.tsr'),
    '-CAfile',
    sound.rootFile,
  ]
  expect(execFileSync('openssl', args, { stdio: 'pipe' }).toString()).toMatch(/Verification: OK/)
  expect(Buffer.from(readToken(formatResponse(token))).equals(token)).toBe(true)
})

describe('refused', () => {
  test.each([
    [
      'without extended key usage',
      ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature'],
    ],
    [
      'with another usage too',
      [...TSA_EXTENSIONS.slice(0, 2), 'extendedKeyUsage=critical,timeStamping,emailProtection'],
    ],
    ['with a usage that is not critical', [...TSA_EXTENSIONS.slice(0, 2), 'extendedKeyUsage=timeStamping']],
  ])('a certificate %s, though its signature holds', async (_, extensions) => {
    const wrong = tsaOf({ extensions })
    const token = readToken(wrong.answerAnyhow(formatQuery(digest, nonceOf(randomBytes(8))), sound))
    expect(await refusal({ token, digest, roots: rootsOf(wrong) })).toMatch(/not for time stamping alone/)
  })

  test('what was changed, what is of others, what answers another request', async () => {
    const { token, nonce } = ask(sound)
    const roots = rootsOf(sound)
    expect(await refusal({ token, digest: sha256(new Uint8Array(1)), roots })).toMatch(
      /stamps something else/,
    )
    expect(await refusal({ token, digest, roots: rootsOf(tsaOf()) })).toMatch(/none of the roots/)
    expect(await refusal({ token, digest, roots: [] })).toMatch(/none of the roots/)
    expect(await refusal({ token, digest, roots, policy: '1.2.3' })).toMatch(/policy/)
    const other = Uint8Array.from(nonce, (byte, n) => (n === 7 ? byte ^ 1 : byte))
    expect(await refusal({ token, digest, roots, nonce: other })).toMatch(/nonce/)
    const longer = Uint8Array.of(...token, 0)
    expect(await refusal({ token: longer, digest, roots })).toMatch(/followed by something/)
  })

  test('an attribute that names its certificate by SHA-1 only', async () => {
    const tsa = tsaOf({ essDigest: 'sha1' })
    const { token } = ask(tsa)
    expect(await refusal({ token, digest, roots: rootsOf(tsa) })).toMatch(
      /1\.2\.840\.113549\.1\.9\.16\.2\.47|ESSCertIDv2/,
    )
  })

  test('every flipped byte of what is signed, and none crashes', { timeout: 120_000 }, async () => {
    const { token } = ask(sound)
    const roots = rootsOf(sound)
    const taken: number[] = []
    for (let at = 0; at < token.length; at += 7) {
      const spoilt = Uint8Array.from(token, (byte, n) => (n === at ? byte ^ 0x41 : byte))
      if ((await refusal({ token: spoilt, digest, roots })) === 'taken') taken.push(at)
    }
    // The other certificates that it brings are nobody's word; nothing else may be changed.
    const loose = Buffer.from(token).indexOf(Buffer.from(roots[0]?.der ?? []))
    expect(taken.filter((at) => at < loose || at > loose + (roots[0]?.der.length ?? 0))).toEqual([])
  })

  test(
    'certificates that all signed each other are not followed on every way',
    { timeout: 60_000 },
    async () => {
      const tsa = tsaOf({ intermediate: true })
      const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: tsa.folder, stdio: 'pipe' })
      for (let n = 0; n < 12; n += 1) {
        const subject = ['-key', 'middle.key', '-subj', '/CN=Bevis test TSA middle', '-sha256']
        const pem = openssl('req', '-new', '-x509', ...subject, '-addext', 'keyUsage=critical,keyCertSign')
        appendFileSync(join(tsa.folder, 'chain.pem'), pem)
      }
      const { token } = ask(tsa)
      expect(await refusal({ token, digest, roots: rootsOf(sound) })).toMatch(/more ways than can be tried/)
      expect(await refusal({ token, digest, roots: rootsOf(tsa) })).toBe('taken')
    },
  )

  test('an answer that refuses says why', () => {
    const query = formatQuery(digest, nonceOf(randomBytes(8)))
    query[21] = 0x1a // SHA-1's place in the tree: no digest that the authority knows
    expect(() => readToken(sound.answer(query))).toThrow(/refused \(status 2\)/)
  })
})
