import type { Capabilities } from './capabilities.ts'
import type { Logger } from './interface.ts'
import type { OwnProcesses } from './own-processes.ts'

/** One restic binary with one repository: what every command of this room starts from. */
export interface Program {
  readonly binary: string
  readonly version: string
  readonly capabilities: Capabilities
  /** The whole environment of the child */
  readonly variables: Readonly<Record<string, string>>
  /** Cut out of everything that restic says before anyone sees it */
  readonly redact: (text: string) => string
  readonly location: string
  readonly cacheDir: string
  readonly lockWaitMs: number
  readonly killAfterMs: number
  readonly ownProcesses: OwnProcesses
  readonly now: () => Date
  readonly logger?: Logger
}
