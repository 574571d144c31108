/**
 * The negative control: a test that cannot fail proves nothing. Each run takes a file that it has just called
 * identical, spoils one byte of a copy, drops another, and judges both by the same code as everything else.
 */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import type { DigestPool } from '../tree/digest-pool.ts'
import { HANDY_BYTES } from '../tree/pair.ts'
import { bytePathOf, bytesOf, joinPath } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { AwaitedFiles } from './awaited.ts'
import type { Expected } from './expected.ts'
import { judge } from './judge.ts'
import type { Judged } from './judge.ts'
import { isSound } from './sound.ts'
import { readAhead } from './stream.ts'

export type ControlOutcome = 'caught' | 'missed' | 'not-run'

/** Keeps the handiest file that a control can be made from. */
export function openSpecimen(): { offer(judged: Judged): void; readonly best: Judged | null } {
  let best: Judged | null = null
  return {
    get best() {
      return best
    },
    offer(judged) {
      const { item, comparison, left } = judged
      if (comparison?.class !== 'identical' || item.kind !== 'file' || left !== undefined) return
      if (best && rank(best.item) >= rank(item)) return
      best = judged
    },
  }
}

/** A copy should cost nothing; a larger file serves when there is no other. */
function rank({ size }: Expected): number {
  if (size > HANDY_BYTES) return 0
  return size === 0 ? 1 : 2
}

export interface ControlRequest {
  /** What was restored, and where. */
  readonly specimen: Judged | null
  readonly target: BytePath
  /** A folder that does not exist yet. */
  readonly control: BytePath
  readonly pool: DigestPool
  /** As the run's files were: read as they came, and judged from that. */
  readonly isStreamed: boolean
}

export async function runControl({
  specimen,
  target,
  control,
  pool,
  isStreamed,
}: ControlRequest): Promise<ControlOutcome> {
  if (!specimen) return 'not-run'
  const { item, path } = specimen
  const [spoilt, dropped] = ['spoilt', 'dropped'].map((name) => joinPath(control, bytePathOf(name)))
  if (!spoilt || !dropped) return 'not-run'
  const copy = `${spoilt}${path}` as BytePath
  mkdirSync(bytesOf(copy.slice(0, copy.lastIndexOf('/')) as BytePath), { recursive: true, mode: 0o700 })
  mkdirSync(bytesOf(dropped), { recursive: true, mode: 0o700 })
  copyFileSync(bytesOf(`${target}${path}` as BytePath), bytesOf(copy))
  spoil(copy)
  const classOf = async (place: BytePath): Promise<string | undefined> => {
    const one = { ...item, path, isResolved: true }
    const streamed = isStreamed ? new AwaitedFiles() : null
    streamed?.add(one)
    if (streamed) await readAhead(pool, streamed, place, path)
    if (streamed && isSound(streamed, streamed.find(path))) return 'identical'
    const items = (async function* () {
      yield [one]
    })()
    for await (const [judged] of judge({ target: place, items, complaintOf: () => null, pool, streamed })) {
      return judged?.comparison?.class
    }
    return undefined
  }
  // Without a witness the copy is judged by the source, and a difference is called `diverged`.
  const isSeen = ['damaged', 'diverged', 'raced'].includes((await classOf(spoilt)) ?? '')
  return isSeen && (await classOf(dropped)) === 'missing' ? 'caught' : 'missed'
}

/** Changes one byte in the middle; an empty file gets one. */
function spoil(copy: BytePath): void {
  // A copy has its original's mode, and that may be read-only.
  chmodSync(bytesOf(copy), 0o600)
  const file = openSync(bytesOf(copy), 'r+')
  try {
    const size = fstatSync(file).size
    const byte = Buffer.alloc(1)
    const at = Math.floor(size / 2)
    if (size > 0) readSync(file, byte, 0, 1, at)
    byte.writeUInt8((byte.readUInt8() ^ 0x01) & 0xff)
    writeSync(file, byte, 0, 1, at)
    if (size === 0) ftruncateSync(file, 1)
  } finally {
    closeSync(file)
  }
}
