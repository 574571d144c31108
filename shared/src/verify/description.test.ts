import { describe, expect, test } from 'vitest'
import { packOf } from '../../../test/kit/pack.ts'
import { smallWorld } from '../../../test/kit/world.ts'
import { sha256Hex } from '../crypto.ts'
import { formatSeal } from './description.ts'
import { PACK_FILES } from './pack.ts'
import { verifyPack } from './verify-pack.ts'
import type { PackContent } from './zip.ts'

const honest = await packOf(await smallWorld(1))
const text = new TextDecoder().decode(honest.get(PACK_FILES.description))
const encode = (one: string) => new TextEncoder().encode(one)

/** The honest pack with another description, sealed, which comes in pieces of some bytes. */
function described(description: string, pieceBytes: number): PackContent {
  const files = new Map(honest)
  files.set(PACK_FILES.description, encode(description))
  files.set(PACK_FILES.seal, encode(formatSeal(sha256Hex(description))))
  return {
    size: files.size,
    has: (name) => files.has(name),
    keys: () => files.keys(),
    get: (name) => files.get(name),
    *pieces(name) {
      const bytes = files.get(name) ?? new Uint8Array()
      for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
    },
  }
}

const exitOf = (description: string, pieceBytes: number) =>
  verifyPack({ files: described(description, pieceBytes), trust: null }).exit

test.each([1, 7, 64, 1_000_000])('the description may come in pieces of %i bytes', (pieceBytes) => {
  expect(exitOf(text, pieceBytes)).toBe(2)
})

describe('a description in any other form is refused', () => {
  test.each<[string, (whole: string) => string]>([
    ['a brace more', (whole) => whole.replace('},{"path"', '},{{"path"')],
    ['a comma more', (whole) => whole.replace('},{"path"', '},,{"path"')],
    ['a comma behind the last', (whole) => whole.replace('}]}\n', '},]}\n')],
    ['an empty entry', (whole) => whole.replace('}]}\n', '},{}]}\n')],
    ['the first brace missing', (whole) => whole.replace('"files":[{', '"files":[')],
    ['something behind it', (whole) => `${whole}{}\n`],
    ['the end missing', (whole) => whole.slice(0, -2)],
    ['the list cut off', (whole) => `${whole.slice(0, whole.lastIndexOf('},{'))}}`],
    ['white space in the list', (whole) => whole.replace('},{"path"', '}, {"path"')],
    ['a field more in an entry', (whole) => whole.replace('{"path"', '{"x":1,"path"')],
    ['a second list', (whole) => whole.replace('"files":[', '"files":[],"files":[')],
    ['a field behind the list', (whole) => whole.replace(']}\n', '],"more":1}\n')],
    ['no list', (whole) => `${whole.slice(0, whole.indexOf(',"files":['))}}\n`],
    ['a list that is empty', (whole) => `${whole.slice(0, whole.indexOf('{"path"'))}]}\n`],
    ['half of a letter', (whole) => whole.replace('ø', '\ud800')],
  ])('%s', (_, change) => {
    const changed = change(text)
    expect(changed).not.toBe(text)
    for (const pieceBytes of [1, 13, 1_000_000]) expect(exitOf(changed, pieceBytes)).toBe(1)
  })
})
