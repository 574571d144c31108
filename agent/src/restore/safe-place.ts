/**
 * Where other users of this machine can put names, they can put a link in the way of what restic restores: it would
 * come to lie where the link leads, over what is there, or in a folder of theirs.
 */
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { BevisError } from '@bevis/shared/error'

const STICKY = 0o1000
const WRITABLE_BY_ALL = 0o002

/**
 * A folder in which ours are made: nobody else may take them away again. `folder` as realpath(3) has it.
 * @throws BevisError SCRATCH_REFUSED
 */
export function assertSafeBase(
  folder: string,
  otherwise = 'name a folder in it that is not there yet',
): void {
  // Windows has no such modes.
  if (process.getuid === undefined) return
  const { mode } = statSync(folder)
  if ((mode & WRITABLE_BY_ALL) !== 0 && (mode & STICKY) === 0)
    throw refused(folder, `chmod o-w ${folder}, or ${otherwise}`)
}

/**
 * A folder that is restored into itself: no name in it may be another's. As above.
 * @throws BevisError SCRATCH_REFUSED
 */
export function assertSafeTarget(folder: string): void {
  assertSafeBase(dirname(folder), 'name a folder elsewhere')
  const own = process.getuid?.()
  if (own === undefined) return
  const { uid, mode } = statSync(folder)
  if ((mode & WRITABLE_BY_ALL) !== 0) throw refused(folder, `chmod o-w ${folder}, or name another one`)
  if (uid !== own && uid !== 0)
    throw refused(folder, 'it belongs to another user: name a folder that is not there yet')
}

function refused(folder: string, cure: string): BevisError {
  return new BevisError(
    'SCRATCH_REFUSED',
    `others can change what lies in ${folder}, and lead a restore elsewhere: ${cure}`,
  )
}
