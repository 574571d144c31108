/**
 * borgmatic's spot check, which compares hashes of source files with those that borg computes from its archive: the
 * nearest relative of a restore test. Debian's borgmatic has it since 1.8.10; it hashes by xxh64sum.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { unpackedOf } from '../kit/restic-versions.ts'
import type { Subject } from './measure.ts'

const CACHE = resolve(import.meta.dirname, '../../.cache/borgmatic')
const MAIN = 'from borgmatic.commands.borgmatic import main; main()'

/** Backs the source up with borg; the subject checks all of it. @throws Error when one of the programs is missing */
export async function spotCheck(folder: string, source: string): Promise<Subject> {
  for (const program of ['/usr/bin/borg', '/usr/bin/xxh64sum', '/usr/bin/python3'])
    if (!existsSync(program)) throw new Error(`${program} is missing: apt-get install borgmatic xxhash`)
  // The installed one may be too old; its own libraries serve the newer one.
  const home = await unpackedOf('trixie', ['borgmatic'], CACHE)
  const config = join(folder, 'borgmatic.yaml')
  writeFileSync(
    config,
    `source_directories: ["${source}"]
repositories: [{ path: "${join(folder, 'borg')}" }]
encryption_passphrase: correct horse
borg_base_directory: ${join(folder, 'borg-base')}
checks:
  - name: spot
    count_tolerance_percentage: 1
    data_sample_percentage: 100
    data_tolerance_percentage: 0
`,
  )
  const python = join(home, 'usr/lib/python3/dist-packages')
  const borgmatic = (...args: string[]): string[] => [
    ...['env', `PYTHONPATH=${python}`, '/usr/bin/python3', '-c', MAIN, '--config', config],
    ...args,
  ]
  const made = existsSync(join(folder, 'borg'))
  for (const args of made ? [] : [['repo-create', '--encryption', 'repokey'], ['create']]) {
    const [program = '', ...rest] = borgmatic(...args)
    execFileSync(program, rest, { stdio: ['ignore', 'ignore', 'pipe'] })
  }
  return { key: 'spot', name: 'borgmatic, spot check of 100 %', command: borgmatic('check', '--force') }
}
