import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createPlain } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createSecure } from 'node:https'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openTransport } from './transport.ts'

const now = (): Date => new Date()
let folder: string
let servers: Server[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bevis-transport-'))
  servers = []
})

afterEach(() => {
  for (const server of servers) server.closeAllConnections()
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true })
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** A certificate for 127.0.0.1 that signs itself, as a provider's own authority would. */
function makeCertificate(): { key: Buffer; cert: Buffer; file: string } {
  const [key, file] = [join(folder, 'key.pem'), join(folder, 'ca.pem')]
  const subject = ['-subj', '/CN=collector', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
  const made = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    key,
    '-out',
    file,
  ]
  execFileSync('openssl', ['req', '-x509', ...made, ...subject], { stdio: 'ignore' })
  return { key: readFileSync(key), cert: readFileSync(file), file }
}

test('a collector with a certificate of its own is reached with the configured authority, and only with it', async () => {
  const { file, ...pair } = makeCertificate()
  const port = await listen(createSecure(pair, (_, response) => response.end('{"ok":true}')))
  const url = `https://127.0.0.1:${port}`
  const trusting = openTransport({ url, ca: file }, now)
  expect(await trusting.get('/healthz')).toMatchObject({ status: 200, body: { ok: true } })
  await trusting.close()
  const strict = openTransport({ url }, now)
  await expect(strict.get('/healthz')).rejects.toMatchObject({ code: 'COLLECTOR_UNREACHABLE' })
  await strict.close()
})

test('a file of certificates that is not there is a mistake in the configuration', () => {
  const missing = join(folder, 'none.pem')
  expect(() => openTransport({ url: 'https://127.0.0.1', ca: missing }, now)).toThrow(
    `collector.ca: ${missing} cannot be read`,
  )
})

test('with a proxy, the collector is reached through a tunnel, and its certificate is still checked', async () => {
  const { file, ...pair } = makeCertificate()
  const bodies: string[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    bodies.push(gunzipSync(Buffer.concat(chunks)).toString())
    response.writeHead(429, { 'retry-after': '3' }).end('not JSON')
  }
  const port = await listen(createSecure(pair, (request, response) => void answer(request, response)))
  const tunnels: string[] = []
  const proxy = createPlain()
  proxy.on('connect', (request, client) => {
    tunnels.push(request.url ?? '')
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      upstream.pipe(client)
      client.pipe(upstream)
    })
  })
  const url = `https://127.0.0.1:${port}`
  const proxyUrl = `http://127.0.0.1:${await listen(proxy)}`
  const transport = openTransport({ url, ca: file, proxy: proxyUrl }, now)
  const reply = await transport.post('/v1/evidence', { a: 1 })
  expect(reply).toMatchObject({ status: 429, body: undefined, retryAfterMs: 3_000 })
  expect(tunnels).toEqual([`127.0.0.1:${port}`])
  expect(bodies).toEqual(['{"a":1}'])
  await transport.close()
  const strict = openTransport({ url, proxy: proxyUrl }, now)
  await expect(strict.get('/healthz')).rejects.toMatchObject({ code: 'COLLECTOR_UNREACHABLE' })
  await strict.close()
})

test('an answer that drips without an end, ends; so does one that is too large, and a redirect is not followed', async () => {
  let drip: NodeJS.Timeout | undefined
  const elsewhere: string[] = []
  const other = await listen(
    createPlain((request, response) => response.end(elsewhere.push(request.url ?? ''))),
  )
  const port = await listen(
    createPlain((request, response) => {
      if (request.url === '/drip') drip = setInterval(() => response.write(' '), 20)
      else if (request.url === '/huge') response.end(Buffer.alloc(33 * 1024 * 1024, 32))
      else response.writeHead(307, { location: `http://127.0.0.1:${other}/v1/evidence` }).end()
    }),
  )
  const url = `http://127.0.0.1:${port}`
  const transport = openTransport({ url }, now, { exchangeMs: 1_000 })
  await expect(transport.get('/drip')).rejects.toMatchObject({
    code: 'COLLECTOR_UNREACHABLE',
    message: `${url} does not answer: no whole answer in 1 s`,
  })
  clearInterval(drip)
  const patient = openTransport({ url }, now)
  await expect(patient.get('/huge')).rejects.toMatchObject({ code: 'COLLECTOR_UNREACHABLE' })
  expect(await patient.post('/moved', {})).toMatchObject({ status: 307 })
  expect(elsewhere).toEqual([])
  await transport.close()
  await patient.close()
})

test('who stops the sender ends what is on its way', async () => {
  const port = await listen(createPlain(() => {}))
  const stopping = new AbortController()
  const transport = openTransport({ url: `http://127.0.0.1:${port}` }, now, { signal: stopping.signal })
  const waiting = transport.get('/v1/agents/web/head')
  stopping.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'COLLECTOR_UNREACHABLE' })
  await transport.close()
})
