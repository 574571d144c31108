/**
 * The seal of a PDF: a PAdES baseline-B signature (ETSI EN 319 142-1) over all of its bytes. It is a convenience for
 * readers of paper: what proves is the signed evidence, attached or in the pack.
 */
import { createPrivateKey, webcrypto } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import * as asn1 from 'asn1js'
import * as pkijs from 'pkijs'
import { BevisError } from '@bevis/shared/error'
import type { Document } from './pen.ts'
import type { Sheet } from './sheet.ts'

/** Finishes a document, at an instant that it names. */
export type Seal = (sheet: Sheet, at: Date) => Promise<Buffer>

/** Without a certificate there is no seal. */
export const plainly: Seal = (sheet) => sheet.finish()

/** Room for the signature and its certificates, in bytes. */
const SIGNATURE_ROOM_BYTES = 12_288
/** A number as long as any that the byte range may hold. */
const ROOM = 9_999_999_999

const OID = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  /** RFC 5035: which certificate signs, so that none can be put in its place. */
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
} as const

/**
 * @param cert PEM: the certificate that seals, then those that lead to its root
 * @param key PEM: its private key, RSA or elliptic curve
 * @throws BevisError KEY_INVALID where they cannot be read, or do not belong together
 */
export async function openSeal({ cert, key }: { cert: string; key: string }): Promise<Seal> {
  const certificates = readCertificates(cert)
  const [own] = certificates
  if (own === undefined)
    throw new BevisError('KEY_INVALID', 'the file of the seal’s certificate has none in it')
  const signer = await importKey(key)
  await assertFits(own, signer)
  return async (sheet, at) => {
    let place = { from: 0, to: 0 }
    const pdf = await sheet.finish((doc) => {
      place = reserve(doc, at)
    })
    return fill(pdf, place, (signed) => signOver(signed, certificates, signer))
  }
}

function readCertificates(pem: string): pkijs.Certificate[] {
  const blocks = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]+?)-----END CERTIFICATE-----/g)]
  try {
    return blocks.map(([, body = '']) => pkijs.Certificate.fromBER(Buffer.from(body, 'base64')))
  } catch (cause) {
    throw new BevisError('KEY_INVALID', 'the seal’s certificate cannot be read', { cause })
  }
}

const { subtle } = webcrypto
const engine = new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as unknown as Crypto })
// Its types are those of an older Web Cryptography API.
pkijs.setEngine('node', engine as unknown as pkijs.ICryptoEngine)

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (cause) {
    throw new BevisError('KEY_INVALID', 'the seal’s private key cannot be read', { cause })
  }
  const curve = key.asymmetricKeyDetails?.namedCurve
  const curves: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }
  const algorithm =
    key.asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : curve !== undefined && curves[curve] !== undefined
        ? { name: 'ECDSA', namedCurve: curves[curve] }
        : null
  if (algorithm === null) {
    throw new BevisError('KEY_INVALID', 'the seal’s key must be RSA, or on the curve P-256, P-384 or P-521')
  }
  return subtle.importKey('pkcs8', key.export({ format: 'der', type: 'pkcs8' }), algorithm, false, ['sign'])
}

/** Signs something and checks it with the certificate. */
async function assertFits(certificate: pkijs.Certificate, key: webcrypto.CryptoKey): Promise<void> {
  const probe = Buffer.from('bevis')
  const hashed = { name: key.algorithm.name, hash: 'SHA-256' }
  const own = (await certificate.getPublicKey()) as webcrypto.CryptoKey
  const fits =
    own.algorithm.name === key.algorithm.name &&
    (await subtle.verify(hashed, own, await subtle.sign(hashed, key, probe), probe))
  if (!fits) throw new BevisError('KEY_INVALID', 'the seal’s certificate is not of its private key')
}

/**
 * Puts an empty signature into the document, and tells where it lies. Texts from outside stand elsewhere in the file,
 * some of them as they are: the place is known by its offset and never searched for.
 */
function reserve(doc: Document, at: Date): { from: number; to: number } {
  const inner = doc as unknown as {
    _offset: number
    _root: { data: { AcroForm: { data: Record<string, unknown> } } }
  }
  const signature = doc.ref({
    Type: 'Sig',
    Filter: 'Adobe.PPKLite',
    SubFilter: 'ETSI.CAdES.detached',
    M: at,
    // Written over when the document's length is known.
    ByteRange: [ROOM, ROOM, ROOM, ROOM],
    Contents: new Uint8Array(SIGNATURE_ROOM_BYTES),
  })
  const from = inner._offset
  signature.end()
  const to = inner._offset
  doc.switchToPage(0)
  doc.font('regular')
  doc.initForm()
  const form = inner._root.data.AcroForm.data
  delete form['NeedAppearances']
  form['SigFlags'] = 3
  const { page } = doc as unknown as { page: { annotations: unknown[]; dictionary: unknown } }
  const widget = doc.ref({
    Type: 'Annot',
    Subtype: 'Widget',
    FT: 'Sig',
    T: new String('Seal'),
    V: signature,
    // Printed, and locked.
    F: 132,
    Rect: [0, 0, 0, 0],
    P: page.dictionary,
  })
  widget.end()
  page.annotations.push(widget)
  ;(form['Fields'] as unknown[]).push(widget)
  return { from, to }
}

async function fill(
  pdf: Buffer,
  { from, to }: { from: number; to: number },
  sign: (signed: Uint8Array) => Promise<Uint8Array>,
): Promise<Buffer> {
  const own = pdf.subarray(from, to)
  const open = from + own.indexOf('/Contents <') + '/Contents '.length
  const close = open + SIGNATURE_ROOM_BYTES * 2 + 2
  const range = from + own.indexOf('/ByteRange [') + '/ByteRange '.length
  const room = pdf.indexOf(']', range) + 1 - range
  pdf.write(`[0 ${open} ${close} ${pdf.length - close}]`.padEnd(room), range, 'latin1')
  const signature = await sign(Buffer.concat([pdf.subarray(0, open), pdf.subarray(close)]))
  if (signature.length > SIGNATURE_ROOM_BYTES) {
    throw new BevisError('KEY_INVALID', 'the seal’s certificates are larger than a seal has room for')
  }
  pdf.write(Buffer.from(signature).toString('hex'), open + 1, 'latin1')
  return pdf
}

async function signOver(
  signed: Uint8Array,
  certificates: readonly pkijs.Certificate[],
  key: webcrypto.CryptoKey,
): Promise<Uint8Array> {
  const [own] = certificates
  if (own === undefined) throw new RangeError('no certificate')
  const digest = await subtle.digest('SHA-256', signed as Uint8Array<ArrayBuffer>)
  const certificateDigest = await subtle.digest('SHA-256', own.toSchema().toBER())
  const attribute = (type: string, value: asn1.BaseBlock) => new pkijs.Attribute({ type, values: [value] })
  const essCertificate = new asn1.Sequence({
    value: [
      new asn1.Sequence({
        value: [new asn1.Sequence({ value: [new asn1.OctetString({ valueHex: certificateDigest })] })],
      }),
    ],
  })
  const message = new pkijs.SignedData({
    version: 1,
    encapContentInfo: new pkijs.EncapsulatedContentInfo({ eContentType: OID.data }),
    certificates: [...certificates],
    signerInfos: [
      new pkijs.SignerInfo({
        version: 1,
        sid: new pkijs.IssuerAndSerialNumber({ issuer: own.issuer, serialNumber: own.serialNumber }),
        signedAttrs: new pkijs.SignedAndUnsignedAttributes({
          type: 0,
          attributes: [
            attribute(OID.contentType, new asn1.ObjectIdentifier({ value: OID.data })),
            attribute(OID.messageDigest, new asn1.OctetString({ valueHex: digest })),
            attribute(OID.signingCertificateV2, essCertificate),
          ],
        }),
      }),
    ],
  })
  await message.sign(key as unknown as CryptoKey, 0, 'SHA-256', signed as unknown as ArrayBuffer)
  const content = new pkijs.ContentInfo({ contentType: OID.signedData, content: message.toSchema(true) })
  return new Uint8Array(content.toSchema().toBER())
}
