/**
 * What the witness costs: the agent's backup, with manifest, inventory and signed statements, beside restic's own
 * of the same files into a repository of its own; a first run, and one after one file in a hundred has changed. Between
 * them restic's backup and listing: the manifest is made from the listing, so nothing can cost less.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, cpSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { AGENT_FLAGS, bundle } from '../../deploy/bundle.ts'
import { makePair } from '../kit/pair.ts'
import { resticVersions } from '../kit/restic-versions.ts'
import { compare, print, tableOf } from './measure.ts'
import type { Comparison, Subject } from './measure.ts'
import { sourceTrees } from './sets.ts'
import type { SetSizes, SourceTree } from './sets.ts'

export interface BackupBench extends SetSizes {
  readonly sets: readonly string[]
  readonly pairs: number
}

/** Prints a table for each set and kind of run, and writes all figures to `backup.json` in the folder. */
export async function benchBackup(folder: string, { sets, pairs, ...sizes }: BackupBench): Promise<void> {
  const { a, b, c } = sourceTrees(sizes)
  rmSync(folder, { recursive: true, force: true })
  await bundle('agent', join(folder, 'program'))
  const comparisons: Comparison[] = []
  for (const [name, tree] of Object.entries({ a, b, c }))
    if (sets.includes(name)) comparisons.push(...(await benchSet(folder, tree, pairs)))
  writeFileSync(join(folder, 'backup.json'), JSON.stringify({ sizes, pairs, comparisons }, null, 2))
  process.stdout.write(`\nAll figures: ${join(folder, 'backup.json')}\n`)
}

async function benchSet(folder: string, tree: SourceTree, pairs: number): Promise<Comparison[]> {
  const build = (await resticVersions()).builds.at(-1)
  if (!build) throw new Error('there is no restic to measure with')
  const place = join(folder, 'set')
  const source = join(place, 'source')
  tree.make(source)
  const pair = await makePair({ folder: place, source, restic: build.binary })
  const empty = join(place, 'empty')
  const restic = (repository: string, ...args: string[]): string[] => [
    build.binary,
    ...['-r', repository, '--password-file', join(place, 'password')],
    ...['--cache-dir', `${repository}-cache`, ...args],
  ]
  const [program = '', ...args] = restic(empty, 'init', '-q')
  execFileSync(program, args)

  const renew = (repository: string, ...kept: string[]): void => {
    for (const path of [repository, ...kept]) rmSync(path, { recursive: true, force: true })
    cpSync(empty, repository, { recursive: true })
  }
  const alone = join(place, 'alone')
  const ofRestic = {
    key: 'restic',
    name: 'restic backup',
    command: restic(alone, 'backup', '--json', source),
  }
  const listed = join(place, 'listed')
  const backup = restic(listed, 'backup', '--json', source)
  const list = restic(listed, 'ls', '--json', 'latest')
  const withList = {
    key: 'list',
    name: 'restic backup, then ls',
    command: [
      'bash',
      '-c',
      `"\${@:1:${backup.length}}" && "\${@:${backup.length + 1}}"`,
      'both',
      ...backup,
      ...list,
    ],
  }
  const ofAgent = {
    key: 'agent',
    name: 'bevis-agent backup',
    command: [
      ...[process.execPath, ...AGENT_FLAGS, join(folder, 'program', 'main.js'), 'backup', 'shop'],
      ...['--no-send', '--json', '--config', pair.agentConfig],
    ],
  }
  const state = join(place, 'agent')
  const first: Subject[] = [
    { ...ofRestic, prepare: () => renew(alone, `${alone}-cache`) },
    { ...withList, prepare: () => renew(listed, `${listed}-cache`) },
    // As on the first day: a state that remembers an earlier manifest would hold retention.
    {
      ...ofAgent,
      prepare: () =>
        renew(
          pair.repository,
          ...['manifests', 'anomalies', 'holds', 'cache'].map((name) => join(state, name)),
        ),
    },
  ]
  let round = 0
  // Once in each round: to all of them the same files are new.
  const again: Subject[] = [{ ...ofRestic, prepare: () => change(source, (round += 1)) }, withList, ofAgent]
  const comparisons: Comparison[] = []
  try {
    for (const [what, subjects] of [['first run', first] as const, ['1 % changed', again] as const]) {
      const title = `${what}: ${tree.title}, restic ${build.version}, local`
      const comparison = await compare(title, subjects, { pairs, env: process.env })
      comparisons.push(comparison)
      print(`${title} (medians of ${pairs} rounds)`, tableOf(comparison))
    }
  } finally {
    await pair.remove()
    rmSync(place, { recursive: true, force: true })
  }
  return comparisons
}

/** Some bytes at the start of every hundredth file, of one at least; of others in each round. */
function change(source: string, round: number): void {
  const all = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const step = Math.min(100, all.length)
  for (const [at, { parentPath, name }] of all.entries()) {
    if (at % step !== round % step) continue
    const file = openSync(join(parentPath, name), 'r+')
    writeSync(file, `round ${round} of ${name};`.repeat(300))
    closeSync(file)
  }
}
