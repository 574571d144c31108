/**
 * The IDs of all snapshots of a repository as the bytes that an inventory's digest is over: sorted, each with
 * its LF. A delta moves bytes instead of sorting anew, so years of inventories fold in the time of hashing them.
 */
const LINE = 65

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export type IdList = Uint8Array

export function listIds(ids: Iterable<string>): IdList {
  const sorted = [...new Set(ids)].toSorted()
  return encoder.encode(sorted.map((id) => `${id}\n`).join(''))
}

export function countIds(list: IdList): number {
  return list.length / LINE
}

function idAt(list: IdList, at: number): string {
  return decoder.decode(list.subarray(at, at + LINE - 1))
}

function compareAt(list: IdList, at: number, id: Uint8Array): number {
  for (let byte = 0; byte < LINE - 1; byte++) {
    const difference = (list[at + byte] ?? 0) - (id[byte] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** Where the ID stands, or would stand. */
function place(list: IdList, id: Uint8Array): { at: number; present: boolean } {
  let low = 0
  let high = countIds(list)
  while (low < high) {
    const middle = (low + high) >> 1
    const order = compareAt(list, middle * LINE, id)
    if (order === 0) return { at: middle * LINE, present: true }
    if (order < 0) low = middle + 1
    else high = middle
  }
  return { at: low * LINE, present: false }
}

/** A new list; what is removed need not be there, what is added may be. */
export function applyDelta(list: IdList, added: readonly string[], removed: readonly string[]): IdList {
  if (added.length === 0 && removed.length === 0) return list
  const kept = new Set(added)
  const edits: { at: number; id: Uint8Array | null }[] = []
  for (const id of new Set(removed)) {
    if (kept.has(id)) continue
    const { at, present } = place(list, encoder.encode(id))
    if (present) edits.push({ at, id: null })
  }
  for (const text of [...kept].toSorted()) {
    const id = encoder.encode(text)
    const { at, present } = place(list, id)
    if (!present) edits.push({ at, id })
  }
  // Stable: IDs that are added at one place stay sorted, and stand before the one that is removed there.
  edits.sort((a, b) => a.at - b.at || Number(a.id === null) - Number(b.id === null))
  const growth = edits.reduce((sum, { id }) => sum + (id === null ? -LINE : LINE), 0)
  const next = new Uint8Array(list.length + growth)
  let from = 0
  let to = 0
  for (const { at, id } of edits) {
    next.set(list.subarray(from, at), to)
    to += at - from
    from = at
    if (id === null) from += LINE
    else {
      next.set(id, to)
      next[to + LINE - 1] = 10
      to += LINE
    }
  }
  next.set(list.subarray(from), to)
  return next
}

/** What `next` has that `list` has not, and the other way round. */
export function differenceOf(list: IdList, next: IdList): { added: string[]; removed: string[] } {
  const added: string[] = []
  const removed: string[] = []
  let a = 0
  let b = 0
  while (a < list.length || b < next.length) {
    const order =
      a >= list.length ? 1 : b >= next.length ? -1 : compareAt(list, a, next.subarray(b, b + LINE - 1))
    if (order < 0) removed.push(idAt(list, a))
    if (order > 0) added.push(idAt(next, b))
    if (order <= 0) a += LINE
    if (order >= 0) b += LINE
  }
  return { added, removed }
}
