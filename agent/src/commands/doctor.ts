import {
  existsSync,
  accessSync,
  closeSync,
  constants,
  opendirSync,
  openSync,
  realpathSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { dirname, isAbsolute, join, sep } from 'node:path'
import { BevisError, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import { configWarnings } from '../config-warning.ts'
import type { AgentConfig, SetConfig } from '../config.ts'
import { keyFile, loadIdentity } from '../evidence/identity.ts'
import { readKey } from '../evidence/key.ts'
import { readOwnRuns } from '../evidence/own-runs.ts'
import { readAlarms } from '../outbox/alarm.ts'
import { readClock } from '../outbox/clock.ts'
import { assertSafeBase } from '../restore/safe-place.ts'
import { fullHindrance } from '../run/full-due.ts'
import { describeRoot, isBareLink } from '../run/source-roots.ts'
import { bytePathOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { excludedBy } from '../tree/pattern.ts'
import { statPath, walkTree } from '../tree/walk.ts'
import { cureOf, cureOfCode } from '../cure.ts'
import { promiseFindings } from './contract-findings.ts'
import { bad, good, warning } from './finding.ts'
import type { Finding } from './finding.ts'
import { plainLogger } from './log.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { CLOCK_BAD_MS } from './status.ts'
import { alignColumns, formatBytes, paint } from './terminal.ts'
import { openRepository } from './work.ts'

/** Below this, even a small sample may not fit. */
const SCRATCH_NEEDED_BYTES = 256e6
const CLOCK_WARNING_MS = 30_000
/** Enough to find a file where there is one, and no walk through millions of empty folders. */
const MOST_LOOKED_AT = 20_000

/** Looks at everything that would go wrong at night: 0 nothing bad, 1 something is. Changes nothing. */
export async function doctorCommand(
  opened: Opened,
  options: { contract: string | null; signal: AbortSignal },
): Promise<Outcome> {
  const { config } = opened
  const findings = [
    ...configFindings(opened),
    identityFinding(opened),
    ...alarmFindings(opened),
    await collectorFinding(opened, options.signal),
    scratchFinding(config.scratch ?? config.state, config.sets),
    ...writableFindings(config),
  ]
  for (const set of config.sets) {
    findings.push(
      ...secretFindings(set),
      ...sourceFindings(set),
      ...programFindings(set),
      ...fullFindings(opened, set),
      await repositoryFinding(opened, set, options.signal),
    )
  }
  findings.push(...promiseFindings(opened, options.contract))
  const marks = { good: paint('green', '✓'), warning: paint('yellow', '!'), bad: paint('red', '✗') }
  return {
    exit: findings.some(({ verdict }) => verdict === 'bad') ? 1 : 0,
    json: { findings },
    lines: alignColumns(
      // restic's own words may have several lines.
      findings.map(({ what, verdict, detail }) => [marks[verdict], what, detail.replace(/\s*\n\s*/g, ' ')]),
    ),
  }
}

function configFindings({ config, now }: Opened): Finding[] {
  const warnings = configWarnings(config, now()).map((text) => warning('configuration', text))
  return warnings.length > 0 ? warnings : [good('configuration', 'valid')]
}

function identityFinding({ state }: Opened): Finding {
  const identity = loadIdentity(state)
  if (identity === null) return bad('identity', 'not enrolled: run bevis-agent enroll with an invitation')
  return attempt('identity', () => {
    const { keyid } = readKey(keyFile(state, identity.epoch))
    if (keyid !== identity.keyid)
      throw new BevisError('KEY_INVALID', 'the key is not the one that was enrolled')
    return `${identity.agent} of ${identity.tenant}, key ${keyid.slice(0, 16)}`
  })
}

/** What was raised stands until a person has looked. */
function alarmFindings({ config }: Opened): Finding[] {
  return readAlarms(config.state).map(({ code, message }) =>
    bad(
      'alarm',
      `${code}: ${message}. ${cureOfCode(code)} Then move ${join(config.state, 'ALARM.json')} away`,
    ),
  )
}

/** Of a full test that never ends nobody hears otherwise: the samples between them pass. */
function fullFindings({ state }: Opened, set: SetConfig): Finding[] {
  const why = fullHindrance(set, readOwnRuns(state.folder))
  if (why === null) return []
  const text = `the last full restore test came to no answer (${why.code}: ${why.message}), so every other one is a sample: give it more budget or room, or leave restoreTest.fullEvery out`
  return [warning(`${set.id}: restore test`, text)]
}

async function collectorFinding({ config, now }: Opened, signal: AbortSignal): Promise<Finding> {
  const { openTransport } = await import('../outbox/transport.ts')
  const { url } = config.collector
  try {
    const transport = openTransport(config.collector, now)
    try {
      const { status, date, sentAt, answeredAt } = await transport.get('/healthz', signal)
      if (status !== 200) return bad('collector', `${url} answers ${status}`)
      const clock = readClock(sentAt, answeredAt, { date })
      if (clock === null) return warning('collector', `${url} answers, but tells no time`)
      const told = `${url} answers; the clocks differ by ${(clock.offsetMs / 1000).toFixed(1)} s`
      const size = Math.abs(clock.offsetMs)
      if (size > CLOCK_BAD_MS)
        return bad('collector', `${told}: set this host's clock (NTP), evidence will not count`)
      return size > CLOCK_WARNING_MS ? warning('collector', `${told}: see to NTP`) : good('collector', told)
    } finally {
      await transport.close()
    }
  } catch (error) {
    return bad('collector', describeError(error))
  }
}

function scratchFinding(folder: string, sets: readonly SetConfig[]): Finding {
  const inside = sets.flatMap(({ paths }) => paths).find((path) => isInside(folder, path))
  if (inside !== undefined) {
    return warning(
      'scratch',
      `${folder} lies in ${inside}, which is backed up: name a scratch folder elsewhere, or exclude it`,
    )
  }
  return attempt('scratch', () => {
    assertSafeBase(realpathSync(nearest(folder)))
    const { bavail, bsize } = statfsSync(nearest(folder))
    const free = bavail * bsize
    if (free < SCRATCH_NEEDED_BYTES) {
      throw new BevisError(
        'SCRATCH_FULL',
        `${formatBytes(free)} are free in ${folder}; ${formatBytes(SCRATCH_NEEDED_BYTES)} are needed at least`,
      )
    }
    return `${formatBytes(free)} free in ${folder}`
  })
}

/** Folders beside the state that the agent writes to. What its unit forbids only the service would see: it is said. */
function writableFindings({ scratch, alarm, sets, state }: AgentConfig): Finding[] {
  const repositories = sets.map(({ repository }) => repository.url.replace(/^local:/, ''))
  const folders = [scratch, alarm.file && dirname(alarm.file), ...repositories.filter(isAbsolute)]
  return [...new Set(folders)]
    .filter((folder) => folder !== undefined && !isInside(folder, state))
    .map((folder = '') => {
      const unit = 'its unit must name it (systemctl edit bevis-agent, [Service], ReadWritePaths=)'
      try {
        accessSync(nearest(folder), constants.W_OK)
        return good('writable', `${folder}; under systemd ${unit}`)
      } catch {
        return bad('writable', `${folder} cannot be written by this user: chown it to bevis-agent; ${unit}`)
      }
    })
}

/** What is there of a folder that is still to be made. */
function nearest(folder: string): string {
  return existsSync(folder) ? folder : nearest(dirname(folder))
}

/** Opened, not asked about: access(2) knows nothing of CAP_DAC_READ_SEARCH, by which the service reads. */
function openOnce(path: string): void {
  if (statSync(path).isDirectory()) opendirSync(path).closeSync()
  else closeSync(openSync(path, 'r'))
}

function secretFindings({ id, repository }: SetConfig): Finding[] {
  const files = [repository.passwordFile, repository.environmentFile].flatMap((file) => file ?? [])
  return files.map((file) =>
    attempt(`${id}: secret`, () => {
      let mode: number
      try {
        mode = statSync(file).mode
        openOnce(file)
      } catch (cause) {
        throw new BevisError('SECRET_UNREADABLE', `${file} cannot be read`, { cause })
      }
      if ((mode & 0o007) !== 0)
        throw new BevisError('SECRET_UNREADABLE', `${file} is open to everybody; run: chmod o= ${file}`)
      return `${file} is readable and private`
    }),
  )
}

function sourceFindings(set: SetConfig): Finding[] {
  const { id, paths } = set
  const findings = paths.map((path) =>
    attempt(`${id}: source`, () => {
      try {
        openOnce(path)
      } catch (cause) {
        const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
        throw new BevisError(
          isMissing ? 'SOURCE_MISSING' : 'SOURCE_UNREADABLE',
          `${path} ${isMissing ? 'does not exist' : 'cannot be read'}`,
          { cause },
        )
      }
      return path
    }),
  )
  const isReadable = findings.every(({ verdict }) => verdict === 'good')
  // A hook may make the files that are backed up, or mount them.
  const say = set.hooks.before.length > 0 ? warning : bad
  const links = paths.filter((path) => isBareLink(path, paths))
  if (isReadable && links.length > 0)
    return links.map((path) => say(`${id}: source`, `SOURCE_MISSING: ${describeRoot(path, paths)}`))
  const nothing = isReadable ? nothingToBackUp(set) : null
  return nothing === null ? findings : [say(`${id}: source`, nothing)]
}

/** Why a backup now would hold no file, as far as a bounded look shows; null when it would. */
function nothingToBackUp({ paths, exclude }: SetConfig): string | null {
  const isExcluded = excludedBy(exclude)
  let looked = 0
  let files = 0
  for (const root of paths.map(bytePathOf)) {
    const stat = statPath(root)
    const nodes = 'error' in stat || stat.kind !== 'dir' ? [{ path: root, stat }] : walkTree(root)
    for (const { path, stat: found } of nodes) {
      if ((looked += 1) > MOST_LOOKED_AT) return null
      if ('error' in found || found.kind === 'dir') continue
      files += 1
      if (!isExcludedUpward(path, root, isExcluded)) return null
    }
  }
  const where = paths.join(', ')
  return files === 0
    ? `SOURCE_MISSING: ${where} holds no file: a backup would be empty. Check what should be mounted there`
    : `CONFIG_INVALID: of the ${files} files in ${where} the excludes leave none: a backup would be empty`
}

/** Whether the path, or a folder above it down from the root, is left out. */
function isExcludedUpward(path: BytePath, root: BytePath, isExcluded: (path: BytePath) => boolean): boolean {
  if (isExcluded(path)) return true
  const above = path.slice(0, Math.max(1, path.lastIndexOf('/'))) as BytePath
  return path !== root && above.length >= root.length && isExcludedUpward(above, root, isExcluded)
}

/** What hooks and probes would start tonight. */
function programFindings({ id, hooks, probes }: SetConfig): Finding[] {
  const run = probes.flatMap((probe) => (probe.kind === 'command' ? [probe.run] : []))
  const programs = new Set([...hooks.before, ...hooks.after, ...run].map(([program]) => program))
  return [...programs].map((program) =>
    attempt(`${id}: program`, () => {
      try {
        accessSync(program, constants.X_OK)
      } catch (cause) {
        throw new BevisError('HOOK_FAILED', `${program} is not there, or cannot be run`, { cause })
      }
      return program
    }),
  )
}

async function repositoryFinding(opened: Opened, set: SetConfig, signal: AbortSignal): Promise<Finding> {
  const what = `${set.id}: repository`
  try {
    const restic = await openRepository(opened, set, plainLogger('error'))
    const repository = await restic.repositoryId({ signal, deadlineMs: 60_000 })
    const told = `${restic.location} is ${repository.slice(0, 16)}, restic ${restic.version}`
    return restic.capabilities.restoreEvents
      ? good(what, told)
      : warning(what, `${told}: 0.17.1 or later is faster and surer`)
  } catch (error) {
    return bad(what, describeError(error))
  }
}

function attempt(what: string, look: () => string): Finding {
  try {
    return good(what, look())
  } catch (error) {
    return bad(what, describeError(error))
  }
}

function describeError(error: unknown): string {
  const code = errorCodeOf(error)
  return `${code}: ${errorMessageOf(error)}. ${cureOf(error)}`
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}
