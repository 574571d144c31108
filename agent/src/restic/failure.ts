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

/** Why the run did not do its work; undefined with exit 0, which restic gives only when all is done. */
export function failureOf(ending: Ending): RunError | undefined {
  if (ending.exitCode === 0) return undefined
  return { code: codeOf(ending), message: messageOf(ending) }
}

/** For commands whose answer stands or falls with their exit status. */
export function assertEndedWell(ending: Ending, what: string): void {
  const failure = failureOf(ending)
  if (failure) throw new BevisError(failure.code, `${what}: ${failure.message}`, { cause: ending.failure })
}

function codeOf(ending: Ending): ErrorCode {
  const { exitCode, stopped, failure, signalled, text, items, isRemote } = ending
  if (failure)
    return failure.code === 'ENOENT' || failure.code === 'EACCES' ? 'RESTIC_MISSING' : 'RESTIC_FAILED'
  if (stopped === 'abort' || stopped === 'unwanted') return 'RESTIC_INTERRUPTED'
  if (stopped !== undefined) return isUnreachable(text) ? 'RESTIC_REPOSITORY_UNREACHABLE' : 'RESTIC_TIMEOUT'
  if (signalled) return 'RESTIC_INTERRUPTED'
  return BY_EXIT[exitCode] ?? codeOfText(saidBy({ text, items }), isRemote) ?? 'RESTIC_FAILED'
}

/** What restic said about the run and about its items, as far as it can matter. */
export function saidBy({ text, items }: Pick<Ending, 'text' | 'items'>): string {
  return [text, ...items.slice(0, 1_000).map(({ message }) => message)].join('\n')
}

function messageOf({ exitCode, stopped, failure, text, items }: Ending): string {
  const why = { abort: 'stopped', unwanted: 'stopped', deadline: 'took too long', stall: 'made no progress' }
  const said =
    text.split('\n').slice(-6).join('\n') || items[0]?.message || failure?.message || 'it said nothing'
  const how = stopped === undefined ? `ended with ${exitCode}` : `${why[stopped]} (exit ${exitCode})`
  return `restic ${how}: ${said}`.slice(0, 1_500)
}
