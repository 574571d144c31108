import { decodeHex, encodeHex } from '../hex.ts'

const PAGE_ROWS = 128

interface Page {
  readonly numbers: Float64Array
  readonly bytes: Uint8Array
}

/** A table in typed arrays: of each row some numbers and some digests. It grows by pages, and copies nothing. */
export class Rows {
  readonly #pages: Page[] = []
  readonly #width: number
  readonly #digests: number
  #size = 0

  /** @param width how many numbers a row has @param digests how many SHA-256 */
  constructor(width: number, digests: number) {
    this.#width = width
    this.#digests = digests
  }

  get size(): number {
    return this.#size
  }

  /** The new row's place. @param digests 64 lowercase hex digits each */
  push(numbers: readonly number[], digests: readonly string[]): number {
    const row = this.#size
    if (row % PAGE_ROWS === 0) {
      this.#pages.push({
        numbers: new Float64Array(PAGE_ROWS * this.#width),
        bytes: new Uint8Array(PAGE_ROWS * this.#digests * 32),
      })
    }
    const page = this.#pageOf(row)
    page.numbers.set(numbers, (row % PAGE_ROWS) * this.#width)
    for (const [place, digest] of digests.entries())
      page.bytes.set(decodeHex(digest), this.#byteOf(row, place))
    this.#size += 1
    return row
  }

  number(row: number, column: number): number {
    return this.#pageOf(row).numbers[(row % PAGE_ROWS) * this.#width + column] ?? Number.NaN
  }

  setNumber(row: number, column: number, value: number): void {
    this.#pageOf(row).numbers[(row % PAGE_ROWS) * this.#width + column] = value
  }

  digest(row: number, place: number): string {
    return encodeHex(this.bytes(row, place))
  }

  /** A digest's 32 bytes, as they stand there. */
  bytes(row: number, place: number): Uint8Array {
    const from = this.#byteOf(row, place)
    return this.#pageOf(row).bytes.subarray(from, from + 32)
  }

  #byteOf(row: number, place: number): number {
    return ((row % PAGE_ROWS) * this.#digests + place) * 32
  }

  #pageOf(row: number): Page {
    const page = this.#pages[Math.floor(row / PAGE_ROWS)]
    if (page === undefined) throw new RangeError(`there is no row ${row}`)
    return page
  }
}
