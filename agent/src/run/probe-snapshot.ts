/** A snapshot that nobody needs: the only kind that a deletion probe may try to delete. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import type { Limits, Restic, Snapshot } from '../restic/restic.ts'

/**
 * Tag and host of its own: contracts know their snapshots by the host (and by a run that reports them), so that
 * a probe can satisfy no obligation, and restic takes no other backup's parent from it.
 */
export const PROBE_NAME = 'bevis-deletion-probe'

const FILE = 'README.txt'
const TEXT = `The Bevis agent tries to delete the snapshot that holds this file, and nothing else, to prove that the
storage refuses deletion. It may be deleted at any time.
`
const LARGEST_BYTES = 4096n
/** Of a repository's probe snapshots, so many are looked into before one more is made. */
const MOST_LOOKS = 5

/**
 * The full ID of a probe snapshot: the oldest that is there, so that a storage which refuses deletion holds one
 * for ever rather than one for each probe; else a new one.
 * @throws BevisError what restic met
 */
export async function probeSnapshot(
  { restic, stateDir }: { restic: Restic; stateDir: string },
  limits: Limits,
): Promise<string> {
  const candidates = (await restic.snapshots(limits))
    .filter(isNamedProbe)
    .toSorted((one, other) => (one.timeNs < other.timeNs ? -1 : 1))
  for (const { id } of candidates.slice(0, MOST_LOOKS)) {
    if (await isHarmless(restic, id, limits)) return id
  }
  const folder = join(stateDir, 'deletion-probe')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(join(folder, FILE), TEXT, { mode: 0o600 })
  const run = await restic.backup({ ...limits, paths: [folder], host: PROBE_NAME, tags: [PROBE_NAME] })
  if (run.outcome === 'complete' && run.snapshotId !== undefined) return run.snapshotId
  const { code, message } = run.error ?? { code: 'RESTIC_FAILED', message: 'restic named no snapshot' }
  throw new BevisError(code, `the snapshot for the probe could not be made: ${message}`)
}

function isNamedProbe({ hostname, tags, paths }: Snapshot): boolean {
  return hostname === PROBE_NAME && tags.length === 1 && tags[0] === PROBE_NAME && paths.length === 1
}

/** A name is easily given: what would be deleted has to be our one small file, whoever named the snapshot so. */
async function isHarmless(restic: Restic, id: string, limits: Limits): Promise<boolean> {
  let files = 0
  for await (const nodes of restic.list(id, limits)) {
    const found = nodes.filter(({ kind }) => kind !== 'dir')
    files += found.length
    const areOurs = found.every(
      ({ kind, path, size }) => kind === 'file' && path.endsWith(`/${FILE}`) && size <= LARGEST_BYTES,
    )
    if (!areOurs || files > 1) return false
  }
  return files === 1
}
