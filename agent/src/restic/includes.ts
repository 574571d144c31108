import { isUtf8 } from 'node:buffer'
import type { IncludePath } from './interface.ts'

/**
 * How paths become restic's include or exclude patterns, which are Go's filepath.Match per path element. An include file
 * takes any byte but a line feed, and expands $NAME; an argument takes a line feed, but from Node only valid
 * UTF-8: there a `?` stands for every byte that is not, and may match a sibling too.
 */
export interface Includes {
  args: string[]
  /** For --include-file or --exclude-file; undefined when there is nothing to put in it */
  file?: Buffer
}

export function patternsOf(
  option: 'include' | 'exclude',
  paths: readonly IncludePath[],
  includeFile: boolean,
): Includes {
  const args: string[] = []
  const lines: Buffer[] = []
  for (const path of paths) {
    const bytes = Buffer.from(path.buffer, path.byteOffset, path.length)
    if (includeFile && !needsArgument(bytes)) lines.push(escapeBytes(bytes, '\\*?[', '$'), Buffer.from('\n'))
    else args.push(`--${option}=${escapeText(bytes)}`)
  }
  return { args, ...(lines.length > 0 && { file: Buffer.concat(lines) }) }
}

/** Lines of an include file are cut at line feeds and trimmed of Unicode's white space. */
function needsArgument(path: Buffer): boolean {
  return (
    path.includes(10) ||
    path.includes(13) ||
    /\s$/u.test(path.subarray(-4).toString('utf8')) ||
    path.at(-1) === 0x85
  )
}

function escapeBytes(bytes: Buffer, backslashed: string, doubled: string): Buffer {
  const text = bytes.toString('latin1')
  let out = ''
  for (const char of text)
    out += backslashed.includes(char) ? `\\${char}` : doubled.includes(char) ? char + char : char
  return Buffer.from(out, 'latin1')
}

function escapeText(bytes: Buffer): string {
  const escaped = escapeBytes(bytes, '\\*?[', '')
  return isUtf8(escaped) ? escaped.toString('utf8') : wildcardText(escaped)
}

/** Go reads each byte that begins no valid sequence as one character, so each becomes one `?`. */
function wildcardText(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const length = [1, 2, 3, 4].find((bytesLong) => {
      const part = bytes.subarray(at, at + bytesLong)
      return part.length === bytesLong && isUtf8(part)
    })
    text += length === undefined ? '?' : bytes.subarray(at, at + length).toString('utf8')
    at += length ?? 1
  }
  return text
}
