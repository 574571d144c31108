import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { encodeBase64 } from '@bevis/shared/base64'
import { generateSigningKey, signerFromPem } from '@bevis/shared/crypto'
import type { Signer } from '@bevis/shared/crypto'
import { openEnvelope } from '@bevis/shared/evidence/envelope'
import { parseStatement } from '@bevis/shared/evidence/statement'
import { signCheckpoint, formatVkey } from '@bevis/shared/log/checkpoint'
import { formatEntry } from '@bevis/shared/log/entry'
import {
  appendLeaves,
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  rootOf,
} from '@bevis/shared/log/merkle'
import type { ReadNodes } from '@bevis/shared/log/merkle'
import { formatProof } from '@bevis/shared/log/proof'
import { enrolRequestSchema, evidenceRequestSchema } from '@bevis/shared/wire'
import type { Answer, EvidenceResponse } from '@bevis/shared/wire'

/** The part of a collector that the outbox needs, in memory, over the real log: for tests only. */
export interface TestLog {
  readonly url: string
  readonly vkey: string
  /** Leaves: the statement of each, in log order. */
  readonly leaves: string[]
  /** Requests that reached it. */
  requests: number
  /** What the next answers become instead of the honest one; taken one by one. */
  readonly faults: Fault[]
  /** The clock it answers with. */
  now: () => Date
  /** Takes statements that this key signed; enrolment does it too. */
  trust(spki: Uint8Array, keyid: string): void
  /** Forgets its newest leaves, as a database restored from an old backup does. */
  rollBack(leaves: number): void
  close(): Promise<void>
}

/** Takes the honest answer, sends what it likes. `work` has happened already. */
export type Fault = (response: ServerResponse, honest: EvidenceResponse, log: { signer: Signer }) => void

const ORIGIN = 'log.example.net/test'

export async function startTestLog(): Promise<TestLog> {
  const signer = signerFromPem(generateSigningKey().privatePem)
  const hashes: Uint8Array[] = []
  const indexOf = new Map<string, { index: number; receivedAt: string }>()
  const spkis = new Map<string, Uint8Array>()

  /** A tree of test size is simply built anew when it has changed. */
  let nodes: Map<string, Uint8Array> | null = null
  const read: ReadNodes = (ids) => {
    const built = (nodes ??= new Map(
      appendLeaves(0, [], hashes).nodes.map(({ id, hash }) => [`${id.level}/${id.index}`, hash]),
    ))
    return Promise.resolve(ids.map(({ level, index }) => built.get(`${level}/${index}`) ?? EMPTY_ROOT))
  }

  const append = (envelope: unknown): void => {
    const opened = openEnvelope(envelope)
    nodes = null
    for (const [position, { keyid, sig }] of opened.signatures.entries()) {
      const spki = spkis.get(keyid)
      if (spki === undefined) throw new Error(`unknown key ${keyid}`)
      if (position === 0)
        indexOf.set(opened.paeDigest, { index: hashes.length, receivedAt: log.now().toISOString() })
      hashes.push(leafHash(formatEntry({ paeDigest: opened.paeDigest, signature: sig, spki })))
      log.leaves.push(opened.paeDigest)
    }
  }

  const checkpoint = async (): Promise<string> => {
    const root = await rootOf(hashes.length, read)
    return signCheckpoint({ origin: ORIGIN, size: hashes.length, root }, signer).note
  }

  const proofOf = async (index: number, note: string): Promise<string> => {
    const path = await inclusionProof(index, hashes.length, read)
    return formatProof({ index, hashes: path, checkpoint: note })
  }

  const answerEvidence = async (body: unknown): Promise<EvidenceResponse> => {
    const { from, envelopes } = evidenceRequestSchema.parse(body)
    const opened = envelopes.map((envelope) => openEnvelope(envelope))
    const known = opened.map(({ paeDigest }) => indexOf.has(paeDigest))
    opened.forEach(({ envelope }, position) => known[position] || append(envelope))
    const note = await checkpoint()
    const proof = from === 0 || from >= hashes.length ? [] : await consistencyProof(from, hashes.length, read)
    const answers: Answer[] = []
    for (const [position, { paeDigest }] of opened.entries()) {
      const { index, receivedAt } = indexOf.get(paeDigest) ?? { index: 0, receivedAt: '' }
      const outcome = known[position] === true ? 'duplicate' : 'logged'
      answers.push({ pae: paeDigest, outcome, receivedAt, proof: await proofOf(index, note) })
    }
    return { checkpoint: note, consistency: proof.map(encodeBase64), answers }
  }

  const answerEnrolment = async (body: unknown): Promise<unknown> => {
    const { envelope, key } = enrolRequestSchema.parse(body)
    const opened = openEnvelope(envelope)
    spkis.set(opened.signatures[0]?.keyid ?? '', Uint8Array.fromBase64(key))
    if (!indexOf.has(opened.paeDigest)) append(envelope)
    const { index, receivedAt } = indexOf.get(opened.paeDigest) ?? { index: 0, receivedAt: '' }
    const note = await checkpoint()
    const proofs = await Promise.all(opened.signatures.map((_, position) => proofOf(index + position, note)))
    const { predicate } = parseStatement(opened.payload)
    const { tenant = '', agent = '' } = 'chain' in predicate ? predicate.chain : {}
    return { tenant, agent, receivedAt, checkpoint: note, proofs }
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    log.requests++
    if (request.url === '/log/checkpoint') {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(await checkpoint())
      return
    }
    if (request.method === 'GET') {
      sendJson(response, 404, { type: 'about:blank', title: 'no', status: 404, code: 'NOT_FOUND' })
      return
    }
    const body = JSON.parse(gunzipSync(await readBody(request)).toString()) as unknown
    response.setHeader('date', log.now().toUTCString())
    const fault = log.faults.shift()
    if (request.url === '/v1/enrol') {
      const honest = await answerEnrolment(body)
      if (fault === undefined) sendJson(response, 200, honest)
      else fault(response, honest as EvidenceResponse, { signer })
      return
    }
    const honest = await answerEvidence(body)
    if (fault === undefined) sendJson(response, 200, honest)
    else fault(response, honest, { signer })
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      sendJson(response, 500, { type: 'about:blank', title: String(error), status: 500, code: 'INTERNAL' })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0

  const log: TestLog = {
    url: `http://127.0.0.1:${port}`,
    vkey: formatVkey(ORIGIN, signer.spki),
    leaves: [],
    requests: 0,
    faults: [],
    now: () => new Date(),
    trust: (spki, keyid) => void spkis.set(keyid, spki),
    rollBack(leaves) {
      nodes = null
      hashes.splice(-leaves)
      for (const pae of log.leaves.splice(-leaves)) indexOf.delete(pae)
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return log
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
