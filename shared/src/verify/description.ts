import { startSha256 } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { NameList } from './name-list.ts'
import { PACK_FILES, decodeJson, decodeText, encodeJson, packFileSchema, packSchema } from './pack.ts'
import type { Pack } from './pack.ts'
import { counted } from './report.ts'
import type { Findings } from './report.ts'
import type { PackContent } from './zip.ts'

export type { PackContent } from './zip.ts'

/** The bytes of a file that must be there. @throws BevisError PACK_INVALID */
export function fileOf(files: PackContent, name: string): Uint8Array {
  const bytes = files.get(name)
  if (bytes === undefined) throw new BevisError('PACK_INVALID', `${name} is missing`)
  return bytes
}

/** The same piece by piece. @throws BevisError PACK_INVALID */
export function piecesOf(files: PackContent, name: string): Iterable<Uint8Array> {
  const pieces = files.pieces === undefined ? [fileOf(files, name)] : files.pieces(name)
  if (pieces === undefined) throw new BevisError('PACK_INVALID', `${name} is missing`)
  return pieces
}

/** The text of a file that must be there. @throws BevisError PACK_INVALID */
export function textOf(files: PackContent, name: string): string {
  return decodeText(fileOf(files, name), name)
}

/** `sha256sum`'s own line for the description. */
export function formatSeal(sha256: string): string {
  return `${sha256}  ${PACK_FILES.description}\n`
}

/** What `pack.json` says of the pack, its list of files left out. */
export type Description = Omit<Pack, 'files'>

/** How the list of files begins; within a text the quotes would be escaped. */
const LIST = ',"files":['
const HEAD_LIMIT_CHARS = 2 ** 26
const ENTRY_LIMIT_CHARS = 4_096

/** `pack.json` as it is written, of which the list of files comes piece by piece. */
export function* formatDescription(
  pack: Description,
  files: Iterable<Pack['files'][number]>,
): Generator<string> {
  yield encodeJson({ ...pack, files: [] }).slice(0, -']}\n'.length)
  let batch: string[] = []
  let before = ''
  for (const { path, sizeBytes, sha256 } of files) {
    batch.push(`${before}${JSON.stringify({ path, sizeBytes, sha256 })}`)
    before = ','
    if (batch.length < 1_000) continue
    yield batch.join('')
    batch = []
  }
  yield `${batch.join('')}]}\n`
}

/** Checks `pack.description` and `files.accounted`; null when nothing else can be checked. */
export function readDescription(
  files: PackContent,
  findings: Findings,
): { pack: Description; sha256: string } | null {
  const read = findings.attempt('pack.description', '', () => {
    const { sha256 } = measure(piecesOf(files, PACK_FILES.description))
    if (textOf(files, PACK_FILES.seal) !== formatSeal(sha256)) {
      throw new BevisError('PACK_INVALID', `${PACK_FILES.description} is not what ${PACK_FILES.seal} says`)
    }
    const { pack, list } = openDescription(files)
    if (pack.period.from >= pack.period.to)
      throw new BevisError('PACK_INVALID', 'the period ends before it begins')
    return { pack, list, sha256 }
  })
  if (read === undefined) return null
  const { pack, list, sha256 } = read
  findings.hold('pack.description', `contract ${pack.contract.id}, made ${pack.madeAt}`)
  findings.attempt('pack.description', '', () => accountFiles(files, list, findings))
  return { pack, sha256 }
}

function measure(pieces: Iterable<Uint8Array>): { sizeBytes: number; sha256: string } {
  const hash = startSha256()
  let sizeBytes = 0
  for (const piece of pieces) {
    hash.update(piece)
    sizeBytes += piece.length
  }
  return { sizeBytes, sha256: hash.hex() }
}

function* textsOf(pieces: Iterable<Uint8Array>): Generator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  try {
    for (const piece of pieces) yield decoder.decode(piece, { stream: true })
    yield decoder.decode()
  } catch (cause) {
    if (cause instanceof BevisError) throw cause
    throw new BevisError('PACK_INVALID', `${PACK_FILES.description}: not UTF-8`, { cause })
  }
}

function openDescription(files: PackContent): {
  pack: Description
  list: Iterable<Pack['files'][number]>
} {
  const texts = textsOf(piecesOf(files, PACK_FILES.description))
  let head = ''
  for (let next = texts.next(); next.done !== true; next = texts.next()) {
    head += next.value
    const at = head.indexOf(LIST)
    if (at >= 0) {
      const listAt = at + LIST.length
      const { files: _, ...pack } = decodeJson(
        `${head.slice(0, listAt)}]}\n`,
        packSchema,
        PACK_FILES.description,
      )
      return { pack, list: filesIn(head.slice(listAt), texts) }
    }
    if (head.length > HEAD_LIMIT_CHARS) break
  }
  throw new BevisError('PACK_INVALID', `${PACK_FILES.description}: it has no list of files`)
}

/** The entries of the list, each in its one form. */
function* filesIn(begin: string, texts: Iterable<string>): Generator<Pack['files'][number]> {
  const read = (entry: string) => decodeJson(`${entry}\n`, packFileSchema, `${PACK_FILES.description}: files`)
  let rest = begin
  for (const text of texts) {
    const entries = `${rest}${text}`.split('},{')
    rest = entries.pop() ?? ''
    for (const [n, entry] of entries.entries()) yield read(n === 0 ? `${entry}}` : `{${entry}}`)
    if (entries.length > 0) rest = `{${rest}`
    if (rest.length > ENTRY_LIMIT_CHARS)
      throw new BevisError('PACK_INVALID', `${PACK_FILES.description}: files: too long`)
  }
  if (!rest.endsWith(']}\n')) throw new BevisError('PACK_INVALID', `${PACK_FILES.description}: it is cut off`)
  if (rest !== ']}\n') yield read(rest.slice(0, -']}\n'.length))
}

function accountFiles(files: PackContent, list: Iterable<Pack['files'][number]>, findings: Findings): void {
  const listed = new NameList()
  for (const name of [PACK_FILES.description, PACK_FILES.seal]) listed.add(name)
  let [count, bytesTotal] = [0, 0]
  for (const { path, sizeBytes, sha256 } of list) {
    count += 1
    const fail = (why: string) => findings.fail('files.accounted', `${path}: ${why}`)
    if (listed.add(path) < 0) {
      fail('listed twice')
      continue
    }
    if (!files.has(path)) {
      fail('missing')
      continue
    }
    const found = findings.attempt('zip.structure', '', () => measure(piecesOf(files, path)))
    if (found === undefined) fail('cannot be read')
    else if (found.sizeBytes !== sizeBytes) fail('not of the size listed')
    else if (found.sha256 !== sha256) fail('not of the SHA-256 listed')
    bytesTotal += found?.sizeBytes ?? 0
  }
  for (const name of files.keys()) {
    if (!listed.has(name))
      findings.fail('files.accounted', `${name}: not listed in ${PACK_FILES.description}`)
  }
  findings.hold('files.accounted', `${counted(count, 'file')}, ${counted(bytesTotal, 'byte')}`)
}
