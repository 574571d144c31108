import { damageRepository, type Damage } from './damage.ts'
import { at, listAt } from './programs.ts'
import { DAMAGED, PROVEN, count, expectExit, nameBelow, size, type Stage } from './stage.ts'
import type { Terms } from './terms.ts'

/** Backs both sets up. A user's own directory may hold what we cannot read: that is told, and no failure of ours. */
export async function backUp(stage: Stage, set: string): Promise<void> {
  const answer = expectExit(`backup ${set}`, await stage.agent('backup', set), 0, 1)
  const run = (await stage.statementsOf('backup-run', set)).at(-1)?.predicate
  const [files, witnessed] = [Number(at(run, 'manifest', 'files')), Number(at(run, 'manifest', 'witnessed'))]
  stage.story.tell(
    `snapshot ${String(at(answer.json, 'snapshotId')).slice(0, 16)}…, ${String(at(run, 'outcome'))}`,
    `${count(files)} files and links, ${size(at(run, 'manifest', 'bytes'))}; changed while they were read: ${count(at(run, 'manifest', 'torn'))}`,
  )
  const unread = unreadBy(run)
  if (unread.count > 0) stage.story.tell(`${tellUnread(unread)}, such as ${String(unread.paths[0])}`)
  stage.see(
    'backup',
    witnessed > 0,
    `${set}: hashes of ${count(witnessed)} of ${count(files)} files and links taken and kept`,
  )
}

/** What a backup could not read, and so does not hold. */
interface Unread {
  readonly count: number
  readonly paths: readonly string[]
}

export function unreadBy(run: unknown): Unread {
  return {
    count: Number(at(run, 'failed', 'count') ?? 0),
    paths: listAt(run, 'failed', 'paths').map(String),
  }
}

export function tellUnread({ count: files }: Unread): string {
  return files === 1
    ? '1 file could not be read and is not in the backup'
    : `${count(files)} files could not be read and are not in the backup`
}

async function unreadOf(stage: Stage, set: string): Promise<Unread> {
  return unreadBy((await stage.statementsOf('backup-run', set)).at(-1)?.predicate)
}

/** What the repository holds, listed completely: without it no recovery point counts. */
export async function takeInventory(stage: Stage, set: string): Promise<void> {
  expectExit(`inventory ${set}`, await stage.agent('inventory', set), 0)
  stage.story.tell(`${set}: listed, counted, signed`)
}

/** Restores everything and compares it, in the set whose repository is whole. */
export async function proveWhole(stage: Stage): Promise<void> {
  const answer = expectExit('test', await stage.agent('test', PROVEN, '--full'), 0, 1)
  const test = (await stage.statementsOf('restore-test', PROVEN)).at(-1)?.predicate
  tellTest(stage, test)
  const compared = Number(at(test, 'classes', 'identical') ?? 0)
  const isProven = answer.exit === 0 && at(test, 'result') === 'PASSED' && compared > 0
  const unread = await unreadOf(stage, PROVEN)
  const came = `${count(compared)} files and links came back as they went in`
  stage.see('passed', isProven, unread.count === 0 ? came : `${came}; ${tellUnread(unread)}`)
}

/** Damages the other set's repository behind everybody's back. */
export function damage(stage: Stage, repository: string, { passwordFile, source }: Terms): Damage {
  const done = damageRepository(repository, passwordFile, stage.env)
  stage.story.tell(
    `one bit turned over in each of ${done.offsets.length} places of ${stage.shown(done.pack).slice(0, 60)}…`,
    `which hold content of ${done.paths.map((path) => nameBelow(source, path)).join(', ')}`,
  )
  return done
}

/** The same test finds it, names the files, and is repeated once of its own accord. */
export async function findDamage(stage: Stage, { paths }: Damage, { source }: Terms): Promise<void> {
  const answer = expectExit('test', await stage.agent('test', DAMAGED, '--full'), 0, 1)
  const tests = (await stage.statementsOf('restore-test', DAMAGED)).map(({ predicate }) => predicate)
  const [first, second] = tests
  tellTest(stage, first)
  const named = listAt(first, 'exceptions').map((exception) => String(at(exception, 'path')))
  const unread = new Set((await unreadOf(stage, DAMAGED)).paths)
  const damaged = named.filter((path) => !unread.has(path)).length
  for (const exception of listAt(first, 'exceptions').slice(0, 5)) {
    stage.story.tell(
      `  ${String(at(exception, 'class'))}  ${nameBelow(source, String(at(exception, 'path')))}`,
    )
  }
  stage.see('failed', answer.exit === 1 && at(first, 'result') === 'FAILED')
  stage.see(
    'named',
    paths.length > 0 && paths.every((path) => named.includes(path)),
    damaged === 1 ? '1 file' : `${damaged} files`,
  )
  stage.see('retest', at(second, 'reason') === 'retest' && at(second, 'result') === 'FAILED')
}

function tellTest(stage: Stage, test: unknown): void {
  const classes = at(test, 'classes')
  const counts = Object.entries(typeof classes === 'object' && classes !== null ? classes : {})
    .filter(([, number]) => Number(number) > 0)
    .map(([name, number]) => `${name} ${count(number)}`)
  stage.story.tell(
    `${String(at(test, 'result'))}: ${counts.join(', ')}`,
    `${count(at(test, 'restored', 'files'))} files and links (${size(at(test, 'restored', 'bytes'))}) restored in ${Number(at(test, 'restored', 'seconds') ?? 0).toFixed(1)} s; the copy damaged on purpose: ${String(at(test, 'negativeControl'))}`,
  )
}
