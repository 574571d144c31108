/** The trees that benches measure with. */
import { cpSync } from 'node:fs'
import { makeLargeFiles, makeSmallFiles } from './files.ts'

export interface SetSizes {
  /** Small files in set a. */
  readonly files: number
  /** Files of 200 MB in set b. */
  readonly large: number
  /** What set c is copied from. */
  readonly tree: string
}

export interface SourceTree {
  readonly title: string
  readonly make: (source: string) => void
}

const SPOT_FILES = 20_000
const COPY = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true }

/** a: small files, b: large ones, c: a mixed tree, d: as many small ones as a slow peer can take. */
export function sourceTrees({ files, large, tree }: SetSizes): Record<'a' | 'b' | 'c' | 'd', SourceTree> {
  return {
    a: { title: `a: ${files} files of 1 to 20 KB`, make: (source) => makeSmallFiles(source, files) },
    b: {
      title: `b: ${large} files of 200 MB`,
      make: (source) => makeLargeFiles(source, large, 200 * 1024 * 1024),
    },
    c: { title: `c: a copy of ${tree}`, make: (source) => cpSync(tree, source, COPY) },
    d: {
      title: `d: ${SPOT_FILES} files of 1 to 20 KB`,
      make: (source) => makeSmallFiles(source, SPOT_FILES),
    },
  }
}
