/**
 * A file that was renamed while restic walked is missing under its new name, and gone under the one that restic
 * saw. That is no gap: nothing of it is lost, and the next backup has it. It is known by its inode, size and time,
 * which a rename keeps; most file systems move its ctime, some leave even that.
 */
import type { BytePath } from '../tree/path.ts'
import type { Stat } from '../tree/stat.ts'

export interface Renamed {
  readonly from: BytePath
  readonly to: BytePath
}

/** More than that at once is no coincidence of a backup, and is told as what it looks like. */
const MOST = 10_000

export class Renames {
  readonly #gone = new Map<string, { path: BytePath; inode: number | null }[]>()
  readonly #found: { path: BytePath; stat: Stat }[] = []
  #count = 0

  /** In the snapshot, and no longer at the source under this name. */
  lost(path: BytePath, stat: Stat): void {
    if ((this.#count += 1) > MOST) return
    const key = keyOf(stat)
    const same = this.#gone.get(key)
    if (same) same.push({ path, inode: stat.inode })
    else this.#gone.set(key, [{ path, inode: stat.inode }])
  }

  /** At the source, and not in the snapshot. */
  found(path: BytePath, stat: Stat): void {
    if (this.#found.length < MOST) this.#found.push({ path, stat })
  }

  /** Each lost name is taken once. */
  matches(): Renamed[] {
    return this.#found.flatMap(({ path: to, stat }) => {
      const all = this.#gone.get(keyOf(stat)) ?? []
      // restic before 0.16.1 lists no inodes; size and time to the nanosecond must do.
      const at = all.findIndex(({ inode }) => inode === null || inode === stat.inode)
      const [lost] = at === -1 ? [] : all.splice(at, 1)
      return lost ? [{ from: lost.path, to }] : []
    })
  }
}

function keyOf({ kind, size, mtimeNs }: Stat): string {
  return `${kind}/${size}/${mtimeNs}`
}
