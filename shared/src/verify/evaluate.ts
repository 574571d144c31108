/** `bevis-verify evaluate`: the contract's evaluation alone, on a file of facts. It is the simulator too. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { styleText } from 'node:util'
import type { Command } from 'commander'
import { z } from 'zod'
import type { Answer, SetAnswer, Verdict } from '../contract/answer.ts'
import { DIMENSIONS } from '../contract/answer.ts'
import { evaluate } from '../contract/evaluate.ts'
import { factSchema, indexFacts } from '../contract/facts.ts'
import type { Fact } from '../contract/known.ts'
import { parseContract } from '../contract/parse.ts'
import type { Contract } from '../contract/schema.ts'
import { parseForgetPolicy } from '../contract/simulation/forget-policy.ts'
import type { ForgetOutcome } from '../contract/simulation/wrong-deletion.ts'
import { playForget } from '../contract/simulation/wrong-deletion.ts'
import { paeDigest } from '../evidence/envelope.ts'
import { PAYLOAD_LIMIT_BYTES, isEvidence } from '../evidence/statement.ts'
import { BevisError } from '../error.ts'
import { readText } from './command.ts'

export interface EvaluateInput {
  /** YAML */
  contractText: string
  /** JSON lines, as text or one by one, in log order. */
  facts: string | Iterable<string>
  at: Date
  /** Only what had been received by then counts; everything when left out. */
  knownAt?: Date
}

/**
 * Reads a contract and facts, and evaluates.
 * @throws BevisError CONTRACT_INVALID with every problem's line; FACTS_INVALID with the line of the facts
 */
export function runEvaluate({ contractText, facts, at, knownAt }: EvaluateInput): Answer {
  const contract = readContract(contractText, true)
  const lines = typeof facts === 'string' ? facts.split('\n') : facts
  const read: Fact[] = []
  let number = 0
  for (const line of lines) {
    number += 1
    if (line.trim() !== '') read.push(readFact(line, number))
  }
  assertAccepted(contractText, read)
  return evaluate({ contract, facts: read, at, ...(knownAt !== undefined && { knownAt }) })
}

/** The acceptances that a text lacks may be among the facts; where there are none either, it is refused as before. */
function assertAccepted(text: string, facts: readonly Fact[]): void {
  const isVoted = ({ statement }: Fact): boolean =>
    isEvidence(statement, 'contract-event') && statement.predicate.event === 'version-accepted'
  if (!facts.some(isVoted)) readContract(text, false)
}

function readContract(text: string, draft: boolean): Contract {
  const { contract, errors } = parseContract(text, { draft })
  if (contract !== undefined) return contract
  const told = errors.map(({ line, column, message, cure }) => `${line}:${column} ${message}. ${cure}`)
  throw new BevisError('CONTRACT_INVALID', `the contract cannot be used:\n  ${told.join('\n  ')}`)
}

/** One line of `facts.jsonl`. The digest is of the statement as it stands there, unknown fields included. */
export function readFact(line: string, number: number): Fact {
  if (line.length > 2 * PAYLOAD_LIMIT_BYTES) refuse(number, 'the line is too long')
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new BevisError('FACTS_INVALID', `line ${number} of the facts is not JSON`, { cause })
  }
  const parsed = factSchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return refuse(number, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a fact'}`)
  }
  const { statement } = value as { statement: unknown }
  return { ...parsed.data, paeDigest: paeDigest(new TextEncoder().encode(JSON.stringify(statement))) }
}

function refuse(number: number, why: string): never {
  throw new BevisError('FACTS_INVALID', `line ${number} of the facts cannot be used: ${why}`)
}

interface Options {
  contract: string
  facts: string
  at: string
  knownAt?: string
  forget?: string
  json?: boolean
}

const HELP = `
The facts are JSON lines, in the order of the log: {"receivedAt": INSTANT, "statement": {...}}.

Exit codes: 0 compliant; 1 the headline is anything else (breached, at risk, unknown);
2 no answer could be reached.

Examples:
  $ bevis-verify evaluate --contract contract.yaml --facts facts.jsonl --at 2026-11-23T04:00:00Z
  $ bevis-verify evaluate --contract contract.yaml --facts facts.jsonl --at 2026-11-01T00:00:00Z \\
      --known-at 2026-11-02T00:00:00Z --json      what was known the day after, as JSON and nothing else
  $ bevis-verify evaluate --contract contract.yaml --facts facts.jsonl --at 2026-11-23T04:00:00Z \\
      --forget "--keep-daily 30 --keep-monthly 12"  what restic would have deleted too early by this policy,
                                                    had it run after every backup; exit 1 if anything
`

/** Registers the `evaluate` command; errors are thrown for the program to tell. */
export function evaluateCommand(program: Command): void {
  program
    .command('evaluate')
    .description('evaluate a contract on a file of facts, as of an instant')
    .requiredOption('--contract <file>', 'the contract (YAML)')
    .requiredOption('--facts <file>', 'the facts (JSON lines)')
    .requiredOption('--at <instant>', 'as of when, such as 2026-11-23T04:00:00Z')
    .option('--known-at <instant>', 'from what had been received by then; from everything when left out')
    .option('--forget <policy>', 'arguments of restic forget, to be played through')
    .option('--json', 'print the answer as JSON and nothing else')
    .addHelpText('after', HELP)
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>() // the program has a --json of its own
      const at = readInstant('--at', options.at)
      const knownAt = options.knownAt === undefined ? undefined : readInstant('--known-at', options.knownAt)
      const text = await readText(options.contract, 4 * 1024 * 1024)
      const contract = readContract(text, true)
      const facts = await readFacts(options.facts)
      assertAccepted(text, facts)
      const answer = evaluate({ contract, facts, at, ...(knownAt !== undefined && { knownAt }) })
      const forget = options.forget === undefined ? undefined : play(contract, facts, at, options.forget)
      process.stdout.write(
        options.json === true
          ? `${JSON.stringify({ ...answer, ...(forget !== undefined && { forget }) })}\n`
          : formatAnswer(answer) + formatForget(forget ?? []),
      )
      const isWrong = forget?.some(({ first }) => first !== null) === true
      process.exitCode = answer.headline === 'compliant' && !isWrong ? 0 : 1
    })
}

function play(contract: Contract, facts: readonly Fact[], at: Date, policy: string): ForgetOutcome[] {
  return playForget(contract, indexFacts(facts), parseForgetPolicy(policy), at)
}

const instant = z.iso.datetime({ offset: true })

function readInstant(option: string, text: string): Date {
  // Date itself takes 31 February for 3 March.
  if (instant.safeParse(text).success) return new Date(text)
  throw new BevisError('USAGE', `${option} ${text} is no instant; write one like 2026-11-23T04:00:00Z`)
}

async function readFacts(file: string): Promise<Fact[]> {
  const facts: Fact[] = []
  let number = 0
  try {
    const lines = createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })
    for await (const line of lines) {
      number += 1
      if (line.trim() !== '') facts.push(readFact(line, number))
    }
  } catch (cause) {
    if (cause instanceof BevisError) throw cause
    throw new BevisError('USAGE', `--facts ${file} cannot be read`, { cause })
  }
  return facts
}

const COLOURS = {
  compliant: 'green',
  'at-risk': 'yellow',
  unknown: 'magenta',
  breached: 'red',
  'not-applicable': 'dim',
} as const satisfies Record<Verdict, string>

function paint(verdict: Verdict, width = 0): string {
  return styleText(COLOURS[verdict], verdict.padEnd(width), { stream: process.stdout })
}

/** What comes from a file must not command the terminal that shows it. */
function tame(text: string): string {
  return text.replace(/\p{C}/gu, '?')
}

/** How many findings are written out; `--json` has all. */
const TOLD = 20

export function formatAnswer({ contract, version, at, knownAt, headline, sets, findings }: Answer): string {
  const known = knownAt === null ? 'everything given' : `what was received by ${knownAt}`
  const told = findings.slice(0, TOLD).map(({ code, set, at: since, detail }) => {
    const facts = Object.entries(detail).map(([key, value]) => `${key} ${tame(String(value))}`)
    return `  ${since}  ${set}  ${code}  ${facts.join(', ')}`
  })
  const more = findings.length > TOLD ? [`  and ${findings.length - TOLD} more (--json lists all)`] : []
  return [
    `${contract}  version ${version ?? 'none'}  ${paint(headline)}`,
    `as of ${at}, from ${known}`,
    ...sets.flatMap(formatSet),
    ...(told.length > 0 ? ['', 'findings', ...told, ...more] : []),
    '',
  ].join('\n')
}

function formatSet({ id, headline, dimensions, counts, rate, nextDeadline }: SetAnswer): string[] {
  const some = Object.entries(counts).filter(([, count]) => count > 0)
  return [
    '',
    `${id.padEnd(14)}${paint(headline)}`,
    ...DIMENSIONS.map((dimension) =>
      `  ${dimension.padEnd(12)}${paint(dimensions[dimension], 14)}`.trimEnd(),
    ),
    `  ${'owed'.padEnd(12)}${some.map(([state, count]) => `${state} ${count}`).join(', ') || 'nothing yet'}`,
    ...(rate === null ? [] : [`  ${'kept'.padEnd(12)}${(rate * 100).toFixed(2)} %`]),
    ...(nextDeadline === undefined ? [] : [`  ${'next due'.padEnd(12)}${nextDeadline}`]),
  ]
}

function formatForget(outcomes: readonly ForgetOutcome[]): string {
  const lines = outcomes.flatMap(({ set, snapshots, removed, first }) => {
    const sum = `${set.padEnd(14)}restic forget would have removed ${removed} of ${snapshots} snapshots`
    if (first === null) return [`${sum}, none that was owed`]
    const { at, snapshot, start, tier, bucket, keepUntil, authority } = first
    const owed =
      authority === undefined
        ? `${tier} ${bucket} is owed it until ${keepUntil ?? 'enough later ones are there'}`
        : `it is held: ${tame(authority)}`
    return [sum, `  first wrong  ${at}  ${snapshot} of ${start}: ${owed}`]
  })
  return lines.length === 0 ? '' : `\n${lines.join('\n')}\n`
}
