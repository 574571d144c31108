/** A command of this machine's own configuration that knows what the restored data should be like. */
import { runCommand } from '../local-command.ts'
import { environmentOf, failed, inconclusive, passed } from './answer.ts'
import type { Answer, Bounds } from './answer.ts'
import type { Confinement } from './confine.ts'

/** Exit status by which a command says that it cannot tell: EX_TEMPFAIL of sysexits.h. */
const CANNOT_TELL = 75

/** `{restored}` in the arguments becomes the folder under which files stand as they stood under `/`. */
export async function probeByCommand(
  run: readonly [string, ...string[]],
  restored: string,
  bounds: Bounds & { readonly variables: Readonly<Record<string, string>> },
  confinement: Confinement,
): Promise<Answer & { readonly output: string }> {
  const [program, ...args] = run
  const { ended, how, status, output } = await runCommand({
    ...confinement.wrap(
      [program, ...args.map((word) => word.replaceAll('{restored}', restored))],
      bounds.memoryBytes,
    ),
    env: { ...environmentOf(bounds), ...bounds.variables },
    cwd: bounds.work,
    timeoutMs: bounds.timeoutMs,
    killsRest: true,
    killAfterMs: 3_000,
    ...(bounds.signal && { signal: bounds.signal }),
  })
  if (ended === 'well') return { ...passed('it ended with status 0'), output }
  // 126 and 127 are a shell's words for a program that it could not start.
  const isVerdict = ended === 'badly' && status !== null && ![CANNOT_TELL, 126, 127].includes(status)
  return { ...(isVerdict ? failed : inconclusive)(`it ${how}`), output }
}
