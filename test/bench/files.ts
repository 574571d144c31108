/** Trees of files to measure with; the same seed gives the same bytes. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** xorshift32: fast, and the same everywhere. */
function randomSource(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

function fill(buffer: Buffer, random: () => number): Buffer {
  for (let at = 0; at + 4 <= buffer.length; at += 4) buffer.writeUInt32LE(random(), at)
  return buffer
}

/** `count` files of 1 to 20 KB, 200 to a folder; two thirds of each compress well. */
export function makeSmallFiles(folder: string, count: number): void {
  const random = randomSource(1)
  for (let n = 0; n < count; n += 1) {
    const parent = join(folder, `d${Math.floor(n / 200)}`)
    if (n % 200 === 0) mkdirSync(parent, { recursive: true })
    const size = 1_000 + (random() % 19_000)
    const content = Buffer.alloc(size, `row ${n};`)
    fill(content.subarray(0, Math.floor(size / 3)), random)
    writeFileSync(join(parent, `f${n}.dat`), content)
  }
}

/** `count` files of `sizeBytes`, every third one incompressible. */
export function makeLargeFiles(folder: string, count: number, sizeBytes: number): void {
  const random = randomSource(2)
  mkdirSync(folder, { recursive: true })
  for (let n = 0; n < count; n += 1) {
    const content = Buffer.alloc(sizeBytes, `block ${n};`)
    fill(n % 3 === 0 ? content : content.subarray(0, Math.floor(sizeBytes / 100)), random)
    writeFileSync(join(folder, `large${n}.bin`), content)
  }
}
