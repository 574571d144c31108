import { BevisError } from '@bevis/shared/error'

/** What a restic version can do, from its changelog; 0.14, 0.18 and 0.19 are run by our tests. */
export interface Capabilities {
  /** init answers in JSON (0.15) */
  initJson: boolean
  /** restore --sparse (0.15) */
  restoreSparse: boolean
  /** --retry-lock (0.16) */
  retryLock: boolean
  /** ls gives inodes (0.16.1) */
  nodeInode: boolean
  /** SIGTERM ends it cleanly (0.17); before, only SIGINT does */
  cleanSigterm: boolean
  /** restore --include-file (0.17) */
  includeFile: boolean
  /** restore --json with errors, and with -vv an event per item (0.17.1) */
  restoreEvents: boolean
  /** check --json (0.18) */
  checkJson: boolean
}

const oldest = [0, 14, 0] as const

/** Shape: '0.19.1'. RESTIC_TOO_OLD below 0.14, RESTIC_OUTPUT_INVALID for what is no version. */
export function capabilitiesOf(version: string): Capabilities {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(version)
  if (!match)
    throw new BevisError('RESTIC_OUTPUT_INVALID', `not a restic version: ${JSON.stringify(version)}`)
  const found = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] as const
  const since = (...wanted: readonly [number, number, number]) => {
    const at = found.findIndex((part, place) => part !== wanted[place])
    return at === -1 || (found[at] ?? 0) > (wanted[at] ?? 0)
  }
  if (!since(...oldest)) {
    throw new BevisError(
      'RESTIC_TOO_OLD',
      `restic ${version} is older than ${oldest.join('.')}; install a newer one`,
    )
  }
  return {
    initJson: since(0, 15, 0),
    restoreSparse: since(0, 15, 0),
    retryLock: since(0, 16, 0),
    nodeInode: since(0, 16, 1),
    cleanSigterm: since(0, 17, 0),
    includeFile: since(0, 17, 0),
    restoreEvents: since(0, 17, 1),
    checkJson: since(0, 18, 0),
  }
}
