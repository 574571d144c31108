import { BevisError } from '@bevis/shared/error'
import type { z } from 'zod'
import { assertEndedWell } from './failure.ts'
import { assertFullId } from './full-id.ts'
import type { ListRequest, Node } from './interface.ts'
import { parseOutput } from './json.ts'
import { LineCutter } from './lines.ts'
import { nodeMessage, snapshotMessage } from './messages.ts'
import type { Program } from './program.ts'
import { lockArgs } from './short.ts'
import { spawnRestic } from './spawn.ts'
import { nanosecondsOf } from './time.ts'

/**
 * The nodes of a snapshot as restic prints them, one line in memory at a time. 0.14 exits 0 with nothing at
 * all for an id that it does not have, so the first line must be the snapshot that was asked for.
 */
export async function* listNodes(
  program: Program,
  id: string,
  request: ListRequest = {},
): AsyncGenerator<Node> {
  assertFullId(id)
  const args = ['ls', '--json', ...lockArgs(program, request), '--', id]
  const running = spawnRestic(program, { ...request, args })
  const cutter = new LineCutter()
  let ended = false
  let first = true
  try {
    for await (const chunk of running.stdout ?? []) {
      running.rest() // the reader may hash a file before it takes the next node
      for (const line of cutter.push(chunk as Buffer)) {
        if (!first) yield toNode(parseOutput(nodeMessage, line, 'restic ls'), line)
        else assertSnapshot(line, id)
        first = false
      }
      running.progress()
    }
    ended = true
  } finally {
    if (!ended) running.stop('unwanted')
    if (!ended) running.stdout?.destroy()
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

function toNode(message: z.infer<typeof nodeMessage>, line: string): Node {
  const { path, type, size, mode, uid, gid, mtime, ctime, inode } = message
  return {
    path,
    lossy: path.includes('\u{fffd}'),
    type,
    sizeBytes: BigInt(size),
    mode: posixMode(mode),
    uid,
    gid,
    mtimeNs: nanosecondsOf(mtime),
    ctimeNs: ctime === mtime ? nanosecondsOf(mtime) : nanosecondsOf(ctime),
    ...(inode !== undefined && { inode: exactInode(inode, line) }),
  }
}

/** Go's FileMode keeps setuid, setgid and sticky at bits of its own: https://pkg.go.dev/io/fs#FileMode */
function posixMode(goMode: number): number {
  const bit = (place: number) => Math.floor(goMode / 2 ** place) % 2
  return (goMode & 0o777) | (bit(23) * 0o4000) | (bit(22) * 0o2000) | (bit(20) * 0o1000)
}

/** Inodes take 64 bits, a JSON number here 53. A name cannot fake the key: its quotes are escaped. */
function exactInode(inode: number, line: string): bigint {
  if (Number.isSafeInteger(inode)) return BigInt(inode)
  return BigInt(/"inode":(\d+)/.exec(line)?.[1] ?? 0)
}
