import { BevisError } from '@bevis/shared/error'

/** Far above any path: restic's longest line is a snapshot with all its paths. */
const LONGEST_BYTES = 16 * 1024 * 1024

/** Cuts bytes into lines, with no more memory than the longest one. RESTIC_OUTPUT_INVALID above 16 MiB. */
export class LineCutter {
  #rest: Buffer[] = []
  #restBytes = 0

  /** The lines that this chunk completes. */
  push(chunk: Buffer): string[] {
    const lines: string[] = []
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      lines.push(this.#take(chunk.subarray(start, end)))
      start = end + 1
    }
    if (start < chunk.length) {
      this.#rest.push(Buffer.from(chunk.subarray(start)))
      this.#restBytes += chunk.length - start
      if (this.#restBytes > LONGEST_BYTES) {
        throw new BevisError(
          'RESTIC_OUTPUT_INVALID',
          `restic wrote a line of more than ${LONGEST_BYTES} bytes`,
        )
      }
    }
    return lines
  }

  /** What came after the last line feed: empty where the output is whole. */
  end(): string {
    return this.#take(Buffer.alloc(0))
  }

  #take(last: Buffer): string {
    if (this.#restBytes === 0) return last.toString('utf8')
    const line = Buffer.concat([...this.#rest, last]).toString('utf8')
    this.#rest = []
    this.#restBytes = 0
    return line
  }
}
