/**
 * A manifest on disk: zstd over lines, a header first, then one entry per line in restic's tree order. The
 * SHA-256 of the uncompressed lines is what statements carry; the file's name carries it too, so that every
 * reading checks it. Written and read as a stream: memory does not grow with the number of files.
 */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createZstdCompress, createZstdDecompress } from 'node:zlib'
import { BevisError } from '@bevis/shared/error'
import { instant, slug } from '@bevis/shared/format'
import { snapSchema } from '@bevis/shared/evidence/predicates'
import type { Snap } from '@bevis/shared/evidence/predicates'
import { z } from 'zod'
import { formatEntry, isUncertain, parseEntry, pathOfLine } from './entry.ts'
import type { ManifestEntry } from './entry.ts'
import { pathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'

const headerSchema = z.object({
  manifest: z.literal(1),
  set: slug,
  /** As statements name it, so that a run which cannot open the repository can still say what it was about. */
  snapshot: snapSchema,
  /** When the backup began, by our clock. */
  startedAt: instant,
  restic: z.string().max(64),
  /** Counts the set's manifests: which part of the unchanged files a run hashes again depends on it. */
  turn: z.number().int().min(0),
})
export type ManifestHeader = z.infer<typeof headerSchema>

/** A manifest that is there: found by name, not yet read. */
export interface ManifestFile {
  readonly file: string
  readonly snapshot: string
  readonly sha256: string
  /** The snapshot that is asked about was made of this one's and holds something else: its files' witnesses count still. */
  readonly isOfAnotherTree?: true
}

export interface ManifestWriter {
  append(entries: readonly ManifestEntry[]): Promise<void>
  /** Makes the file durable under its final name. */
  finish(): Promise<ManifestFile>
  /** Takes the file back, finished or not. */
  discard(): Promise<void>
}

export async function createManifest(folder: string, header: ManifestHeader): Promise<ManifestWriter> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const temporary = join(folder, `.${header.snapshot.id}.part`)
  const digest = createHash('sha256')
  const input = new PassThrough()
  const written = pipeline(
    input,
    createZstdCompress(),
    createWriteStream(temporary, { mode: 0o600, flush: true }),
  )
  // It is awaited when the writer ends; a full disk must not be an unhandled rejection until then.
  written.catch(() => {})
  const write = async (text: string): Promise<void> => {
    digest.update(text)
    if (input.destroyed) await written
    if (!input.write(text))
      await Promise.race([new Promise((resolve) => input.once('drain', resolve)), written])
  }
  await write(`${JSON.stringify(headerSchema.parse(header))}\n`)
  let finished: string | null = null
  return {
    async append(entries) {
      if (entries.length > 0) await write(`${entries.map(formatEntry).join('\n')}\n`)
    },
    async finish() {
      input.end()
      await written
      const sha256 = digest.digest('hex')
      const file = join(folder, nameOf(header, sha256))
      await rename(temporary, file)
      finished = file
      await syncFolder(folder)
      return { file, snapshot: header.snapshot.id, sha256 }
    },
    async discard() {
      input.destroy()
      await written.catch(() => {})
      await rm(temporary, { force: true })
      if (finished !== null) await rm(finished, { force: true })
    },
  }
}

export interface OpenManifest {
  readonly header: ManifestHeader
  /** Entries in tree order, in batches. @throws BevisError MANIFEST_DAMAGED, at the latest at the end */
  readonly entries: AsyncGenerator<ManifestEntry[]>
}

/** Of a reading of a part: the entries at these paths, and every one whose path may be no file's of the snapshot. */
export type Wanted = (path: BytePath) => boolean

/**
 * Opens a manifest for one reading, whole or of a part: a line that is not wanted is not taken apart. What was
 * read counts only once `entries` has ended without an error: the digest is known at the end.
 * @throws BevisError MANIFEST_DAMAGED
 */
export async function openManifest(found: ManifestFile, isWanted?: Wanted): Promise<OpenManifest> {
  const lines = readLines(found)
  try {
    const first = await lines.next()
    const [headerLine, ...rest] = first.done ? [] : first.value
    const header = headerSchema.parse(JSON.parse(headerLine ?? ''))
    if (header.snapshot.id !== found.snapshot) throw new Error(`it says snapshot ${header.snapshot.id}`)
    return { header, entries: entriesOf(found, lines, rest, isWanted) }
  } catch (cause) {
    await lines.return(undefined)
    throw damaged(found, cause)
  }
}

async function* entriesOf(
  found: ManifestFile,
  lines: AsyncGenerator<string[]>,
  first: string[],
  isWanted: Wanted | undefined,
): AsyncGenerator<ManifestEntry[]> {
  const parse = (batch: string[]): ManifestEntry[] =>
    (isWanted ? batch.filter((line) => isUncertain(line) || isWanted(pathOfLine(line))) : batch).map(
      parseEntry,
    )
  try {
    yield parse(first)
    for await (const batch of lines) yield parse(batch)
  } catch (cause) {
    throw damaged(found, cause)
  }
}

/** No line is longer than this: a path of 4,096 bytes, escaped twice over, is far below it. */
const MAX_LINE_BYTES = 512 * 1024

/** Each chunk is a trip to another thread and back; larger ones cost memory, 30 MB at 256 KiB. */
const CHUNK_BYTES = 64 * 1024

async function* readLines(found: ManifestFile): AsyncGenerator<string[]> {
  for await (const block of readBlocks(found)) yield block.toString('utf8').split('\n')
}

/** Whole lines, without the last LF of each block. */
async function* readBlocks(found: ManifestFile): AsyncGenerator<Buffer> {
  const digest = createHash('sha256')
  const source = createReadStream(found.file, { highWaterMark: CHUNK_BYTES })
  const text = createZstdDecompress({ chunkSize: CHUNK_BYTES })
  const read = pipeline(source, text)
  read.catch(() => {})
  let rest: Buffer = Buffer.alloc(0)
  try {
    for await (const chunk of text as AsyncIterable<Buffer>) {
      digest.update(chunk)
      const end = chunk.lastIndexOf(0x0a)
      if (end < 0) {
        rest = Buffer.concat([rest, chunk])
        if (rest.length > MAX_LINE_BYTES) throw new Error('a line is too long')
        continue
      }
      yield Buffer.concat([rest, chunk.subarray(0, end)])
      rest = Buffer.from(chunk.subarray(end + 1))
    }
    await read
    if (rest.length > 0) throw new Error('the last line is cut off')
    if (digest.digest('hex') !== found.sha256) throw new Error('its content is not what its digest says')
  } finally {
    source.destroy()
    text.destroy()
  }
}

/**
 * The one entry of a path, or null: a search through bytes, since to take a million lines apart takes seconds.
 * @throws BevisError MANIFEST_DAMAGED
 */
export async function findEntry(
  found: ManifestFile,
  path: BytePath,
): Promise<{ header: ManifestHeader; entry: ManifestEntry | null }> {
  const needle = Buffer.from(`[${JSON.stringify(pathText(path))},`)
  const inner = Buffer.concat([Buffer.from('\n'), needle])
  let header: ManifestHeader | null = null
  let entry: ManifestEntry | null = null
  try {
    for await (const block of readBlocks(found)) {
      header ??= headerSchema.parse(JSON.parse(firstLine(block)))
      if (entry !== null) continue
      const isFirst = block.subarray(0, needle.length).equals(needle)
      const before = isFirst ? -1 : block.indexOf(inner)
      if (isFirst || before >= 0) entry = parseEntry(firstLine(block.subarray(before + 1)))
    }
    if (header === null) throw new Error('it is empty')
  } catch (cause) {
    throw damaged(found, cause)
  }
  return { header, entry }
}

function firstLine(block: Buffer): string {
  const end = block.indexOf(0x0a)
  return block.toString('utf8', 0, end < 0 ? block.length : end)
}

function damaged(found: ManifestFile, cause: unknown): BevisError {
  if (cause instanceof BevisError) return cause
  const message = `the manifest ${found.file} cannot be trusted; tests of snapshot ${found.snapshot} need it back from a copy`
  return new BevisError('MANIFEST_DAMAGED', message, { cause })
}

/** Names begin with the backup's start, so that the order of names is the order of time. */
function nameOf({ startedAt, snapshot }: ManifestHeader, sha256: string): string {
  return `${startedAt.replaceAll(/[-:]/g, '')}.${snapshot.id}.${sha256}.zst`
}

const NAME = /^\d{8}T\d{6}\.\d{3}Z\.([0-9a-f]{64})\.([0-9a-f]{64})\.zst$/

/** The manifests in a folder, oldest first. */
export async function listManifests(folder: string): Promise<ManifestFile[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.toSorted().flatMap((name) => {
    const [, snapshot, sha256] = NAME.exec(name) ?? []
    return snapshot && sha256 ? [{ file: join(folder, name), snapshot, sha256 }] : []
  })
}

/** The newest manifest of a snapshot, or null. */
export async function findManifest(folder: string, snapshot: string): Promise<ManifestFile | null> {
  return (await listManifests(folder)).findLast((one) => one.snapshot === snapshot) ?? null
}

/**
 * As above, and of a snapshot that somebody tagged, rewrote or repaired, which gives it another ID: the manifest of the one
 * that it was. One that cannot be read is given too, for its reader to tell.
 */
export async function manifestOf(
  folder: string,
  { id, original, tree }: Pick<Snap, 'id' | 'original' | 'tree'>,
): Promise<ManifestFile | null> {
  const own = await findManifest(folder, id)
  if (own !== null || original === undefined) return own
  const found = await findManifest(folder, original)
  try {
    if (found === null) return null
    const { header, entries } = await openManifest(found)
    await entries.return(undefined)
    return header.snapshot.tree === tree ? found : { ...found, isOfAnotherTree: true }
  } catch {
    return found
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
