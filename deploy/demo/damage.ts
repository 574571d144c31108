import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { encodePathText } from '../../shared/src/evidence/path-text.ts'

export interface Damage {
  /** The pack file in the repository, and the places in it where one bit of a byte was turned over. */
  readonly pack: string
  readonly offsets: readonly number[]
  /** The files whose content lies there, as evidence names them. */
  readonly paths: readonly string[]
}

interface Blob {
  readonly id: string
  readonly type: string
  readonly offset: number
  readonly length: number
}
interface Pack {
  readonly id: string
  readonly blobs: readonly Blob[]
}

/**
 * Damages a repository as a bad disk would: turns one bit over in each of three stored pieces of file content, in
 * the pack that holds the most of them. Lists and snapshots stay whole, so restic notices nothing until it reads.
 */
export function damageRepository(
  repository: string,
  passwordFile: string,
  cacheless: NodeJS.ProcessEnv,
): Damage {
  const restic = (...args: string[]) =>
    execFileSync(
      'restic',
      ['-r', repository, '--password-file', passwordFile, '--no-cache', '--no-lock', ...args],
      {
        encoding: 'utf8',
        env: cacheless,
        maxBuffer: 1 << 30,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
  const indexes = restic('list', 'index').trim().split('\n')
  const packs = indexes.flatMap((id) => (JSON.parse(restic('cat', 'index', id)) as { packs: Pack[] }).packs)
  const ofData = packs.map(({ id, blobs }) => ({ id, blobs: blobs.filter(({ type }) => type === 'data') }))
  const pack = ofData.toSorted((a, b) => b.blobs.length - a.blobs.length)[0]
  if (pack === undefined || pack.blobs.length === 0)
    throw new Error(`${repository} holds no file content to damage`)

  const count = pack.blobs.length
  const chosen = [...new Set([0, Math.floor(count / 2), count - 1])].flatMap(
    (place) => pack.blobs[place] ?? [],
  )
  const offsets = chosen.map(({ offset, length }) => offset + Math.floor(length / 2))
  const file = join(repository, 'data', pack.id.slice(0, 2), pack.id)
  chmodSync(file, 0o600)
  for (const offset of offsets) turnBit(file, offset)
  return {
    pack: file,
    offsets,
    paths: pathsOf(
      chosen.map(({ id }) => id),
      restic,
    ),
  }
}

/** Turns the lowest bit of one byte over, in place. */
function turnBit(file: string, offset: number): void {
  const handle = openSync(file, 'r+')
  try {
    const byte = Buffer.alloc(1)
    if (readSync(handle, byte, 0, 1, offset) !== 1) throw new Error(`${file} ends before byte ${offset}`)
    byte[0] = (byte[0] ?? 0) ^ 1
    writeSync(handle, byte, 0, 1, offset)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** `restic find --blob` prints one JSON object per find, several to a line or one a line, by version. */
function pathsOf(blobs: readonly string[], restic: (...args: string[]) => string): string[] {
  const found = restic('find', '--json', '--blob', ...blobs)
  const paths = [...found.matchAll(/"path":("(?:[^"\\]|\\.)*")/g)].map(
    ([, text]) => JSON.parse(text ?? '""') as string,
  )
  // A name that is no UTF-8 cannot be told in JSON: such a file is damaged too, and named by the test alone.
  const told = paths.filter((path) => !path.includes('\uFFFD'))
  return [...new Set(told.map((path) => encodePathText(Buffer.from(path))))].toSorted()
}
