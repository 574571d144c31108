import { readFileSync, readdirSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { sha256Hex } from '@bevis/shared/crypto'
import type { Program } from './program.ts'

/**
 * Of how many parts the packs can be told apart at most: restic takes them by the first byte of their IDs
 * (`--read-data-subset=n/t`: https://restic.readthedocs.io/en/stable/045_working_with_repos.html).
 */
export const MOST_PARTS = 256

/** Whether packs whose ID begins with this byte belong to part `part` (from 1) of `of`. */
export function isInPart(firstByte: number, { part, of }: { part: number; of: number }): boolean {
  return firstByte % of === part - 1
}

/** Bytes of the pack files of a part; undefined where the repository is no folder that we can look into. */
export function subsetBytes(
  { variables }: Pick<Program, 'variables'>,
  subset: { part: number; of: number },
): number | undefined {
  const folder = folderOf({ variables })
  if (folder === undefined) return undefined
  try {
    return Array.from({ length: MOST_PARTS }, (_, byte) => byte)
      .filter((byte) => isInPart(byte, subset))
      .map((byte) => join(folder, 'data', byte.toString(16).padStart(2, '0')))
      .flatMap((prefix) => readdirSync(prefix).map((name) => statSync(join(prefix, name)).size))
      .reduce((sum, size) => sum + size, 0)
  } catch {
    return undefined
  }
}

/** The names in one folder of the repository; undefined as above. */
export function namesInFolder(program: Pick<Program, 'variables'>, name: 'snapshots'): string[] | undefined {
  const folder = folderOf(program)
  if (folder === undefined) return undefined
  try {
    return readdirSync(join(folder, name))
  } catch {
    return undefined
  }
}

/** The digest of the file that the repository's ID is sealed in; undefined as above, or where it cannot be read. */
export function configDigest(program: Pick<Program, 'variables'>): string | undefined {
  const folder = folderOf(program)
  if (folder === undefined) return undefined
  try {
    return sha256Hex(readFileSync(join(folder, 'config')))
  } catch {
    return undefined
  }
}

function folderOf({ variables }: Pick<Program, 'variables'>): string | undefined {
  const folder = (variables['RESTIC_REPOSITORY'] ?? '').replace(/^local:/, '')
  return isAbsolute(folder) ? folder : undefined
}
