import { BevisError, errorMessageOf } from '@bevis/shared/error'
import type { Signer } from '@bevis/shared/crypto'
import { encodeBase64 } from '@bevis/shared/base64'
import { toInstant } from '@bevis/shared/format'
import { formatVkey, openCheckpointBy, parseVkey, signCheckpoint } from '@bevis/shared/log/checkpoint'
import type { Checkpoint, VerificationKey } from '@bevis/shared/log/checkpoint'
import {
  appendLeaves,
  consistencyProof,
  edgeOf,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  rootOf,
} from '@bevis/shared/log/merkle'
import type { ReadNodes } from '@bevis/shared/log/merkle'
import { formatProof } from '@bevis/shared/log/proof'
import type { LogClosure } from '@bevis/shared/log/succession'
import type { Kysely, Transaction } from 'kysely'
import { findCheckpointNote, newestCheckpoint } from '../store/read/checkpoints.ts'
import { chunksOf } from '../store/rows.ts'
import type { Schema } from '../store/schema.ts'
import type { Store } from '../store/store.ts'
import { readCheckpointFile, swapCheckpointFile } from './checkpoint-file.ts'
import { nodeReader } from './nodes.ts'
import { appendOwnEntries, ownEntriesFile, readOwnEntries } from './own-entries.ts'
import type { OwnEntry } from './own-entries.ts'
import type { TreeNode } from './nodes.ts'

/** How long one process waits for another that appends. */
const LOCK_MS = 30_000

export interface LogOptions {
  readonly store: Store
  readonly signer: Signer
  /** Signs every head too, for those who do not know the newest key yet. */
  readonly former?: Signer | null
  /** Every key that has signed heads of this log; the present one if left out. */
  readonly known?: readonly VerificationKey[]
  /** How its keys, and its names, follow each other: signed notes. */
  readonly successions?: readonly string[]
  readonly closures?: readonly LogClosure[]
  readonly origin: string
  readonly checkpointFile: string
  readonly now: () => Date
}

/** An append-only Merkle log (RFC 6962) with signed heads (C2SP tlog-checkpoint). */
export interface Log {
  readonly origin: string
  /** The verification key that agents and auditors pin. */
  readonly vkey: string
  /** Signed notes, from the log's first key to its present one, for whoever knows an older one. */
  readonly successions: readonly string[]
  /** Logs of other names that this one goes on from. */
  readonly closures: readonly LogClosure[]
  /** Opens a head that any of the log's keys has signed. @throws BevisError CHECKPOINT_INVALID */
  open(note: string): Checkpoint
  /** Why nothing is signed; null when all is well. */
  readonly trouble: BevisError | null
  /** Stops the signing, until the program is started anew: somebody has shown that the log is not what it was. */
  refuse(trouble: BevisError): void
  /** Keeps entries that nobody but the collector has, beside the last head; inside `append`'s transaction. */
  keepOwn(entries: readonly OwnEntry[]): Promise<void>
  ownEntries(from: number): AsyncIterable<OwnEntry>
  /**
   * Takes note of a head that this log signed and has forgotten: database and file were both set back. Then it
   * refuses to sign as for the file's own.
   */
  adopt(head: Checkpoint): Promise<void>
  /** What a database that was set back has lost: from its end, to the last head that was signed; else null. */
  lost(): Promise<{ from: number; to: Checkpoint } | null>
  /**
   * Appends what was lost, in one transaction, and signs nothing: it commits only if the tree is that of the last
   * signed head, and every head that `work` brought back is of this tree.
   * @throws BevisError LOG_INCONSISTENT when it is not; then nothing of it happened
   */
  recover(work: (appender: Appender) => Promise<void>): Promise<void>
  /** The newest signed head. */
  head(): Promise<Checkpoint>
  /** The signed head of a size; null where none was signed. */
  headAt(size: number): Promise<Checkpoint | null>
  /**
   * One durable transaction with its new signed head, then the head's swap into the separate file; only
   * after both does it resolve. Nothing added: the head stays.
   * @throws BevisError LOG_ROLLED_BACK, LOG_INCONSISTENT, STORE_FAILED
   */
  append<T>(work: (appender: Appender) => Promise<T>): Promise<Appended<T>>
  /** The tlog-proof of a leaf against a head of this log. */
  proof(index: number, head: Checkpoint, read?: ReadNodes): Promise<string>
  /** Consistency from an earlier size, base64 (RFC 6962, 2.1.2); empty from 0 and from the same size. */
  consistency(from: number, head: Checkpoint, read?: ReadNodes): Promise<string[]>
}

export interface Appender {
  readonly tx: Transaction<Schema>
  /** The index that the next leaf gets. */
  readonly next: number
  /** Adds an entry of a statement, or of a stamp, that the same transaction inserts; returns its leaf index. */
  add(leaf: { entry: Uint8Array; statementId: number | null; signatureNo: number }): number
}

export interface Appended<T> {
  readonly result: T
  readonly head: Checkpoint
  /** Reads nodes without asking for those just written. */
  readonly read: ReadNodes
}

/**
 * Signs the head of the empty log, once, at `init`; goes on where an `init` was cut short.
 * @throws BevisError LOG_INCONSISTENT when the separate file holds another log's head
 */
export async function createLog({ store, signer, origin, checkpointFile, now }: LogOptions): Promise<void> {
  const head = signCheckpoint({ origin, size: 0, root: EMPTY_ROOT }, signer)
  await store.write(async (tx) => {
    if ((await newestCheckpoint(tx)) === undefined) await insertCheckpoint(tx, head, now())
  })
  if ((await readCheckpointFile(checkpointFile)) === head.note) return
  await swapCheckpointFile(checkpointFile, null, head.note)
}

/**
 * Opens the log and compares the database with the last head it signed. A log in trouble can be read,
 * and refuses to sign.
 */
export async function openLog(options: LogOptions): Promise<Log> {
  const { store, signer, origin, checkpointFile, now } = options
  const vkey = formatVkey(origin, signer.spki)
  const known = options.known ?? [parseVkey(vkey)]
  const signers: [Signer, ...Signer[]] = [
    signer,
    ...(options.former === undefined || options.former === null ? [] : [options.former]),
  ]
  const open = (note: string): Checkpoint => openCheckpointBy(note, known)
  let trouble: BevisError | null = null

  /** The note in the separate file, after checking that the database goes on from it. */
  async function comparedFile(db: Kysely<Schema>, head: Checkpoint, read: ReadNodes): Promise<void> {
    const note = await readCheckpointFile(checkpointFile)
    if (note === null) {
      throw new BevisError(
        'LOG_INCONSISTENT',
        `${checkpointFile} is missing: put it back, or if this database is the newest one there is, \`fsck --write-checkpoint\``,
      )
    }
    if (note === head.note) return
    const filed = open(note)
    if (filed.size > head.size) {
      throw new BevisError(
        'LOG_ROLLED_BACK',
        `the database ends at ${head.size} entries, and a head of ${filed.size} was signed already (${checkpointFile})`,
      )
    }
    if (encodeBase64(await rootOf(filed.size, read)) !== encodeBase64(filed.root)) {
      throw new BevisError(
        'LOG_INCONSISTENT',
        `the database has another history than the head of ${filed.size} entries in ${checkpointFile}`,
      )
    }
  }

  async function soundHead(db: Kysely<Schema>): Promise<Checkpoint> {
    const head = await headIn(db)
    const read = nodeReader(db)
    if (encodeBase64(await rootOf(head.size, read)) !== encodeBase64(head.root)) {
      throw new BevisError(
        'LOG_INCONSISTENT',
        `the tree's root is not that of the head of ${head.size} entries`,
      )
    }
    await comparedFile(db, head, read)
    return head
  }

  async function headIn(db: Kysely<Schema>): Promise<Checkpoint> {
    const row = await newestCheckpoint(db)
    if (row === undefined)
      throw new BevisError('LOG_INCONSISTENT', 'the log has no head: was `init` cut short?')
    return open(row.note)
  }

  async function fileHead(head: Checkpoint): Promise<void> {
    const filed = await readCheckpointFile(checkpointFile)
    if (filed !== head.note) await swapCheckpointFile(checkpointFile, filed, head.note)
  }

  async function lost(db: Kysely<Schema> = store.db): Promise<{ from: number; to: Checkpoint } | null> {
    if (trouble?.code !== 'LOG_ROLLED_BACK') return null
    const note = await readCheckpointFile(checkpointFile)
    const { size: from } = await headIn(db)
    if (note === null) return null
    const to = open(note)
    return to.size > from ? { from, to } : null
  }

  async function bringBack(
    tx: Transaction<Schema>,
    { from, to }: { from: number; to: Checkpoint },
    work: (appender: Appender) => Promise<void>,
  ): Promise<void> {
    const edge = await nodeReader(tx)(edgeOf(from))
    const leaves: Parameters<Appender['add']>[0][] = []
    await work({
      tx,
      get next() {
        return from + leaves.length
      },
      add: (leaf) => from + leaves.push(leaf) - 1,
    })
    const hashes = leaves.map(({ entry }) => leafHash(entry))
    const grown = appendLeaves(from, edge, hashes)
    if (grown.size !== to.size || encodeBase64(grown.root) !== encodeBase64(to.root)) {
      throw new BevisError(
        'LOG_INCONSISTENT',
        `the ${leaves.length} leaves that were brought back do not give the root of the head of ${to.size} entries`,
      )
    }
    await insertLeaves(tx, from, leaves)
    await insertNodes(tx, grown.nodes)
    const read = nodeReader(tx, grown.nodes)
    const heads = await tx.selectFrom('log_checkpoint').selectAll().where('size', '>', from).execute()
    for (const { size, root } of heads) {
      if (encodeBase64(await rootOf(size, read)) !== encodeBase64(root)) {
        throw new BevisError('LOG_INCONSISTENT', `the head of ${size} entries is of another history`)
      }
    }
    await insertCheckpoint(tx, to, now())
  }

  async function locked<T>(work: () => Promise<T>): Promise<T> {
    if (trouble !== null) throw trouble
    const lock = await store.lock('log', LOCK_MS)
    try {
      return await work()
    } catch (error) {
      trouble = troubleOf(error)
      throw trouble ?? error
    } finally {
      lock.release()
    }
  }

  const log: Log = {
    origin,
    vkey,
    successions: options.successions ?? [],
    closures: options.closures ?? [],
    open,
    get trouble() {
      return trouble
    },
    refuse: (error) => {
      trouble ??= error
    },
    head: () => headIn(store.db),
    headAt: async (size) => {
      const note = await findCheckpointNote(store.db, size)
      return note === null ? null : open(note)
    },
    append: (work) =>
      locked(async () => {
        const { fresh, ...done } = await store.write(async (tx) => {
          const before = await soundHead(tx)
          const leaves: Parameters<Appender['add']>[0][] = []
          const result = await work({
            tx,
            get next() {
              return before.size + leaves.length
            },
            add: (leaf) => before.size + leaves.push(leaf) - 1,
          })
          if (leaves.length === 0) return { result, head: before, fresh: [] }
          const edge = await nodeReader(tx)(edgeOf(before.size))
          const grown = appendLeaves(
            before.size,
            edge,
            leaves.map(({ entry }) => leafHash(entry)),
          )
          await insertLeaves(tx, before.size, leaves)
          await insertNodes(tx, grown.nodes)
          const head = signCheckpoint({ origin, size: grown.size, root: grown.root }, ...signers)
          await insertCheckpoint(tx, head, now())
          return { result, head, fresh: grown.nodes }
        })
        await fileHead(done.head)
        return { ...done, read: nodeReader(store.db, fresh) }
      }),
    keepOwn: (entries) => appendOwnEntries(ownEntriesFile(checkpointFile), entries),
    ownEntries: (from) => readOwnEntries(ownEntriesFile(checkpointFile), from),
    adopt: async (head) => {
      if (trouble !== null && trouble.code !== 'LOG_ROLLED_BACK') return
      const filed = await readCheckpointFile(checkpointFile)
      if (filed === null || open(filed).size >= head.size) return
      if ((await headIn(store.db)).size >= head.size) return
      await swapCheckpointFile(checkpointFile, filed, head.note)
      trouble = new BevisError(
        'LOG_ROLLED_BACK',
        `an agent has a head of ${head.size} entries that this log signed, and the database ends before it`,
      )
    },
    lost,
    recover: async (work) => {
      const lock = await store.lock('log', LOCK_MS)
      try {
        await store.write(async (tx) => {
          const target = await lost(tx)
          if (target === null) throw new BevisError('NOT_FOUND', 'nothing is missing from this log')
          await bringBack(tx, target, work)
        })
        trouble = null
      } finally {
        lock.release()
      }
    },
    proof: async (index, head, read = nodeReader(store.db)) => {
      const hashes = await inclusionProof(index, head.size, read)
      return formatProof({ index, hashes, checkpoint: head.note })
    },
    consistency: async (from, head, read = nodeReader(store.db)) => {
      if (from === 0 || from === head.size) return []
      if (from > head.size) {
        throw new BevisError(
          'LOG_ROLLED_BACK',
          `the log has ${head.size} entries, and ${from} were verified before`,
        )
      }
      return (await consistencyProof(from, head.size, read)).map(encodeBase64)
    },
  }

  // A head that was committed and not filed before a crash is filed now; then answers may name it.
  await locked(async () => fileHead(await soundHead(store.db))).catch((error: unknown) => {
    if (trouble === null) throw error
  })
  return log
}

/** Failures of the log itself stop the signing until somebody has looked; a full disk does not. */
function troubleOf(error: unknown): BevisError | null {
  if (!(error instanceof BevisError)) return null
  if (error.code === 'LOG_ROLLED_BACK' || error.code === 'LOG_INCONSISTENT') return error
  if (error.code !== 'CHECKPOINT_INVALID' && error.code !== 'KEY_INVALID') return null
  return new BevisError(
    'LOG_INCONSISTENT',
    `the last signed head cannot be believed: ${errorMessageOf(error)}`,
    {
      cause: error,
    },
  )
}

async function insertCheckpoint(tx: Transaction<Schema>, head: Checkpoint, at: Date): Promise<void> {
  const { size, root, note } = head
  await tx
    .insertInto('log_checkpoint')
    .values({ size, root, note, signed_at: toInstant(at) })
    .execute()
}

async function insertLeaves(
  tx: Transaction<Schema>,
  from: number,
  leaves: readonly Parameters<Appender['add']>[0][],
): Promise<void> {
  const rows = leaves.map(({ entry, statementId, signatureNo }, n) => ({
    leaf_index: from + n,
    entry,
    statement_id: statementId,
    signature_no: signatureNo,
  }))
  for (const chunk of chunksOf(rows)) await tx.insertInto('log_leaf').values(chunk).execute()
}

async function insertNodes(tx: Transaction<Schema>, nodes: readonly TreeNode[]): Promise<void> {
  const rows = nodes.map(({ id, hash }) => ({ level: id.level, node_index: id.index, hash }))
  for (const chunk of chunksOf(rows)) await tx.insertInto('log_node').values(chunk).execute()
}
