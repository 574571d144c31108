/**
 * What the witness costs: the agent's backup, with manifest, inventory and signed statements, beside restic's own
 * of the same files into a repository of its own; a first run, and one after one file in a hundred has changed.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AGENT_FLAGS, bundle } from '../../deploy/bundle.ts'
import { makePair } from '../kit/pair.ts'
import { resticVersions } from '../kit/restic-versions.ts'
import { makeSmallFiles } from './files.ts'
import { compare, print, tableOf } from './measure.ts'
import type { Comparison, Subject } from './measure.ts'

export interface BackupBench {
  /** Of 1 to 20 KB. */
  readonly files: number
  readonly pairs: number
}

/** Prints a table for each kind of run, and writes all figures to `backup.json` in the folder. */
export async function benchBackup(folder: string, { files, pairs }: BackupBench): Promise<void> {
  const build = (await resticVersions()).builds.at(-1)
  if (!build) throw new Error('there is no restic to measure with')
  rmSync(folder, { recursive: true, force: true })
  await bundle('agent', join(folder, 'program'))
  const place = join(folder, 'set')
  const source = join(place, 'source')
  makeSmallFiles(source, files)
  const pair = await makePair({ folder: place, source, restic: build.binary })
  const [empty, alone] = [join(place, 'empty'), join(place, 'alone')]
  const restic = (repository: string, ...args: string[]): string[] => [
    build.binary,
    ...['-r', repository, '--password-file', join(place, 'password')],
    ...['--cache-dir', join(place, 'cache-alone'), ...args],
  ]
  const [program = '', ...args] = restic(empty, 'init', '-q')
  execFileSync(program, args)

  const renew = (repository: string, ...kept: string[]): void => {
    for (const path of [repository, ...kept]) rmSync(path, { recursive: true, force: true })
    cpSync(empty, repository, { recursive: true })
  }
  const ofRestic = {
    key: 'restic',
    name: 'restic backup',
    command: restic(alone, 'backup', '--json', source),
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
    { ...ofRestic, prepare: () => renew(alone, join(place, 'cache-alone')) },
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
  // Once in each round: to both of them the same files are new.
  const again: Subject[] = [{ ...ofRestic, prepare: () => change(source, (round += 1)) }, ofAgent]
  const comparisons: Comparison[] = []
  try {
    for (const [what, subjects] of [['first run', first] as const, ['1 % changed', again] as const]) {
      const title = `${what}: ${files} files of 1 to 20 KB, restic ${build.version}, local`
      const comparison = await compare(title, subjects, { pairs, env: process.env })
      comparisons.push(comparison)
      print(`${title} (medians of ${pairs} rounds)`, tableOf(comparison))
    }
  } finally {
    await pair.remove()
  }
  writeFileSync(join(folder, 'backup.json'), JSON.stringify({ files, pairs, comparisons }, null, 2))
  process.stdout.write(`\nAll figures: ${join(folder, 'backup.json')}\n`)
}

/** Every hundredth file, others in each round. */
function change(source: string, round: number): void {
  const all = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const [at, { parentPath, name }] of all.entries())
    if (at % 100 === round % 100)
      writeFileSync(join(parentPath, name), `round ${round} of ${name};`.repeat(300))
}
