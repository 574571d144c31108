/**
 * Asks outside log witnesses to cosign the log's heads (C2SP tlog-witness, `add-checkpoint`). The log is the client:
 * a witness listens, and knows the log's key.
 */
import { encodeBase64 } from '@bevis/shared/base64'
import { sha256Hex } from '@bevis/shared/crypto'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import type { Checkpoint } from '@bevis/shared/log/checkpoint'
import { formatConsistency } from '@bevis/shared/log/consistency'
import { parseCosignerKey } from '@bevis/shared/log/cosignature'
import { parseSignatures } from '@bevis/shared/log/note'
import { cosignedSize } from '../store/read/cosignatures.ts'
import type { Store } from '../store/store.ts'
import { keepCosignature } from './cosignatures.ts'
import type { Log } from './log.ts'

/** An outside log witness: its key, and its submission prefix. */
export interface LogWitness {
  readonly vkey: string
  readonly url: string
}

const TIMEOUT_MS = 20_000
const ANSWER_LIMIT = 65_536

/**
 * Has a head cosigned, unless the witness has cosigned it or a newer one.
 * @throws BevisError COLLECTOR_REFUSED when the witness will not, COLLECTOR_UNREACHABLE when it cannot be asked,
 * LOG_ROLLED_BACK when it can show a newer head of this log than this log has
 */
export async function submitHead(
  { store, log, now }: { store: Store; log: Log; now: () => Date },
  witness: LogWitness,
  head: Checkpoint,
): Promise<'cosigned' | 'known'> {
  const { name } = parseCosignerKey(witness.vkey)
  let from = await cosignedSize(store.db, witness.vkey)
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (from >= head.size) return 'known'
    const hashes = (await log.consistency(from, head)).map((hash) => Uint8Array.fromBase64(hash))
    const body = formatConsistency({ from, hashes, checkpoint: head.note })
    const { status, text } = await ask(`${witness.url}/add-checkpoint`, body)
    if (status === 200) {
      await keepCosignature(store, { note: cosignedNote(head, text), vkey: witness.vkey }, now())
      return 'cosigned'
    }
    const size = /^(0|[1-9]\d{0,15})\n$/.exec(text)?.[1]
    if (status !== 409 || size === undefined) {
      throw new BevisError(
        'COLLECTOR_REFUSED',
        `the log witness ${name} answered ${status}: ${text.slice(0, 200)}`,
      )
    }
    from = Number(size)
    if (from > head.size) await assertNotAhead(log, witness, head, from)
  }
  throw new BevisError('COLLECTOR_REFUSED', `the log witness ${name} says another size each time`)
}

/** The head with the lines of the answer that are signatures; anybody else's among them are left unread. */
function cosignedNote(head: Checkpoint, text: string): string {
  parseSignatures(text)
  return head.note + text
}

/**
 * A witness that has seen more of this log than there is knows that the log was set back. Its word alone stops
 * nothing: it must show the head, signed by this log's key. (`from` may also be ahead of an older head that we
 * asked about, which is no matter.)
 */
async function assertNotAhead(log: Log, witness: LogWitness, head: Checkpoint, size: number): Promise<void> {
  const newest = await log.head()
  if (size <= newest.size) return
  const { status, text } = await ask(`${witness.url}/${sha256Hex(head.origin)}/checkpoint`)
  if (status !== 200) return
  const shown = log.open(text)
  if (shown.size <= newest.size) return
  const error = new BevisError(
    'LOG_ROLLED_BACK',
    `the database ends at ${newest.size} entries, and ${witness.url} shows a head of ${shown.size} that this log signed, ` +
      `root ${encodeBase64(shown.root)}`,
  )
  log.refuse(error)
  throw error
}

async function ask(url: string, body?: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      ...(body !== undefined && { body }),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await readText(response)
    return { status: response.status, text }
  } catch (cause) {
    if (cause instanceof BevisError) throw cause
    throw new BevisError('COLLECTOR_UNREACHABLE', `${url} does not answer: ${errorMessageOf(cause)}`, {
      cause,
    })
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > ANSWER_LIMIT)
      throw new BevisError('COLLECTOR_REFUSED', 'a log witness answers in a few lines')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
