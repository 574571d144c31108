import { z } from 'zod'
import type { Evaluation } from '../contract/evaluation.ts'
import { mostObligations } from '../contract/extent.ts'
import { parseContract } from '../contract/parse.ts'
import { problemsOfRegister } from '../contract/register.ts'
import type { RegisteredEvent } from '../contract/register.ts'
import type { Contract } from '../contract/schema.ts'
import { sha256Hex } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { fileOf, textOf } from './description.ts'
import type { Description, PackContent } from './description.ts'
import { PACK_FILES, contractFile, decodeJson, encodeJson } from './pack.ts'
import type { Findings, VerdictSummary } from './report.ts'
import type { Trust } from './trust.ts'

/** Checks `contract.text` as far as the texts tell; gives the contract that the verdict goes by. */
export function readContract(
  files: PackContent,
  pack: Description,
  trust: Trust | null,
  findings: Findings,
): Contract | undefined {
  const due = new Set<string>()
  let previous = 0
  for (const { revision, sha256 } of pack.contract.texts) {
    const name = contractFile(revision)
    due.add(name)
    findings.attempt('contract.text', name, () => {
      if (revision <= previous)
        throw new BevisError('PACK_INVALID', 'not in the order in which they were applied')
      if (sha256Hex(fileOf(files, name)) !== sha256)
        throw new BevisError('PACK_INVALID', 'not of the SHA-256 listed')
    })
    previous = revision
  }
  for (const name of files.keys()) {
    if (name.startsWith('contract/') && !due.has(name)) findings.fail('contract.text', `${name}: not listed`)
  }
  const last = pack.contract.texts.at(-1)
  if (last === undefined) return undefined
  const pinned = trust?.contracts?.filter(({ id }) => id === pack.contract.id) ?? []
  if (pinned.length > 0 && !pinned.some(({ sha256 }) => sha256.includes(last.sha256))) {
    findings.fail('contract.text', `${contractFile(last.revision)}: not a text that your trust file names`)
  }
  return findings.attempt('contract.text', contractFile(last.revision), () => {
    const { contract, errors } = parseContract(textOf(files, contractFile(last.revision)), { draft: true })
    if (contract === undefined) {
      const [first] = errors
      throw new BevisError(
        'CONTRACT_INVALID',
        `line ${first?.line ?? 1}: ${first?.path ?? ''}: ${first?.message ?? ''}`,
      )
    }
    if (contract.id !== pack.contract.id || contract.customer.name !== pack.contract.customer) {
      throw new BevisError('PACK_INVALID', `is about ${contract.id} of ${contract.customer.name}`)
    }
    findings.hold('contract.text', `${pack.contract.id}, SHA-256 ${last.sha256}`)
    return contract
  })
}

/** Checks `contract.text` by what the log says of the texts. @param events the contract's, in log order */
export function checkRegister(
  files: PackContent,
  pack: Description,
  events: readonly RegisteredEvent[],
  findings: Findings,
): void {
  findings.attempt('contract.text', 'the register', () => {
    const texts = pack.contract.texts.map(({ revision, sha256 }) => {
      return { revision, sha256, yaml: textOf(files, contractFile(revision)) }
    })
    for (const problem of problemsOfRegister(texts, events)) findings.fail('contract.text', problem)
  })
}

/** A verdict names each obligation, in so many bytes at least. */
const OBLIGATION_BYTES = 100

/**
 * False, and told, where judging would cost far more than the pack has to say: until the year 9999 a contract by the
 * hour makes 70 million obligations, and whoever asks for them wants the verifier to stand still.
 */
export function canBeJudged(
  files: PackContent,
  { verdict: { at } }: Description,
  contract: Contract,
  findings: Findings,
): boolean {
  const most = mostObligations(contract, new Date(at))
  const told = findings.attempt('verdict.recomputed', '', () => fileOf(files, PACK_FILES.verdict).length)
  if (told === undefined) return false
  if (most < 100_000 || most < (10 * told) / OBLIGATION_BYTES) return true
  const cure = `the contract makes some ${most} obligations until ${at}`
  findings.fail('verdict.recomputed', `${PACK_FILES.verdict} cannot name them in ${told} bytes: ${cure}`)
  return false
}

/** Checks `verdict.recomputed`. */
export function recomputeVerdict(
  files: PackContent,
  evaluation: Evaluation,
  findings: Findings,
): VerdictSummary | null {
  const recomputed = findings.attempt('verdict.recomputed', '', () => {
    const answer = evaluation.answer()
    const text = textOf(files, PACK_FILES.verdict)
    const said = decodeJson(text, z.unknown(), PACK_FILES.verdict)
    // Through JSON, so that what an answer leaves undefined is left out on both sides.
    const difference = findDifference(said, JSON.parse(encodeJson(answer)))
    if (difference !== null)
      throw new BevisError('PACK_INVALID', `${PACK_FILES.verdict} says otherwise ${difference}`)
    return answer
  })
  if (recomputed === undefined) return null
  findings.hold(
    'verdict.recomputed',
    `${recomputed.headline} at ${recomputed.at}, as known ${recomputed.knownAt}`,
  )
  return {
    contract: recomputed.contract,
    at: recomputed.at,
    knownAt: recomputed.knownAt,
    headline: recomputed.headline,
    sets: recomputed.sets.map(({ id, headline, dimensions, counts }) => ({
      id,
      headline,
      dimensions,
      counts,
    })),
  }
}

/** Where two JSON values part, `at sets.0.headline: …`; null when they are equal, whatever the order of keys. */
function findDifference(said: unknown, ours: unknown, path: readonly string[] = []): string | null {
  if (isObject(said) && isObject(ours) && Array.isArray(said) === Array.isArray(ours)) {
    const [left, right] = [new Map(Object.entries(said)), new Map(Object.entries(ours))]
    for (const key of new Set([...left.keys(), ...right.keys()])) {
      const difference = findDifference(left.get(key), right.get(key), [...path, key])
      if (difference !== null) return difference
    }
    return null
  }
  if (said === ours) return null
  const show = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 80)
  return `at ${path.join('.')}: ${show(said)}, evaluating gives ${show(ours)}`
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
