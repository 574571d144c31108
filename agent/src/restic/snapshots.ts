import { BevisError } from '@bevis/shared/error'
import type { z } from 'zod'
import type { Limits, Snapshot, Survey } from './interface.ts'
import { parseOutput } from './json.ts'
import { fullId, snapshotMessage, snapshotsMessage } from './messages.ts'
import { namesInFolder } from './packs.ts'
import type { Program } from './program.ts'
import { answerOf, lockArgs } from './short.ts'
import { nanosecondsOf } from './time.ts'

/**
 * All snapshots of the repository, and the IDs of those whose files restic cannot read. restic leaves such a file out
 * of the listing and exits 0 all the same (0.14 to 0.19, seen), or takes it from its cache. So the cache is off, and
 * the listing is held against the names of the files.
 */
export async function surveySnapshots(program: Program, limits: Limits = {}): Promise<Survey> {
  const args = ['--no-cache', ...lockArgs(program, limits)]
  // Beside each other, since nearly all of their time is to derive the key.
  const together = await Promise.all([listIds(program, args, limits), readSnapshots(program, args, limits)])
  if (absentOf(...together).length === 0) return { snapshots: together[1], unreadable: [] }
  // A snapshot that was made in between is no unreadable one: the names first, and then what is there.
  const before = await listIds(program, args, limits)
  const snapshots = await readSnapshots(program, args, limits)
  const absent = absentOf(before, snapshots)
  if (absent.length === 0) return { snapshots, unreadable: [] }
  // Gone in between, by a forget, is not the same as unreadable.
  const after = new Set(await listIds(program, args, limits))
  return { snapshots, unreadable: absent.filter((id) => after.has(id)) }
}

/** As {@link surveySnapshots}, for whoever needs all of them. RESTIC_REPOSITORY_DAMAGED when one cannot be read. */
export async function listSnapshots(program: Program, limits: Limits = {}): Promise<Snapshot[]> {
  const whole = wholeOf(await surveySnapshots(program, limits), program.location)
  if (whole instanceof BevisError) throw whole
  return whole
}

/** A shorter list is no list: a snapshot that is not in it would be taken for gone. */
export function wholeOf({ snapshots, unreadable }: Survey, location: string): Snapshot[] | BevisError {
  if (unreadable.length === 0) return snapshots
  const message = `${location} has ${unreadable.length} snapshot files that restic cannot read, first ${unreadable[0]}`
  return new BevisError('RESTIC_REPOSITORY_DAMAGED', message)
}

async function readSnapshots(program: Program, args: readonly string[], limits: Limits): Promise<Snapshot[]> {
  const text = await answerOf(program, ['snapshots', '--json', ...args], limits)
  const snapshots = (parseOutput(snapshotsMessage, text, 'restic snapshots') ?? []).map(toSnapshot)
  if (new Set(snapshots.map(({ id }) => id)).size === snapshots.length) return snapshots
  throw new BevisError('RESTIC_OUTPUT_INVALID', 'restic snapshots lists a snapshot twice')
}

function absentOf(ids: readonly string[], snapshots: readonly Snapshot[]): string[] {
  const listed = new Set(snapshots.map(({ id }) => id))
  return ids.filter((id) => !listed.has(id))
}

/** The one snapshot of this id, or of a prefix of at least eight digits that no other shares. */
export async function findSnapshot(program: Program, id: string, limits: Limits = {}): Promise<Snapshot> {
  const args = ['snapshots', '--json', '--no-cache', ...lockArgs(program, limits), '--', id]
  const found = parseOutput(snapshotsMessage, await answerOf(program, args, limits), 'restic snapshots') ?? []
  const [snapshot] = found
  if (found.length === 1 && snapshot?.id.startsWith(id) === true) return toSnapshot(snapshot)
  throw new BevisError('RESTIC_OUTPUT_INVALID', `restic has no snapshot ${id}, which it has just made`)
}

/** The names of the snapshot files. In a folder of this machine we look ourselves: restic derives a key first. */
async function listIds(program: Program, args: readonly string[], limits: Limits): Promise<string[]> {
  const local = namesInFolder(program, 'snapshots')
  if (local) return local.filter((name) => fullId.safeParse(name).success)
  const lines = (await answerOf(program, ['list', 'snapshots', ...args], limits)).split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line) => parseOutput(fullId, JSON.stringify(line), 'restic list'))
}

function toSnapshot(message: z.infer<typeof snapshotMessage>): Snapshot {
  const { id, time, tree, hostname, paths, tags, original } = message
  return {
    id,
    time,
    timeNs: nanosecondsOf(time),
    tree,
    hostname,
    paths: paths ?? [],
    tags: tags ?? [],
    ...(original !== undefined && { original }),
  }
}
