/** The log's keys in the state folder: the one that signs, the one before it while both sign, and what follows what. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Signer } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { formatVkey, parseVkey } from '@bevis/shared/log/checkpoint'
import type { VerificationKey } from '@bevis/shared/log/checkpoint'
import { openSuccession } from '@bevis/shared/log/succession'
import type { LogClosure } from '@bevis/shared/log/succession'
import { z } from 'zod'
import { ensureKeyFile, readKeyFile, stateFiles } from './state.ts'

/** What a log is opened with. */
export interface LogKeys {
  readonly signer: Signer
  /** Signs every head too, for those who know only this one; null when it does no more. */
  readonly former: Signer | null
  /** Every key that has signed heads of this log, the newest first. */
  readonly known: readonly VerificationKey[]
  /** Signed notes, each by the key that is followed, in their order. */
  readonly successions: readonly string[]
  /** Logs of other names that this one goes on from. */
  readonly closures: readonly LogClosure[]
}

const successionsSchema = z.array(z.string().max(65_536)).max(1_000)

/** Reads a succession by the key that it names itself: what lies in our own state folder is ours. */
function readOwn(note: string): ReturnType<typeof openSuccession> {
  return openSuccession(note, parseVkey(note.split('\n')[1] ?? ''))
}

/** @throws BevisError CONFIG_INVALID when the configuration names a log that is closed, SECRET_UNREADABLE */
export function readLogKeys(state: string, origin: string): LogKeys {
  const files = stateFiles(state)
  const signer = readKeyFile(files.logKey)
  const all = readSuccessions(files.successions)
  const vkey = formatVkey(origin, signer.spki)
  const last = all.map(readOwn).at(-1)
  const isFrom =
    last !== undefined &&
    formatVkey(last.from.name, last.from.spki) === formatVkey(last.from.name, signer.spki)
  if (last?.kind === 'closure' && isFrom) {
    throw new BevisError(
      'CONFIG_INVALID',
      `closing the log ${last.from.name} was cut short: call recover --close again`,
    )
  }
  if (last !== undefined && last.to.name !== origin) {
    const said =
      last.kind === 'closure'
        ? `the log ${last.from.name} is closed, and ${last.to.name} goes on`
        : 'the log has another name'
    throw new BevisError('CONFIG_INVALID', `origin: ${said}; set origin: ${last.to.name}`)
  }
  // A rotation that was cut short has its note already and not yet its key: it does not count.
  const isWhole = last === undefined || formatVkey(last.to.name, last.to.spki) === vkey
  const successions = isWhole ? all : all.slice(0, -1)
  const known = [parseVkey(vkey), ...successions.map((note) => readOwn(note).from).toReversed()]
  const former = existsSync(files.formerLogKey) ? readKeyFile(files.formerLogKey) : null
  const closures = successions.map(readOwn).filter((one) => one.kind === 'closure')
  return { signer, former: isWhole ? former : null, known, successions, closures }
}

export function readSuccessions(file: string): string[] {
  return existsSync(file) ? successionsSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : []
}

/** The key that comes next, made where there is none yet; a rotation that was cut short finds it again. */
export function nextKey(state: string): Signer {
  return ensureKeyFile(stateFiles(state).nextLogKey)
}

/** Adds a note to what is there, durably, once. */
export function keepSuccession(file: string, note: string): void {
  const all = readSuccessions(file)
  if (all.includes(note)) return
  writeDurably(file, JSON.stringify([...all, note]), 0o644)
}

/** Makes the next key the one that signs. The one before goes to `before`, where it is whole before it is replaced. */
export function takeNextKey(state: string, before: string, vkey: string): void {
  const files = stateFiles(state)
  writeDurably(before, readFileSync(files.logKey, 'utf8'), 0o600)
  renameSync(files.nextLogKey, files.logKey)
  writeDurably(files.vkey, `${vkey}\n`, 0o644)
}

function writeDurably(file: string, text: string, mode: number): void {
  const draft = `${file}.next`
  writeFileSync(draft, text, { mode, flush: true })
  renameSync(draft, file)
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
