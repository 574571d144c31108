import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { TestPlace } from './restic-place.ts'

/** A restic of somebody else's that is in the middle of a backup into the place's own folder. */
export async function holdLock(place: TestPlace, binary: string): Promise<() => Promise<void>> {
  const child = spawn(binary, ['backup', '--stdin', '-q'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {
      RESTIC_REPOSITORY: place.url,
      RESTIC_PASSWORD_FILE: join(place.folder, 'password'),
      RESTIC_CACHE_DIR: join(place.folder, 'cache-of-another'),
    },
  })
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  const release = async (): Promise<void> => {
    child.stdin.end('done')
    await ended
  }
  onTestFinished(release)
  // A file that is still being written has a longer name.
  while (!readdirSync(join(place.url, 'locks')).some((name) => name.length === 64)) await sleep(20)
  return release
}
