/** What a restore test is measured beside: restic's own ways to check the same snapshot. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AGENT_FLAGS } from '../../deploy/bundle.ts'
import type { ResticBuild } from '../kit/restic-versions.ts'
import type { Subject } from './measure.ts'

export interface Places {
  /** Of the set: everything below is in it. */
  readonly folder: string
  readonly source: string
  /** The digests of the source's files, as sha256sum writes them for paths below it. */
  readonly sums: string
  readonly build: ResticBuild
  readonly snapshot: string
  readonly repository: string
  readonly password: string
  /** The program as it ships: one bundle. */
  readonly agent: string
  /** The agent's file for that repository. */
  readonly config: string
  /** A file system of memory, and a folder in it that is ours. */
  readonly memory: string
  readonly inMemory: string
}

/** Each cleans up what it restored, and that is measured too: a test that fills the disk is not done. */
export function subjectsOf(places: Places): Subject[] {
  const { folder, source, sums, build, snapshot, repository, password, memory, inMemory } = places
  const cache = join(folder, 'cache')
  const onDisk = join(folder, 'disk')
  const restic = (...args: string[]): string[] => [
    build.binary,
    ...['-r', repository, '--password-file', password, '--cache-dir', cache],
    ...args,
  ]
  const prepare = (): void => {
    for (const path of [inMemory, onDisk, cache]) rmSync(path, { recursive: true, force: true })
    mkdirSync(inMemory, { mode: 0o700 })
  }
  const restoreTo = (target: string, ...args: string[]): string[] =>
    restic('restore', snapshot, '--target', target, ...args)
  const restored = join(inMemory, 'restic')
  const agentTest = (...args: string[]): string[] => [
    ...[
      process.execPath,
      ...AGENT_FLAGS,
      places.agent,
      'test',
      'shop',
      '--no-send',
      '--json',
      '--config',
      places.config,
    ],
    ...args,
  ]
  const check = restic('check', '--read-data')
  return [
    {
      key: 'verify',
      name: 'restic restore --verify, memory',
      command: then(restoreTo(restored, '--verify'), `rm -rf ${restored}`),
      scratch: memory,
      prepare,
    },
    { key: 'full', name: 'bevis-agent test --full', command: agentTest('--full'), scratch: memory, prepare },
    {
      key: 'sample',
      name: 'bevis-agent test, 1 % sample',
      // Of a snapshot that was named, the random part alone is restored; the nightly sample adds its rotation.
      command: agentTest('--snapshot', snapshot),
      scratch: memory,
      prepare,
    },
    {
      key: 'disk',
      name: 'restic restore --verify, disk',
      command: then(restoreTo(onDisk, '--verify'), `rm -rf ${onDisk}`),
      prepare,
    },
    {
      key: 'sums',
      name: 'restic restore, memory; sha256sum -c',
      command: then(
        restoreTo(restored),
        `cd ${restored}${source} && sha256sum --check --quiet ${sums} && rm -rf ${restored}`,
      ),
      scratch: memory,
      prepare,
    },
    { key: 'check', name: 'restic check --read-data', command: check, prepare },
    {
      key: 'limit',
      name: 'limit: check --read-data; sha256sum of the source',
      command: then(check, hashBySha256sum(source)),
      prepare,
    },
  ]
}

/** Hashing alone: our threads beside two processes of sha256sum. */
export function hashSubjects(source: string): Subject[] {
  const program = join(import.meta.dirname, 'hash-tree.ts')
  return [
    { key: 'xargs', name: 'xargs -P2 sha256sum', command: ['bash', '-c', hashBySha256sum(source)] },
    { key: 'threads', name: 'two threads of ours', command: [process.execPath, program, source] },
  ]
}

function hashBySha256sum(folder: string): string {
  return `find ${folder} -type f -print0 | xargs -0 -n 200 -P 2 sha256sum >/dev/null`
}

function then(command: readonly string[], next: string): string[] {
  return ['bash', '-c', `"$@" && ${next}`, 'bench', ...command]
}
