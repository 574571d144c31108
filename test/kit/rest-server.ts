import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A real restic-rest-server. */
export interface RestServer {
  /** As restic takes it, with the folder `set` of the served one. */
  url: string
  kill(): Promise<void>
  start(): Promise<void>
}

/** It ends with the test. */
export async function restServer(
  program: string,
  folder: string,
  options: readonly string[] = [],
): Promise<RestServer> {
  const server = await openRestServer(program, folder, options)
  onTestFinished(() => server.kill())
  return server
}

export async function openRestServer(
  program: string,
  folder: string,
  options: readonly string[] = [],
): Promise<RestServer> {
  let stop = async (): Promise<void> => {}
  /** A port of 0 is one that the system chooses: whoever looks for a free one first may find it taken. */
  const listen = async (port: number): Promise<number> => {
    const address = `127.0.0.1:${port}`
    const args = ['--no-auth', '--listen', address, '--path', folder, ...options]
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = once(child, 'exit')
    stop = async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await ended
    }
    let said = ''
    const told = new Promise<number>((resolve) => {
      const hear = (chunk: Buffer): void => {
        said += chunk.toString()
        const [, own] = /start server on 127\.0\.0\.1:(\d+)/.exec(said) ?? []
        if (own !== undefined) resolve(Number(own))
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
    })
    const over = ended.then(() => Promise.reject(new Error(`${program} does not listen: ${said}`)))
    return Promise.race([told, over])
  }
  const port = await listen(0)
  const start = async (): Promise<void> => void (await listen(port))
  return { url: `rest:http://127.0.0.1:${port}/set`, kill: () => stop(), start }
}

/** What happens to a request on its way; `gone`: and to all that come after it; null: it goes through. */
export type Mishap = (
  request: IncomingMessage,
  response: ServerResponse,
) => 'stall' | 'reset' | 'cut' | 'gone' | number | null

/** As {@link openFaultyWay}, until the test ends. */
export async function faultyWay(server: string, mishap: Mishap): Promise<string> {
  const way = await openFaultyWay(server, mishap)
  onTestFinished(() => way.close())
  return way.url
}

/** Stands between restic and a rest-server, and lets happen to each request what `mishap` says. */
export async function openFaultyWay(server: string, mishap: Mishap): Promise<{ url: string; close(): void }> {
  const target = new URL(server.replace(/^rest:/, ''))
  const close = (): void => {
    proxy.close()
    proxy.closeAllConnections()
  }
  const proxy = createServer((incoming, response) => {
    const what = mishap(incoming, response)
    if (what === 'stall') return
    if (what === 'gone') return close()
    if (what === 'reset') return void incoming.socket.destroy()
    if (typeof what === 'number') return void response.writeHead(what).end()
    const { url: path, method, headers } = incoming
    const onward = request({ host: target.hostname, port: target.port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      if (what === null) return void answer.pipe(response)
      answer.once('data', (bytes: Buffer) => {
        response.write(bytes.subarray(0, bytes.length / 2), () => incoming.socket.destroy())
      })
    })
    onward.on('error', () => incoming.socket.destroy())
    incoming.pipe(onward)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return { url: `rest:http://127.0.0.1:${(proxy.address() as AddressInfo).port}${target.pathname}`, close }
}
