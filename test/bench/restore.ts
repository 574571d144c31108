/** The agent's full restore test beside what restic itself can do, on the same data, local and over HTTP. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundle } from '../../deploy/bundle.ts'
import { resticVersions } from '../kit/restic-versions.ts'
import { spotCheck } from './borgmatic.ts'
import { compare, print, tableOf } from './measure.ts'
import type { Comparison, Subject } from './measure.ts'
import { goalsOf } from './restore-goals.ts'
import { prepareSet } from './restore-set.ts'
import { hashSubjects, subjectsOf } from './restore-subjects.ts'
import type { Places } from './restore-subjects.ts'
import { sourceTrees } from './sets.ts'
import type { SetSizes, SourceTree } from './sets.ts'

export interface RestoreBench extends SetSizes {
  readonly sets: readonly string[]
  /** `local`, `rest`, `hash`. */
  readonly places: readonly string[]
  /** Keys of subjects; all when empty. */
  readonly only: readonly string[]
  readonly pairs: number
  /** The sets stay in their folder for the next time. */
  readonly keep: boolean
}

/** Memory-backed on Linux; where it is not there, both sides use the disk. */
const SHARED_MEMORY = '/dev/shm'

interface SetPlan extends SourceTree {
  readonly places: readonly string[]
  /** Other subjects beside restic's, of the set where it is worth the time. */
  readonly more?: (folder: string, source: string) => Promise<Subject[]>
  readonly only?: readonly string[]
}

/**
 * Prints a table per set and place and one of the goals, and writes all figures to `restore-SETS.json` in the folder.
 */
export async function benchRestore(folder: string, options: RestoreBench): Promise<void> {
  const plans = plansOf(options)
  const comparisons: { set: string; place: string; comparison: Comparison }[] = []
  const program = join(folder, 'agent')
  const figures = join(folder, `restore-${options.sets.join('')}.json`)
  rmSync(program, { recursive: true, force: true })
  await bundle('agent', program)
  const take = (set: string, place: string, comparison: Comparison): void => {
    comparisons.push({ set, place, comparison })
    print(`${comparison.title} (medians of ${options.pairs} rounds)`, tableOf(comparison))
    const goals = comparisons.flatMap((one) => goalsOf(one))
    writeFileSync(figures, JSON.stringify({ options, comparisons, goals }, null, 2))
  }
  for (const name of options.sets) {
    const plan = plans[name]
    if (!plan) throw new Error(`there is no set ${name}: ${Object.keys(plans).join(', ')}`)
    const place = join(folder, `set-${name}`)
    await benchSet(place, join(program, 'main.js'), plan, options, (where, comparison) =>
      take(name, where, comparison),
    )
    if (!options.keep) rmSync(place, { recursive: true, force: true })
  }
  print(
    'Goals',
    comparisons.flatMap((one) => goalsOf(one)),
  )
  process.stdout.write(`\nAll figures: ${figures}\n`)
}

function plansOf({ places, ...sizes }: RestoreBench): Record<string, SetPlan> {
  const { a, b, c, d } = sourceTrees(sizes)
  const all = places.filter((place) => place !== 'hash')
  return {
    a: { ...a, places },
    b: { ...b, places: all },
    c: { ...c, places: all },
    d: {
      ...d,
      places: ['local'],
      more: async (folder, source) => [await spotCheck(folder, source)],
      only: ['verify', 'full', 'spot'],
    },
  }
}

async function benchSet(
  folder: string,
  agent: string,
  plan: SetPlan,
  { files, only, pairs }: RestoreBench,
  take: (place: string, comparison: Comparison) => void,
): Promise<void> {
  const build = (await resticVersions()).builds.at(-1)
  if (!build) throw new Error('there is no restic to measure with')
  const setting = `    restoreTest: { files: ${Math.max(1, Math.round(files / 100))} }`
  const set = await prepareSet({ ...plan, folder, restic: build.binary, setting })
  const memory = existsSync(SHARED_MEMORY) ? SHARED_MEMORY : folder
  const inMemory = join(memory, `bevis-bench-${process.pid}`)
  const title = `${plan.title}, restic ${build.version}`
  const run = async (place: string, subjects: readonly Subject[]): Promise<void> => {
    const keys = plan.only ?? only
    const wanted = subjects.filter(({ key }) => keys.length === 0 || keys.includes(key))
    if (wanted.length === 0) return
    take(place, await compare(`${title}, ${place}`, wanted, { pairs, env: process.env }))
  }
  let server: Awaited<ReturnType<typeof serve>> | null = null
  try {
    const places: Places = { ...set, folder, build, agent, memory, inMemory }
    for (const place of plan.places) {
      if (place === 'hash') await run('hashing', hashSubjects(set.source))
      if (place === 'local')
        await run(place, [...subjectsOf(places), ...((await plan.more?.(folder, set.source)) ?? [])])
      if (place === 'rest' && build.restServer !== undefined) {
        server = await serve(build.restServer, folder)
        const config = join(folder, 'agent-rest.yaml')
        const text = readFileSync(set.config, 'utf8')
        writeFileSync(config, text.replaceAll(`"${set.repository}"`, `"${server.url}"`))
        await run('rest-server', subjectsOf({ ...places, repository: server.url, config }))
      }
    }
  } finally {
    server?.stop()
    rmSync(inMemory, { recursive: true, force: true })
  }
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
