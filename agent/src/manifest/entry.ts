/**
 * One line of a manifest. Numbers that exceed a double are text, so that any JSON reader can take them:
 * [path, kind, size, mtimeNs, ctimeNs, inode, mode, uid, gid, sha256, flags]
 */
import { hex64 } from '@bevis/shared/format'
import { z } from 'zod'
import { fromPathText, pathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { KINDS } from '../tree/stat.ts'
import type { Stat } from '../tree/stat.ts'

/**
 * - `witness`: hashed around restic's read, the file held still; `carried`: as proven by an earlier manifest
 * - `racy`: a witness, but its ctime is too close to the backup's start to exclude a write in the same tick
 * - `void`: it moved during the backup, the snapshot may hold bytes that never existed together
 * - `unlisted`: at the source, not in the snapshot: because restic could not read it (`unreadable`), or for no
 *   reason that anyone gave, though in scope and older than the backup (`gap`)
 * - `unreadable`: restic or, without `unlisted`, we could not read it
 * - `rot`: a re-hash differs under an unmoved stat; `sha256` is still the digest that the snapshot should hold
 * - `unresolved`: the listing's lossy name could not be matched with a real one; `path` is the lossy name
 * - `absent`: gone from the source before it could be hashed
 */
export const FLAGS = [
  'witness',
  'carried',
  'racy',
  'void',
  'absent',
  'unlisted',
  'gap',
  'unreadable',
  'unresolved',
  'rot',
] as const
export type Flag = (typeof FLAGS)[number]

export interface ManifestEntry extends Stat {
  readonly path: BytePath
  readonly sha256: string | null
  readonly flags: readonly Flag[]
}

const nanoseconds = z.string().regex(/^-?\d{1,20}$/)
const lineSchema = z.tuple([
  z.string().min(1).max(65_536),
  z.enum(KINDS),
  z.number().int().min(0),
  nanoseconds,
  nanoseconds,
  z.number().min(0).nullable(),
  z.number().int().min(0).max(0o7777),
  z.number().int().min(0),
  z.number().int().min(0),
  hex64.nullable(),
  z.array(z.enum(FLAGS)).max(FLAGS.length),
])

/** The line without its LF. */
export function formatEntry(entry: ManifestEntry): string {
  const { path, kind, size, mtimeNs, ctimeNs, inode, mode, uid, gid, sha256, flags } = entry
  return JSON.stringify([
    pathText(path),
    kind,
    size,
    `${mtimeNs}`,
    `${ctimeNs}`,
    inode,
    mode,
    uid,
    gid,
    sha256,
    flags,
  ])
}

/** @throws ZodError or SyntaxError; the file's reader says which manifest it was */
export function parseEntry(line: string): ManifestEntry {
  const value: unknown = JSON.parse(line)
  const [path, kind, size, mtimeNs, ctimeNs, inode, mode, uid, gid, sha256, flags] = isUsual(value)
    ? value
    : lineSchema.parse(value)
  const stat = { kind, size, mtimeNs: BigInt(mtimeNs), ctimeNs: BigInt(ctimeNs), inode, mode, uid, gid }
  return { path: fromPathText(path), ...stat, sha256, flags }
}

/** The path alone. @throws as above, for a line that has none */
export function pathOfLine(line: string): BytePath {
  const end = line.indexOf('"', 2)
  const text = line.slice(2, end)
  return line.startsWith('["') && end > 2 && !text.includes('\\') ? fromPathText(text) : parseEntry(line).path
}

/**
 * Whether the line's path can be that of no file in the snapshot: the snapshot does not have it, or its name is not
 * certain and may be another file's. A name may look like it too.
 */
export function isUncertain(line: string): boolean {
  return line.includes('"unlisted"') || line.includes('"unresolved"')
}

type Line = z.infer<typeof lineSchema>

const USUAL_KINDS: ReadonlySet<unknown> = new Set(KINDS)
const USUAL_FLAGS: ReadonlySet<unknown> = new Set(FLAGS)
const USUAL_TIME = /^\d{1,19}$/
const USUAL_DIGEST = /^[0-9a-f]{64}$/

/**
 * The schema in a third of its time, for a million lines: stricter than it, and whatever is not taken here goes
 * through the schema itself.
 */
function isUsual(value: unknown): value is Line {
  if (!Array.isArray(value) || value.length !== 11) return false
  const [path, kind, size, mtimeNs, ctimeNs, inode, mode, uid, gid, sha256, flags] = value as unknown[]
  return (
    typeof path === 'string' &&
    path.length > 0 &&
    path.length <= 65_536 &&
    USUAL_KINDS.has(kind) &&
    isCount(size) &&
    typeof mtimeNs === 'string' &&
    USUAL_TIME.test(mtimeNs) &&
    typeof ctimeNs === 'string' &&
    USUAL_TIME.test(ctimeNs) &&
    (inode === null || isCount(inode)) &&
    isCount(mode) &&
    mode <= 0o7777 &&
    isCount(uid) &&
    isCount(gid) &&
    (sha256 === null || (typeof sha256 === 'string' && USUAL_DIGEST.test(sha256))) &&
    Array.isArray(flags) &&
    flags.length <= FLAGS.length &&
    flags.every((flag) => USUAL_FLAGS.has(flag))
  )
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
