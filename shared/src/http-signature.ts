/**
 * How an agent signs a request that carries no evidence: HTTP Message Signatures (RFC 9421), one profile of it.
 * Covered are the method and the path; `tag` names the log, so that a request for one collector is none for
 * another; `created` bounds how long it can be played again (it asks, and changes nothing, so the same question
 * would only give the same answer to whoever could already read it).
 */
import { decodeBase64, encodeBase64 } from './base64.ts'
import { verifySignature } from './crypto.ts'
import type { Signer } from './crypto.ts'
import { BevisError } from './error.ts'

/** Further than this from the reader's clock, a request is not believed. */
const REQUEST_TOLERANCE_MS = 5 * 60_000

export interface SignableRequest {
  readonly method: string
  /** From `/v1`, without a query, whatever a proxy has put before it. */
  readonly path: string
  /** Of the collector's log. */
  readonly origin: string
}

/** The two headers of RFC 9421, section 4. */
export interface SignatureHeaders {
  readonly 'signature-input': string
  readonly signature: string
}

/** @param at by the reader's clock, as well as the sender knows it */
export function signRequest(request: SignableRequest, signer: Signer, at: Date): SignatureHeaders {
  const params = paramsOf(Math.floor(at.getTime() / 1000), signer.keyid, request.origin)
  const signature = signer.sign(baseOf(request, params))
  return { 'signature-input': `bevis=${params}`, signature: `bevis=:${encodeBase64(signature)}:` }
}

/** Which key a request says it is signed with: a hint. Null when it is not signed in this profile. */
export function keyidOfRequest(headers: Partial<SignatureHeaders>): string | null {
  return INPUT.exec(headers['signature-input'] ?? '')?.[3] ?? null
}

/** @throws BevisError SIGNATURE_INVALID */
export function assertRequestSignature(
  request: SignableRequest,
  headers: Partial<SignatureHeaders>,
  spki: Uint8Array,
  now: Date,
): void {
  const [, params, created, keyid] = INPUT.exec(headers['signature-input'] ?? '') ?? []
  const text = SIGNATURE.exec(headers.signature ?? '')?.[1]
  if (params === undefined || keyid === undefined || text === undefined)
    throw refused('the request is not signed as agents sign')
  // The parameters are made anew: what was signed can have only one form, and only this log's name.
  const expected = paramsOf(Number(created), keyid, request.origin)
  const isSigned = params === expected && verifySignature(spki, baseOf(request, expected), decodeBase64(text))
  if (!isSigned) throw refused('the request’s signature does not fit it')
  const offMs = Math.abs(now.getTime() - Number(created) * 1000)
  if (offMs > REQUEST_TOLERANCE_MS)
    throw refused(`the request was signed ${Math.round(offMs / 1000)} s from now: set this host’s clock`)
}

const INPUT =
  /^bevis=(\("@method" "@path"\);created=(\d{1,12});keyid="([0-9a-f]{64})";alg="ed25519";tag="bevis-agent [\x21\x23-\x5b\x5d-\x7e]{1,512}")$/
const SIGNATURE = /^bevis=:([A-Za-z0-9+/]{86}==):$/

function paramsOf(createdSeconds: number, keyid: string, origin: string): string {
  return `("@method" "@path");created=${createdSeconds};keyid="${keyid}";alg="ed25519";tag="bevis-agent ${origin}"`
}

/** RFC 9421, section 2.5. */
function baseOf({ method, path }: SignableRequest, params: string): Uint8Array {
  const lines = [`"@method": ${method}`, `"@path": ${path}`, `"@signature-params": ${params}`]
  return new TextEncoder().encode(lines.join('\n'))
}

function refused(message: string): BevisError {
  return new BevisError('SIGNATURE_INVALID', message)
}
