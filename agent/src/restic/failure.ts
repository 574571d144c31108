import { BevisError } from '@bevis/shared/error'
import type { ErrorCode } from '@bevis/shared/error'
import type { RunError } from './interface.ts'
import { codeOfText, isUnreachable } from './stderr.ts'
import type { Ending } from './spawn.ts'

/** From 0.17, a wrong password from 0.17.1: https://restic.readthedocs.io/en/stable/075_scripting.html#exit-codes */
const BY_EXIT: Readonly<Record<number, ErrorCode>> = {
  10: 'RESTIC_REPOSITORY_MISSING',
  11: 'RESTIC_REPOSITORY_LOCKED',
  12: 'RESTIC_PASSWORD_WRONG',
  130: 'RESTIC_INTERRUPTED',
}

/** Said before it ends, where it comes to saying it. */
const INTERRUPTED = /^\W*signal \w+ received, cleaning up/m

/**
 * Why the run did not do its work; undefined with exit 0, unless it was interrupted: what is interrupted ends early, and
 * may get to its last line ("no errors were found") and exit 0 before it ends by the signal. 0.14 was seen to.
 */
export function failureOf(ending: Ending): RunError | undefined {
  if (ending.exitCode === 0 && !wasInterrupted(ending)) return undefined
  return { code: codeOf(ending), message: messageOf(ending) }
}

function wasInterrupted({ stopped, text }: Ending): boolean {
  return stopped !== undefined || INTERRUPTED.test(text)
}

/** For commands whose answer stands or falls with their exit status. */
export function assertEndedWell(ending: Ending, what: string): void {
  const failure = failureOf(ending)
  if (failure) throw new BevisError(failure.code, `${what}: ${failure.message}`, { cause: ending.failure })
}

function codeOf(ending: Ending): ErrorCode {
  const { exitCode, stopped, failure, signalled, text, items, isRemote } = ending
  // What could not be started, or was ended at once, has not looked at the repository.
  if (failure)
    return failure.code === 'ENOENT' || failure.code === 'EACCES' ? 'RESTIC_MISSING' : 'RESTIC_INTERRUPTED'
  if (stopped === 'abort' || stopped === 'unwanted') return 'RESTIC_INTERRUPTED'
  if (stopped !== undefined) return isUnreachable(text) ? 'RESTIC_REPOSITORY_UNREACHABLE' : 'RESTIC_TIMEOUT'
  if (signalled || wasInterrupted(ending)) return 'RESTIC_INTERRUPTED'
  return BY_EXIT[exitCode] ?? codeOfText(saidBy({ text, items }), isRemote) ?? 'RESTIC_FAILED'
}

/** What restic said about the run and about its items, as far as it can matter. */
export function saidBy({ text, items }: Pick<Ending, 'text' | 'items'>): string {
  return [text, ...items.slice(0, 1_000).map(({ message }) => message)].join('\n')
}

function messageOf({ exitCode, stopped, failure, text, items }: Ending): string {
  const why = { abort: 'stopped', unwanted: 'stopped', deadline: 'took too long', stall: 'made no progress' }
  // A crash says what it was first, and then for long where.
  const crash = /^fatal error: .*/m.exec(text)?.[0]
  const lines = text.split('\n')
  const last = lines
    .filter((line, place) => !isStack(line, lines[place + 1]))
    .slice(-6)
    .join('\n')
  const said = failure?.message || crash || last || items[0]?.message || 'it said nothing'
  const how = stopped === undefined ? `ended with ${exitCode}` : `${why[stopped]} (exit ${exitCode})`
  return `restic ${how}: ${said}`.slice(0, 1_500)
}

/** A frame of Go's stack, function and place: restic tells it behind errors that it does not expect, and it says nothing. */
function isStack(line: string, next: string | undefined): boolean {
  const isPlace = (one: string | undefined): boolean => one !== undefined && /^\t\S+\.(go|s):\d+/.test(one)
  return isPlace(line) || (isPlace(next) && !line.includes(' '))
}
