/** What stops retention until a person has looked. A file per set: it outlives whatever found it. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { hex64, instant, toInstant } from '@bevis/shared/format'
import { z } from 'zod'
import { writeDurably } from '../outbox/alarm.ts'
import { makePrivateFolder } from '../state.ts'

const schema = z.object({
  since: instant,
  /** What was seen, in words, the first of each kind. */
  reasons: z.array(z.object({ kind: z.string().max(64), text: z.string().max(2_000) })).min(1),
  /** The newest snapshot in which something was seen. */
  snapshot: hex64.nullable(),
})
export type Hold = z.output<typeof schema>
export type HoldReason = Hold['reasons'][number]

/** The hold that stands on a set, or null. One that cannot be read holds. */
export function loadHold(stateDir: string, set: string): Hold | null {
  const file = fileOf(stateDir, set)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    text = ''
  }
  const parsed = schema.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  const reasons = [{ kind: 'unreadable', text: `${file} cannot be read, so it holds` }]
  return { since: '1970-01-01T00:00:00.000Z', reasons, snapshot: null }
}

/** Adds to what stands already: the first of a kind is the one to look at. */
export function raiseHold(
  stateDir: string,
  set: string,
  { reasons, snapshot, now }: { reasons: readonly HoldReason[]; snapshot: string | null; now: Date },
): Hold {
  const standing = loadHold(stateDir, set)
  const known = standing?.reasons ?? []
  const more = reasons.filter(({ kind }) => !known.some((one) => one.kind === kind))
  const hold = {
    since: standing?.since ?? toInstant(now),
    reasons: [...known, ...more].map(({ kind, text }) => ({ kind, text: text.slice(0, 2_000) })),
    snapshot: snapshot ?? standing?.snapshot ?? null,
  }
  makePrivateFolder(join(stateDir, 'holds'))
  writeDurably(fileOf(stateDir, set), JSON.stringify(hold))
  return hold
}

export function releaseHold(stateDir: string, set: string): void {
  rmSync(fileOf(stateDir, set), { force: true })
}

export function describeHold({ since, reasons }: Hold): string {
  return `held since ${since}: ${reasons.map(({ text }) => text).join('; ')}`
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function fileOf(stateDir: string, set: string): string {
  return join(stateDir, 'holds', `${set}.json`)
}
