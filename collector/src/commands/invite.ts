import { BevisError } from '@bevis/shared/error'
import { invite } from '../intake/invite.ts'
import { claimNewFile } from '../state.ts'
import { openLogOf } from './open.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

export interface InviteOptions {
  readonly contract: readonly string[]
  readonly host: string
  readonly agent?: string
  readonly expires: string
  readonly tokenFile?: string
}

export async function inviteCommand(opened: Opened, options: InviteOptions): Promise<Outcome> {
  const { config, store, now } = opened
  const { vkey } = await openLogOf(opened)
  const order = {
    contracts: options.contract,
    host: options.host,
    agent: options.agent,
    validMs: readDuration(options.expires),
  }
  const claimed = options.tokenFile === undefined ? null : claimNewFile(options.tokenFile)
  const place = { publicUrl: config.publicUrl, vkey }
  const { token, ...invited } = await invite(store, order, place, now()).catch((error: unknown) => {
    claimed?.abandon()
    throw error
  })
  if (claimed === null) {
    return { exit: 0, json: { ...invited, token }, lines: [token] }
  }
  claimed.fill(`${token}\n`)
  return {
    exit: 0,
    json: { ...invited, tokenFile: options.tokenFile },
    lines: [
      `${invited.agent} of ${invited.tenant} may enrol once, from the host ${invited.host}, until ${invited.expiresAt}:`,
      `  bevis-agent enroll --token-file ${options.tokenFile}`,
    ],
  }
}

function readDuration(text: string): number {
  try {
    return Temporal.Duration.from(text).total({ unit: 'milliseconds' })
  } catch (cause) {
    throw new BevisError('USAGE', `--expires takes a duration such as PT30M, not ${text}`, { cause })
  }
}
