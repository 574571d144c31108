/**
 * Verifies RFC 3161 time stamps. pkijs reads the structures and checks signatures; what it leaves out is checked
 * here: that the certificate is for time stamping alone, that the signed attributes name just this certificate
 * (RFC 5816, ESSCertIDv2), digest, nonce, policy, and the chain to roots that somebody chose.
 */
import { Constructed, fromBER, ObjectIdentifier, OctetString, Sequence } from 'asn1js'
import type { BaseBlock } from 'asn1js'
import {
  Certificate as Parsed,
  ContentInfo,
  getEngine,
  IssuerAndSerialNumber,
  SignedData,
  TSTInfo,
} from 'pkijs'
import type { SignerInfo } from 'pkijs'
import { sha256 } from '../crypto.ts'
import { encodeHex } from '../hex.ts'
import { assertStamps, assertTrusted, invalid, isWeak, nameOf, parseCertificate } from './certificate.ts'
import type { Certificate } from './certificate.ts'
import { TOKEN_LIMIT_BYTES } from './query.ts'

const SIGNED_DATA = '1.2.840.113549.1.7.2'
const TST_INFO = '1.2.840.113549.1.9.16.1.4'
const CONTENT_TYPE = '1.2.840.113549.1.9.3'
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4'
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47'
const SHA256 = '2.16.840.1.101.3.4.2.1'
const HASHES: Record<string, 'SHA-256' | 'SHA-384' | 'SHA-512'> = {
  [SHA256]: 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
}
/** The signature's own digest, where its identifier names one, must be the one of the attributes. */
const SIGNATURES: Record<string, 'SHA-256' | 'SHA-384' | 'SHA-512' | 'any'> = {
  '1.2.840.113549.1.1.1': 'any',
  '1.2.840.113549.1.1.11': 'SHA-256',
  '1.2.840.113549.1.1.12': 'SHA-384',
  '1.2.840.113549.1.1.13': 'SHA-512',
  '1.2.840.10045.4.3.2': 'SHA-256',
  '1.2.840.10045.4.3.3': 'SHA-384',
  '1.2.840.10045.4.3.4': 'SHA-512',
}

/** What a verified stamp says. Instants as texts, like everywhere. */
export interface Timestamp {
  /** When the authority says that it saw the digest. */
  readonly genTime: string
  /** It may be off by this, either way. */
  readonly accuracyMs: number
  /** The authority's policy, an OID. */
  readonly policy: string
  /** Of the token at this authority, hex. */
  readonly serial: string
  /** The subject of the certificate that signed. */
  readonly authority: string
  /** Until when every certificate of its chain is valid: after that, a newer stamp must vouch for this one. */
  readonly validUntil: string
}

export interface TimestampQuestion {
  /** DER of the token (a CMS ContentInfo). */
  readonly token: Uint8Array
  /** SHA-256 of what it is to stamp, 32 bytes. */
  readonly digest: Uint8Array
  /** The certificates that are trusted, by whoever asks; never the token's own. */
  readonly roots: readonly Certificate[]
  /** An OID; any policy of the authority when left out. */
  readonly policy?: string | undefined
  /** Of the request, when it is at hand: then the answer must name it. */
  readonly nonce?: Uint8Array | undefined
}

/**
 * Checks a token. Whether its certificates are still valid today is told (`validUntil`) and not decided here.
 * @throws BevisError TIMESTAMP_INVALID with the first check that does not hold
 */
export async function verifyTimestamp(question: TimestampQuestion): Promise<Timestamp> {
  try {
    return await verify(question)
  } catch (error) {
    if (error instanceof Error && error.name === 'BevisError') throw error
    throw invalid('the token is not what RFC 3161 says', error) // whatever the parser says of hostile bytes
  }
}

async function verify({ token, digest, roots, policy, nonce }: TimestampQuestion): Promise<Timestamp> {
  const { signed, certificates, content, info } = readStructure(token)
  const [signer, ...more] = signed.signerInfos
  if (signer === undefined || more.length > 0) throw invalid('a token has one signature')
  const certificate = signerCertificate(signer, certificates)
  const [digestAlgorithm, ...others] = signed.digestAlgorithms
  if (others.length > 0 || digestAlgorithm?.algorithmId !== signer.digestAlgorithm.algorithmId)
    throw invalid('it announces other digests than the one that it signs')
  assertStamps(certificate)
  await assertSigned(signer, certificate, content)
  assertInfo(info, { digest, policy, nonce })
  const genTime = info.genTime
  const { validUntil } = await assertTrusted(certificate, certificates, roots, genTime)
  return {
    genTime: genTime.toISOString(),
    accuracyMs: accuracyOf(info),
    policy: info.policy,
    serial: encodeHex(info.serialNumber.valueBlock.valueHexView),
    authority: nameOf(certificate.parsed.subject),
    validUntil: validUntil.toISOString(),
  }
}

function readStructure(token: Uint8Array) {
  if (token.length > TOKEN_LIMIT_BYTES) throw invalid(`the token has more than ${TOKEN_LIMIT_BYTES} bytes`)
  const { offset, result } = fromBER(new Uint8Array(token))
  if (offset !== token.length || !isSame(new Uint8Array(result.toBER()), token))
    throw invalid('the token is no DER, or is followed by something')
  const outer = new ContentInfo({ schema: result })
  if (outer.contentType !== SIGNED_DATA) throw invalid('the token is no CMS signed data')
  const signed = new SignedData({ schema: outer.content })
  if (signed.encapContentInfo.eContentType !== TST_INFO) throw invalid('what is signed is no time stamp')
  if (signed.version !== 3) throw invalid(`the signed data have version ${signed.version}`)
  const content = signed.encapContentInfo.eContent?.getValue()
  if (content === undefined) throw invalid('the token has no content')
  const inner = fromBER(content)
  if (inner.offset !== content.byteLength) throw invalid('the time stamp is no DER')
  const info = new TSTInfo({ schema: inner.result })
  return { signed, certificates: certificatesOf(result), content: new Uint8Array(content), info }
}

/** The certificates as their bytes lie in the token: a digest of them must not depend on how they are written again. */
function certificatesOf(token: BaseBlock | { valueBlock: unknown }): Certificate[] {
  const explicit = token instanceof Sequence ? token.valueBlock.value[1] : undefined
  const data = explicit instanceof Constructed ? explicit.valueBlock.value[0] : undefined
  const set = data instanceof Sequence ? data.valueBlock.value.find(isCertificateSet) : undefined
  if (!(set instanceof Constructed)) throw invalid('the token brings no certificate')
  return set.valueBlock.value.map((one) => parseCertificate(one.valueBeforeDecodeView.slice()))
}

function isCertificateSet({ idBlock }: BaseBlock): boolean {
  return idBlock.tagClass === 3 && idBlock.tagNumber === 0
}

function signerCertificate({ sid }: SignerInfo, certificates: readonly Certificate[]): Certificate {
  if (!(sid instanceof IssuerAndSerialNumber)) throw invalid('its signer is not named by issuer and number')
  const found = certificates.filter(
    ({ parsed }: { parsed: Parsed }) =>
      parsed.issuer.isEqual(sid.issuer) && parsed.serialNumber.isEqual(sid.serialNumber),
  )
  const [certificate, ...more] = found
  if (certificate === undefined || more.length > 0)
    throw invalid('it does not bring its signer’s certificate')
  if (isWeak(certificate)) throw invalid('the key of its certificate is too short')
  return certificate
}

/** The attributes that must be there, what they must say, and the signature over them (RFC 5652, 5.4 and 11). */
async function assertSigned(
  signer: SignerInfo,
  certificate: Certificate,
  content: Uint8Array,
): Promise<void> {
  const { signedAttrs } = signer
  if (signedAttrs === undefined) throw invalid('it has no signed attributes')
  const valueOf = (type: string): BaseBlock => {
    const found = signedAttrs.attributes.filter((attribute) => attribute.type === type)
    const [value, ...more] = (found[0]?.values ?? []) as BaseBlock[]
    if (found.length !== 1 || value === undefined || more.length > 0)
      throw invalid(`its signed attribute ${type} is not there just once`)
    return value
  }
  const type = valueOf(CONTENT_TYPE)
  if (!(type instanceof ObjectIdentifier) || type.valueBlock.toString() !== TST_INFO)
    throw invalid('its attributes are those of another content')
  const hash = HASHES[signer.digestAlgorithm.algorithmId]
  if (signer.version !== 1) throw invalid(`its signature has version ${signer.version}`)
  if (hash === undefined) throw invalid('its digest is none of SHA-256, SHA-384 and SHA-512')
  const digest = valueOf(MESSAGE_DIGEST)
  if (!(digest instanceof OctetString) || !isSame(bytesOf(digest), await digestBy(hash, content)))
    throw invalid('its content was changed after it was signed')
  await assertNames(valueOf(SIGNING_CERTIFICATE_V2), certificate)
  const signature = SIGNATURES[signer.signatureAlgorithm.algorithmId]
  if (signature === undefined || (signature !== 'any' && signature !== hash))
    throw invalid('its signature is by an algorithm that is not taken')
  const { subjectPublicKeyInfo } = certificate.parsed
  const { crypto: engine } = getEngine()
  if (engine === null) throw invalid('this program has no cryptography to check it with')
  const holds = await engine.verifyWithPublicKey(
    signedAttrs.encodedValue,
    signer.signature,
    subjectPublicKeyInfo,
    signer.signatureAlgorithm,
    hash,
  )
  if (!holds) throw invalid('its signature does not hold')
}

/** ESSCertIDv2: the first certificate that the attribute names is the signer's, by its digest. */
async function assertNames(attribute: BaseBlock, { der }: Certificate): Promise<void> {
  const list = attribute instanceof Sequence ? attribute.valueBlock.value[0] : undefined
  const id = list instanceof Sequence ? list.valueBlock.value[0] : undefined
  const parts = id instanceof Sequence ? id.valueBlock.value : []
  // The algorithm may be left out: then it is SHA-256.
  const named = parts[0] instanceof Sequence ? parts[0].valueBlock.value[0] : undefined
  const algorithm = named instanceof ObjectIdentifier ? named.valueBlock.toString() : SHA256
  const hash = HASHES[algorithm]
  const value = parts[0] instanceof Sequence ? parts[1] : parts[0]
  if (
    hash === undefined ||
    !(value instanceof OctetString) ||
    !isSame(bytesOf(value), await digestBy(hash, der))
  )
    throw invalid('its attributes name another certificate than the one that signed (ESSCertIDv2)')
}

function assertInfo(
  info: TSTInfo,
  { digest, policy, nonce }: Pick<TimestampQuestion, 'digest' | 'policy' | 'nonce'>,
): void {
  if (info.version !== 1) throw invalid(`the time stamp has version ${info.version}`)
  const { hashAlgorithm, hashedMessage } = info.messageImprint
  if (hashAlgorithm.algorithmId !== SHA256) throw invalid('it stamps a digest that is not SHA-256')
  if (!isSame(bytesOf(hashedMessage), digest)) throw invalid('it stamps something else')
  if (policy !== undefined && info.policy !== policy)
    throw invalid(`it was made under the policy ${info.policy}, where ${policy} was due`)
  const said = info.nonce === undefined ? null : info.nonce.valueBlock.valueHexView
  if (nonce !== undefined && (said === null || !isSame(said, nonce)))
    throw invalid('it answers another request (nonce)')
  if ((info.extensions ?? []).some(({ critical }) => critical))
    throw invalid('it has a critical extension that is not understood here')
  if (Number.isNaN(info.genTime.getTime())) throw invalid('it states no time')
}

function accuracyOf({ accuracy }: TSTInfo): number {
  const { seconds = 0, millis = 0, micros = 0 } = accuracy ?? {}
  return seconds * 1_000 + millis + Math.ceil(micros / 1_000)
}

async function digestBy(hash: 'SHA-256' | 'SHA-384' | 'SHA-512', bytes: Uint8Array): Promise<Uint8Array> {
  if (hash === 'SHA-256') return sha256(bytes)
  return new Uint8Array(await crypto.subtle.digest(hash, new Uint8Array(bytes)))
}

function bytesOf(octets: OctetString): Uint8Array {
  return new Uint8Array(octets.getValue())
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}
