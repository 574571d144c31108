import { Readable } from 'node:stream'
import type { RequestPayload } from 'fastify'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { BevisError } from '@bevis/shared/error'

const inflate = promisify(gunzip)

/** A body after decompression, with what Fastify needs to know of the time before. */
export interface PlainBody extends Readable {
  receivedEncodedLength: number
}

/**
 * Takes a gzip body in whole, and gives its content; neither may have more than `limit` bytes.
 * @throws BevisError REQUEST_TOO_LARGE, REQUEST_INVALID
 */
export async function gunzipBody(payload: RequestPayload, limit: number): Promise<PlainBody> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of payload as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > limit) throw new BevisError('REQUEST_TOO_LARGE', `a body has at most ${limit} bytes`)
    chunks.push(chunk)
  }
  return Object.assign(Readable.from([await inflateWithin(Buffer.concat(chunks), limit)]), {
    receivedEncodedLength: length,
  })
}

async function inflateWithin(bytes: Buffer, limit: number): Promise<Buffer> {
  try {
    return await inflate(bytes, { maxOutputLength: limit })
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new BevisError('REQUEST_TOO_LARGE', `a body has at most ${limit} bytes after decompression`, {
        cause,
      })
    }
    throw new BevisError('REQUEST_INVALID', 'the body is not gzip, as its content-encoding says', { cause })
  }
}
