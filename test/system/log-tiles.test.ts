/** The log as strangers read it: static files over HTTP, and nothing that was not signed. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatEntry } from '@bevis/shared/log/entry'
import { openCheckpoint, parseVkey } from '@bevis/shared/log/checkpoint'
import { openEnvelope } from '@bevis/shared/evidence/envelope'
import { appendLeaves, leafHash, rootOf } from '@bevis/shared/log/merkle'
import { decodeBundle, formatTilePath, tileReader, tilesOf, TILE_WIDTH } from '@bevis/shared/log/tile'
import { makeCollector } from '../kit/collector.ts'
import type { TestCollector, TestFolder } from '../kit/collector.ts'
import type { FakeAgent } from '../kit/fake-agent.ts'

let place: TestFolder
let collector: TestCollector
let agent: FakeAgent
/** Of statements that were sent one batch after the other: the sizes that were signed. */
const SIZES = [11, 14, 255, 256, 300, 513]

beforeAll(async () => {
  place = await makeCollector()
  collector = await place.start()
  agent = await collector.enrolled('web1')
  for (const size of SIZES) await agent.send(agent.many(size - (await collector.log.head()).size))
})

afterAll(async () => {
  await collector.stop()
  place.remove()
})

const fetchTile = async (path: string): Promise<Uint8Array> => {
  const response = await fetch(`${collector.url}/log/${path}`)
  if (response.status !== 200) throw new Error(`${path}: ${response.status}`)
  expect(response.headers.get('content-type')).toBe('application/octet-stream')
  expect(response.headers.get('cache-control')).toContain('immutable')
  return response.bytes()
}

test('the whole log is read back by its tiles, and gives the signed root', async () => {
  const response = await fetch(`${collector.url}/log/checkpoint`)
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(response.headers.get('cache-control')).toBe('no-cache')
  const head = openCheckpoint(await response.text(), parseVkey(collector.log.vkey))
  expect(head.size).toBe(513)
  expect((await rootOf(head.size, tileReader(head.size, fetchTile))).toHex()).toBe(head.root.toHex())
  const entries: Uint8Array[] = []
  for (const tile of tilesOf(head.size)) {
    if (tile.level !== 'entries') continue
    entries.push(...decodeBundle(await fetchTile(formatTilePath(tile)), tile.width))
  }
  expect(appendLeaves(0, [], entries.map(leafHash)).root.toHex()).toBe(head.root.toHex())
})

test('entries are what an agent knows of its own statements, and nothing more', async () => {
  const envelope = agent.next()
  const { checkpoint } = await agent.send([envelope])
  const size = openCheckpoint(checkpoint, parseVkey(collector.log.vkey)).size
  const width = size % TILE_WIDTH
  const bundle = await fetchTile(formatTilePath({ level: 'entries', index: 2, width }))
  const { paeDigest, signatures } = openEnvelope(envelope)
  const signature = signatures[0]?.sig ?? new Uint8Array()
  const entry = formatEntry({ paeDigest, signature, spki: agent.signer.spki })
  expect(decodeBundle(bundle, width).at(-1)?.toHex()).toBe(entry.toHex())
})

test('only what was signed is there: partial tiles of signed sizes, and no other path', async () => {
  const statusOf = async (path: string) => (await fetch(`${collector.url}/log/${path}`)).status
  for (const [path, status] of [
    ['tile/0/000.p/11', 200],
    ['tile/0/000.p/12', 404],
    ['tile/0/000.p/255', 200],
    ['tile/entries/000.p/14', 200],
    ['tile/entries/000.p/15', 404],
    ['tile/0/000', 200],
    ['tile/0/001.p/44', 200],
    ['tile/0/001.p/45', 404],
    ['tile/1/000.p/1', 200],
    ['tile/1/000.p/2', 200],
    ['tile/1/000.p/3', 404],
    ['tile/0/002', 404],
    ['tile/0/003', 404],
    ['tile/2/000', 404],
    ['tile/63/000', 404],
    ['tile/0/0', 404],
    ['tile/0/x000/000', 404],
    ['tile/data/000', 404],
    ['tile/', 404],
  ] as const) {
    expect([path, await statusOf(path)]).toEqual([path, status])
  }
})
