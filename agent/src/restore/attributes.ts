/**
 * Extended attributes, POSIX ACLs among them, as GNU tar reads them: Node has no call for them, and tar is on every
 * Linux that restic runs on. It writes them into PAX records by their bytes. Where there is no such tar, nobody
 * may believe that they were compared.
 */
import { spawn } from 'node:child_process'
import { bytesOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'

/** By path: its attributes in one text, sorted; '' for none. */
export type Attributes = ReadonlyMap<BytePath, string>

/** Contents pass through too: whoever asks keeps them small. */
const MOST_BYTES = 256 * 1024 * 1024
const TIMEOUT_MS = 60_000
const PREFIX = 'SCHILY.xattr.'

/** Labels of this machine's own rules, which another place has otherwise. */
const LOCAL = /^security\.(selinux|ima|evm|apparmor|SMACK64)/

/**
 * Reads the attributes of files and folders; links and sockets have none that count.
 * @param isRoot others cannot give back what is not theirs: only attributes of users and ACLs are then compared
 * @returns why it could not be done, in words
 */
export async function readAttributes(
  paths: readonly BytePath[],
  options: { readonly isRoot: boolean; readonly signal?: AbortSignal },
): Promise<Attributes | string> {
  if (paths.length === 0) return new Map()
  const args = [
    '--create',
    '--file=-',
    '--format=posix',
    '--xattrs',
    '--xattrs-include=*',
    '--absolute-names',
  ]
  const read = await runTar([...args, '--no-recursion', '--null', '--files-from=-'], paths, options.signal)
  if (typeof read === 'string') return read
  try {
    return attributesIn(read, options.isRoot)
  } catch {
    return 'tar wrote what is no archive'
  }
}

function runTar(
  args: readonly string[],
  paths: readonly BytePath[],
  signal: AbortSignal | undefined,
): Promise<Buffer | string> {
  return new Promise((resolve) => {
    const limit = AbortSignal.timeout(TIMEOUT_MS)
    const child = spawn('tar', args, {
      env: { PATH: '/usr/bin:/bin:/usr/local/bin', LC_ALL: 'C' },
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const chunks: Buffer[] = []
    let bytes = 0
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MOST_BYTES) child.kill()
      else chunks.push(chunk)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(0, 300)))
    child.once('error', (error) => resolve(`tar could not be run: ${error.message}`))
    // A tar that cannot do it says so and goes on; one that could not read a file has not read all.
    child.once('close', (status) =>
      resolve(
        status === 0 && said === ''
          ? Buffer.concat(chunks)
          : `tar ended with ${status}: ${said.replaceAll(/\s+/g, ' ').trim()}`,
      ),
    )
    child.stdin.on('error', () => {})
    child.stdin.end(Buffer.concat(paths.flatMap((path) => [bytesOf(path), Buffer.from([0])])))
  })
}

const BLOCK = 512

/** POSIX.1-2001 pax: a header of type `x` holds records for the entry after it. */
function attributesIn(archive: Buffer, isRoot: boolean): Map<BytePath, string> {
  const found = new Map<BytePath, string>()
  let records = new Map<string, string>()
  for (let at = 0; at + BLOCK <= archive.length;) {
    const header = archive.subarray(at, at + BLOCK)
    if (header.every((byte) => byte === 0)) break
    if (header.toString('latin1', 257, 262) !== 'ustar') throw new Error('no ustar header')
    const size = Number(records.get('size') ?? Number.parseInt(header.toString('latin1', 124, 135), 8))
    const type = header.toString('latin1', 156, 157)
    const body = archive.subarray(at + BLOCK, at + BLOCK + size)
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
    if (type === 'x') records = recordsIn(body)
    else if (type !== 'g') {
      const name = records.get('path') ?? nameIn(header)
      found.set(name.replace(/(.)\/$/, '$1') as BytePath, textOf(records, isRoot))
      records = new Map()
    }
  }
  return found
}

function nameIn(header: Buffer): string {
  const field = (from: number, to: number): string =>
    header.toString('latin1', from, to).replace(/\0.*$/s, '')
  const prefix = field(345, 500)
  return prefix === '' ? field(0, 100) : `${prefix}/${field(0, 100)}`
}

/** `<length> <key>=<value>\n`, the length of it all. */
function recordsIn(body: Buffer): Map<string, string> {
  const records = new Map<string, string>()
  const text = body.toString('latin1')
  for (let at = 0; at < text.length;) {
    const length = Number.parseInt(text.slice(at, text.indexOf(' ', at)), 10)
    if (!Number.isInteger(length) || length < 5) throw new Error('no pax record')
    const record = text.slice(text.indexOf(' ', at) + 1, at + length - 1)
    records.set(record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1))
    at += length
  }
  return records
}

function textOf(records: ReadonlyMap<string, string>, isRoot: boolean): string {
  return [...records]
    .flatMap(([key, value]) => {
      const name = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : ''
      const isOurs = isRoot ? !LOCAL.test(name) : /^(user\.|system\.posix_acl_)/.test(name)
      return name !== '' && isOurs ? [JSON.stringify([name, value])] : []
    })
    .toSorted()
    .join('\n')
}
