import { sha256Hex } from '../crypto.ts'
import { doubtCompromised, followChains } from './chains.ts'
import { checkCosignatures } from './cosignatures.ts'
import { fileOf, readDescription } from './description.ts'
import type { PackContent } from './description.ts'
import { readKeys } from './keys.ts'
import { placeStatements } from './log.ts'
import type { LoggedStatement } from './log.ts'
import { PACK_FILES, isPackFile, parseStampFile } from './pack.ts'
import type { Pack } from './pack.ts'
import { countPopulation } from './population.ts'
import { Findings, concludeReport, counted } from './report.ts'
import type { PackSummary, Report, VerdictSummary } from './report.ts'
import { checkRoot } from './root.ts'
import { checkTimes } from './stamps.ts'
import type { ExaminedStamp, ProvenTimes } from './stamps.ts'
import { readStatements } from './statements.ts'
import type { Trust } from './trust.ts'
import { readContract, recomputeVerdict, rederiveTable } from './verdict.ts'

/**
 * Checks an unpacked evidence pack, offline. Pure: files and trust in, a report out; it never throws.
 * @param trust the customer's own keys; null checks by the keys in the pack, which proves that it agrees with
 * itself and no more
 * @param onStatement is told of each statement that holds by itself, in log order; the report may still refuse the pack
 * @param stamps what `examineStamps` found; without it, the stamps of a pack that has some are not checked
 */
export function verifyPack({
  files,
  trust,
  stamps = null,
  onStatement,
}: {
  files: PackContent
  trust: Trust | null
  stamps?: readonly ExaminedStamp[] | null
  onStatement?: (statement: LoggedStatement) => void
}): Report {
  const findings = new Findings()
  // Each check tells its own failures. What escapes them is ours to mend, and until then no pack passes by it.
  const read = findings.attempt('pack.description', 'unforeseen', () => {
    for (const name of files.keys()) {
      if (!isPackFile(name)) findings.fail('zip.structure', `${name}: does not belong in an evidence pack`)
    }
    findings.hold('zip.structure', counted(files.size, 'file'))
    const pack = readDescription(files, findings)
    const given = { trust, stamps, onStatement }
    return { pack, content: pack === null ? null : checkContent(files, pack, given, findings) }
  })
  const pack = read?.pack ?? null
  return concludeReport({
    findings,
    anchored: trust !== null,
    pinned: isPinned(pack, trust),
    paper: files.has(PACK_FILES.report),
    page: files.has(PACK_FILES.page),
    pack: summarise(files, pack),
    verdict: read?.content?.verdict ?? null,
    times: read?.content?.times ?? null,
    cosignedSize: read?.content?.cosignedSize ?? null,
  })
}

/** The report on a file that is no sound zip. */
export function reportUnreadable(why: string, trust: Trust | null): Report {
  const findings = new Findings()
  findings.fail('zip.structure', why)
  return concludeReport({
    findings,
    anchored: trust !== null,
    pinned: false,
    paper: false,
    page: false,
    pack: null,
    verdict: null,
  })
}

/** What whoever asks brings along. */
interface Given {
  readonly trust: Trust | null
  readonly stamps: readonly ExaminedStamp[] | null
  readonly onStatement?: ((statement: LoggedStatement) => void) | undefined
}

function checkContent(
  files: PackContent,
  pack: Pack,
  { trust, stamps, onStatement }: Given,
  findings: Findings,
): { verdict: VerdictSummary | null; times: ProvenTimes | null; cosignedSize: number | null } {
  const keys = readKeys(files, pack, trust, findings)
  const statements = readStatements(files, pack, keys, findings)
  const { logged, checkpoint } = placeStatements(files, pack, keys, statements, findings)
  if (onStatement !== undefined) logged.forEach(onStatement)
  if (trust !== null) checkRoot(keys, logged, trust.root, findings)
  const chains = followChains(logged, findings)
  const policy = trust?.policy ?? null
  const cosignedSize = checkCosignatures(files, { key: keys.log, checkpoint }, policy, findings)
  const examined = stamps ?? (hasStamps(files) ? null : [])
  const times = checkTimes(files, pack, { key: keys.log, checkpoint, logged }, examined, { trust, findings })
  const bounds = new Map(times?.bounds.map((bound) => [bound.leafIndex, bound]))
  doubtCompromised(chains.counted, bounds, trust?.root?.revoked ?? [], findings)
  countPopulation(pack, logged, chains, findings)
  rederiveTable(files, pack, logged, findings)
  const contract = readContract(files, pack, logged, trust, findings)
  // On statements of which something does not hold, a verdict would only mislead.
  if (contract === undefined || findings.failed) return { verdict: null, times, cosignedSize }
  return { verdict: recomputeVerdict(files, pack, contract, chains, findings), times, cosignedSize }
}

function hasStamps(files: PackContent): boolean {
  return [...files.keys()].some((name) => parseStampFile(name) !== null)
}

function isPinned(pack: Pack | null, trust: Trust | null): boolean {
  return trust?.contracts?.some(({ id }) => id === pack?.contract.id) ?? false
}

function summarise(files: PackContent, pack: Pack | null): PackSummary | null {
  if (pack === null) return null
  const { contract, tenant, period, madeAt, population, log } = pack
  return {
    sha256: sha256Hex(fileOf(files, PACK_FILES.description)),
    contract: contract.id,
    customer: contract.customer,
    tenant,
    period,
    madeAt,
    statements: population.statements,
    leaves: population.leaves,
    log,
  }
}
