import { describe, expect, test } from 'vitest'
import { generateSigningKey, signerFromPem } from '../crypto.ts'
import { openEnvelope, signEnvelope } from '../evidence/envelope.ts'
import { formatVkey, parseVkey, signCheckpoint } from './checkpoint.ts'
import { formatEntry } from './entry.ts'
import { appendLeaves, consistencyProof, inclusionProof, leafHash, rootOf } from './merkle.ts'
import type { NodeId } from './merkle.ts'
import { formatProof, parseProof } from './proof.ts'
import { assertExtends, verifyLeaf } from './receipt.ts'

const agent = signerFromPem(generateSigningKey().privatePem)
const log = signerFromPem(generateSigningKey().privatePem)
const vkey = parseVkey(formatVkey('log.example', log.spki))
const envelopes = Array.from({ length: 40 }, (_, index) =>
  signEnvelope(new TextEncoder().encode(`{"n":${index}}`), [agent]),
)
const leaves = envelopes.map((envelope) => {
  const { paeDigest, signatures } = openEnvelope(envelope)
  const signature = signatures[0]?.sig ?? expect.fail('signature')
  return leafHash(formatEntry({ paeDigest, signature, spki: agent.spki }))
})
const nodes = new Map(
  appendLeaves(0, [], leaves).nodes.map(({ id, hash }) => [`${id.level}/${id.index}`, hash]),
)
const read = (ids: readonly NodeId[]) =>
  Promise.resolve(ids.map(({ level, index }) => nodes.get(`${level}/${index}`) ?? expect.fail('node')))
const headOf = async (size: number) =>
  signCheckpoint({ origin: 'log.example', size, root: await rootOf(size, read) }, log)
const proofOf = async (index: number, size: number) =>
  formatProof({
    index,
    hashes: await inclusionProof(index, size, read),
    checkpoint: (await headOf(size)).note,
  })
const envelopeAt = (index: number) => envelopes[index] ?? expect.fail('envelope')

describe('a receipt', () => {
  test('holds for its own statement in every tree that has it', async () => {
    for (const [index, size] of [
      [0, 1],
      [7, 8],
      [7, 40],
      [39, 40],
      [12, 13],
    ] as const) {
      const proof = await proofOf(index, size)
      expect(
        verifyLeaf({ envelope: envelopeAt(index), signature: 0, spki: agent.spki, proof, vkey }).index,
      ).toBe(index)
    }
  })

  test('does not hold for another statement, key or log', async () => {
    const proof = await proofOf(7, 40)
    const claim = { envelope: envelopeAt(7), signature: 0, spki: agent.spki, proof, vkey }
    expect(() => verifyLeaf({ ...claim, envelope: envelopeAt(8) })).toThrow('root')
    expect(() => verifyLeaf({ ...claim, spki: log.spki })).toThrow('root')
    const foreign = parseVkey(formatVkey('log.example', generateSigningKey().spki))
    expect(() => verifyLeaf({ ...claim, vkey: foreign })).toThrow('not signed')
    const renamed = parseVkey(formatVkey('other.example', log.spki))
    expect(() => verifyLeaf({ ...claim, vkey: renamed })).toThrow('other.example')
  })

  test('cannot be changed in any character', async () => {
    const proof = await proofOf(7, 40)
    for (let at = 0; at < proof.length; at += 1) {
      const changed = `${proof.slice(0, at)}${proof[at] === '7' ? '8' : '7'}${proof.slice(at + 1)}`
      const claim = { envelope: envelopeAt(7), signature: 0, spki: agent.spki, proof: changed, vkey }
      expect(() => verifyLeaf(claim), changed).toThrow()
    }
  })

  test('comes back from its text', async () => {
    const text = await proofOf(7, 40)
    expect(formatProof(parseProof(text))).toBe(text)
    expect(() => parseProof(text.replace('index 7\n', 'extra AA==\nindex 7\n'))).toThrow('index')
  })
})

describe('a newer head', () => {
  test('extends every older one, by its proof only', async () => {
    for (const [from, to] of [
      [1, 40],
      [8, 40],
      [39, 40],
      [40, 40],
      [13, 29],
    ] as const) {
      const proof = await consistencyProof(from, to, read)
      const [old, next] = [await headOf(from), await headOf(to)]
      expect(() => assertExtends(old, next, proof)).not.toThrow()
      if (from !== to)
        expect(() =>
          assertExtends(
            { origin: 'log.example', size: from, root: new Uint8Array(32) },
            { origin: 'log.example', size: to, root: new Uint8Array(32) },
            proof,
          ),
        ).toThrow('extend')
    }
  })

  test('that is shorter, or of another origin, is a fork', async () => {
    const [small, large] = [await headOf(8), await headOf(40)]
    expect(() => assertExtends(large, small, [])).toThrow('shrank')
    expect(() => assertExtends({ ...small, origin: 'x' }, large, [])).toThrow('follows')
    expect(() => assertExtends(null, small, [])).not.toThrow()
  })
})

test('appending in pieces gives the same tree', async () => {
  let [edge, size]: [Uint8Array[], number] = [[], 0]
  for (const width of [1, 2, 3, 5, 8, 13]) {
    const next = appendLeaves(size, edge, leaves.slice(size, size + width))
    ;[edge, size] = [next.edge, next.size]
    expect(next.root.toHex()).toBe((await rootOf(size, read)).toHex())
  }
})

test('a verification key is read in one form only', () => {
  const text = formatVkey('log.example', log.spki)
  expect(formatVkey('log.example', parseVkey(text).spki)).toBe(text)
  for (let at = 0; at < text.length; at += 1) {
    const changed = `${text.slice(0, at)}${text[at] === 'b' ? 'c' : 'b'}${text.slice(at + 1)}`
    expect(() => parseVkey(changed), changed).toThrow()
  }
})
