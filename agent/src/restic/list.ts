import { BevisError } from '@bevis/shared/error'
import type { z } from 'zod'
import { KINDS } from '../tree/stat.ts'
import { assertEndedWell } from './failure.ts'
import { assertFullId } from './full-id.ts'
import type { ListRequest, Node } from './interface.ts'
import { parseOutput } from './json.ts'
import { LineCutter } from './lines.ts'
import { nodeMessage, snapshotMessage } from './messages.ts'
import type { Program } from './program.ts'
import { lockArgs } from './short.ts'
import { SlowPipe } from './slow-pipe.ts'
import { spawnRestic } from './spawn.ts'
import { nanosecondsOf } from './time.ts'

const BATCH = 256

/**
 * The nodes of a snapshot as restic prints them, a few hundred in memory at a time. 0.14 exits 0 with nothing at
 * all for an id that it does not have, so the first line must be the snapshot that was asked for.
 */
export async function* listNodes(
  program: Program,
  id: string,
  request: ListRequest = {},
): AsyncGenerator<Node[]> {
  assertFullId(id)
  const args = ['ls', '--json', ...lockArgs(program, request), '--', id]
  const pipe = await SlowPipe.open(program)
  const running = spawnRestic(program, {
    ...request,
    args,
    isSerial: true,
    ...(pipe && { stdoutFile: pipe.writer }),
  })
  const chunks = pipe?.read() ?? running.stdout
  const cutter = new LineCutter()
  let ended = false
  let first = true
  let batch: Node[] = []
  try {
    for await (const chunk of chunks ?? []) {
      running.rest() // the reader may hash a file before it takes the next node
      const lines = cutter.push(chunk as Buffer)
      if (first && lines.length > 0) {
        assertSnapshot(lines.shift() ?? '', id)
        first = false
      }
      for (const line of lines) batch.push(parseNode(line))
      if (batch.length >= BATCH) {
        yield batch
        batch = []
      }
      running.progress()
    }
    ended = true
    if (batch.length > 0) yield batch
  } finally {
    if (!ended) running.stop('unwanted')
    if (!ended) running.stdout?.destroy()
    pipe?.close()
    if (!ended) await running.ending
  }
  assertEndedWell(await running.ending, `restic ls of ${id.slice(0, 8)} at ${program.location}`)
  const rest = cutter.end()
  if (first || rest !== '') {
    throw new BevisError('RESTIC_OUTPUT_INVALID', `restic ls of ${id.slice(0, 8)} ended before its end`)
  }
}

function assertSnapshot(line: string, id: string): void {
  const snapshot = parseOutput(snapshotMessage, line, 'restic ls')
  if (snapshot.id !== id)
    throw new BevisError('RESTIC_OUTPUT_INVALID', `restic ls answered for ${snapshot.id}`)
}

type NodeMessage = z.infer<typeof nodeMessage>

function parseNode(line: string): Node {
  const message = parseUsual(line) ?? parseOutput(nodeMessage, line, 'restic ls')
  const { path, type, size, mode, uid, gid, mtime, ctime, inode } = message
  const mtimeNs = nanosecondsOf(mtime)
  return {
    path,
    lossy: path.includes('\u{fffd}'),
    kind: type === '' ? 'irregular' : type,
    size: type === 'file' ? size : 0,
    mtimeNs,
    ctimeNs: ctime === mtime ? mtimeNs : nanosecondsOf(ctime),
    inode: inode ?? null,
    mode: posixMode(mode),
    uid,
    gid,
  }
}

const USUAL_KINDS: ReadonlySet<unknown> = new Set(KINDS)
const USUAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/
const USUAL_LENGTH = 4096

/**
 * The schema in a fraction of its time, for a million lines: stricter than it, and whatever is not taken here goes
 * through the schema itself.
 */
function parseUsual(line: string): NodeMessage | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const {
    struct_type,
    path,
    type,
    uid,
    gid,
    size = 0,
    mode = 0,
    mtime,
    ctime,
    inode,
  } = value as z.input<typeof nodeMessage>
  const isUsual =
    struct_type === 'node' &&
    typeof path === 'string' &&
    path.length <= USUAL_LENGTH &&
    USUAL_KINDS.has(type) &&
    isCount(uid) &&
    isCount(gid) &&
    isCount(size) &&
    isCount(mode) &&
    isUsualTime(mtime) &&
    (ctime === mtime || isUsualTime(ctime)) &&
    (inode === undefined || isCount(inode))
  return isUsual ? { struct_type, path, type, uid, gid, size, mode, mtime, ctime, inode } : null
}

function isUsualTime(value: unknown): value is string {
  return typeof value === 'string' && USUAL_TIME.test(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Go's FileMode keeps setuid, setgid and sticky at bits of its own: https://pkg.go.dev/io/fs#FileMode */
function posixMode(goMode: number): number {
  const bit = (place: number): number => (goMode >>> place) & 1
  return (goMode & 0o777) | (bit(23) * 0o4000) | (bit(22) * 0o2000) | (bit(20) * 0o1000)
}
