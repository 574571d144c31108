/** The verifier beside the page: it may take its time without the page standing still. */
import { config } from 'zod'
import { errorCodeOf, errorMessageOf } from '../../error.ts'
import { openEnvelope } from '../../evidence/envelope.ts'
import { evidenceNameOf } from '../../evidence/statement.ts'
import { spkiFromPem } from '../../key.ts'
import type { LoggedStatement } from '../log.ts'
import { PACK_FILES, decodeText, isPackFile, keyFile, linesOf } from '../pack.ts'
import { examineStamps } from '../stamps.ts'
import { datedAt, outcomeOf } from '../table.ts'
import { mergeTrust, parseTrust } from '../trust.ts'
import type { Trust } from '../trust.ts'
import { reportUnreadable, verifyPack } from '../verify-pack.ts'
import { openZip } from '../zip.ts'
import type { ByteSource, PackContent } from '../zip.ts'
import { verifyAhead } from './crypto.ts'
import type { Claim } from './crypto.ts'
import type { Answer, Question, Row } from './message.ts'

// The page's policy forbids code that is made of text, which zod would otherwise try for speed.
config({ jitless: true })

/** A worker's own ways, which the types of a page do not have. */
declare const FileReaderSync: new () => { readAsArrayBuffer(blob: Blob): ArrayBuffer }
declare function postMessage(answer: Answer): void

const SIGNATURES_AT_ONCE = 64

let statements: LoggedStatement[] = []

addEventListener('message', (event: MessageEvent<Question>) => {
  const question = event.data
  if (question.kind === 'verify') {
    verify(question).catch((error: unknown) => postMessage({ kind: 'failed', why: errorMessageOf(error) }))
    return
  }
  const found = statements[question.row]
  if (found === undefined) return
  const { statement, paeDigest: digest } = found
  postMessage({ kind: 'statement', row: question.row, statement, digest })
})

async function verify({ pack, trust: texts }: Question & { kind: 'verify' }): Promise<void> {
  statements = []
  postMessage({ kind: 'progress', step: 'reading', part: 0 })
  const trust = readTrust(texts)
  let files: PackContent
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
  const report = verifyPack({ files, trust, stamps, onStatement: (statement) => statements.push(statement) })
  if (report.exit === 1) statements = []
  postMessage({ kind: 'report', report, rows: statements.map(rowOf) })
}

function readTrust(texts: readonly { name: string; text: string }[]): Trust | null {
  const [first, ...others] = texts.map(({ name, text }) => parseTrust(text, name))
  return first === undefined ? null : mergeTrust(first, ...others)
}

/** A browser takes a while for each read, however small it is; the thousands of proofs lie side by side. */
const WINDOW_BYTES = 4 * 2 ** 20

function sourceOf(file: File): ByteSource {
  const reader = new FileReaderSync()
  const load = (from: number, to: number) => new Uint8Array(reader.readAsArrayBuffer(file.slice(from, to)))
  let [start, loaded] = [0, new Uint8Array()]
  return {
    sizeBytes: file.size,
    read(from, to) {
      if (to - from > WINDOW_BYTES) return load(from, to)
      if (from < start || to > start + loaded.length) {
        start = from
        loaded = load(from, Math.min(from + WINDOW_BYTES, file.size))
      }
      return loaded.subarray(from - start, to - start)
    },
  }
}

/**
 * A signature takes JavaScript milliseconds and the browser's own code a fraction of one, but only asynchronously. So
 * it is asked first; what it cannot read or does not confirm is left to the verifier, which decides and tells.
 */
async function verifySignaturesAhead(files: PackContent): Promise<void> {
  const evidence = files.get(PACK_FILES.evidence)
  if (evidence === undefined) return
  const keys = new Map<string, Uint8Array | null>()
  let [claims, readBytes]: [Claim[], number] = [[], 0]
  for (const { text } of linesOf(evidence, PACK_FILES.evidence)) {
    claims.push(...claimsOf(files, keys, text))
    readBytes += text.length + 1
    if (claims.length < SIGNATURES_AT_ONCE) continue
    await verifyAhead(claims)
    claims = []
    postMessage({ kind: 'progress', step: 'signatures', part: readBytes / evidence.length })
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
