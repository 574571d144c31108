/** The agent's full restore test beside what restic itself can do, on the same data. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { makePair } from '../kit/pair.ts'
import { commandOf, killHard } from '../kit/programs.ts'
import { makeLargeFiles, makeSmallFiles } from './files.ts'
import { compare } from './measure.ts'
import type { Subject } from './measure.ts'

/** Memory-backed on Linux; where it is not there, both sides use the disk. */
const TMPFS = '/dev/shm'

export async function benchRestore(folder: string, options: { files: number; pairs: number }): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  const source = join(folder, 'source')
  makeSmallFiles(join(source, 'small'), options.files)
  makeLargeFiles(join(source, 'large'), 4, 64 * 1024 * 1024)
  const memory = existsSync(TMPFS) ? join(TMPFS, `bevis-bench-${process.pid}`) : join(folder, 'memory')
  const pair = await makePair({ folder, source, agentSetting: `scratch: ${join(memory, 'scratch')}` })
  try {
    mkdirSync(join(memory, 'scratch'), { recursive: true, mode: 0o700 })
    const collector = await pair.startCollector()
    const backup = await pair.agent('backup', 'shop', '--init', '--json')
    if (backup.exit !== 0) throw new Error(`backup: ${backup.stderr}${backup.stdout}`)
    const snapshot = z.object({ snapshotId: z.string() }).parse(JSON.parse(backup.stdout)).snapshotId
    await killHard(collector)
    const restic = (target: string): string[] => [
      'restic',
      ...['-r', pair.repository, '--password-file', join(pair.folder, 'password')],
      ...['--cache-dir', join(pair.folder, 'cache'), 'restore', snapshot, '--verify', '--target', target],
    ]
    const empty = (path: string): void => {
      rmSync(path, { recursive: true, force: true })
      rmSync(join(pair.folder, 'cache'), { recursive: true, force: true })
    }
    const subjects: Subject[] = [
      {
        name: 'restic restore --verify, tmpfs',
        command: restic(join(memory, 'restic')),
        prepare: () => empty(join(memory, 'restic')),
      },
      {
        name: 'bevis-agent test --full',
        command: commandOf(
          'agent',
          ...['test', 'shop', '--full', '--snapshot', snapshot, '--no-send', '--json'],
          ...['--config', pair.agentConfig],
        ),
        prepare: () => empty(join(memory, 'restic')),
      },
      {
        name: 'restic restore --verify, disk',
        command: restic(join(folder, 'disk')),
        prepare: () => empty(join(folder, 'disk')),
      },
    ]
    await compare(`restore test of ${options.files} small files and 4 of 64 MB`, subjects, {
      pairs: options.pairs,
      env: process.env,
    })
  } finally {
    await pair.remove()
    rmSync(memory, { recursive: true, force: true })
  }
}
