import { expect, test } from 'vitest'
import { generateSigningKey, signerFromPem } from './crypto.ts'
import { assertRequestSignature, keyidOfRequest, signRequest } from './http-signature.ts'

const signer = signerFromPem(generateSigningKey().privatePem)
const other = signerFromPem(generateSigningKey().privatePem)
const now = new Date('2026-11-23T04:05:06.000Z')
const request = { method: 'GET', path: '/v1/agents/web1/work', origin: 'log.example.net/bevis' }
const headers = signRequest(request, signer, now)
const refusal = expect.objectContaining({ code: 'SIGNATURE_INVALID' })

test('what is signed is the base of RFC 9421', () => {
  let signed = ''
  signRequest(
    request,
    { ...signer, sign: (message) => ((signed = Buffer.from(message).toString()), new Uint8Array(64)) },
    now,
  )
  expect(signed).toBe(
    `"@method": GET\n"@path": /v1/agents/web1/work\n"@signature-params": ("@method" "@path");created=1795406706;` +
      `keyid="${signer.keyid}";alg="ed25519";tag="bevis-agent log.example.net/bevis"`,
  )
})

test('a request is its agent’s, for this log, path and time', () => {
  expect(keyidOfRequest(headers)).toBe(signer.keyid)
  assertRequestSignature(request, headers, signer.spki, now)
  assertRequestSignature(request, headers, signer.spki, new Date(now.getTime() + 299_000))
})

test.each([
  ['another key', request, headers, other.spki, now],
  ['another path', { ...request, path: '/v1/agents/db1/work' }, headers, signer.spki, now],
  ['another method', { ...request, method: 'POST' }, headers, signer.spki, now],
  ['another log', { ...request, origin: 'evil.example/log' }, headers, signer.spki, now],
  ['too old', request, headers, signer.spki, new Date(now.getTime() + 301_000)],
  ['from the future', request, headers, signer.spki, new Date(now.getTime() - 301_000)],
  ['unsigned', request, {}, signer.spki, now],
  [
    'a later time written in',
    request,
    { ...headers, 'signature-input': headers['signature-input'].replace('1795406706', '1795406707') },
    signer.spki,
    now,
  ],
] as const)('refused: %s', (_, asked, given, spki, at) => {
  expect(() => assertRequestSignature(asked, given, spki, at)).toThrow(refusal)
})
