/** The edges of C2SP tlog-proof and signed-note: what is nearly one is none. */
import { describe, expect, test } from 'vitest'
import { encodeBase64 } from '../base64.ts'
import { generateSigningKey, signerFromPem } from '../crypto.ts'
import { openCheckpoint, parseVkey, formatVkey, signCheckpoint } from './checkpoint.ts'
import { formatProof, parseProof } from './proof.ts'

const hash = encodeBase64(new Uint8Array(32).fill(7))
const note = 'log.example\n9\nAAAA\n\n— log.example AAAA\n'
const proof = `c2sp.org/tlog-proof@v1\nindex 7\n${hash}\n${hash}\n\n${note}`

describe('a proof', () => {
  test('is read, and written back byte for byte', () => {
    const read = parseProof(proof)
    expect(read).toMatchObject({ index: 7, checkpoint: note })
    expect(read.hashes).toHaveLength(2)
    expect(formatProof(read)).toBe(proof)
    // The only leaf of a log has no sibling.
    expect(parseProof(`c2sp.org/tlog-proof@v1\nindex 0\n\n${note}`).hashes).toEqual([])
  })

  test.each<[string, string]>([
    ['of another version', proof.replace('@v1', '@v2')],
    ['without a first line', proof.replace(/^.*\n/, '')],
    ['with a line before', `\n${proof}`],
    ['with CRLF', proof.replaceAll('\n', '\r\n')],
    ['with an extra line, of which nothing would be verified', proof.replace('index', 'extra AA==\nindex')],
    ['with an index below zero', proof.replace('index 7', 'index -7')],
    ['with an index spelt otherwise', proof.replace('index 7', 'index 07')],
    ['with an index beyond 2^53', proof.replace('index 7', 'index 9007199254740993')],
    ['with an index that is a fraction', proof.replace('index 7', 'index 7.0')],
    ['without an index', proof.replace('index 7\n', '')],
    ['with a hash of 31 bytes', proof.replace(hash, encodeBase64(new Uint8Array(31)))],
    ['with a hash whose last bits are not zero', proof.replace(hash, `${hash.slice(0, -2)}d=`)],
    ['with a hash in URL-safe letters', proof.replace(hash, `-${hash.slice(1)}`)],
    ['with a space behind a hash', proof.replace(`${hash}\n`, `${hash} \n`)],
    ['with more than 63 hashes', proof.replace(`${hash}\n`, `${hash}\n`.repeat(63))],
    ['without an empty line', proof.replace('\n\n', '\n').replace('\n\n', '\n')],
    ['without end', `${proof}${'x'.repeat(200_000)}`],
  ])('%s is refused', (_, text) => {
    expect(() => parseProof(text)).toThrow(/malformed proof/)
  })
})

describe('a checkpoint', () => {
  const signer = signerFromPem(generateSigningKey().privatePem)
  const key = parseVkey(formatVkey('log.example', signer.spki))
  const head = { origin: 'log.example', size: 9, root: new Uint8Array(32) }
  const { note: signed } = signCheckpoint(head, signer)
  const line = signed.slice(signed.indexOf('—'))

  test('is opened, with signatures of others beside it', () => {
    expect(openCheckpoint(signed, key)).toMatchObject({ origin: 'log.example', size: 9 })
    const other = line.replace('log.example', 'witness.example')
    expect(openCheckpoint(`${signed}${other}`, key)).toMatchObject({ size: 9 })
  })

  test.each<[string, string]>([
    ['without a signature', signed.slice(0, signed.indexOf('—'))],
    ['with another hyphen', signed.replace('—', '-')],
    ['signed twice by the one key', `${signed}${line}`],
    ['without its last line feed', signed.slice(0, -1)],
    ['with an extension line', signed.replace('\n\n', '\nextension\n\n')],
    ['with CRLF', signed.replaceAll('\n', '\r\n')],
    ['with a tab', signed.replace('\n9\n', '\n9\t\n')],
    ['with a size spelt otherwise', signed.replace('\n9\n', '\n09\n')],
    ['with another size', signed.replace('\n9\n', '\n8\n')],
    ['with a signature cut short', signed.replace(/....\n$/, '\n')],
    ['with text behind', `${signed}x`],
    ['of nothing', ''],
  ])('%s is refused', (_, text) => {
    expect(text).not.toBe(signed)
    expect(() => openCheckpoint(text, key)).toThrow(/malformed|not signed/)
  })
})
