/** `bevis-verify fork`: two signed heads of a log that cannot both be true, checked by whoever knows the log's key. */
import type { Command } from 'commander'
import { BevisError } from '../error.ts'
import { envelopeSchema, openEnvelope } from '../evidence/envelope.ts'
import { isEvidence, parseStatement } from '../evidence/statement.ts'
import { parseVkey } from '../log/checkpoint.ts'
import type { VerificationKey } from '../log/checkpoint.ts'
import { forkSchema, verifyFork } from '../log/fork.ts'
import type { Fork, ForkVerdict } from '../log/fork.ts'
import { readText, tell } from './command.ts'
import { parseTrust } from './trust.ts'

const LIMIT = 40 * 1024 * 1024

export interface ForkReport extends ForkVerdict {
  /** False: the log's key came with the file, and nobody vouches for whose it is. */
  readonly isAnchored: boolean
  /** 0 proven by a key of yours, 1 not proven, 2 proven by a key that came with the file. */
  readonly exit: 0 | 1 | 2
}

/**
 * Reads the file that an agent keeps when it raises the alarm, or the envelope of the statement in which it says so.
 * @throws BevisError USAGE when it is neither
 */
export function readFork(text: string): { fork: Fork; vkey: string | null } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new BevisError('USAGE', 'the file is not JSON', { cause })
  }
  const candidate = envelopeSchema.safeParse(value).success ? alarmOf(value) : value
  const fork = forkSchema.safeParse(candidate)
  if (!fork.success) {
    throw new BevisError('USAGE', 'the file holds no two signed heads: there is nothing that proves a fork')
  }
  const { vkey } = candidate as { vkey?: unknown }
  return { fork: fork.data, vkey: typeof vkey === 'string' ? vkey : null }
}

/** What an alarm's statement carries. Who signed it is of no matter: the two heads speak for themselves. */
function alarmOf(envelope: unknown): unknown {
  const statement = parseStatement(openEnvelope(envelope).payload)
  if (!isEvidence(statement, 'agent-lifecycle')) return null
  const { detail } = statement.predicate
  return typeof detail === 'object' ? detail['fork'] : null
}

/** @param trusted the log's key from your own papers; null when there is none */
export function reportFork(text: string, trusted: VerificationKey | null): ForkReport {
  const { fork, vkey } = readFork(text)
  const key = trusted ?? (vkey === null ? null : parseVkey(vkey))
  if (key === null) throw new BevisError('USAGE', 'name the log’s key: --trust FILE or --vkey KEY')
  const isAnchored = trusted !== null
  const verdict = verdictOf(fork, key)
  return { ...verdict, isAnchored, exit: verdict.isProven ? (isAnchored ? 0 : 2) : 1 }
}

/** Heads that the key did not sign are a bad proof, not a failure to check it. */
function verdictOf(fork: Fork, key: VerificationKey): ForkVerdict {
  try {
    return verifyFork(fork, key)
  } catch (error) {
    if (!(error instanceof BevisError)) throw error
    return { isProven: false, origin: key.name, sizes: [0, 0], reason: error.message }
  }
}

export function forkCommand(program: Command): void {
  program
    .command('fork')
    .description('Checks the proof that a log showed two histories: two heads that its key signed.')
    .argument('<file>', 'fork-….json of an agent’s state folder, or the envelope of its alarm')
    .option('--trust <file>', 'your trust file (YAML), which names the log’s key')
    .option('--vkey <key>', 'the log’s key itself: name+hex+base64')
    .option('--json', 'a report for machines')
    .addHelpText(
      'after',
      `
Examples:
  bevis-verify fork fork-2026-11-23T040506.000Z.json --trust trust.yaml
  bevis-verify fork alarm.dsse.json --vkey 'log.example.net+6b1f…+AQ…' --json | jq .isProven

Exit codes:
  0  proven: the log's key, as you know it, signed two histories
  1  not proven by this file
  2  proven by a key that came with the file, or nothing could be checked`,
    )
    .action(async (file: string, options: { trust?: string; vkey?: string; json?: boolean }) => {
      const trusted =
        options.vkey === undefined
          ? options.trust === undefined
            ? null
            : parseTrust(await readText(options.trust, LIMIT), options.trust).log.vkey
          : parseVkey(options.vkey)
      const report = reportFork(await readText(file, LIMIT), trusted)
      const { isProven, isAnchored, origin, sizes, reason } = report
      const lines = [
        `${isProven ? 'PROVEN' : 'not proven'}  ${origin}, ${sizes[0]} and ${sizes[1]} entries: ${reason}`,
        ...(isAnchored ? [] : ['not anchored: the log’s key came with the file; give --trust or --vkey']),
      ]
      tell(options.json, report, lines)
      process.exitCode = report.exit
    })
}
