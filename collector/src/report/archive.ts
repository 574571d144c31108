import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { PassThrough } from 'node:stream'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import { BevisError } from '@bevis/shared/error'

/** What the archive knows of a file that it holds. */
export interface ArchivedFile {
  readonly path: string
  readonly sizeBytes: number
  readonly sha256: string
}

/**
 * Nothing of the machine or the moment goes into the zip: the same content gives the same bytes. Nothing is packed:
 * zlib's output differs by processor, and has bits that nobody reads; so every byte of the zip is one that counts.
 */
const ENTRY = { mtime: new Date(0), mode: 0o100644, forceDosTimestamp: true, compress: false } as const

/** How much may wait for whoever reads the zip before the next small file is made. */
const WAITING_BYTES = 1_048_576

/** A zip that is written as it is read, one file after the other, with the digest of each. */
export class Archive {
  /** All files so far, in their order. */
  readonly files: ArchivedFile[] = []
  /** The zip's bytes, to be read while it is filled. */
  readonly output: PassThrough
  readonly #zip = new ZipFile()
  readonly #abandoned = new AbortController()

  constructor() {
    this.output = this.#zip.outputStream as PassThrough // yazl's type names its readable side only
    this.#zip.on('error', (error: Error) => this.output.destroy(error))
    this.output.once('close', () => this.#abandoned.abort())
  }

  /**
   * A file that is made at once.
   * @throws BevisError INTERRUPTED when nobody reads the zip any more
   */
  async add(path: string, content: string | Uint8Array): Promise<void> {
    const bytes = Buffer.from(content)
    this.#zip.addBuffer(bytes, path, ENTRY)
    this.files.push({
      path,
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })
    await this.#whileRead(async (signal) => {
      if (this.output.writableLength > WAITING_BYTES) await once(this.output, 'drain', { signal })
    })
  }

  /** A file of any size, taken as it comes. @throws BevisError INTERRUPTED, and what `chunks` throws */
  async addStream(path: string, chunks: AsyncIterable<string> | Iterable<string>): Promise<void> {
    const hash = createHash('sha256')
    let sizeBytes = 0
    async function* measured() {
      for await (const chunk of chunks) {
        const bytes = Buffer.from(chunk)
        hash.update(bytes)
        sizeBytes += bytes.length
        yield bytes
      }
    }
    const stream = Readable.from(measured(), { objectMode: false })
    this.#zip.addReadStream(stream, path, ENTRY)
    await this.#whileRead((signal) => finished(stream, { signal }))
    this.files.push({ path, sizeBytes, sha256: hash.digest('hex') })
  }

  end(): void {
    this.#zip.end()
  }

  async #whileRead(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#abandoned
    try {
      signal.throwIfAborted()
      await work(signal)
    } catch (cause) {
      if (!signal.aborted) throw cause
      throw new BevisError('INTERRUPTED', 'the pack was given up by whoever was to take it', { cause })
    }
  }
}
