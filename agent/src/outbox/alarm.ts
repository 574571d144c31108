import { existsSync, readFileSync, renameSync, writeFileSync, closeSync, fsyncSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Hex } from '@bevis/shared/crypto'
import type { ErrorCode } from '@bevis/shared/error'
import { syncFolder } from '../state.ts'

/** Something about the log that a person must look at. It stands until the person takes the file away. */
export interface Alarm {
  readonly at: string
  readonly code: ErrorCode
  readonly message: string
  /** The file in the state folder that holds the proof, if there is one. */
  readonly proof: string | null
  /** What it is about, so that the same thing raises one alarm. */
  readonly about: string
  /** By which ways somebody has been told, and when. */
  readonly told?: Readonly<Record<string, string>>
}

const FILE = 'ALARM.json'

/** A collector that makes up a new lie each time must not fill the disk. */
const MOST_ALARMS = 20

/** The alarms that stand. A file that cannot be read is an alarm too. */
export function readAlarms(folder: string): Alarm[] {
  const file = join(folder, FILE)
  if (!existsSync(file)) return []
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Alarm[]
  } catch {
    const message = `${file} cannot be read`
    return [{ at: '', code: 'STATE_DAMAGED', message, proof: null, about: FILE }]
  }
}

/** Writes the alarm and its proof, durably; null when the same thing has raised it already. */
export function raiseAlarm(
  folder: string,
  alarm: { at: Date; code: ErrorCode; message: string; about: string },
  proof: unknown,
): Alarm | null {
  const standing = readAlarms(folder)
  const about = sha256Hex(`${alarm.code}\n${alarm.about}`)
  if (standing.length >= MOST_ALARMS || standing.some((other) => other.about === about)) return null
  const at = alarm.at.toISOString()
  const name = proof === undefined ? null : `fork-${at.replaceAll(':', '')}.json`
  if (name !== null) writeProof(folder, name, proof)
  const raised: Alarm = { at, code: alarm.code, message: alarm.message, proof: name, about }
  writeAlarms(folder, [...standing, raised])
  return raised
}

/** Writes what an alarm goes by, or more of it. */
export function writeProof(folder: string, name: string, proof: unknown): void {
  writeDurably(join(folder, name), `${JSON.stringify(proof, null, 2)}\n`)
}

/** Keeps that somebody was told of an alarm, unless a person has taken the alarm away meanwhile. */
export function markTold(folder: string, { about }: Alarm, way: string, at: Date): void {
  const standing = readAlarms(folder)
  if (!standing.some((alarm) => alarm.about === about)) return
  writeAlarms(
    folder,
    standing.map((alarm) =>
      alarm.about === about ? { ...alarm, told: { ...alarm.told, [way]: at.toISOString() } } : alarm,
    ),
  )
}

function writeAlarms(folder: string, alarms: readonly Alarm[]): void {
  writeDurably(join(folder, FILE), `${JSON.stringify(alarms, null, 2)}\n`)
  syncFolder(folder)
}

/** The file appears whole or not at all. */
export function writeDurably(file: string, text: string): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, text, { mode: 0o600 })
  const handle = openSync(draft, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(draft, file)
}
