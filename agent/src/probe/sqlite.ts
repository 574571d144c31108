/** SQLite's own check of a database, in a process of its own: a damaged file may take its reader down. */
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { runCommand } from '../local-command.ts'
import { environmentOf, inconclusive } from './answer.ts'
import type { Answer, Bounds } from './answer.ts'
import type { Confinement } from './confine.ts'

const answer = z.object({
  outcome: z.enum(['passed', 'failed', 'inconclusive']),
  detail: z.string().max(1_000),
})

/** `file` has its `-wal` or `-journal` beside it, as when the backup read it. */
export async function probeSqlite(file: string, bounds: Bounds, confinement: Confinement): Promise<Answer> {
  const { account } = confinement
  const child = fileURLToPath(new URL('./sqlite-child.ts', import.meta.url))
  const dropTo = account === null ? [] : [String(account.uid), String(account.gid)]
  const { ended, how, output } = await runCommand({
    ...confinement.wrapOwn([process.execPath, child, file, String(bounds.memoryBytes), ...dropTo]),
    env: environmentOf(bounds),
    cwd: bounds.work,
    timeoutMs: bounds.timeoutMs,
    killsRest: true,
    killAfterMs: 3_000,
    ...(bounds.signal && { signal: bounds.signal }),
  })
  if (ended !== 'well') return inconclusive(`the check ${how}`)
  try {
    return answer.parse(JSON.parse(output))
  } catch {
    return inconclusive('the check gave no answer')
  }
}
