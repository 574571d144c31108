/** The agent's full restore test beside what restic itself can do, on the same data, local and over HTTP. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { makePair } from '../kit/pair.ts'
import type { Pair } from '../kit/pair.ts'
import { commandOf, killHard } from '../kit/programs.ts'
import { resticVersions } from '../kit/restic-versions.ts'
import type { ResticBuild } from '../kit/restic-versions.ts'
import { makeLargeFiles, makeSmallFiles } from './files.ts'
import { compare } from './measure.ts'
import type { Subject } from './measure.ts'

export interface RestoreBench {
  /** Small files in set a. */
  readonly files: number
  /** Files of 200 MB in set b. */
  readonly large: number
  /** What set c is copied from. */
  readonly tree: string
  readonly sets: readonly string[]
  readonly pairs: number
}

/** Memory-backed on Linux; where it is not there, both sides use the disk. */
const SHARED_MEMORY = '/dev/shm'

export async function benchRestore(folder: string, options: RestoreBench): Promise<void> {
  const { builds } = await resticVersions()
  const build = builds.at(-1)
  if (!build) throw new Error('there is no restic to measure with')
  const sets: Record<string, [title: string, make: (source: string) => void]> = {
    a: [`a: ${options.files} files of 1 to 20 KB`, (source) => makeSmallFiles(source, options.files)],
    b: [
      `b: ${options.large} files of 200 MB`,
      (source) => makeLargeFiles(source, options.large, 200 * 1024 * 1024),
    ],
    c: [`c: a copy of ${options.tree}`, (source) => cpSync(options.tree, source, COPY)],
  }
  for (const name of options.sets) {
    const [title, make] = sets[name] ?? []
    if (!title || !make) throw new Error(`there is no set ${name}: ${Object.keys(sets).join(', ')}`)
    rmSync(folder, { recursive: true, force: true })
    make(join(folder, 'source'))
    await benchSet(folder, `${title}, restic ${build.version}`, build, options)
  }
}

const COPY = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true }

async function benchSet(
  folder: string,
  title: string,
  build: ResticBuild,
  options: RestoreBench,
): Promise<void> {
  const memory = existsSync(SHARED_MEMORY) ? SHARED_MEMORY : folder
  const source = join(folder, 'source')
  const sample = Math.max(1, Math.round(options.files / 100))
  const setSetting = `    restoreTest: { files: ${sample} }`
  const pair = await makePair({ folder, source, restic: build.binary, setSetting })
  const inMemory = join(memory, `bevis-bench-${process.pid}`)
  const server = build.restServer === undefined ? null : await serve(build.restServer, pair.folder)
  try {
    const snapshot = await backUp(pair)
    const places = { pair, build, snapshot, inMemory, memory, onDisk: join(folder, 'disk') }
    const local = subjectsOf({ ...places, repository: pair.repository, config: pair.agentConfig })
    await compare(`${title}, local`, local, { pairs: options.pairs, env: process.env })
    if (!server) return
    const config = join(pair.folder, 'agent-rest.yaml')
    writeFileSync(
      config,
      readFileSync(pair.agentConfig, 'utf8').replaceAll(`"${pair.repository}"`, `"${server.url}"`),
    )
    const remote = subjectsOf({ ...places, repository: server.url, config })
    await compare(`${title}, rest-server`, remote, { pairs: options.pairs, env: process.env })
  } finally {
    server?.stop()
    await pair.remove()
    rmSync(inMemory, { recursive: true, force: true })
  }
}

async function backUp(pair: Pair): Promise<string> {
  const collector = await pair.startCollector()
  const backup = await pair.agent('backup', 'shop', '--init', '--json')
  await killHard(collector)
  if (backup.exit !== 0) throw new Error(`backup: ${backup.stderr}${backup.stdout}`)
  return z.object({ snapshotId: z.string() }).parse(JSON.parse(backup.stdout)).snapshotId
}

interface Places {
  readonly pair: Pair
  readonly build: ResticBuild
  readonly snapshot: string
  readonly repository: string
  /** The agent's file for that repository. */
  readonly config: string
  readonly memory: string
  readonly inMemory: string
  readonly onDisk: string
}

function subjectsOf({
  pair,
  build,
  snapshot,
  repository,
  config,
  memory,
  inMemory,
  onDisk,
}: Places): Subject[] {
  const cache = join(pair.folder, 'cache')
  const restic = (...args: string[]): string[] => [
    build.binary,
    ...['-r', repository, '--password-file', join(pair.folder, 'password'), '--cache-dir', cache],
    ...args,
  ]
  const empty = (): void => {
    for (const path of [inMemory, onDisk, cache]) rmSync(path, { recursive: true, force: true })
    mkdirSync(inMemory, { mode: 0o700 })
  }
  const agentTest = (...args: string[]): string[] =>
    commandOf(
      'agent',
      'test',
      'shop',
      '--snapshot',
      snapshot,
      '--no-send',
      '--json',
      '--config',
      config,
      ...args,
    )
  const hashSource = `find ${pair.source} -type f -print0 | xargs -0 -n 200 -P 2 sha256sum >/dev/null`
  const check = restic('check', '--read-data')
  return [
    {
      name: 'restic restore --verify, memory',
      command: restic('restore', snapshot, '--verify', '--target', join(inMemory, 'restic')),
      scratch: memory,
      prepare: empty,
    },
    { name: 'bevis-agent test --full', command: agentTest('--full'), scratch: memory, prepare: empty },
    { name: 'bevis-agent test, 1 % sample', command: agentTest(), scratch: memory, prepare: empty },
    {
      name: 'restic restore --verify, disk',
      command: restic('restore', snapshot, '--verify', '--target', onDisk),
      prepare: empty,
    },
    { name: 'restic check --read-data', command: check, prepare: empty },
    {
      name: 'check --read-data, then sha256sum of the source',
      command: ['bash', '-c', `"$@" && ${hashSource}`, 'bench', ...check],
      prepare: empty,
    },
  ]
}

async function serve(program: string, folder: string): Promise<{ url: string; stop(): void }> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  const address = `127.0.0.1:${port}`
  const child = spawn(program, ['--no-auth', '--listen', address, '--path', folder], { stdio: 'ignore' })
  for (let tries = 0; tries < 200; tries += 1) {
    const answers = await fetch(`http://${address}/`).then(
      () => true,
      () => false,
    )
    if (answers) return { url: `rest:http://${address}/repository`, stop: () => void child.kill() }
    await sleep(25)
  }
  child.kill()
  throw new Error(`${program} does not listen`)
}
