/**
 * A restore whose files are judged while restic still writes others: as it names them, threads read each beside
 * its source and empty it, so that a whole repository passes through a scratch of a few megabytes of memory.
 * When the threads fall behind, restic is held (SIGSTOP). It must go on when they have little left to read,
 * even in a full scratch: what fills it then is half-written, and only restic can finish it.
 */
import type { RestoreControl, RestoreEvent } from '../restic/restic.ts'
import type { DigestPool } from '../tree/digest-pool.ts'
import { joinPaths, roomOf } from '../tree/pair.ts'
import type { PairAnswer } from '../tree/pair.ts'
import { MARK } from '../tree/pair-table.ts'
import { bytePathOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { AwaitedFiles } from './awaited.ts'

/** What restic has written is heard of a few milliseconds late, so there has to be room for more. */
const HEADROOM_BYTES = 38 * 1024 * 1024
const HEADROOM_PART = 1 / 4
/** Whole files that the threads are about to empty: restic need not stand still for them. */
const FEW_PART = 8
/** A look at the file system costs microseconds; restic fills a megabyte in two thousand of them. */
const LOOK_MS = 5

/** A thread should come back before the scratch has filled up. */
const BATCH_FILES = 128
const BATCH_BYTES = 4 * 1024 * 1024

export interface StreamOptions {
  readonly pool: DigestPool
  readonly files: AwaitedFiles
  readonly target: BytePath
  /** A small one needs no room made for it, so its files keep their times and modes to be looked at. */
  readonly isSample: boolean
  readonly limitBytes: number
  /** What the scratch's file system holds, ours and others'. */
  readonly usedBytes: () => number
  /** Every file was named and read: from now on restic only sets modes, owners and times. */
  readonly onAllRead?: () => void
  /** A thread died: nothing more will be read. */
  readonly onFailure: (error: unknown) => void
}

export interface Stream {
  onStart(control: RestoreControl): void
  onEvent(event: RestoreEvent): void
  onWritten(bytes: number): void
  /** Resolves when everything that was named has been read. */
  settle(): Promise<void>
}

export function openStream({
  pool,
  files,
  target,
  isSample,
  limitBytes,
  usedBytes,
  onAllRead,
  onFailure,
}: StreamOptions): Stream {
  const { table } = files
  const underWay = new Set<Promise<void>>()
  let control: RestoreControl | null = null
  let isHeld = false
  let [toldBytes, writtenBytes, freedBytes, readBytes] = [0, 0, 0, 0]
  let kept: PairAnswer['kept'] = 'none'
  let batch: { indices: number[]; paths: BytePath[]; bytes: number } = { indices: [], paths: [], bytes: 0 }
  let isFlushing = false
  let leftFiles = files.count
  const headroom = Math.min(limitBytes * 0.6, Math.max(HEADROOM_BYTES, limitBytes * HEADROOM_PART))
  const holdAbove = limitBytes - headroom
  const fewBytes = limitBytes / FEW_PART
  const staysWhole = isSample && files.roomBytes <= limitBytes / 4
  const usedBefore = usedBytes()
  const looks = setInterval(() => steer(), LOOK_MS)

  const steer = (): void => {
    if (!control) return
    const used = Math.max(Math.max(toldBytes, writtenBytes) - freedBytes, usedBytes() - usedBefore)
    const isBusy = underWay.size > 0 || batch.indices.length > 0
    // What restic has half-written cannot be emptied: only for what is whole is there anything to wait for.
    const isBehind = isBusy && toldBytes - readBytes > fewBytes
    if (!isHeld && isBehind && used > holdAbove) {
      isHeld = true
      control.hold()
    } else if (isHeld && (!isBehind || used < holdAbove / 2)) {
      isHeld = false
      control.resume()
    }
  }
  const flush = (): void => {
    const { indices, paths, bytes } = batch
    if (indices.length === 0) return
    batch = { indices: [], paths: [], bytes: 0 }
    // What was read and not emptied stays: files that differ, hard links, the specimen.
    const isTight = readBytes - freedBytes > limitBytes / 4
    const keep = staysWhole ? 'all' : kept === 'none' ? 'any' : kept === 'any' ? 'handy' : 'none'
    const work = pool
      .pair({
        kind: 'pair',
        table: { id: table.id, chunks: table.chunks },
        target,
        indices,
        paths: joinPaths(paths),
        keep,
        isTight,
      })
      .then((answer) => {
        freedBytes += answer.freedBytes
        readBytes += bytes
        leftFiles -= indices.length
        if (leftFiles === 0) onAllRead?.()
        if (answer.kept !== 'none') kept = kept === 'handy' ? 'handy' : answer.kept
      })
      .catch(onFailure)
      .finally(() => {
        underWay.delete(work)
        steer()
      })
    underWay.add(work)
  }
  return {
    onStart(restic) {
      control = restic
    },
    onEvent({ path: text }) {
      const path = bytePathOf(text)
      const index = files.find(path)
      if (index < 0 || table.has(index, MARK.queued)) return
      table.mark(index, MARK.queued)
      const bytes = roomOf(table.sizeOf(index))
      toldBytes += bytes
      batch.indices.push(index)
      batch.paths.push(path)
      batch.bytes += bytes
      if (batch.indices.length >= BATCH_FILES || batch.bytes >= BATCH_BYTES) flush()
      else if (!isFlushing) {
        isFlushing = true
        setImmediate(() => {
          isFlushing = false
          flush()
        })
      }
    },
    onWritten(bytes) {
      writtenBytes = bytes
      steer()
    },
    async settle() {
      clearInterval(looks)
      flush()
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}

/** Reads one file in the way of the stream, as the negative control must. */
export async function readAhead(
  pool: DigestPool,
  files: AwaitedFiles,
  target: BytePath,
  path: BytePath,
): Promise<void> {
  const index = files.find(path)
  if (index < 0) return
  const batch = {
    table: { id: files.table.id, chunks: files.table.chunks },
    target,
    indices: [index],
    paths: path,
  }
  await pool.pair({ kind: 'pair', ...batch, keep: 'any', isTight: false })
}
