import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { BevisError } from '@bevis/shared/error'
import { Agent, ProxyAgent, request } from 'undici'
import type { Dispatcher } from 'undici'

/** An answer over HTTP, whatever its status. */
export interface Reply {
  readonly status: number
  /** JSON, parsed; undefined when the body was none. */
  readonly body: unknown
  /** The body as it came, and as UTF-8. */
  readonly bytes: Uint8Array
  readonly text: string
  /** The Date header. */
  readonly date: string | undefined
  /** What Retry-After asks for; null without one. */
  readonly retryAfterMs: number | null
  readonly sentAt: Date
  readonly answeredAt: Date
}

/** The way to the collector. */
export interface Transport {
  /** @throws BevisError COLLECTOR_UNREACHABLE when no whole answer came */
  post(path: string, body: unknown, signal?: AbortSignal): Promise<Reply>
  /** A body that is a text of its own kind, as it is. */
  postText(path: string, text: string, signal?: AbortSignal): Promise<Reply>
  get(path: string, signal?: AbortSignal, headers?: Readonly<Record<string, string>>): Promise<Reply>
  close(): Promise<void>
}

/** More than any answer to a full batch has. */
const REPLY_LIMIT_BYTES = 32 * 1024 * 1024
/** Without a byte. */
const TIMEOUT_MS = 60_000
/** For a whole exchange: a full batch has this long on the slowest line, and an answer that drips ends at last. */
const EXCHANGE_MS = 10 * 60_000

/**
 * @param options.signal ends whatever is on its way
 * @throws BevisError CONFIG_INVALID when the file of certificates cannot be read
 */
export function openTransport(
  collector: { url: string; ca?: string | undefined; proxy?: string | undefined },
  now: () => Date,
  { signal: stop, exchangeMs = EXCHANGE_MS }: { signal?: AbortSignal | undefined; exchangeMs?: number } = {},
): Transport {
  const dispatcher = openDispatcher(collector)

  const exchange = async (
    method: 'GET' | 'POST',
    path: string,
    body: Buffer | string | null,
    signal: AbortSignal | undefined,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<Reply> => {
    const sentAt = now()
    const ending = AbortSignal.timeout(exchangeMs)
    try {
      const {
        statusCode,
        headers,
        body: stream,
      } = await request(collector.url + path, {
        method,
        dispatcher,
        headers: {
          accept: 'application/json, application/problem+json',
          ...headersOf(body),
          ...extra,
        },
        body,
        signal: AbortSignal.any([ending, stop, signal].filter((one) => one !== undefined)),
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: TIMEOUT_MS,
      })
      const bytes = await readLimited(stream)
      const text = bytes.toString('utf8')
      const date = headers['date']
      const retryAfter = Number(headers['retry-after'])
      return {
        status: statusCode,
        body: parseBody(text),
        bytes,
        text,
        date: typeof date === 'string' ? date : undefined,
        retryAfterMs: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter * 1000 : null,
        sentAt,
        answeredAt: now(),
      }
    } catch (cause) {
      if (cause instanceof BevisError) throw cause
      const reason = ending.aborted ? `no whole answer in ${exchangeMs / 1000} s` : reasonOf(cause)
      throw new BevisError('COLLECTOR_UNREACHABLE', `${collector.url} does not answer: ${reason}`, { cause })
    }
  }

  return {
    post: (path, body, signal) => exchange('POST', path, gzipSync(JSON.stringify(body)), signal),
    postText: (path, text, signal) => exchange('POST', path, text, signal),
    get: (path, signal, headers) => exchange('GET', path, null, signal, headers),
    close: () => dispatcher.destroy(),
  }
}

function headersOf(body: Buffer | string | null): Record<string, string> {
  if (body === null) return {}
  return typeof body === 'string'
    ? { 'content-type': 'text/plain' }
    : { 'content-type': 'application/json', 'content-encoding': 'gzip' }
}

function openDispatcher(collector: { ca?: string | undefined; proxy?: string | undefined }): Dispatcher {
  let ca: string | undefined
  try {
    ca = collector.ca === undefined ? undefined : readFileSync(collector.ca, 'utf8')
  } catch (cause) {
    throw new BevisError('CONFIG_INVALID', `collector.ca: ${collector.ca} cannot be read`, { cause })
  }
  const tls = ca === undefined ? {} : { ca }
  return collector.proxy === undefined
    ? new Agent({ connections: 2, connect: { timeout: 10_000, ...tls } })
    : new ProxyAgent({ uri: collector.proxy, requestTls: tls })
}

async function readLimited(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream) {
    length += chunk.length
    if (length > REPLY_LIMIT_BYTES) {
      throw new BevisError('COLLECTOR_UNREACHABLE', `the answer has more than ${REPLY_LIMIT_BYTES} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string'
    ? `${error.code} ${error.message}`.trim()
    : error.message
}
