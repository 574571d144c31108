/** THE STORY of a question: what is known here of one path, from manifests and from what was stated of tests. */
import { join } from 'node:path'
import { errorCodeOf } from '@bevis/shared/error'
import { sha256Hex } from '@bevis/shared/crypto'
import type { RestoreTest } from '@bevis/shared/evidence/predicates'
import type { OwnRun } from '../evidence/own-runs.ts'
import type { Flag } from '../manifest/entry.ts'
import { findEntry, listManifests } from '../manifest/file.ts'
import type { ManifestFile } from '../manifest/file.ts'
import { hasContent } from '../restore/expected.ts'
import { pathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { Kind } from '../tree/stat.ts'

export interface ExplainRequest {
  readonly stateDir: string
  readonly sets: readonly { readonly id: string }[]
  readonly path: BytePath
  /** The first digits of one snapshot's ID; null: all. */
  readonly snapshot: string | null
  readonly own: readonly OwnRun[]
  /** What the last inventory of a set's repository listed; null where there was none. */
  readonly listedOf: (set: string) => ReadonlySet<string> | null
}

/** What a snapshot's manifest says of the path. */
export interface Explained {
  readonly set: string
  readonly snapshot: string
  readonly takenAt: string
  /** `held`: in the snapshot. `unlisted`: at the source then, and not in the snapshot. `absent`: neither. */
  readonly state: 'held' | 'unlisted' | 'absent' | 'manifest-damaged'
  /** By the last inventory; null: not known. */
  readonly isInRepository: boolean | null
  readonly kind?: Kind
  readonly size?: number
  /** Instant. */
  readonly modifiedAt?: string
  readonly sha256?: string | null
  readonly flags?: readonly Flag[]
  readonly tests: readonly ExplainedTest[]
}

/** A restore test of the snapshot, and what it says of the path. */
export interface ExplainedTest {
  readonly at: string
  readonly result: RestoreTest['result']
  readonly mode: RestoreTest['mode']
  readonly reason: RestoreTest['reason']
  /** The class in which it came out; `identical`: of a full test that names it nowhere; null: not known, or nothing. */
  readonly class: string | null
}

/** Manifests are looked through two at a time: one is unpacked while the other is searched. */
const AT_ONCE = 2

/** Newest first; only snapshots that have a manifest here. */
export async function explain(request: ExplainRequest): Promise<Explained[]> {
  const { stateDir, sets, snapshot } = request
  const tests = testsOf(request.own)
  const answers: Explained[] = []
  for (const { id } of sets) {
    const manifests = (await listManifests(join(stateDir, 'manifests', id)))
      .filter((one) => snapshot === null || one.snapshot.startsWith(snapshot))
      .toReversed()
    const listed = request.listedOf(id)
    for (let from = 0; from < manifests.length; from += AT_ONCE) {
      const part = manifests.slice(from, from + AT_ONCE)
      answers.push(
        ...(await Promise.all(
          part.map((found) => look(request, id, found, listed, tests.get(found.snapshot) ?? [])),
        )),
      )
    }
  }
  return answers
}

async function look(
  { path }: ExplainRequest,
  set: string,
  found: ManifestFile,
  listed: ReadonlySet<string> | null,
  tests: readonly RestoreTest[],
): Promise<Explained> {
  const { snapshot } = found
  const isInRepository = listed === null ? null : listed.has(snapshot)
  const common = { set, snapshot, isInRepository }
  const told = (isExpected: boolean): ExplainedTest[] => tests.map((one) => tell(one, path, isExpected))
  try {
    const { header, entry } = await findEntry(found, path)
    const takenAt = header.snapshot.time
    if (entry === null) return { ...common, takenAt, state: 'absent', tests: told(false) }
    const { kind, size, mtimeNs, sha256, flags } = entry
    const modifiedAt = new Date(Number(mtimeNs / 1_000_000n)).toISOString()
    const state = flags.includes('unlisted') ? 'unlisted' : 'held'
    const own = { kind, size, modifiedAt, sha256, flags, tests: told(state === 'held' && hasContent(entry)) }
    return { ...common, takenAt, state, ...own }
  } catch (error) {
    if (errorCodeOf(error) !== 'MANIFEST_DAMAGED') throw error
    return { ...common, takenAt: '', state: 'manifest-damaged', tests: told(false) }
  }
}

/** By snapshot, the newest first. */
function testsOf(own: readonly OwnRun[]): Map<string, RestoreTest[]> {
  const tests = own.flatMap(({ statement: { predicate } }) =>
    'negativeControl' in predicate ? [predicate as RestoreTest] : [],
  )
  return Map.groupBy(tests.toReversed(), ({ snapshot }) => snapshot.id)
}

function tell(test: RestoreTest, path: BytePath, isExpected: boolean): ExplainedTest {
  const { endedAt: at, result, mode, reason } = test
  return { at, result, mode, reason, class: classIn(test, pathText(path), isExpected) }
}

/** `isExpected`: the test had content to compare there. */
function classIn(
  { exceptions, exceptionsTotal, mode, classes, result, population }: RestoreTest,
  text: string,
  isExpected: boolean,
): string | null {
  const digest = sha256Hex(text)
  const named = exceptions.find((one) => one.path === text || one.pathDigest === digest)
  if (named) return named.class
  // Of a sample nobody kept which files it held; of a full test that judged all, every file that is not named came back
  // whole. One that failed may have been cut short, and then it did not come to all.
  const judged = Object.values(classes).reduce((sum, count) => sum + count, 0)
  const isWhole =
    isExpected &&
    mode === 'full' &&
    result !== 'INCONCLUSIVE' &&
    judged >= population.files &&
    exceptionsTotal === exceptions.length
  return isWhole && (classes['identical'] ?? 0) > 0 ? 'identical' : null
}
