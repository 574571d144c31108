/** The agent's full restore test beside what restic itself can do, on the same data, local and over HTTP. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { bundle } from '../../deploy/bundle.ts'
import { makePair } from '../kit/pair.ts'
import type { Pair } from '../kit/pair.ts'
import { killHard } from '../kit/programs.ts'
import { resticVersions } from '../kit/restic-versions.ts'
import { spotCheck } from './borgmatic.ts'
import { makeLargeFiles, makeSmallFiles } from './files.ts'
import { compare, print, tableOf } from './measure.ts'
import type { Comparison, Subject } from './measure.ts'
import { goalsOf } from './restore-goals.ts'
import { hashSubjects, subjectsOf } from './restore-subjects.ts'
import type { Places } from './restore-subjects.ts'

export interface RestoreBench {
  /** Small files in set a. */
  readonly files: number
  /** Files of 200 MB in set b. */
  readonly large: number
  /** What set c is copied from. */
  readonly tree: string
  readonly sets: readonly string[]
  /** `local`, `rest`. */
  readonly places: readonly string[]
  /** Keys of subjects; all when empty. */
  readonly only: readonly string[]
  readonly pairs: number
}

/** Memory-backed on Linux; where it is not there, both sides use the disk. */
const SHARED_MEMORY = '/dev/shm'
const COPY = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true }
const SPOT_FILES = 20_000

interface BenchSet {
  readonly title: string
  readonly make: (source: string) => void
  readonly places: readonly string[]
  /** Other subjects beside restic's, of the set where it is worth the time. */
  readonly more?: (folder: string, source: string) => Promise<Subject[]>
  readonly only?: readonly string[]
}

/** Prints a table per set and place and one of the goals, and writes all figures to `restore.json` in the folder. */
export async function benchRestore(folder: string, options: RestoreBench): Promise<void> {
  const sets = setsOf(options)
  const comparisons: { set: string; place: string; comparison: Comparison }[] = []
  const agent = join(folder, 'agent')
  rmSync(folder, { recursive: true, force: true })
  await bundle('agent', agent)
  const keep = (set: string, place: string, comparison: Comparison): void => {
    comparisons.push({ set, place, comparison })
    print(`${comparison.title} (medians of ${options.pairs} rounds)`, tableOf(comparison))
    const goals = comparisons.flatMap((one) => goalsOf(one))
    writeFileSync(join(folder, 'restore.json'), JSON.stringify({ options, comparisons, goals }, null, 2))
  }
  for (const name of options.sets) {
    const set = sets[name]
    if (!set) throw new Error(`there is no set ${name}: ${Object.keys(sets).join(', ')}`)
    const place = join(folder, 'set')
    set.make(join(place, 'source'))
    await benchSet(place, join(agent, 'main.js'), set, options, (where, comparison) =>
      keep(name, where, comparison),
    )
    rmSync(place, { recursive: true, force: true })
  }
  print(
    'Goals',
    comparisons.flatMap((one) => goalsOf(one)),
  )
  process.stdout.write(`\nAll figures: ${join(folder, 'restore.json')}\n`)
}

function setsOf({ files, large, tree, places }: RestoreBench): Record<string, BenchSet> {
  return {
    a: {
      title: `a: ${files} files of 1 to 20 KB`,
      make: (source) => makeSmallFiles(source, files),
      places: [...places, ...(places.includes('local') ? ['hash'] : [])],
    },
    b: {
      title: `b: ${large} files of 200 MB`,
      make: (source) => makeLargeFiles(source, large, 200 * 1024 * 1024),
      places,
    },
    c: { title: `c: a copy of ${tree}`, make: (source) => cpSync(tree, source, COPY), places },
    d: {
      title: `d: ${SPOT_FILES} files of 1 to 20 KB`,
      make: (source) => makeSmallFiles(source, SPOT_FILES),
      places: ['local'],
      more: async (folder, source) => [await spotCheck(folder, source)],
      only: ['verify', 'full', 'spot'],
    },
  }
}

async function benchSet(
  folder: string,
  agent: string,
  set: BenchSet,
  { files, only, pairs }: RestoreBench,
  keep: (place: string, comparison: Comparison) => void,
): Promise<void> {
  const build = (await resticVersions()).builds.at(-1)
  if (!build) throw new Error('there is no restic to measure with')
  const source = join(folder, 'source')
  const setSetting = `    restoreTest: { files: ${Math.max(1, Math.round(files / 100))} }`
  const pair = await makePair({ folder, source, restic: build.binary, setSetting })
  const memory = existsSync(SHARED_MEMORY) ? SHARED_MEMORY : folder
  const inMemory = join(memory, `bevis-bench-${process.pid}`)
  const sums = join(folder, 'sums')
  execFileSync('bash', ['-c', `find . -type f -print0 | xargs -0 sha256sum > ${sums}`], { cwd: source })
  const title = `${set.title}, restic ${build.version}`
  const run = async (place: string, subjects: readonly Subject[]): Promise<void> => {
    const keys = set.only ?? only
    const wanted = subjects.filter(({ key }) => keys.length === 0 || keys.includes(key))
    if (wanted.length === 0) return
    keep(place, await compare(`${title}, ${place}`, wanted, { pairs, env: process.env }))
  }
  let server: Awaited<ReturnType<typeof serve>> | null = null
  try {
    const password = join(folder, 'password')
    const snapshot = await backUp(pair)
    const places = { folder, source, sums, build, snapshot, password, agent, memory, inMemory }
    for (const place of set.places) {
      if (place === 'hash') await run('hashing', hashSubjects(source))
      if (place === 'local') {
        const at: Places = { ...places, repository: pair.repository, config: pair.agentConfig }
        await run(place, [...subjectsOf(at), ...((await set.more?.(folder, source)) ?? [])])
      }
      if (place === 'rest' && build.restServer !== undefined) {
        server = await serve(build.restServer, folder)
        const config = join(folder, 'agent-rest.yaml')
        const text = readFileSync(pair.agentConfig, 'utf8')
        writeFileSync(config, text.replaceAll(`"${pair.repository}"`, `"${server.url}"`))
        await run('rest-server', subjectsOf({ ...places, repository: server.url, config }))
      }
    }
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
