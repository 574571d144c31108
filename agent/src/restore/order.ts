/** The order of a seed: whoever has it can repeat the draw, and nobody else can know it beforehand. */
import { hash } from 'node:crypto'
import { bytesOf, isAscii } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'

export function orderKey(seed: string, path: BytePath): string {
  // Text of one byte a character is hashed as it is, in half the time.
  if (isAscii(path)) return hash('sha256', `${seed}${path}`)
  return hash('sha256', Buffer.concat([Buffer.from(seed, 'utf8'), bytesOf(path)]))
}

/** The n smallest keys of a stream, in order, in memory for 2n. */
export class Smallest<T> {
  readonly #size: number
  #kept: { key: string; value: T }[] = []
  #bound = ''

  constructor(size: number) {
    this.#size = size
  }

  offer(key: string, value: T): void {
    if (this.#size === 0 || (this.#bound !== '' && key >= this.#bound)) return
    this.#kept.push({ key, value })
    if (this.#kept.length >= this.#size * 2) this.#cut()
  }

  take(): { key: string; value: T }[] {
    this.#cut()
    return this.#kept
  }

  #cut(): void {
    this.#kept.sort((one, other) => (one.key < other.key ? -1 : 1))
    this.#kept.length = Math.min(this.#kept.length, this.#size)
    if (this.#kept.length === this.#size) this.#bound = this.#kept.at(-1)?.key ?? ''
  }
}
