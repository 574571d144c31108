/** The verifier beside the page: it may take its time without the page standing still. */
import { config } from 'zod'
import { errorCodeOf, errorMessageOf } from '../../error.ts'
import { openEnvelope } from '../../evidence/envelope.ts'
import { evidenceNameOf } from '../../evidence/statement.ts'
import { spkiFromPem } from '../../key.ts'
import type { LoggedStatement } from '../index-lines.ts'
import { PACK_FILES, decodeText, isPackFile, keyFile, linesOf } from '../pack.ts'
import { examineStamps } from '../stamps.ts'
import { readStatementAt } from '../statements.ts'
import { datedAt, outcomeOf } from '../table.ts'
import { mergeTrust, parseTrust } from '../trust.ts'
import type { Trust } from '../trust.ts'
import { reportUnreadable, verifyPack } from '../verify-pack.ts'
import { openZip } from '../zip.ts'
import type { ByteSource, PackContent, ZipContent } from '../zip.ts'
import { verifyAhead } from './crypto.ts'
import type { Claim } from './crypto.ts'
import type { Answer, Question, Row } from './message.ts'

// The page's policy forbids code that is made of text, which zod would otherwise try for speed.
config({ jitless: true })

/** A worker's own ways, which the types of a page do not have. */
declare const FileReaderSync: new () => { readAsArrayBuffer(blob: Blob): ArrayBuffer }
declare function postMessage(answer: Answer): void

const SIGNATURES_AT_ONCE = 64

/** Where the rows that are shown lie in the pack. */
let shown: { readonly files: ZipContent; readonly lines: readonly LoggedStatement['line'][] } | null = null

addEventListener('message', (event: MessageEvent<Question>) => {
  const question = event.data
  if (question.kind === 'verify') {
    verify(question).catch((error: unknown) => postMessage({ kind: 'failed', why: errorMessageOf(error) }))
    return
  }
  const line = shown?.lines[question.row]
  if (shown === null || line === undefined) return
  const bytes = shown.files.part(PACK_FILES.evidence, line.from, line.to) ?? new Uint8Array()
  const { statement, paeDigest: digest } = readStatementAt(bytes)
  postMessage({ kind: 'statement', row: question.row, statement, digest })
})

async function verify({ pack, trust: texts }: Question & { kind: 'verify' }): Promise<void> {
  shown = null
  postMessage({ kind: 'progress', step: 'reading', part: 0 })
  const trust = readTrust(texts)
  let files: ZipContent
  try {
    files = openZip(sourceOf(pack), isPackFile)
    await verifySignaturesAhead(files)
  } catch (error) {
    if (errorCodeOf(error) !== 'PACK_INVALID') throw error
    postMessage({ kind: 'report', report: reportUnreadable(errorMessageOf(error), trust), rows: [] })
    return
  }
  postMessage({ kind: 'progress', step: 'judging', part: 1 })
  const stamps = await examineStamps(files, trust)
  const [rows, lines]: [Row[], LoggedStatement['line'][]] = [[], []]
  const onStatement = (logged: LoggedStatement) => {
    rows.push(rowOf(logged))
    lines.push(logged.line)
  }
  const report = verifyPack({ files, trust, stamps, onStatement })
  const isShown = report.exit !== 1
  if (isShown) shown = { files, lines }
  postMessage({ kind: 'report', report, rows: isShown ? rows : [] })
}

function readTrust(texts: readonly { name: string; text: string }[]): Trust | null {
  const [first, ...others] = texts.map(({ name, text }) => parseTrust(text, name))
  return first === undefined ? null : mergeTrust(first, ...others)
}

/** A browser takes a while for each read, however small it is; what is asked for next mostly lies beside. */
const WINDOW_BYTES = 2 ** 20
/** Several files of the pack are read side by side. */
const WINDOWS = 8

function sourceOf(file: File): ByteSource {
  const reader = new FileReaderSync()
  const load = (from: number, to: number) => new Uint8Array(reader.readAsArrayBuffer(file.slice(from, to)))
  const windows: { from: number; bytes: Uint8Array }[] = []
  return {
    sizeBytes: file.size,
    read(from, to) {
      if (to - from > WINDOW_BYTES) return load(from, to)
      const at = windows.findIndex((window) => window.from <= from && to <= window.from + window.bytes.length)
      const [found] = at < 0 ? [] : windows.splice(at, 1)
      const window = found ?? { from, bytes: load(from, Math.min(from + WINDOW_BYTES, file.size)) }
      windows.unshift(window) // the one that was used last is forgotten last
      windows.length = Math.min(windows.length, WINDOWS)
      return window.bytes.subarray(from - window.from, to - window.from)
    },
  }
}

/**
 * A signature takes JavaScript milliseconds and the browser's own code a fraction of one, but only asynchronously. So
 * it is asked first; what it cannot read or does not confirm is left to the verifier, which decides and tells.
 */
async function verifySignaturesAhead(files: ZipContent): Promise<void> {
  const pieces = files.pieces(PACK_FILES.evidence)
  if (pieces === undefined) return
  const sizeBytes = files.sizeOf(PACK_FILES.evidence) ?? 1
  const keys = new Map<string, Uint8Array | null>()
  let claims: Claim[] = []
  for (const { text, to } of linesOf(pieces, PACK_FILES.evidence)) {
    claims.push(...claimsOf(files, keys, text))
    if (claims.length < SIGNATURES_AT_ONCE) continue
    await verifyAhead(claims)
    claims = []
    postMessage({ kind: 'progress', step: 'signatures', part: to / sizeBytes })
  }
  await verifyAhead(claims)
}

function claimsOf(files: PackContent, keys: Map<string, Uint8Array | null>, line: string): Claim[] {
  try {
    const { pae: message, signatures } = openEnvelope(JSON.parse(line))
    return signatures.flatMap(({ keyid, sig: signature }) => {
      const spki = keys.get(keyid) ?? readKey(files, keyid)
      keys.set(keyid, spki)
      return spki === null ? [] : [{ spki, message, signature }]
    })
  } catch {
    return []
  }
}

function readKey(files: PackContent, keyid: string): Uint8Array | null {
  try {
    return spkiFromPem(decodeText(files.get(keyFile(keyid)) ?? new Uint8Array(), keyid))
  } catch {
    return null
  }
}

function rowOf({ statement, leafIndex, chain }: LoggedStatement): Row {
  const { predicate } = statement
  return {
    leafIndex,
    dated: datedAt(statement),
    kind: evidenceNameOf(statement),
    agent: chain?.agent ?? '',
    set: 'set' in predicate ? (predicate.set ?? '') : '',
    outcome: outcomeOf(statement),
  }
}
