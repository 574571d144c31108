import { describe, expect, test } from 'vitest'
import { generateSigningKey, signerFromPem } from '../crypto.ts'
import { assertSignature, encodeEnvelope, openEnvelope, pae, signEnvelope } from './envelope.ts'

const payload = new TextEncoder().encode('{"hello":"world"}')
const signer = signerFromPem(generateSigningKey().privatePem)
const other = signerFromPem(generateSigningKey().privatePem)

test('the pre-authentication encoding of the DSSE specification', () => {
  expect(new TextDecoder().decode(pae(payload))).toBe(
    'DSSEv1 28 application/vnd.in-toto+json 17 {"hello":"world"}',
  )
})

test('each signature fits its own key', () => {
  const opened = openEnvelope(signEnvelope(payload, [signer, other]))
  assertSignature(opened, 0, signer.spki)
  assertSignature(opened, 1, other.spki)
  expect(() => assertSignature(opened, 0, other.spki)).toThrow('signature 0')
  expect(() => assertSignature(opened, 2, other.spki)).toThrow('no signature 2')
})

test('no character of an envelope can change unseen', () => {
  const text = encodeEnvelope(signEnvelope(payload, [signer]))
  for (let at = 0; at < text.length; at += 1) {
    const changed = `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`
    expect(() => assertSignature(openEnvelope(JSON.parse(changed)), 0, signer.spki), changed).toThrow()
  }
})

describe('malformed envelopes are refused', () => {
  const envelope = signEnvelope(payload, [signer])
  const [signature] = envelope.signatures
  const refused: Record<string, unknown> = {
    'an unknown field': { ...envelope, extra: 1 },
    'another payload type': { ...envelope, payloadType: 'text/plain' },
    'white space in base64': { ...envelope, payload: `${envelope.payload}\n` },
    'URL-safe base64': { ...envelope, payload: 'eyJoZWxsbyI6Indv_mxkIn0=' },
    'missing padding': { ...envelope, payload: envelope.payload.replace(/=+$/, '') },
    'trailing bits': { ...envelope, payload: 'eyJoZWxsbyI6IndvcmxkIn1=' },
    'no signature': { ...envelope, signatures: [] },
    'one key twice': { ...envelope, signatures: [signature, signature] },
    'a list': [],
    null: null,
  }
  test.each(Object.keys(refused))('%s', (name) => {
    expect(() => openEnvelope(refused[name])).toThrow(expect.objectContaining({ code: 'ENVELOPE_MALFORMED' }))
  })
})
