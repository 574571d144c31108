import { NameList } from '@bevis/shared/verify/name-list'

/** What the archive knows of a file that it has written. */
export interface ArchivedFile {
  readonly path: string
  readonly sizeBytes: number
  readonly sha256: string
}

/** Where a file lies in the archive. */
export interface Placed {
  readonly name: string
  readonly crc: number
  readonly sizeBytes: number
  readonly isDescribed: boolean
  readonly headerAt: number
}

const DIGEST_BYTES = 32

/** The files of an archive in the order in which they were written, some eighty bytes for each of many. */
export class Archived {
  readonly #names = new NameList()
  #crc = new Uint32Array(64)
  #isDescribed = new Uint8Array(64)
  #sizeBytes = new Float64Array(64)
  #headerAt = new Float64Array(64)
  #digests = new Uint8Array(64 * DIGEST_BYTES)

  get count(): number {
    return this.#names.size
  }

  /** @throws RangeError for a name that was there before */
  add({ name, crc, sizeBytes, isDescribed, headerAt }: Placed, sha256: Uint8Array): void {
    const place = this.#names.add(name)
    if (place < 0) throw new RangeError(`${name}: twice in one archive`)
    if (place === this.#crc.length) this.#grow(2 * place)
    this.#crc[place] = crc
    this.#sizeBytes[place] = sizeBytes
    this.#isDescribed[place] = isDescribed ? 1 : 0
    this.#headerAt[place] = headerAt
    this.#digests.set(sha256, place * DIGEST_BYTES)
  }

  *placed(): Generator<Placed> {
    for (let place = 0; place < this.count; place += 1) {
      yield {
        name: this.#names.nameAt(place),
        crc: this.#crc[place] ?? 0,
        sizeBytes: this.#sizeBytes[place] ?? 0,
        isDescribed: this.#isDescribed[place] === 1,
        headerAt: this.#headerAt[place] ?? 0,
      }
    }
  }

  *[Symbol.iterator](): Generator<ArchivedFile> {
    for (let place = 0; place < this.count; place += 1) {
      const digest = this.#digests.subarray(place * DIGEST_BYTES, (place + 1) * DIGEST_BYTES)
      const sizeBytes = this.#sizeBytes[place] ?? 0
      yield { path: this.#names.nameAt(place), sizeBytes, sha256: digest.toHex() }
    }
  }

  #grow(count: number): void {
    this.#crc = moved(this.#crc, new Uint32Array(count))
    this.#isDescribed = moved(this.#isDescribed, new Uint8Array(count))
    this.#sizeBytes = moved(this.#sizeBytes, new Float64Array(count))
    this.#headerAt = moved(this.#headerAt, new Float64Array(count))
    this.#digests = moved(this.#digests, new Uint8Array(count * DIGEST_BYTES))
  }
}

function moved<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}
