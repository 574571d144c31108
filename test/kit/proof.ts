import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { parseConfig } from '../../agent/src/config.ts'
import type { SetConfig } from '../../agent/src/config.ts'
import type { Draft, Recorder } from '../../agent/src/evidence/record.ts'
import { openRestic } from '../../agent/src/restic/restic.ts'
import type { Restic } from '../../agent/src/restic/restic.ts'
import { runBackup } from '../../agent/src/run/backup.ts'
import { runDataCheck } from '../../agent/src/run/data-check.ts'
import type { DataCheckResult } from '../../agent/src/run/data-check.ts'
import type { BackupResult } from '../../agent/src/run/backup.ts'
import { runRestoreTest } from '../../agent/src/run/restore-test.ts'
import type { RestoreTestResult } from '../../agent/src/run/restore-test.ts'
import type { WantedTest } from '../../agent/src/run/test-request.ts'
import { encodeStatement } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import { QUICK_PASSWORD, quickRepository } from './quick-repository.ts'
import type { ResticBuild } from './restic-versions.ts'

/** A set with a real source, a real repository and a state folder, and the two stories run on them. */
export interface ProofPlace {
  readonly folder: string
  readonly source: string
  readonly repository: string
  readonly restic: Restic
  readonly set: SetConfig
  /** Every draft that a story recorded, each of which was encoded as a statement. */
  readonly drafts: Draft[]
  write(name: string | Buffer, content: string | Buffer): Buffer
  backup(options?: Partial<Parameters<typeof runBackup>[0]>): Promise<BackupResult>
  test(
    wanted?: WantedTest,
    options?: Partial<Parameters<typeof runRestoreTest>[0]>,
  ): Promise<RestoreTestResult>
  /** Every pack, byte by byte. */
  check(): Promise<DataCheckResult>
}

export interface ProofOptions {
  readonly build: ResticBuild
  /** Lines of YAML under the set. */
  readonly setting?: string
  readonly source?: string
  readonly method?: 'auto' | 'disk' | 'stream'
}

export interface OpenProofOptions extends ProofOptions {
  /** With the password, the state, the cache, and what is not given. */
  readonly folder: string
  /** As restic takes it. */
  readonly repository?: string
  readonly killAfterMs?: number
}

const silent = { info() {}, warn() {}, debug() {} }

/** Over an empty repository, in a folder of its own; the place is removed when the test has ended. */
export async function proofPlace(options: ProofOptions): Promise<ProofPlace> {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-proof-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  quickRepository(options.build, join(folder, 'repository'))
  return openProof({ ...options, folder })
}

/** Over the repository that is there. */
export async function openProof(options: OpenProofOptions): Promise<ProofPlace> {
  const { build, folder, setting = '', method = 'auto' } = options
  const source = options.source ?? join(folder, 'source')
  mkdirSync(source, { recursive: true })
  const password = join(folder, 'password')
  writeFileSync(password, QUICK_PASSWORD, { mode: 0o600 })
  const repository = options.repository ?? join(folder, 'repository')
  const stateDir = join(folder, 'state')
  const config = parseConfig(
    `collector: { url: "https://collector.example.net" }
state: ${stateDir}
sets:
  - id: shop
    paths: ["${source}"]
    repository: { url: "${repository}", passwordFile: "${password}" }
${setting}`,
    'agent.yaml',
  )
  const [read] = config.sets
  if (!read) throw new Error('the configuration has no set')
  const set = { ...read, restoreTest: { ...read.restoreTest, method } }
  const restic = await openRestic({
    binary: build.binary,
    repository: set.repository,
    cacheDir: join(folder, 'cache'),
    environment: { PATH: process.env['PATH'] ?? '', HOME: folder },
    lockWaitMs: 1_000,
    ...(options.killAfterMs !== undefined && { killAfterMs: options.killAfterMs }),
  })
  const drafts: Draft[] = []
  const recorder = checkingRecorder(drafts)
  const bench = { set, restic, recorder, stateDir, now: () => new Date(), logger: silent }
  return {
    folder,
    source,
    repository,
    restic,
    set,
    drafts,
    write(name, content) {
      const path = Buffer.concat([Buffer.from(`${source}/`), Buffer.from(name)])
      mkdirSync(path.subarray(0, path.lastIndexOf('/')), { recursive: true })
      writeFileSync(path, content)
      return path
    },
    backup: (options) => runBackup({ ...bench, ...options }),
    test: (wanted, options) => runRestoreTest({ ...bench, ...(wanted && { wanted }), ...options }),
    check: () => runDataCheck({ ...bench, cycle: 1 }),
  }
}

/** Takes a draft as the real recorder does: what does not fit its schema, or a payload, is refused. */
function checkingRecorder(drafts: Draft[]): Recorder {
  return {
    record(draft) {
      const chain = {
        tenant: 'afterhand',
        agent: 'web',
        epoch: 1,
        seq: drafts.length + 1,
        prev: '0'.repeat(64),
        log: null,
      }
      const tools = { agent: '0.1.0', os: 'Linux', ...draft.predicate.tools }
      const statement = {
        _type: 'https://in-toto.io/Statement/v1',
        subject: [draft.subject],
        predicateType: predicateTypeOf(draft.name),
        predicate: { ...draft.predicate, chain, host: 'web', tools },
      }
      encodeStatement(statement as unknown as Statement)
      drafts.push(draft)
      return Promise.resolve({ paeDigest: '0'.repeat(64), epoch: 1, seq: drafts.length })
    },
  }
}

/** All files below a folder of the repository, largest first. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted((one, other) => statSync(other).size - statSync(one).size)
}

/** restic makes its files read-only. */
export function overwrite(file: string, content: Buffer): void {
  chmodSync(file, 0o600)
  writeFileSync(file, content)
}

/** A witness of a file that was written in the last two seconds before the backup is racy, and proves less. */
export const settle = (): Promise<void> => sleep(2_100)

/** The result of the last test that ran. */
export function lastOf({ tests }: RestoreTestResult): RestoreTestResult['tests'][number]['result'] {
  const one = tests.at(-1)
  if (!one) throw new Error('nothing was tested')
  return one.result
}

/** The paths that the last test named under this class. */
export function exceptionsOf(result: RestoreTestResult, name: string): string[] {
  return lastOf(result)
    .exceptions.filter((one) => one.class === name)
    .map(({ path }) => path)
}

/**
 * Runs `change` between the restore and the comparison: what a hasher reads is not what restic wrote. A streamed
 * restore reads a file when it is named, so there it is changed before that is heard.
 */
export function tampered(restic: Restic, change: (target: string) => void): Restic {
  return {
    ...restic,
    async restore(request) {
      const { onEvent, target } = request
      let isChanged = false
      const run = await restic.restore({
        ...request,
        onEvent: (event) => {
          try {
            change(target)
            isChanged = true
          } catch {
            // Not there yet, but when its own event comes; or gone already.
          }
          onEvent?.(event)
        },
      })
      if (!isChanged) change(target)
      return run
    },
  }
}
