import { z } from 'zod'

/**
 * What restic says with --json, 0.14 to 0.19: https://restic.readthedocs.io/en/stable/075_scripting.html
 * Only the fields that are used are named, fields of newer versions are left aside, and what does not fit
 * is an error: a summary that cannot be read is never taken for zeros.
 */

const count = z.int().nonnegative()
const text = z.string().max(1 << 16)

/** A full id: the SHA-256 of the stored file. Prefixes are never taken. */
export const fullId = z.string().regex(/^[0-9a-f]{64}$/, 'a full id of 64 hexadecimal digits')

/** Go's RFC 3339, nanoseconds and zone as they stood where the snapshot was taken. */
export const goTime = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/)

const status = z.object({
  message_type: z.literal('status'),
  percent_done: z.number().default(0),
  total_files: count.default(0),
  files_done: count.default(0),
  files_restored: count.default(0),
  files_skipped: count.default(0),
  total_bytes: count.default(0),
  bytes_done: count.default(0),
  bytes_restored: count.default(0),
  bytes_skipped: count.default(0),
  seconds_remaining: z.number().optional(),
})

/**
 * One file that failed. Until 0.16 `error` is a Go error as it happens to be encoded, without a `message`:
 * {"Op":"open","Path":"/x","Err":13}, or {}. `check` (0.18) puts the message beside it and names no item.
 */
const error = z.object({
  message_type: z.literal('error'),
  error: z
    .looseObject({ message: text.optional(), Op: text.optional(), Err: z.unknown().optional() })
    .optional(),
  message: text.optional(),
  during: text.optional(),
  item: text.optional(),
})

const exitError = z.object({ message_type: z.literal('exit_error'), code: z.int(), message: text })

const backupSummary = z.object({
  message_type: z.literal('summary'),
  files_new: count,
  files_changed: count,
  files_unmodified: count,
  data_added: count,
  total_files_processed: count,
  total_bytes_processed: count,
  backup_start: goTime.optional(),
  backup_end: goTime.optional(),
  /** Eight digits from 0.14, the whole id later; absent where no snapshot was made (0.17, --skip-if-unchanged). */
  snapshot_id: z
    .string()
    .regex(/^[0-9a-f]{8,64}$/)
    .optional(),
})

const verboseStatus = z.object({
  message_type: z.literal('verbose_status'),
  action: z.string().max(40),
  item: text,
  size: count.optional(),
})

/** What is 0 is left out: bytes, where all files are empty. None of it is evidence but that files were skipped. */
const restoreSummary = z.object({
  message_type: z.literal('summary'),
  total_files: count.default(0),
  files_restored: count.default(0),
  files_skipped: count.default(0),
  total_bytes: count.default(0),
  bytes_restored: count.default(0),
})

export const backupMessage = z.discriminatedUnion('message_type', [
  status,
  verboseStatus,
  backupSummary,
  error,
  exitError,
])
export const restoreMessage = z.discriminatedUnion('message_type', [
  status,
  verboseStatus,
  restoreSummary,
  error,
  exitError,
])
/** What may come on stderr, whatever the command. */
export const errorMessage = z.discriminatedUnion('message_type', [error, exitError])

export const versionMessage = z.object({
  message_type: z.literal('version').optional(),
  version: z.string().max(40),
})
export const initMessage = z.object({ message_type: z.literal('initialized'), id: fullId })
export const configObject = z.object({ version: z.int(), id: fullId })
export const lockObject = z.object({
  time: goTime,
  exclusive: z.boolean(),
  hostname: text,
  username: text.default(''),
  pid: count,
})

export const snapshotMessage = z.object({
  id: fullId,
  time: goTime,
  tree: fullId,
  hostname: text.default(''),
  paths: z.array(text).nullish(),
  tags: z.array(text).nullish(),
  original: fullId.optional(),
  parent: fullId.optional(),
})
export const snapshotsMessage = z.array(snapshotMessage).nullable()

/** `mode` is Go's FileMode, left out when 0. Names are lossy: every invalid byte has become U+FFFD. */
export const nodeMessage = z.object({
  struct_type: z.literal('node'),
  path: text,
  type: z.enum(['file', 'dir', 'symlink', 'fifo', 'socket', 'chardev', 'dev', 'irregular', '']),
  uid: count.default(0),
  gid: count.default(0),
  size: count.default(0),
  mode: count.default(0),
  mtime: goTime,
  ctime: goTime,
  inode: z.number().nonnegative().optional(),
})

export const checkSummary = z.object({
  message_type: z.literal('summary'),
  num_errors: count,
  broken_packs: z.array(fullId).nullable(),
  suggest_repair_index: z.boolean().default(false),
  suggest_prune: z.boolean().default(false),
})

export type BackupSummary = z.infer<typeof backupSummary>
export type ErrorMessage = z.infer<typeof error>
