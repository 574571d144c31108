/** Backups as an evaluation keeps them: there are more of them than of all else, so they stand in a table. */
import type { Repo, Snap } from '../evidence/predicates.ts'
import type { AgentChain } from './agent-chain.ts'
import { Standing } from './agent-chain.ts'
import type { Ids } from './ids.ts'
import { Known } from './known.ts'
import { Rows } from './rows.ts'
import type { BackupRun } from './told.ts'
import { formatInstant } from './verdict.ts'

const WIDTH = 9
const [ALIKE, INDEX, SLOT, STARTED_AT, TIME, FILES, BYTES, ADDED_BYTES, ID] = [0, 1, 2, 3, 4, 5, 6, 7, 8]
const TREE = 0
const NO_DIGEST = '0'.repeat(64)

/** What the backups of one machine have in common, night after night. */
interface Alike extends Pick<BackupRun, 'set' | 'exitCode' | 'outcome'> {
  readonly links: AgentChain
  readonly repository: Repo
  /** Null where there is no snapshot. */
  readonly snapshot: SnapOfAll | null
}

type SnapOfAll = Pick<Snap, 'host' | 'paths' | 'tags'>

/** Runs in log order, each a Known again when it is asked for; some 110 bytes a run. */
export class Runs {
  readonly #rows = new Rows(WIDTH, 1)
  readonly #ids: Ids
  readonly #alike: Alike[] = []
  readonly #alikeIds = new Map<AgentChain, Map<string, number>>()
  /** What few runs have. */
  readonly #failed = new Map<number, BackupRun['failed']>()
  readonly #originals = new Map<number, string>()

  /** @param ids where those of the snapshots are kept */
  constructor(ids: Ids) {
    this.#ids = ids
  }

  get length(): number {
    return this.#rows.size
  }

  /** Takes one that stands in its agent's chain. */
  push({ predicate, index, standing }: Known<BackupRun>): void {
    if (standing === undefined) throw new RangeError('a backup stands in the chain of its agent')
    const { startedAt, snapshot, source, failed } = predicate
    const { id, tree = NO_DIGEST, original } = snapshot ?? {}
    const row = this.#rows.push(
      [
        this.#alikeOf(predicate, standing.links),
        index,
        standing.slot,
        Date.parse(startedAt),
        snapshot === undefined ? Number.NaN : Date.parse(snapshot.time),
        source?.files ?? Number.NaN,
        source?.bytes ?? Number.NaN,
        source?.addedBytes ?? Number.NaN,
        id === undefined ? Number.NaN : this.#ids.add(id),
      ],
      [tree],
    )
    if (failed !== undefined) this.#failed.set(row, failed)
    if (original !== undefined) this.#originals.set(row, original)
  }

  #alikeOf({ repository, set, exitCode, outcome, snapshot }: BackupRun, links: AgentChain): number {
    const common = snapshot === undefined ? null : commonOf(snapshot)
    const key = JSON.stringify([repository, set, exitCode, outcome, common])
    const ids = this.#alikeIds.get(links) ?? new Map<string, number>()
    this.#alikeIds.set(links, ids)
    const known = ids.get(key)
    if (known !== undefined) return known
    const place = this.#alike.push({ links, repository, set, exitCode, outcome, snapshot: common }) - 1
    ids.set(key, place)
    return place
  }

  at(row: number): Known<BackupRun> {
    const standing = new Standing(this.alikeAt(row).links, this.#rows.number(row, SLOT))
    return new Known(new StoredRun(this, row), this.#rows.number(row, INDEX), standing)
  }

  *from(row: number): Generator<Known<BackupRun>> {
    for (let next = row; next < this.length; next += 1) yield this.at(next)
  }

  alikeAt(row: number): Alike {
    const alike = this.#alike[this.#rows.number(row, ALIKE)]
    if (alike === undefined) throw new RangeError(`there is no run ${row}`)
    return alike
  }

  /** In milliseconds. */
  startedAt(row: number): number {
    return this.#rows.number(row, STARTED_AT)
  }

  source(row: number): BackupRun['source'] {
    const files = this.#rows.number(row, FILES)
    if (Number.isNaN(files)) return undefined
    return { files, bytes: this.#rows.number(row, BYTES), addedBytes: this.#rows.number(row, ADDED_BYTES) }
  }

  failed(row: number): BackupRun['failed'] {
    return this.#failed.get(row)
  }

  /** The snapshot; undefined where there is none. */
  snapshotAt(row: number): Snap | undefined {
    const { snapshot } = this.alikeAt(row)
    return snapshot === null ? undefined : new StoredSnap(this, row, snapshot)
  }

  /** The number of the snapshot's ID. */
  idNumber(row: number): number {
    return this.#rows.number(row, ID)
  }

  id(row: number): string {
    return this.#ids.at(this.idNumber(row))
  }

  tree(row: number): string {
    return this.#rows.digest(row, TREE)
  }

  original(row: number): string | undefined {
    return this.#originals.get(row)
  }

  /** Of the snapshot, in milliseconds; NaN where there is none. */
  time(row: number): number {
    return this.#rows.number(row, TIME)
  }
}

function commonOf({ host, paths, tags }: Snap): SnapOfAll {
  return { host, paths, ...(tags !== undefined && { tags }) }
}

class StoredRun implements BackupRun {
  readonly #runs: Runs
  readonly #row: number

  constructor(runs: Runs, row: number) {
    this.#runs = runs
    this.#row = row
  }

  get repository(): Repo {
    return this.#runs.alikeAt(this.#row).repository
  }

  get set(): string {
    return this.#runs.alikeAt(this.#row).set
  }

  get exitCode(): number {
    return this.#runs.alikeAt(this.#row).exitCode
  }

  get outcome(): BackupRun['outcome'] {
    return this.#runs.alikeAt(this.#row).outcome
  }

  get startedAt(): string {
    return formatInstant(this.#runs.startedAt(this.#row))
  }

  get source(): BackupRun['source'] {
    return this.#runs.source(this.#row)
  }

  get failed(): BackupRun['failed'] {
    return this.#runs.failed(this.#row)
  }

  get snapshot(): Snap | undefined {
    return this.#runs.snapshotAt(this.#row)
  }
}

class StoredSnap implements Snap {
  readonly #runs: Runs
  readonly #row: number
  readonly #common: SnapOfAll

  constructor(runs: Runs, row: number, common: SnapOfAll) {
    this.#runs = runs
    this.#row = row
    this.#common = common
  }

  get id(): string {
    return this.#runs.id(this.#row)
  }

  get time(): string {
    return formatInstant(this.#runs.time(this.#row))
  }

  get tree(): string {
    return this.#runs.tree(this.#row)
  }

  get host(): string {
    return this.#common.host
  }

  get paths(): string[] {
    return this.#common.paths
  }

  get tags(): string[] | undefined {
    return this.#common.tags
  }

  get original(): string | undefined {
    return this.#runs.original(this.#row)
  }
}
