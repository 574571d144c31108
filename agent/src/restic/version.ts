import { BevisError } from '@bevis/shared/error'
import { execa } from 'execa'
import { parseOutput } from './json.ts'
import { versionMessage } from './messages.ts'

const TIMEOUT_MS = 60_000

/** '0.19.1' of this binary. 0.14 answers in text whether it is asked for JSON or not. */
export async function probeVersion(
  binary: string,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const { PATH = '', HOME = '' } = environment
  const result = await execa(binary, ['version', '--json'], {
    env: { PATH, HOME, LC_ALL: 'C' },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: TIMEOUT_MS,
    maxBuffer: 64 * 1024,
  })
  if (result.exitCode === undefined && result.signal === undefined) {
    throw new BevisError(
      'RESTIC_MISSING',
      `cannot start ${binary}: ${result.cause instanceof Error ? result.cause.message : 'unknown'}`,
      {
        cause: result.cause,
      },
    )
  }
  if (result.exitCode !== 0) {
    throw new BevisError(
      'RESTIC_OUTPUT_INVALID',
      `${binary} version ended with ${result.exitCode ?? result.signal}`,
    )
  }
  const text = result.stdout.trim()
  if (text.startsWith('{')) return parseOutput(versionMessage, text, 'restic version').version
  const version = /^restic (\d+\.\d+\.\d+\S*)/.exec(text)?.[1]
  if (version === undefined) {
    throw new BevisError(
      'RESTIC_OUTPUT_INVALID',
      `${binary} does not say which restic it is: ${text.slice(0, 200)}`,
    )
  }
  return version
}
