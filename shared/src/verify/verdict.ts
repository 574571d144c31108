import { z } from 'zod'
import { evaluate } from '../contract/evaluate.ts'
import { parseContract } from '../contract/parse.ts'
import { problemsOfRegister } from '../contract/register.ts'
import type { Contract } from '../contract/schema.ts'
import { sha256Hex } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { isEvidence } from '../evidence/statement.ts'
import type { Chains } from './chains.ts'
import { fileOf, textOf } from './description.ts'
import type { PackContent } from './description.ts'
import type { LoggedStatement } from './log.ts'
import { PACK_FILES, contractFile, decodeJson, encodeJson } from './pack.ts'
import type { Pack } from './pack.ts'
import { counted } from './report.ts'
import type { Findings, VerdictSummary } from './report.ts'
import { TABLE_HEAD, formatRow, isInPeriod } from './table.ts'
import type { Trust } from './trust.ts'

/** Checks `contract.text`; gives the contract that the verdict goes by. */
export function readContract(
  files: PackContent,
  pack: Pack,
  logged: readonly LoggedStatement[],
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
  findings.attempt('contract.text', 'the register', () => {
    const texts = pack.contract.texts.map(({ revision, sha256 }) => {
      return { revision, sha256, yaml: textOf(files, contractFile(revision)) }
    })
    const events = logged.flatMap(({ statement, paeDigest }) =>
      isEvidence(statement, 'contract-event') ? { digest: paeDigest, event: statement.predicate } : [],
    )
    for (const problem of problemsOfRegister(texts, events)) findings.fail('contract.text', problem)
  })
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

/** Checks `verdict.recomputed`. */
export function recomputeVerdict(
  files: PackContent,
  pack: Pack,
  contract: Contract,
  chains: Chains,
  findings: Findings,
): VerdictSummary | null {
  const recomputed = findings.attempt('verdict.recomputed', '', () => {
    const answer = evaluate({
      contract,
      facts: chains.counted,
      at: new Date(pack.verdict.at),
      knownAt: new Date(pack.verdict.knownAt),
    })
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

/** Checks `table.rederived`. */
export function rederiveTable(
  files: PackContent,
  pack: Pack,
  logged: readonly LoggedStatement[],
  findings: Findings,
): void {
  findings.attempt('table.rederived', PACK_FILES.table, () => {
    const encoder = new TextEncoder()
    const table = fileOf(files, PACK_FILES.table)
    let at = 0
    const take = (text: string, row: string) => {
      const bytes = encoder.encode(text)
      const same = bytes.every((byte, index) => table[at + index] === byte)
      if (!same) throw new BevisError('PACK_INVALID', `${row} is not what the statement gives`)
      at += bytes.length
    }
    take(TABLE_HEAD, 'the head')
    for (const statement of logged) {
      const inPeriod = isInPeriod(statement.statement, pack.period)
      take(formatRow({ ...statement, inPeriod }), `the row of leaf ${statement.leafIndex}`)
    }
    if (at !== table.length) throw new BevisError('PACK_INVALID', 'more rows than statements')
    findings.hold('table.rederived', counted(logged.length, 'row'))
  })
}
