import { expect, test } from 'vitest'
import { generateSigningKey, sha256, signerFromPem } from '../crypto.ts'
import { formatVkey, openCheckpoint, parseVkey, readTreeHead } from './checkpoint.ts'
import { EMPTY_ROOT } from './merkle.ts'
import { followSuccessions, openSuccession, signSuccession } from './succession.ts'
import type { Succession } from './succession.ts'

const at = '2026-11-23T04:05:06.000Z'
const signers = Array.from({ length: 4 }, () => signerFromPem(generateSigningKey().privatePem))
const keyAt = (n: number, name = 'log.example') =>
  parseVkey(formatVkey(name, signers[n]?.spki ?? expect.fail('signer')))
const sign = (succession: Succession, n: number) =>
  signSuccession(succession, signers[n] ?? expect.fail('signer'))

const first = sign({ kind: 'key', from: keyAt(0), to: keyAt(1), at }, 0)
const second = sign({ kind: 'key', from: keyAt(1), to: keyAt(2), at }, 1)
const [kept, last] = [
  { size: 0, root: EMPTY_ROOT },
  { size: 7, root: sha256(EMPTY_ROOT) },
]
const closure: Succession = { kind: 'closure', from: keyAt(2), to: keyAt(3, 'log.example/2'), at, kept, last }
const third = sign(closure, 2)

test('whoever knows a key follows all that came after it, and nothing else', () => {
  const notes = [first, second, third]
  const newest = (n: number) => followSuccessions(keyAt(n), notes).at(-1)?.to
  expect(newest(0)).toEqual(keyAt(3, 'log.example/2'))
  expect(newest(2)).toEqual(keyAt(3, 'log.example/2'))
  expect(newest(3)).toBeUndefined()
  expect(followSuccessions(keyAt(0), notes).map(({ kind }) => kind)).toEqual(['key', 'key', 'closure'])
  expect(openSuccession(third, keyAt(2))).toMatchObject({ kept: { size: 0 }, last: { size: 7 } })
  expect(() => followSuccessions(keyAt(0), [first, third])).toThrow('not signed')
})

test('a key that the old one did not sign is not followed', () => {
  const stolen = sign({ kind: 'key', from: keyAt(0), to: keyAt(1), at }, 3)
  expect(followSuccessions(keyAt(0), [stolen])).toEqual([])
  expect(() => openSuccession(stolen, keyAt(0))).toThrow('not signed')
  expect(() => sign({ ...closure, kept: last, last: kept }, 2)).not.toThrow()
  expect(() => openSuccession(sign({ ...closure, kept: last, last: kept }, 2), keyAt(2))).toThrow('its heads')
  const renamed = sign({ kind: 'key', from: keyAt(0), to: keyAt(1, 'other.example'), at }, 0)
  expect(() => openSuccession(renamed, keyAt(0))).toThrow('its lines')
  for (let index = 0; index < first.length; index += 1) {
    const changed = `${first.slice(0, index)}${first[index] === 'a' ? 'b' : 'a'}${first.slice(index + 1)}`
    expect(() => openSuccession(changed, keyAt(0)), changed).toThrow()
  }
})

test('no succession is a checkpoint', () => {
  for (const note of [first, third]) {
    expect(() => readTreeHead(note)).toThrow()
    expect(() => openCheckpoint(note, keyAt(0))).toThrow()
  }
})
