import { resolve } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import { readOwnRuns } from '../evidence/own-runs.ts'
import { explain } from '../run/explain.ts'
import type { Explained } from '../run/explain.ts'
import { loadInventoryBase } from '../run/inventory-base.ts'
import { knownCopy } from '../run/repository.ts'
import { bytePathOf, fromPathText, isWithin, pathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { statPath } from '../tree/walk.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { alignColumns, formatBytes, formatInstant, paint } from './terminal.ts'

/** What is known here of a path: 0 a snapshot holds it, 1 none does. Reads no repository. */
export async function explainCommand(
  opened: Opened,
  text: string,
  options: { readonly snapshot: string | null },
): Promise<Outcome> {
  const { config, state } = opened
  const path = fromPathText(text.startsWith('/') ? text : resolve(text))
  if (options.snapshot !== null && !/^[0-9a-f]{8,64}$/.test(options.snapshot))
    throw new BevisError('USAGE', `no snapshot ${options.snapshot}: give its ID, at least 8 digits`)
  const holding = config.sets.filter(({ paths }) => paths.some((root) => isWithin(path, bytePathOf(root))))
  const sets = holding.length > 0 ? holding : config.sets
  const listed = new Map<string, ReadonlySet<string> | null>()
  for (const set of sets) {
    const repository = knownCopy(state.folder, set)
    const base = repository === null ? null : await loadInventoryBase(state.folder, repository)
    listed.set(set.id, base?.ids ?? null)
  }
  const found = await explain({
    stateDir: state.folder,
    sets,
    path,
    snapshot: options.snapshot,
    own: readOwnRuns(state.folder),
    listedOf: (set) => listed.get(set) ?? null,
  })
  const now = nowAt(path)
  const held = found.filter((one) => one.state === 'held')
  return {
    exit: held.length > 0 ? 0 : 1,
    json: { path: pathText(path), sets: holding.map(({ id }) => id), now, snapshots: found },
    lines: [
      pathText(path),
      ...alignColumns(
        [
          [
            'in',
            holding.length === 0
              ? 'none of the sets of this configuration'
              : holding.map(({ id }) => id).join(', '),
          ],
          [
            'now',
            now === null
              ? 'not there'
              : `${now.kind}, ${formatBytes(now.size)}, changed ${formatInstant(now.modifiedAt)}`,
          ],
          ['known', `${found.length} snapshots have a manifest here, ${held.length} of them hold it`],
        ],
        '  ',
      ),
      ...(found.length === 0 && options.snapshot !== null
        ? [`  no manifest here is of a snapshot ${options.snapshot}`]
        : []),
      // What no snapshot can hold is not told of each.
      ...(holding.length === 0 && found.every(({ state }) => state === 'absent') ? [] : versionLines(found)),
    ],
  }
}

function nowAt(path: BytePath): { kind: string; size: number; modifiedAt: string } | null {
  const stat = statPath(path)
  if ('error' in stat) return null
  const { kind, size, mtimeNs } = stat
  return { kind, size, modifiedAt: new Date(Number(mtimeNs / 1_000_000n)).toISOString() }
}

const SHOWN = 40

/** Snapshots next to each other that say the same are one line. */
function versionLines(found: readonly Explained[]): string[] {
  const groups: Explained[][] = []
  for (const one of found) {
    const last = groups.at(-1)
    if (last?.[0] !== undefined && versionOf(last[0]) === versionOf(one)) last.push(one)
    else groups.push([one])
  }
  const lines = groups.slice(0, SHOWN).flatMap((group) => {
    const [newest] = group
    if (newest === undefined) return []
    const oldest = group.at(-1) ?? newest
    const times = [
      ...new Set([oldest, newest].map(({ takenAt }) => (takenAt === '' ? '?' : formatInstant(takenAt)))),
    ]
    const gone = group.filter(({ isInRepository }) => isInRepository === false).length
    return [
      '',
      `${times.join(' to ')}  ${group.length === 1 ? `snapshot ${newest.snapshot.slice(0, 16)}` : `${group.length} snapshots, the newest ${newest.snapshot.slice(0, 16)}`}${gone > 0 ? paint('yellow', `, ${gone} of them gone from the repository`) : ''}`,
      ...alignColumns(
        [['content', contentOf(newest)], ['witness', witnessOf(newest)], ...testRows(group)],
        '  ',
      ),
    ]
  })
  return groups.length > SHOWN ? [...lines, `and ${groups.length - SHOWN} more (--json lists all)`] : lines
}

function versionOf({ set, state, kind, size, modifiedAt, sha256, flags }: Explained): string {
  const mark = flags?.filter((flag) => flag !== 'carried' && flag !== 'witness' && flag !== 'racy')
  return JSON.stringify([set, state, kind, size, modifiedAt, sha256, mark])
}

function contentOf({ state, kind, size = 0, modifiedAt }: Explained): string {
  if (state === 'manifest-damaged') return paint('red', 'not known: the manifest cannot be trusted')
  if (state === 'absent') return 'not there'
  const told = `${kind ?? ''}, ${formatBytes(size)}, changed ${formatInstant(modifiedAt ?? '1970-01-01T00:00:00.000Z')}`
  return state === 'unlisted' ? paint('yellow', `at the source, not in the snapshot: ${told}`) : told
}

function witnessOf({ sha256, flags = [], state }: Explained): string {
  if (state !== 'held')
    return flags.includes('gap') ? paint('red', 'none: a gap that nobody explained') : 'none'
  if (flags.includes('void')) return paint('yellow', 'none: it changed while it was backed up')
  if (typeof sha256 !== 'string') return flags.includes('unreadable') ? 'none: it could not be read' : 'none'
  const doubt = flags.includes('rot')
    ? ', and the source has rotted since'
    : flags.includes('racy')
      ? ', racy'
      : ''
  return `sha256 ${sha256}${doubt}`
}

/** Not in the snapshot, or there without content: no test can have compared it. */
function isNothing({ state, kind }: Explained): boolean {
  return (
    state === 'absent' || state === 'unlisted' || (state === 'held' && kind !== 'file' && kind !== 'symlink')
  )
}

function testRows(group: readonly Explained[]): string[][] {
  const tests = group
    .flatMap((one) =>
      one.tests.map((test) => ({ ...test, snapshot: one.snapshot, isNothing: isNothing(one) })),
    )
    .toSorted((one, other) => (one.at < other.at ? 1 : -1))
  if (tests.length === 0) return [['tested', 'never']]
  return tests.slice(0, 5).map(({ at, result, mode, reason, class: name, snapshot, isNothing }) => {
    const told =
      name ??
      (isNothing
        ? 'nothing of it to compare'
        : mode === 'sample'
          ? 'a sample: whether it was drawn is not kept'
          : 'not told')
    return [
      'tested',
      `${formatInstant(at)}  ${told}  (${result}, ${reason}, ${mode}, snapshot ${snapshot.slice(0, 8)})`,
    ]
  })
}
