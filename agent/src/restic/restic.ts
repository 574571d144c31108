import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Hex } from '@bevis/shared/crypto'
import { backUp } from './backup.ts'
import { capabilitiesOf } from './capabilities.ts'
import { check } from './check.ts'
import { dump } from './dump.ts'
import { childEnvironment } from './environment.ts'
import { forget } from './forget.ts'
import type { Limits, OpenOptions, Restic } from './interface.ts'
import { parseOutput } from './json.ts'
import { listNodes } from './list.ts'
import { placeOf, publicLocation, secretsOf } from './location.ts'
import { listLocks, unlockOwn } from './locks.ts'
import { configObject, initMessage } from './messages.ts'
import { OwnProcesses } from './own-processes.ts'
import { configDigest } from './packs.ts'
import type { Program } from './program.ts'
import { prune } from './prune.ts'
import { restore } from './restore.ts'
import { answerOf, lockArgs } from './short.ts'
import { listSnapshots, surveySnapshots } from './snapshots.ts'
import { probeVersion } from './version.ts'

export type * from './interface.ts'
export type { Capabilities } from './capabilities.ts'
export { publicLocation } from './location.ts'
export { wholeOf } from './snapshots.ts'

const LOCK_WAIT_MS = 5 * 60_000
const KILL_AFTER_MS = 90_000

/**
 * A repository through a restic binary; nothing is asked of the repository yet.
 * RESTIC_MISSING, RESTIC_TOO_OLD, RESTIC_OUTPUT_INVALID; CONFIG_INVALID and SECRET_UNREADABLE for its access.
 */
export async function openRestic(options: OpenOptions): Promise<Restic> {
  const { binary = 'restic', repository, cacheDir, environment } = options
  const { variables, secrets } = childEnvironment(environment, repository, cacheDir)
  const version = await probeVersion(binary, environment)
  mkdirSync(cacheDir, { recursive: true, mode: 0o700 })
  const location = publicLocation(repository.url)
  const program: Program = {
    binary,
    version,
    capabilities: capabilitiesOf(version),
    variables,
    location,
    cacheDir,
    redact: redactor(repository.url, location, secrets),
    lockWaitMs: options.lockWaitMs ?? LOCK_WAIT_MS,
    killAfterMs: options.killAfterMs ?? KILL_AFTER_MS,
    ownProcesses: new OwnProcesses(
      join(cacheDir, 'own-processes', sha256Hex(placeOf(repository.url)).slice(0, 16)),
    ),
    now: options.now ?? (() => new Date()),
    ...(options.logger && { logger: options.logger }),
  }
  return {
    version,
    capabilities: program.capabilities,
    location,
    init: (limits) => init(program, limits),
    repositoryId: (limits) => repositoryId(program, limits),
    configDigest: () => configDigest(program),
    backup: (request) => backUp(program, request),
    snapshots: (limits) => listSnapshots(program, limits),
    survey: (limits) => surveySnapshots(program, limits),
    list: (snapshotId, request) => listNodes(program, snapshotId, request),
    restore: (request) => restore(program, request),
    dump: (request) => dump(program, request),
    check: (request) => check(program, request),
    forget: (request) => forget(program, request),
    prune: (limits) => prune(program, limits),
    locks: (limits) => listLocks(program, limits),
    unlockOwn: (limits) => unlockOwn(program, limits),
  }
}

async function init(program: Program, limits: Limits = {}): Promise<string> {
  const text = await answerOf(program, program.capabilities.initJson ? ['init', '--json'] : ['init'], limits)
  if (!program.capabilities.initJson) return repositoryId(program, limits)
  return parseOutput(initMessage, text, 'restic init').id
}

async function repositoryId(program: Program, limits: Limits = {}): Promise<string> {
  const text = await answerOf(program, ['cat', 'config', ...lockArgs(program, limits)], limits)
  return parseOutput(configObject, text, 'restic cat config').id
}

/** The longest secret first: one may hold another. */
function redactor(url: string, location: string, secrets: readonly string[]): (text: string) => string {
  const cut = [...secretsOf(url), ...secrets].toSorted((one, other) => other.length - one.length)
  return (text) =>
    cut.reduce((left, secret) => left.replaceAll(secret, secret === url ? location : '***'), text)
}
