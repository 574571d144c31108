/** Asks a time stamping authority over HTTP (RFC 3161, 3.4), with an end to its patience. */
import { randomBytes } from 'node:crypto'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import type { Certificate } from '@bevis/shared/time/certificate'
import { formatQuery, nonceOf, readToken, TOKEN_LIMIT_BYTES } from '@bevis/shared/time/query'
import { verifyTimestamp } from '@bevis/shared/time/timestamp'
import type { Timestamp } from '@bevis/shared/time/timestamp'

/** An authority, as the configuration names it. */
export interface Authority {
  readonly url: string
  readonly roots: readonly Certificate[]
  readonly policy?: string | undefined
}

const ANSWER_LIMIT_BYTES = TOKEN_LIMIT_BYTES + 1_024

/**
 * A verified stamp over a SHA-256.
 * @throws BevisError TSA_UNREACHABLE, TIMESTAMP_INVALID
 */
export async function askForStamp(
  { url, roots, policy }: Authority,
  digest: Uint8Array,
  timeoutMs: number,
): Promise<{ token: Uint8Array; stamp: Timestamp }> {
  const nonce = nonceOf(randomBytes(8))
  const response = await post(url, formatQuery(digest, nonce), timeoutMs)
  const token = readToken(response)
  return { token, stamp: await verifyTimestamp({ token, digest, roots, policy, nonce }) }
}

async function post(url: string, query: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
      body: new Uint8Array(query),
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    })
    if (!response.ok) throw new Error(`it answers ${response.status}`)
    return await readBounded(response)
  } catch (cause) {
    const why = cause instanceof Error && cause.cause !== undefined ? errorMessageOf(cause.cause) : ''
    throw new BevisError('TSA_UNREACHABLE', `${url}: ${errorMessageOf(cause)} ${why}`.trimEnd(), { cause })
  }
}

async function readBounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > ANSWER_LIMIT_BYTES) throw new Error('it answers with more than a stamp')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
