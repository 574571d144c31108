/** Judges a backup's manifest against the one before and what is usual for the set; remembers what is usual. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Hex } from '@bevis/shared/crypto'
import { hex64, instant, toInstant } from '@bevis/shared/format'
import { z } from 'zod'
import { lookEncrypted } from '../anomaly/entropy.ts'
import { changeRateOf, encryptedShareOf, judgeChange } from '../anomaly/judge.ts'
import type { Anomaly, AnomalyLimits, Measured } from '../anomaly/judge.ts'
import type { SetConfig } from '../config.ts'
import type { Change } from '../manifest/change.ts'
import { writeDurably } from '../outbox/alarm.ts'
import { makePrivateFolder } from '../state.ts'
import { bytePathOf, pathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { errnoOf } from '../tree/walk.ts'
import type { RunLogger } from './repository.ts'

const schema = z.object({
  runs: z
    .array(
      z.object({
        at: instant,
        changeRate: z.number(),
        encrypted: z.number().nullable(),
        /** It was told as an anomaly, and nobody has looked yet: it does not say what is usual. */
        isTold: z.boolean(),
      }),
    )
    .max(1_000),
  /** Of the paths and excludes: what another scope had is no measure. */
  scope: hex64.nullable(),
  /** By path text: the digest that each canary had when it was first seen, or when a person last looked. */
  canaries: z.record(z.string(), hex64),
  /** Digest of the manifest that was judged last: the next one has to be judged against it. */
  judged: hex64.nullable().default(null),
})
type Ledger = z.output<typeof schema>

/** Runs that say what is usual: a month of daily ones. */
const KEPT_RUNS = 30

export interface AnomalyRequest {
  readonly set: Pick<SetConfig, 'id' | 'paths' | 'exclude' | 'anomaly' | 'retention'>
  readonly stateDir: string
  readonly change: Change
  /** Digests of the backup's manifest, and of the one that `change` is against. */
  readonly manifest: string
  readonly against: string | null
  /** Paths that must be there, whatever is in them. */
  readonly mustBeThere: readonly string[]
  readonly now: Date
  readonly logger: RunLogger
}

/** The paths whose digests are needed for it. */
export function watchedPaths(
  { anomaly }: Pick<SetConfig, 'anomaly'>,
  mustBeThere: readonly string[],
): BytePath[] {
  return [...anomaly.canaries, ...mustBeThere].map(bytePathOf)
}

export interface FoundAnomalies {
  readonly anomalies: readonly Anomaly[]
  /** To be called once a hold is durable: a manifest that was not judged to the end is told of by the next run. */
  readonly keep: () => void
}

export function findAnomalies(request: AnomalyRequest): FoundAnomalies {
  const { set, change, manifest, stateDir, now, logger } = request
  const known = loadLedger(stateDir, set.id)
  const lost = known === null ? [unreadable(stateDir, set.id)] : beforeLost(request, known)
  const ledger = known ?? NOTHING_USUAL
  const scope = sha256Hex(JSON.stringify([set.paths, set.exclude]))
  const isSame = ledger.scope === null || ledger.scope === scope
  const nothing = { files: 0, bytes: 0 }
  const measured: Measured = {
    ...change,
    ...(!isSame && { before: nothing, emptied: { count: 0, paths: [] } }),
    encrypted: lookEncrypted(change.sample),
    canaries: canariesOf(request, change, ledger),
  }
  // With nothing before it to measure by, only canaries say something.
  const usual = ledger.runs.filter(({ isTold }) => !isTold)
  const found = [...lost, ...judgeChange(measured, usual, limitsOf(set))]
  // It stays as it is, and is told each time, until a person has looked.
  if (known === null) return { anomalies: found, keep: () => {} }
  const canaries: Ledger['canaries'] = { ...ledger.canaries }
  for (const path of set.anomaly.canaries) {
    const digest = change.watched.get(bytePathOf(path))
    if (typeof digest === 'string') canaries[path] ??= digest
  }
  const run = {
    at: toInstant(now),
    changeRate: changeRateOf(measured),
    encrypted: encryptedShareOf(measured),
    isTold: found.length > 0,
  }
  const runs = measured.before.files > 0 ? [...ledger.runs, run].slice(-KEPT_RUNS) : ledger.runs
  return {
    anomalies: found,
    keep: () => {
      try {
        saveLedger(stateDir, set.id, { runs, scope, canaries, judged: manifest })
      } catch (err) {
        logger.warn({ set: set.id, err }, 'what is usual for the set could not be kept')
      }
    },
  }
}

/** Digest of the manifest that was judged last, against which the next one is to be judged; null: none is known. */
export function judgedLast(stateDir: string, set: string): string | null {
  return loadLedger(stateDir, set)?.judged ?? null
}

/** A person has looked: what was told may be usual, and canaries are from now on what the next backup finds. */
export function acceptAnomalies(stateDir: string, set: string): void {
  const { runs, ...known } = loadLedger(stateDir, set) ?? NOTHING_USUAL
  saveLedger(stateDir, set, {
    ...known,
    runs: runs.map((run) => ({ ...run, isTold: false })),
    canaries: {},
  })
}

function canariesOf(
  { set, mustBeThere }: AnomalyRequest,
  { watched }: Change,
  { canaries }: Ledger,
): Measured['canaries'] {
  // Where a promised one is not, nobody can say what became of it, or of the rest: absent or gone, it holds.
  const missing = [...new Set([...set.anomaly.canaries, ...mustBeThere])].filter(
    (path) => !watched.has(bytePathOf(path)),
  )
  const changed = set.anomaly.canaries.filter((path) => {
    const digest = watched.get(bytePathOf(path))
    const first = canaries[path]
    return typeof digest === 'string' && first !== undefined && digest !== first
  })
  // It moves while it is read, or cannot be read any more: what it holds now, nobody has seen.
  const unseen = set.anomaly.canaries.filter(
    (path) => canaries[path] !== undefined && watched.get(bytePathOf(path)) === null,
  )
  return [
    ...missing.map((path) => ({
      path: pathText(bytePathOf(path)),
      what: canaries[path] === undefined ? ('absent' as const) : ('gone' as const),
    })),
    ...changed.map((path) => ({ path: pathText(bytePathOf(path)), what: 'changed' as const })),
    ...unseen.map((path) => ({ path: pathText(bytePathOf(path)), what: 'unseen' as const })),
  ]
}

function limitsOf({ anomaly, retention }: AnomalyRequest['set']): AnomalyLimits {
  const { canaries: _canaries, minFiles, ...tell } = anomaly
  const { onChangeRate, onShrink, onDeletion, onRename, onEncrypted } = retention?.hold ?? {}
  const hold = {
    changeRate: onChangeRate ?? tell.changeRate,
    shrink: onShrink ?? tell.shrink,
    deletion: onDeletion ?? tell.deletion,
    rename: onRename ?? tell.rename,
    encrypted: onEncrypted ?? tell.encrypted,
  }
  return { tell, hold, minFiles }
}

/** Null: there is one, and it cannot be read. */
function loadLedger(stateDir: string, set: string): Ledger | null {
  let text: string
  try {
    text = readFileSync(fileOf(stateDir, set), 'utf8')
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? NOTHING_USUAL : null
  }
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

const NOTHING_USUAL: Ledger = { runs: [], scope: null, canaries: {}, judged: null }

/** What was usual, and what the canaries held, is not known any more: an attack may look like any other night. */
function unreadable(stateDir: string, set: string): Anomaly {
  const text = `${fileOf(stateDir, set)} cannot be read: what is usual for the set, and what its canaries held, is not known any more`
  return { kind: 'memory', seen: 1, limit: 0, text, paths: [], holds: true }
}

/**
 * The manifest that was judged last is not what this one was held against: it is gone or damaged. Whatever happened in
 * between would be taken for what was always there.
 */
function beforeLost({ against }: AnomalyRequest, { judged, scope }: Ledger): Anomaly[] {
  const isLost = judged === null ? against === null && scope !== null : against !== judged
  if (!isLost) return []
  const what =
    against === null
      ? 'the manifest of the backup before is gone or damaged'
      : 'the manifest of the backup before is not the one that was judged last'
  const text = `${what}: what changed since then is not known`
  return [{ kind: 'memory', seen: 1, limit: 0, text, paths: [], holds: true }]
}

function saveLedger(stateDir: string, set: string, ledger: Ledger): void {
  makePrivateFolder(join(stateDir, 'anomalies'))
  writeDurably(fileOf(stateDir, set), JSON.stringify(ledger))
}

function fileOf(stateDir: string, set: string): string {
  return join(stateDir, 'anomalies', `${set}.json`)
}
