/** X.509 certificates of time stamping authorities (RFC 5280), as far as a time stamp needs them. */
import { fromBER } from 'asn1js'
import { BasicConstraints, Certificate as Parsed, ExtKeyUsage, RSAPublicKey } from 'pkijs'
import type { Extension, RelativeDistinguishedNames } from 'pkijs'
import { BevisError } from '../error.ts'
import { encodeHex } from '../hex.ts'

export interface Certificate {
  readonly der: Uint8Array
  readonly parsed: Parsed
}

const KEY_USAGE = '2.5.29.15'
const BASIC_CONSTRAINTS = '2.5.29.19'
const CERTIFICATE_POLICIES = '2.5.29.32'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8'

/** What a critical extension may be: of another one, nobody here knows what it forbids. */
const UNDERSTOOD = new Set([KEY_USAGE, BASIC_CONSTRAINTS, CERTIFICATE_POLICIES, EXTENDED_KEY_USAGE])

/** Signatures in certificates: RSA and ECDSA, with SHA-256 or better. */
const SIGNATURES = new Set([
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
])

const DIGITAL_SIGNATURE = 0x80
const NON_REPUDIATION = 0x40
const CERTIFICATE_SIGNING = 0x04
const RSA_BYTES_MIN = 256
const DEPTH_MAX = 8
/** Certificates that all signed each other make more ways than anybody can try. */
const LINKS_MAX = 100
const PEM_LIMIT = 1024 * 1024

export const invalid = (why: string, cause?: unknown) => new BevisError('TIMESTAMP_INVALID', why, { cause })

/** @throws BevisError TIMESTAMP_INVALID */
export function parseCertificate(der: Uint8Array): Certificate {
  const { offset, result } = fromBER(new Uint8Array(der))
  if (offset !== der.length) throw invalid('a certificate that is no DER, or is followed by something')
  try {
    return { der, parsed: new Parsed({ schema: result }) }
  } catch (cause) {
    throw invalid('not an X.509 certificate', cause)
  }
}

/**
 * Every certificate of a PEM file, as an authority's trust chain is handed out.
 * @throws BevisError TIMESTAMP_INVALID when there is none, or one cannot be read
 */
export function readCertificates(pem: string): Certificate[] {
  if (pem.length > PEM_LIMIT) throw invalid('more than 1 MiB of certificates')
  const blocks = [
    ...pem.matchAll(/-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g),
  ]
  if (blocks.length === 0) throw invalid('no certificate in PEM')
  return blocks.map(([, body = '']) => {
    let text: string
    try {
      text = atob(body.replace(/\s+/g, ''))
    } catch (cause) {
      throw invalid('a certificate in PEM is not base64', cause)
    }
    return parseCertificate(Uint8Array.from(text, (one) => one.charCodeAt(0)))
  })
}

/** `CN=…, O=…`, for people. */
export function nameOf({ typesAndValues }: RelativeDistinguishedNames): string {
  const short: Record<string, string> = { '2.5.4.3': 'CN', '2.5.4.6': 'C', '2.5.4.10': 'O', '2.5.4.11': 'OU' }
  return typesAndValues
    .map(
      ({ type, value }) => `${short[type] ?? type}=${String(value.valueBlock.value).replace(/\p{C}/gu, '?')}`,
    )
    .join(', ')
}

/**
 * That the certificate is for time stamping and nothing else: the usage is critical and alone (RFC 3161, 2.3).
 * @throws BevisError TIMESTAMP_INVALID
 */
export function assertStamps({ parsed }: Certificate): void {
  const usage = extensionOf(parsed, EXTENDED_KEY_USAGE)
  const purposes = usage?.parsedValue instanceof ExtKeyUsage ? usage.parsedValue.keyPurposes : []
  if (usage?.critical !== true || purposes.length !== 1 || purposes[0] !== TIME_STAMPING) {
    throw invalid('its certificate is not for time stamping alone (critical extended key usage)')
  }
  const bits = keyUsageOf(parsed)
  if (bits !== null && (bits & (DIGITAL_SIGNATURE | NON_REPUDIATION)) === 0)
    throw invalid('the key of its certificate is not for signatures')
}

/**
 * The chain from a certificate to one of the roots, each link valid at an instant; gives until when all are.
 * @throws BevisError TIMESTAMP_INVALID
 */
export async function assertTrusted(
  leaf: Certificate,
  others: readonly Certificate[],
  roots: readonly Certificate[],
  at: Date,
): Promise<{ validUntil: Date }> {
  assertValid(leaf, at)
  const trusted = new Set(roots.map(({ der }) => encodeHex(der)))
  const issuers = [...roots, ...others]
  let links = 0

  /** Tries every issuer; the first chain that holds counts. */
  async function climb(one: Certificate, depth: number): Promise<Date | null> {
    const until = one.parsed.notAfter.value
    if (trusted.has(encodeHex(one.der))) return until
    if (depth >= DEPTH_MAX) return null
    for (const issuer of issuers) {
      if (issuer.der === one.der || !issuer.parsed.subject.isEqual(one.parsed.issuer)) continue
      if (!maySign(issuer, depth, at)) continue
      links += 1
      if (links > LINKS_MAX) throw invalid('its certificates lead more ways than can be tried')
      if (!(await isSignedBy(one, issuer))) continue
      const above = await climb(issuer, depth + 1)
      if (above !== null) return above < until ? above : until
    }
    return null
  }

  const validUntil = await climb(leaf, 0)
  if (validUntil === null) throw invalid('its certificate leads to none of the roots that are trusted')
  return { validUntil }
}

function assertValid({ parsed }: Certificate, at: Date): void {
  if (!isValidAt(parsed, at)) throw invalid('its certificate was not valid at the time that it states')
  const unknown = criticalOf(parsed).find((id) => !UNDERSTOOD.has(id))
  if (unknown !== undefined) throw invalid(`its certificate demands ${unknown}, which is not understood here`)
}

function maySign({ parsed }: Certificate, below: number, at: Date): boolean {
  const basic = extensionOf(parsed, BASIC_CONSTRAINTS)?.parsedValue
  if (!(basic instanceof BasicConstraints) || !basic.cA) return false
  // The certificates between this one and the leaf.
  if (typeof basic.pathLenConstraint === 'number' && basic.pathLenConstraint < below) return false
  const bits = keyUsageOf(parsed)
  if (bits !== null && (bits & CERTIFICATE_SIGNING) === 0) return false
  return isValidAt(parsed, at) && criticalOf(parsed).every((id) => UNDERSTOOD.has(id))
}

async function isSignedBy(one: Certificate, issuer: Certificate): Promise<boolean> {
  if (!SIGNATURES.has(one.parsed.signatureAlgorithm.algorithmId) || isWeak(issuer)) return false
  try {
    return await one.parsed.verify(issuer.parsed)
  } catch {
    return false
  }
}

/** RSA keys below 2048 bits. */
export function isWeak({ parsed }: Certificate): boolean {
  const key = parsed.subjectPublicKeyInfo.parsedKey
  if (!(key instanceof RSAPublicKey)) return false
  const modulus = key.modulus.valueBlock.valueHexView
  return modulus.length - (modulus[0] === 0 ? 1 : 0) < RSA_BYTES_MIN
}

function isValidAt({ notBefore, notAfter }: Parsed, at: Date): boolean {
  return notBefore.value <= at && at <= notAfter.value
}

function criticalOf({ extensions = [] }: Parsed): string[] {
  return extensions.filter(({ critical }) => critical).map(({ extnID }) => extnID)
}

function extensionOf({ extensions = [] }: Parsed, id: string): Extension | undefined {
  const found = extensions.filter(({ extnID }) => extnID === id)
  return found.length === 1 ? found[0] : undefined
}

/** The first byte of the key usage; null when the certificate names none. */
function keyUsageOf(parsed: Parsed): number | null {
  const usage = extensionOf(parsed, KEY_USAGE)
  if (usage === undefined) return null
  const value: unknown = usage.parsedValue
  if (typeof value !== 'object' || value === null || !('valueBlock' in value)) return 0
  const { valueBlock } = value
  if (typeof valueBlock !== 'object' || valueBlock === null || !('valueHexView' in valueBlock)) return 0
  return valueBlock.valueHexView instanceof Uint8Array ? (valueBlock.valueHexView[0] ?? 0) : 0
}
