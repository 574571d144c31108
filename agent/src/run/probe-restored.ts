/**
 * Probes: restored data, asked by something that knows it. Bytes that are what went in may still be a database
 * that was copied while it was written, and only its own program can tell.
 *
 * They have a restore of their own of what they need, since a test may take its files away as it compares them.
 * A probe that fails makes the test FAILED, whatever its files say: data that came back and cannot be used has
 * not come back. One that comes to no result keeps it from PASSED, unless it is configured as not required:
 * what nobody could look at was not proven.
 */
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { BevisError, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import { environment } from '../config.ts'
import type { ProbeConfig, SetConfig } from '../config.ts'
import type { Answer, Bounds } from '../probe/answer.ts'
import { failed, inconclusive, passed } from '../probe/answer.ts'
import { probeByCommand } from '../probe/command.ts'
import { openConfinement } from '../probe/confine.ts'
import type { Confinement } from '../probe/confine.ts'
import { handOver, reachableBase } from '../probe/hand-over.ts'
import { findPostgres, hasPrograms, probePostgres } from '../probe/postgres.ts'
import { probeSqlite } from '../probe/sqlite.ts'
import { parseDuration } from '../quantity.ts'
import type { Restic } from '../restic/restic.ts'
import { makeScratch } from '../restore/scratch.ts'
import type { Scratch, ScratchRequest } from '../restore/scratch.ts'
import type { TestResult } from '../restore/verdict.ts'
import { bytePathOf, bytesOf, pathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { statPath } from '../tree/walk.ts'
import { chooseNeed } from './probe-need.ts'
import type { Need, NeedRequest } from './probe-need.ts'
import type { RunLogger } from './repository.ts'

export interface ProbeRequest extends NeedRequest {
  readonly set: SetConfig
  readonly restic: Restic
  readonly snapshotId: string
  readonly scratch: ScratchRequest
  readonly deadlineMs?: number
  readonly logger: RunLogger
  readonly signal?: AbortSignal
}

export type Probed = NonNullable<TestResult['probes']>[number] & { readonly required: boolean }

const STALL_MS = 10 * 60_000

/** Runs a set's probes on a snapshot. Never throws. */
export async function probeRestored(request: ProbeRequest): Promise<Probed[]> {
  const answers: Probed[] = []
  for (const probe of request.set.probes) {
    const answer = await probeOne(request, probe).catch((error: unknown) =>
      inconclusive(`${errorCodeOf(error)}: ${errorMessageOf(error)}`),
    )
    if (answer === null) continue
    const { outcome, detail } = answer
    answers.push({ name: nameOf(probe), outcome, detail: detail.slice(0, 2_000), required: probe.required })
  }
  return answers
}

/** The test's result with what the probes said. */
export function withProbes(result: TestResult, probed: readonly Probed[], endedAt: Date): TestResult {
  if (probed.length === 0) return result
  const probes = probed.map(({ name, outcome, detail }) => ({
    name,
    outcome,
    ...(detail !== undefined && { detail }),
  }))
  const told = ({ name, detail = '' }: Probed): string => `${name}: ${detail}`.slice(0, 1_000)
  const bad = probed.find(({ outcome }) => outcome === 'failed')
  const unclear = probed.find(({ outcome, required }) => outcome === 'inconclusive' && required)
  const all = { ...result, probes, endedAt }
  if (bad) {
    return { ...all, result: 'FAILED', error: { code: 'PROBE_FAILED', message: told(bad) } }
  }
  if (unclear && result.result === 'PASSED')
    return { ...all, result: 'INCONCLUSIVE', error: { code: 'PROBE_INCONCLUSIVE', message: told(unclear) } }
  return all
}

/** After a test that said nothing of the files, or FAILED already, probes would add nothing but time. */
export function isWorthProbing({ result, error }: TestResult): boolean {
  return result === 'PASSED' || (result === 'INCONCLUSIVE' && error?.code === 'NOT_ENOUGH_CONCLUSIVE')
}

function nameOf(probe: ProbeConfig): string {
  const what = probe.kind === 'command' ? [probe.run[0], probe.path] : [probe.path]
  return [probe.kind, ...what]
    .filter((word) => word !== undefined)
    .join(' ')
    .slice(0, 512)
}

/** Null: somebody asked for files that are not this probe's matter. */
async function probeOne(request: ProbeRequest, probe: ProbeConfig): Promise<Answer | null> {
  const need = await chooseNeed(request, probe)
  if (need.files === 0)
    return request.mode === 'requested' ? null : inconclusive('there is no such file in the snapshot')
  const binaries = probe.kind === 'postgres' ? (probe.binaries ?? findPostgres(searchPath())) : ''
  if (binaries === null || (probe.kind === 'postgres' && !hasPrograms(binaries)))
    return inconclusive('no PostgreSQL server is installed here')
  const budget = request.set.restoreTest.budget.bytes ?? Infinity
  if (need.bytes > budget)
    return inconclusive(`it needs ${need.bytes} bytes restored, and the budget is ${budget}: narrow its path`)

  const confinement = await openConfinement()
  const base = reachableBase(request.scratch.base, confinement.account)
  const scratch = await makeScratch({ ...request.scratch, base })
  try {
    await scratch.assertRoom(need)
    await restore(request, scratch, need.includes)
    const work = handOver(scratch, confinement.account)
    const bounds: Bounds = {
      work,
      timeoutMs: Math.min(parseDuration(probe.timeout), request.deadlineMs ?? Infinity),
      memoryBytes: probe.memory,
      path: searchPath(),
      ...(request.signal && { signal: request.signal }),
    }
    if (probe.kind === 'command') return await runCommandProbe(request, probe, scratch, bounds, confinement)
    return await probeEach(need, scratch, work, (file) =>
      probe.kind === 'sqlite'
        ? probeSqlite(file, bounds, confinement)
        : probePostgres(file, { ...bounds, binaries }, confinement),
    )
  } finally {
    await scratch.wipe()
  }
}

function searchPath(): string {
  return environment.forRestic['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'
}

async function restore(
  { restic, snapshotId, deadlineMs, signal }: ProbeRequest,
  scratch: Scratch,
  includes: readonly BytePath[] | null,
): Promise<void> {
  const { error } = await restic.restore({
    snapshotId,
    target: bytesOf(scratch.target).toString('utf8'),
    cacheDir: scratch.cacheDir,
    stallMs: STALL_MS,
    ...(includes && { includes: includes.map(bytesOf) }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(signal && { signal }),
  })
  if (error) throw new BevisError(error.code, `what it needs could not be restored: ${error.message}`)
}

/** Each file under a plain name, since not every name can be an argument. */
async function probeEach(
  { targets, matching }: Need,
  scratch: Scratch,
  work: string,
  ask: (file: string) => Promise<Answer>,
): Promise<Answer> {
  const answers: (Answer & { path: BytePath })[] = []
  for (const [index, { path, sides }] of targets.entries()) {
    const file = join(work, `restored-${index}`)
    const from = `${scratch.target}${path}` as BytePath
    if ('error' in statPath(from)) {
      answers.push({ path, ...inconclusive('it was not restored') })
      continue
    }
    for (const one of [path, ...sides]) {
      const restored = `${scratch.target}${one}` as BytePath
      if (!('error' in statPath(restored)))
        renameSync(bytesOf(restored), bytesOf(bytePathOf(file + one.slice(path.length))))
    }
    answers.push({ path, ...(await ask(file)) })
  }
  const bad = answers.filter(({ outcome }) => outcome === 'failed')
  const unclear = answers.filter(({ outcome }) => outcome === 'inconclusive')
  const counted = `${answers.length} of ${matching} ${matching === 1 ? 'file' : 'files'}`
  const tell = (some: readonly (Answer & { path: BytePath })[]): string =>
    some
      .slice(0, 5)
      .map(({ path, detail }) => `${pathText(path).slice(0, 300)}: ${detail}`)
      .join('; ')
  if (bad.length > 0) return failed(`${bad.length} of the ${counted} probed cannot be used: ${tell(bad)}`)
  if (unclear.length > 0) return inconclusive(`${unclear.length} of the ${counted} probed: ${tell(unclear)}`)
  return passed(`${counted} probed; ${tell(answers.slice(0, 1))}`)
}

async function runCommandProbe(
  { set, snapshotId, logger }: ProbeRequest,
  probe: Extract<ProbeConfig, { kind: 'command' }>,
  scratch: Scratch,
  bounds: Bounds,
  confinement: Confinement,
): Promise<Answer> {
  const restored = bytesOf(scratch.target).toString('utf8')
  const variables = { BEVIS_SET: set.id, BEVIS_SNAPSHOT: snapshotId }
  const { output, ...answer } = await probeByCommand(
    probe.run,
    restored,
    { ...bounds, variables },
    confinement,
  )
  if (answer.outcome !== 'passed')
    logger.warn(
      { set: set.id, probe: probe.run[0], output },
      `the probe ${probe.run[0]}: ${answer.detail}; it said: ${output}`,
    )
  return answer
}
