import { describe, expect, test } from 'vitest'
import { encodeBase64 } from '../base64.ts'
import { generateSigningKey, sha256, signerFromPem } from '../crypto.ts'
import { formatVkey, parseVkey, signCheckpoint } from './checkpoint.ts'
import { forkOf, forkSchema, verifyFork } from './fork.ts'
import { appendLeaves, consistencyProof, rootOf } from './merkle.ts'
import type { ReadNodes } from './merkle.ts'

const log = signerFromPem(generateSigningKey().privatePem)
const vkey = parseVkey(formatVkey('log.example', log.spki))

/** A history in which the leaves from `turn` on are others. */
function historyOf(turn: number) {
  const leaves = Array.from({ length: 40 }, (_, n) => sha256(Uint8Array.of(n, n < turn ? 0 : 1)))
  const nodes = new Map(
    appendLeaves(0, [], leaves).nodes.map(({ id, hash }) => [`${id.level}/${id.index}`, hash]),
  )
  const read: ReadNodes = (ids) =>
    Promise.resolve(ids.map(({ level, index }) => nodes.get(`${level}/${index}`) ?? expect.fail('node')))
  const note = async (size: number) =>
    signCheckpoint({ origin: 'log.example', size, root: await rootOf(size, read) }, log).note
  return { read, note }
}

const honest = historyOf(40)
const other = historyOf(5)

describe('two heads of two histories', () => {
  test('of one size prove themselves', async () => {
    const fork = forkOf(await honest.note(20), await other.note(20), vkey)
    expect(verifyFork(fork, vkey)).toMatchObject({ isProven: true, sizes: [20, 20] })
    expect(forkSchema.parse(JSON.parse(JSON.stringify(fork)))).toEqual(fork)
  })

  test.each([
    [7, 30],
    [20, 21],
    [13, 40],
    [33, 40],
  ])('of %i and %i entries are proven by the proof that the log itself gave', async (from, to) => {
    const hashes = await consistencyProof(from, to, other.read)
    const fork = forkOf(await honest.note(from), await other.note(to), vkey, hashes)
    expect(verifyFork(fork, vkey).isProven).toBe(true)
  })

  test('the proof of a whole subtree leaves the root out, which the tree itself has', async () => {
    const hashes = await consistencyProof(16, 30, other.read)
    const fork = forkOf(await honest.note(16), await other.note(30), vkey, hashes)
    expect(verifyFork(fork, vkey).isProven).toBe(false)
    const root = encodeBase64(await rootOf(16, other.read))
    const past = { root, hashes: hashes.map(encodeBase64) }
    expect(verifyFork({ ...fork, past }, vkey).isProven).toBe(true)
  })
})

describe('nobody can be accused falsely', () => {
  test('heads of one history prove nothing, whatever is put beside them', async () => {
    const [small, large] = [await honest.note(7), await honest.note(30)]
    const hashes = await consistencyProof(7, 30, honest.read)
    expect(verifyFork(forkOf(small, large, vkey, hashes), vkey).isProven).toBe(false)
    expect(verifyFork(forkOf(small, small, vkey), vkey).isProven).toBe(false)
    const wrong = await consistencyProof(7, 30, other.read)
    const root = encodeBase64(await rootOf(7, other.read))
    for (const past of [
      { root, hashes: wrong.map(encodeBase64) },
      { root, hashes: hashes.map(encodeBase64) },
      { root, hashes: [] },
    ]) {
      expect(verifyFork({ ...forkOf(small, large, vkey), past }, vkey).isProven).toBe(false)
    }
  })

  test('a head that the log’s key did not sign is no witness against it', async () => {
    const stranger = signerFromPem(generateSigningKey().privatePem)
    const made = signCheckpoint({ origin: 'log.example', size: 20, root: new Uint8Array(32) }, stranger)
    const first = await honest.note(20)
    expect(() => forkOf(first, made.note, vkey)).toThrow('not signed')
    const fork = { ...forkOf(first, await other.note(20), vkey), second: made.note }
    expect(() => verifyFork(fork, vkey)).toThrow('not signed')
  })
})
