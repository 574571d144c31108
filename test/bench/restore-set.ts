/** A set to test, backed up: made once, and found again where its folder is kept. */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { makePair } from '../kit/pair.ts'
import type { Pair } from '../kit/pair.ts'
import { killHard } from '../kit/programs.ts'

const readySchema = z.object({
  title: z.string(),
  snapshot: z.string(),
  source: z.string(),
  repository: z.string(),
  config: z.string(),
  password: z.string(),
  sums: z.string(),
})

/** Where the parts of a set are; `sums` are the digests of its files, as sha256sum writes them for paths below it. */
export type BenchSet = z.output<typeof readySchema>

export interface SetRequest {
  /** Of this set alone. */
  readonly folder: string
  /** A set that was made under another title is made anew. */
  readonly title: string
  readonly make: (source: string) => void
  readonly restic: string
  /** Lines of YAML for the set in the agent's file. */
  readonly setting: string
}

/** Takes some minutes where the set is not there yet. */
export async function prepareSet({ folder, title, make, restic, setting }: SetRequest): Promise<BenchSet> {
  const file = join(folder, 'ready.json')
  const known = readReady(file)
  if (known?.title === title) return known
  rmSync(folder, { recursive: true, force: true })
  const source = join(folder, 'source')
  make(source)
  const pair = await makePair({ folder, source, restic, setSetting: setting })
  const sums = join(folder, 'sums')
  execFileSync('bash', ['-c', `find . -type f -print0 | xargs -0 sha256sum > ${sums}`], { cwd: source })
  const ready = {
    title,
    snapshot: await backUp(pair),
    source,
    repository: pair.repository,
    config: pair.agentConfig,
    password: join(folder, 'password'),
    sums,
  }
  writeFileSync(file, JSON.stringify(ready, null, 2))
  return ready
}

function readReady(file: string): BenchSet | null {
  try {
    return readySchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}

async function backUp(pair: Pair): Promise<string> {
  const collector = await pair.startCollector()
  const backup = await pair.agent('backup', 'shop', '--init', '--json')
  await killHard(collector)
  if (backup.exit !== 0) throw new Error(`backup: ${backup.stderr}${backup.stdout}`)
  return z.object({ snapshotId: z.string() }).parse(JSON.parse(backup.stdout)).snapshotId
}
