/**
 * A log witness, small and real, made from C2SP tlog-witness: every check that `add-checkpoint` asks for, in its
 * order, and the monitor's way to read what it has cosigned. It keeps its state in memory: for tests only.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sha256Hex } from '@bevis/shared/crypto'
import type { Signer } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { openCheckpoint } from '@bevis/shared/log/checkpoint'
import type { Checkpoint, VerificationKey } from '@bevis/shared/log/checkpoint'
import { parseConsistency } from '@bevis/shared/log/consistency'
import { formatCosignerKey, signCosignature } from '@bevis/shared/log/cosignature'
import { EMPTY_ROOT, verifyConsistency } from '@bevis/shared/log/merkle'

export interface TestWitness {
  readonly url: string
  readonly vkey: string
  /** Logs that it knows, by origin. */
  readonly logs: Map<string, VerificationKey>
  /** What it has cosigned last, by origin. */
  readonly cosigned: Map<string, Checkpoint>
  /** The statuses that it has answered with. */
  readonly answers: number[]
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly type?: string
  readonly body: string
}

export async function startWitness(name: string, signer: Signer): Promise<TestWitness> {
  const logs = new Map<string, VerificationKey>()
  const cosigned = new Map<string, Checkpoint>()
  const answers: number[] = []

  function addCheckpoint(body: string): Answer {
    let request
    try {
      request = parseConsistency(body)
    } catch (error) {
      return { status: 400, body: `malformed: ${String(error)}\n` }
    }
    const key = logs.get(request.checkpoint.split('\n', 1)[0] ?? '')
    if (key === undefined) return { status: 404, body: 'unknown log\n' }
    let head
    try {
      head = openCheckpoint(request.checkpoint, key)
    } catch (error) {
      if (!(error instanceof BevisError)) throw error
      return { status: 403, body: 'invalid signature\n' }
    }
    if (request.from > head.size) return { status: 400, body: 'the old size is above the new one\n' }
    const last = cosigned.get(head.origin)
    if (request.from !== (last?.size ?? 0)) {
      return { status: 409, type: 'text/x.tlog.size', body: `${last?.size ?? 0}\n` }
    }
    if (head.size === 0 && head.root.toHex() !== EMPTY_ROOT.toHex()) {
      return { status: 422, body: 'not the root of an empty tree\n' }
    }
    const extended =
      last === undefined || last.size === 0
        ? request.hashes.length === 0
        : verifyConsistency({
            from: last.size,
            to: head.size,
            fromRoot: last.root,
            toRoot: head.root,
            proof: request.hashes,
          })
    if (!extended) return { status: 422, body: 'the consistency proof does not verify\n' }
    const line = signCosignature(head.note, { name, signer }, new Date())
    cosigned.set(head.origin, { ...head, note: head.note + line })
    return { status: 200, body: line }
  }

  function answer(request: IncomingMessage, body: string): Answer {
    if (request.method === 'POST' && request.url === '/add-checkpoint') return addCheckpoint(body)
    const shown = [...cosigned].find(([origin]) => request.url === `/${sha256Hex(origin)}/checkpoint`)
    return shown === undefined
      ? { status: 404, body: 'nothing here\n' }
      : { status: 200, body: shown[1].note }
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const { status, type = 'text/plain; charset=utf-8', body: text } = answer(request, body)
    answers.push(status)
    response.writeHead(status, { 'content-type': type }).end(text)
  }
  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    vkey: formatCosignerKey(name, signer.spki),
    logs,
    cosigned,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
