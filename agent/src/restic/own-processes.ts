import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

const record = z.object({
  pid: z.int().positive(),
  startedAt: z.iso.datetime(),
  /** Boot and start tick on Linux: with them, another process under the same number is told apart. */
  identity: z.string().max(200).nullable(),
  /** The agent that started it. */
  parent: z.int().positive().optional(),
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
      JSON.stringify({
        pid,
        startedAt: startedAt.toISOString(),
        identity: identityOf(pid),
        parent: process.pid,
      }),
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
  if (!hasNumber(pid)) return true
  const now = identityOf(pid)
  return identity !== null && now !== null && now !== identity
}

/** Whether a process has this number, be it ended. */
function hasNumber(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/**
 * Ends those that an agent held when it was killed: nobody would let them go on, and their lock would stand for ever. Of
 * the others each ends by itself at its next word, which nobody hears.
 */
export async function endHeld(processes: readonly OwnProcess[]): Promise<void> {
  const held = processes.filter(isHeldOrphan)
  for (const { pid } of held) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Gone meanwhile, or started by another user: its lock tells.
    }
  }
  // `restic unlock` spares the lock of a process that nobody has waited for yet: the next run finds it then.
  for (let look = 0; look < 100 && held.some(({ pid }) => hasNumber(pid)); look += 1) await sleep(20)
}

/** In doubt it is not: where no identity can be had (no Linux), a number may be another's by now. */
function isHeldOrphan({ pid, identity, parent }: OwnProcess): boolean {
  const now = statOf(pid)
  return (
    now !== null &&
    now.state === 'T' &&
    now.identity === identity &&
    now.parent !== parent &&
    parent !== undefined
  )
}

function identityOf(pid: number): string | null {
  const stat = statOf(pid)
  return stat?.state === 'Z' ? 'ended' : (stat?.identity ?? null)
}

/** proc(5): state, parent, and the start in ticks since boot, the 22nd field; the name before them may hold anything. */
function statOf(pid: number): { state: string; parent: number; identity: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    return { state: fields[0] ?? '', parent: Number(fields[1]), identity: `${boot}/${fields[19]}` }
  } catch {
    return null
  }
}
