import { Evaluation } from '../contract/evaluation.ts'
import type { RegisteredEvent } from '../contract/register.ts'
import { isEvidence } from '../evidence/statement.ts'
import { Chains } from './chains.ts'
import { ClauseMarks } from './clause-marks.ts'
import { checkCosignatures } from './cosignatures.ts'
import { readDescription } from './description.ts'
import type { Description, PackContent } from './description.ts'
import { IndexLines } from './index-lines.ts'
import type { LoggedStatement } from './index-lines.ts'
import { readKeys } from './keys.ts'
import { Consistency, Inclusion, readCheckpoint } from './log.ts'
import { PACK_FILES, isPackFile, parseStampFile } from './pack.ts'
import { PartyWords } from './parties.ts'
import { Population } from './population.ts'
import { RederivedTable } from './rederived-table.ts'
import { Findings, concludeReport, counted } from './report.ts'
import type { PackSummary, Report, VerdictSummary } from './report.ts'
import { SignedKeys } from './root.ts'
import { Times } from './stamps.ts'
import type { ExaminedStamp, ProvenTimes } from './stamps.ts'
import { readStatements } from './statements.ts'
import type { Trust } from './trust.ts'
import { canBeJudged, checkRegister, readContract, recomputeVerdict } from './verdict.ts'

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
    const described = readDescription(files, findings)
    const given = { trust, stamps, onStatement }
    const content = described === null ? null : checkContent(files, described.pack, given, findings)
    return { described, content }
  })
  const described = read?.described ?? null
  return concludeReport({
    findings,
    anchored: trust !== null,
    pinned: isPinned(described?.pack ?? null, trust),
    paper: files.has(PACK_FILES.report),
    page: files.has(PACK_FILES.page),
    pack: described === null ? null : summarise(described.pack, described.sha256),
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

/** One pass over the statements, in the order of the log, each of which is forgotten when all have looked at it. */
function checkContent(
  files: PackContent,
  pack: Description,
  { trust, stamps, onStatement }: Given,
  findings: Findings,
): { verdict: VerdictSummary | null; times: ProvenTimes | null; cosignedSize: number | null } {
  const keys = readKeys(files, pack, trust, findings)
  const contract = readContract(files, pack, trust, findings)
  const checkpoint = readCheckpoint(files, pack, keys, findings)
  const log = { key: keys.log, checkpoint }
  const cosignedSize = checkCosignatures(files, log, trust, findings)
  const examined = stamps ?? (hasStamps(files) ? null : [])
  const times = new Times(files, pack, { keys, checkpoint }, examined, { trust, findings })
  const index = new IndexLines(files, pack, findings)
  const proofs =
    checkpoint === undefined
      ? []
      : [
          new Inclusion(files, checkpoint, findings),
          new Consistency(files, { checkpoint, closures: keys.closures }, findings),
        ]
  const chains = new Chains(keys, trust?.root?.revoked ?? [], findings)
  const root = trust && new SignedKeys(keys, trust.root)
  const parties = trust && new PartyWords(trust.parties ?? [], contract, isPinned(pack, trust))
  const marks = new ClauseMarks(pack, contract)
  const population = new Population(pack, marks)
  const table = new RederivedTable(files, pack, marks, findings)
  const isToJudge = contract !== undefined && canBeJudged(files, pack, contract, findings)
  const evaluation = isToJudge ? new Evaluation(contract, instantsOf(pack)) : undefined
  const events: RegisteredEvent[] = []
  for (const verified of readStatements(files, pack, keys, findings)) {
    const logged = index.place(verified)
    if (logged === undefined) continue
    onStatement?.(logged)
    for (const proof of proofs) proof.prove(logged)
    root?.add(logged)
    parties?.add(logged)
    population.add(logged)
    table.add(logged)
    const { statement, paeDigest } = logged
    if (isEvidence(statement, 'contract-event'))
      events.push({ digest: paeDigest, event: statement.predicate })
    if (chains.add(logged, times.add(logged))) evaluation?.add(logged)
  }
  index.conclude()
  for (const proof of proofs) proof.conclude()
  root?.conclude(findings)
  parties?.conclude(findings)
  chains.conclude()
  const proven = times.conclude()
  chains.doubtCompromised((leaf) => times.before(leaf))
  population.conclude(chains, findings)
  table.conclude()
  checkRegister(files, pack, events, findings)
  // On statements of which something does not hold, a verdict would only mislead.
  if (evaluation === undefined || findings.failed) return { verdict: null, times: proven, cosignedSize }
  return { verdict: recomputeVerdict(files, evaluation, findings), times: proven, cosignedSize }
}

function instantsOf({ verdict: { at, knownAt } }: Description): { at: Date; knownAt: Date } {
  return { at: new Date(at), knownAt: new Date(knownAt) }
}

function hasStamps(files: PackContent): boolean {
  for (const name of files.keys()) if (parseStampFile(name) !== null) return true
  return false
}

function isPinned(pack: Description | null, trust: Trust | null): boolean {
  return trust?.contracts?.some(({ id }) => id === pack?.contract.id) ?? false
}

function summarise(pack: Description, sha256: string): PackSummary {
  const { contract, tenant, period, madeAt, population, log } = pack
  return {
    sha256,
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
