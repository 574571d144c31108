/**
 * A pipe that is looked into now and then. restic writes each line by itself, and Node, which its own pipes wake for each
 * write, spends more on a hundred thousand wakings than on what the lines say. It is a FIFO that has lost its name, so that
 * nothing comes to lie on a disk: 64 KiB wait in it at most, and then restic waits.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, constants, createWriteStream, openSync, readSync, rmSync } from 'node:fs'
import type { WriteStream } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import type { Program } from './program.ts'

const BYTES = 64 * 1024
/** restic fills the pipe in some 4 ms. */
const SHORTEST_MS = 2
/** While nothing comes: restic derives its key, or waits for a lock or for the storage. */
const LONGEST_MS = 32

export class SlowPipe {
  /** For the process that writes; it is closed here when reading begins. */
  readonly writer: WriteStream
  readonly #reader: number
  #isOpen = true

  private constructor(reader: number, writer: WriteStream) {
    this.#reader = reader
    this.writer = writer
  }

  /** Null where there is no FIFO to be had: on Windows, without coreutils, on a file system that has none. */
  static async open({
    cacheDir,
    variables,
  }: Pick<Program, 'cacheDir' | 'variables'>): Promise<SlowPipe | null> {
    const file = join(cacheDir, `.pipe-${randomUUID()}`)
    try {
      await execa('mkfifo', ['-m', '600', file], { env: variables, extendEnv: false, stdin: 'ignore' })
      // In this order neither waits for the other. Only our own looks must not wait: restic's writes have to.
      const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
      return new SlowPipe(reader, createWriteStream(file, { fd: openSync(file, constants.O_WRONLY) }))
    } catch {
      return null
    } finally {
      rmSync(file, { force: true })
    }
  }

  /** What is written, until no process can write any more. A chunk is overwritten by the next one. */
  async *read(): AsyncGenerator<Buffer> {
    this.writer.destroy()
    const buffer = Buffer.allocUnsafeSlow(BYTES)
    let waitMs = SHORTEST_MS
    let lookedAt = 0
    while (this.#isOpen) {
      // From look to look: while our reader worked on the last chunk, the pipe has filled again.
      const restMs = lookedAt + waitMs - performance.now()
      if (restMs > 0) await sleep(restMs)
      lookedAt = performance.now()
      const bytes = this.#look(buffer)
      if (bytes === 0) return
      if (bytes !== null) yield buffer.subarray(0, bytes)
      waitMs = bytes === null ? Math.min(LONGEST_MS, waitMs * 2) : SHORTEST_MS
    }
  }

  close(): void {
    this.writer.destroy()
    if (this.#isOpen) closeSync(this.#reader)
    this.#isOpen = false
  }

  /** Null: nothing is there yet; 0: nothing will be. */
  #look(buffer: Buffer): number | null {
    try {
      return this.#isOpen ? readSync(this.#reader, buffer) : 0
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null
      throw error
    }
  }
}
