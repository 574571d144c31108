/**
 * Takes the witness of a backup. restic stats a file, reads it and never looks again, so the snapshot's stat is
 * the only link between its bytes and a moment of the file: when the file still has that very stat now, and
 * again after it was hashed, then the hash is of what restic read. Anything else is told, never assumed.
 */
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Node } from '../restic/restic.ts'
import type { DigestPool } from '../tree/digest-pool.ts'
import { digestInOrder, splitByBytes } from '../tree/digest-pool.ts'
import type { Digest, DigestJob } from '../tree/digest.ts'
import { bytePathOf, isWithin, lossyText, parentOf, pathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { excludedBy } from '../tree/pattern.ts'
import { sameStat } from '../tree/stat.ts'
import type { Stat } from '../tree/stat.ts'
import { openChange } from './change.ts'
import type { Change, ChangeTally } from './change.ts'
import type { Flag, ManifestEntry } from './entry.ts'
import { createManifest, openManifest } from './file.ts'
import { digestFirst, rememberFirst } from './first.ts'
import type { ManifestFile, ManifestHeader } from './file.ts'
import { matchTree } from './match.ts'
import type { Listed, Matched } from './match.ts'
import { readPrevious } from './previous.ts'
import type { PreviousEntries } from './previous.ts'
import { openTally } from './tally.ts'
import type { ManifestTally, Named } from './tally.ts'
import { Renames } from './rename.ts'
import type { Renamed } from './rename.ts'

export interface WitnessRequest {
  /** The new snapshot's listing. */
  readonly nodes: AsyncIterable<readonly Node[]>
  readonly roots: readonly BytePath[]
  readonly excludes: readonly string[]
  /** Our own folders: they change while we run, and are no one's data. */
  readonly notJudged: readonly BytePath[]
  /** restic's complaints; lossy paths. When there were more than are listed, no absence can be called a gap. */
  readonly unreadable: { readonly paths: readonly string[]; readonly isComplete: boolean }
  readonly header: Omit<ManifestHeader, 'manifest' | 'turn'>
  readonly folder: string
  readonly previous: ManifestFile | null
  /** Their digests are told. */
  readonly watch?: readonly BytePath[]
  readonly pool: DigestPool
  readonly onProgress?: (progress: { files: number; bytes: number }) => void
  readonly signal?: AbortSignal
}

export interface Witness {
  readonly manifest: ManifestFile
  readonly tally: ManifestTally
  /** Against the manifest before; without one everything is new. */
  readonly change: Change
  /** The digest of the manifest before; null: there was none that could be read. */
  readonly against: string | null
}

/** A write within the clock's last tick before restic's look may keep its ctime: no hash then excludes it. */
const RACY_NS = 2_000_000_000n

/** Each run hashes one part in this many of the unchanged files again, to find rot in the source. */
const TURNS = 30

/**
 * Writes the snapshot's manifest. When it throws, no manifest is left behind.
 * @throws BevisError RESTIC_* from the listing, MANIFEST_DAMAGED when the previous manifest cannot be trusted
 */
export async function takeWitness(request: WitnessRequest): Promise<Witness> {
  const first = await digestFirst(request.folder, request.pool)
  const last = request.previous ? await openManifest(request.previous) : null
  const change = openChange(request.watch ?? [], last === null, request.roots)
  const previous = readPrevious(last, (entry) => change.miss(entry))
  const turn = (last?.header.turn ?? -1) + 1
  const writer = await createManifest(request.folder, { ...request.header, manifest: 1, turn })
  const tally = openTally()
  const racyFromNs = BigInt(Date.parse(request.header.startedAt)) * 1_000_000n - RACY_NS
  const judge = unlistedJudge(request)
  const renames = new Renames()
  try {
    const isOld = (stat: Stat): boolean => stat.ctimeNs < racyFromNs
    const scope = { roots: request.roots, isExcluded: exclusionOf(request), isOld }
    const matched = matchTree(request.nodes, scope)
    const items = splitByBytes(withPrevious(matched, previous, turn, change), bytesToHash)
    for await (const results of digestInOrder(request.pool, items, jobsOf)) {
      request.signal?.throwIfAborted()
      const entries = results.flatMap(({ item, digests }) => {
        if (item.matched.state === 'listed') {
          const digest = stillOf(first, item.matched) ?? digests[0]
          const entry = listedEntry(item.matched, item, digest, racyFromNs)
          change.see(entry, item.before)
          if (entry.flags.includes('absent')) renames.lost(entry.path, entry)
          return [entry]
        }
        const { path, stat } = item.matched
        if (hasContent(stat)) renames.found(path, stat)
        const flag = isOld(stat) ? judge(path, stat) : null
        return flag ? [unlistedEntry(item.matched, flag)] : []
      })
      await writer.append(entries)
      for (const entry of entries) tally.add(entry)
      request.onProgress?.({ files: tally.result.files, bytes: tally.result.bytes })
    }
    await previous.drain()
    const whole = await writer.finish()
    await rememberFirst(request.folder, tally.result.torn.paths).catch(() => {})
    const renamed = renames.matches()
    const { manifest, tally: told } = await withoutRenamed(whole, tally.result, renamed)
    const against = request.previous?.sha256 ?? null
    return { manifest, tally: { ...told, renamed: namesOf(renamed) }, change: change.result, against }
  } catch (error) {
    await writer.discard()
    throw error
  } finally {
    await previous.close()
  }
}

/** What looked like a gap, and turned out to be a new name, leaves the manifest: its file has to be written again. */
async function withoutRenamed(
  whole: ManifestFile,
  told: ManifestTally,
  renamed: readonly Renamed[],
): Promise<{ manifest: ManifestFile; tally: ManifestTally }> {
  const names = new Set(renamed.map(({ to }) => to))
  if (told.gaps.count === 0 || names.size === 0) return { manifest: whole, tally: told }
  const { header, entries } = await openManifest(whole)
  const writer = await createManifest(dirname(whole.file), header)
  const tally = openTally()
  try {
    for await (const batch of entries) {
      const kept = batch.filter(({ path, flags }) => !(flags.includes('gap') && names.has(path)))
      for (const entry of kept) tally.add(entry)
      await writer.append(kept)
    }
    const manifest = await writer.finish()
    if (manifest.file !== whole.file) await rm(whole.file)
    return { manifest, tally: tally.result }
  } catch (error) {
    await writer.discard()
    throw error
  }
}

function namesOf(renamed: readonly Renamed[]): Named {
  return { count: renamed.length, paths: renamed.slice(0, 100).map(({ to }) => pathText(to)) }
}

/** The early digest, if it was of the very file that restic read. */
function stillOf(first: ReadonlyMap<BytePath, Digest>, { path, node }: Listed): Digest | null {
  const digest = path === null ? undefined : first.get(path)
  return digest?.state === 'read' && digest.sha256 !== null && sameStat(digest.stat, node) ? digest : null
}

interface Item {
  readonly matched: Matched
  /** The last manifest's entry of the same path. */
  readonly before: ManifestEntry | null
  /** What the last manifest proved of the same file, still with this stat. */
  readonly proven: ManifestEntry | null
  /** Hashed again although proven: it is this file's turn. */
  readonly isRehash: boolean
}

async function* withPrevious(
  batches: AsyncIterable<Matched[]>,
  previous: PreviousEntries,
  turn: number,
  change: ChangeTally,
): AsyncGenerator<Item[]> {
  for await (const batch of batches) {
    const items: Item[] = []
    for (const matched of batch) {
      const before = matched.path === null ? null : await previous.at(matched.path)
      // What restic could not read this time is not gone.
      if (matched.state === 'unlisted' && before) change.keep(before)
      const proven = matched.state === 'listed' && before && isProven(before, matched.node) ? before : null
      items.push({ matched, before, proven, isRehash: proven !== null && isTurn(proven.path, turn) })
    }
    yield items
  }
}

/** A racy witness is not handed on: by now the same question has a certain answer, at the price of one hash. */
function isProven({ flags, sha256, ...stat }: ManifestEntry, node: Stat): boolean {
  return sha256 !== null && !flags.includes('racy') && !flags.includes('void') && sameStat(stat, node)
}

/** Spreads paths over the turns (FNV-1a): every file is hashed again once in {@link TURNS} runs. */
function isTurn(path: BytePath, turn: number): boolean {
  let hash = 0x811c9dc5
  for (let at = 0; at < path.length; at += 1) hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193)
  return (hash >>> 0) % TURNS === turn % TURNS
}

function hasContent({ kind }: Stat): boolean {
  return kind === 'file' || kind === 'symlink'
}

function jobsOf({ matched, proven, isRehash }: Item): DigestJob[] {
  if (matched.state !== 'listed' || matched.path === null || !hasContent(matched.node)) return []
  const job = { path: matched.path, readIf: 'same-stat' as const }
  if (!proven || proven.sha256 === null || isRehash) return [{ ...job, expected: matched.node }]
  // The listing may have no inode (restic before 0.16.1); the last manifest always has.
  return [{ ...job, expected: { ...matched.node, inode: proven.inode }, carried: proven.sha256 }]
}

function bytesToHash({ matched, proven, isRehash }: Item): number {
  return matched.state === 'listed' && (proven === null || isRehash) ? matched.node.size : 0
}

function listedEntry(
  listed: Listed,
  item: Item,
  digest: Digest | undefined,
  racyFromNs: bigint,
): ManifestEntry {
  const { node, text } = listed
  const { kind, size, mtimeNs, ctimeNs, inode, mode, uid, gid } = node
  const stat = { kind, size, mtimeNs, ctimeNs, inode, mode, uid, gid }
  const plain = { path: listed.path ?? text, ...stat, sha256: null, flags: [] as Flag[] }
  if (listed.path === null) return { ...plain, flags: ['unresolved'] }
  if (!digest) return plain
  if (digest.state === 'deleted') return { ...plain, flags: ['void', 'absent'] }
  if (digest.state === 'moving') return { ...plain, flags: ['void'] }
  if (digest.state === 'unreadable') return { ...plain, flags: ['unreadable'] }
  if (digest.sha256 === null || !sameStat(digest.stat, node)) return { ...plain, flags: ['void'] }
  const whole = { ...plain, inode: digest.stat.inode, sha256: digest.sha256 }
  if (item.proven && item.proven.sha256 !== null) {
    // restic took the unmoved file over from its last snapshot, unread: that snapshot's bytes are what is owed.
    const hasRotted = digest.sha256 !== item.proven.sha256 || item.proven.flags.includes('rot')
    return { ...whole, sha256: item.proven.sha256, flags: hasRotted ? ['carried', 'rot'] : ['carried'] }
  }
  return { ...whole, flags: node.ctimeNs >= racyFromNs ? ['witness', 'racy'] : ['witness'] }
}

function unlistedEntry({ path, stat }: { path: BytePath; stat: Stat }, flag: Flag): ManifestEntry {
  return { ...stat, path, sha256: null, flags: ['unlisted', flag] }
}

function exclusionOf({ excludes, notJudged }: WitnessRequest): (path: BytePath) => boolean {
  const isExcluded = excludedBy(excludes)
  return (path) => isExcluded(path) || notJudged.some((folder) => isWithin(path, folder))
}

/** What it means that an old entry is not in the snapshot; null: restic leaves such things out, or so it should. */
function unlistedJudge({ unreadable }: WitnessRequest): (path: BytePath, stat: Stat) => Flag | null {
  const told = new Set<string>(unreadable.paths.map(bytePathOf))
  const isTold = (path: BytePath): boolean => {
    for (let at = path; at !== '/'; at = parentOf(at)) if (told.has(lossyText(at))) return true
    return false
  }
  return (path, stat) => {
    // restic stores no sockets; devices and FIFOs carry no content that a gap could lose.
    if (!hasContent(stat)) return null
    if (isTold(path) || !unreadable.isComplete) return 'unreadable'
    return 'gap'
  }
}
