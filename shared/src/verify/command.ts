/** What the commands of bevis-verify share: files that they read, files that they make, and how they answer. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { BevisError } from '../error.ts'
import { unreadableText } from '../yaml.ts'

/** @throws BevisError USAGE where the file cannot be read, or is larger */
export async function readBytes(file: string, limitBytes: number): Promise<Uint8Array> {
  let bytes: Uint8Array | null
  try {
    // A pipe has no size before it is read.
    bytes = (await stat(file)).size > limitBytes ? null : await readFile(file)
  } catch (cause) {
    throw new BevisError('USAGE', unreadableText(file, cause), { cause })
  }
  if (bytes === null || bytes.length > limitBytes)
    throw new BevisError('USAGE', `${file} is larger than ${limitBytes} bytes`)
  return bytes
}

/** As {@link readBytes}, of UTF-8. */
export async function readText(file: string, limitBytes: number): Promise<string> {
  return new TextDecoder().decode(await readBytes(file, limitBytes))
}

/** Nothing is ever overwritten: it may be the only copy of a key. @throws BevisError USAGE */
export async function writeNew(file: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(file, text, { mode, flag: 'wx', flush: true })
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    const why = isThere ? `${file} exists already, and is not overwritten` : unreadableText(file, cause)
    throw new BevisError('USAGE', why, { cause })
  }
}

export function tell(json: boolean | undefined, value: object, lines: readonly string[]): void {
  process.stdout.write(json === true ? `${JSON.stringify(value)}\n` : `${lines.join('\n')}\n`)
}
