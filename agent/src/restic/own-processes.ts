import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const record = z.object({
  pid: z.int().positive(),
  startedAt: z.iso.datetime(),
  /** Boot and start tick on Linux: with them, another process under the same number is told apart. */
  identity: z.string().max(200).nullable(),
})
export type OwnProcess = z.infer<typeof record> & { file: string }

/**
 * The restic processes of this agent that have not ended well, on disk, so that after a crash or a reboot a
 * lock in the repository can be known as ours. restic's own word (host name and pid) is not enough: two
 * containers may share both.
 */
export class OwnProcesses {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  /**
   * Before restic has a lock: it derives a key from the password first, which takes some 100 ms. Throws where nothing can
   * be written; what it returns does not.
   */
  remember(pid: number, startedAt: Date): () => void {
    const file = join(this.#folder, `${pid}-${startedAt.getTime()}.json`)
    writeFileSync(
      file,
      JSON.stringify({ pid, startedAt: startedAt.toISOString(), identity: identityOf(pid) }),
    )
    return () => {
      try {
        rmSync(file, { force: true })
      } catch {
        // On a disk that has become read-only, say: it names a process that is gone, which costs a look at the locks.
      }
    }
  }

  all(): OwnProcess[] {
    return readdirSync(this.#folder).flatMap((name) => {
      const file = join(this.#folder, name)
      const found = parseRecord(file)
      return found ? [{ ...found, file }] : []
    })
  }

  forget(processes: Iterable<OwnProcess>): void {
    for (const { file } of processes) rmSync(file, { force: true })
  }
}

/** A record cut short by a crash says nothing about a lock, so it is as good as none. */
function parseRecord(file: string): z.infer<typeof record> | undefined {
  try {
    return record.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}

/** True when this very process does not run any more. In doubt it does. */
export function isGone({ pid, identity }: Pick<OwnProcess, 'pid' | 'identity'>): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
  const now = identityOf(pid)
  return identity !== null && now !== null && now !== identity
}

/** proc(5): the 22nd field of stat is the start in ticks since boot; the name before it may hold anything. */
function identityOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return 'ended'
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}/${fields[19]}`
  } catch {
    return null
  }
}
