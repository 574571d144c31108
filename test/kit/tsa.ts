/** A time stamping authority of our own (RFC 3161): `openssl ts` behind HTTP, with a root of its own. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatResponse, readToken } from '@bevis/shared/time/query'

export interface TsaOptions {
  readonly name?: string
  readonly key?: 'ec' | 'rsa'
  /** The certificate's extensions; left out: those of a sound authority. */
  readonly extensions?: readonly string[]
  /** OpenSSL's names: sha256, sha1. */
  readonly essDigest?: string
  readonly policy?: string
  /** An intermediate authority between the root and the certificate. */
  readonly intermediate?: boolean
  /** Where its files go; a temporary folder of its own if left out. */
  readonly folder?: string
}

export const TSA_EXTENSIONS = [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=critical,timeStamping',
]
export const TSA_POLICY = '1.2.3.4.1'

export interface Tsa {
  readonly folder: string
  /** PEM of the root. */
  readonly rootFile: string
  readonly root: string
  /** DER of the answer to a query. */
  answer(query: Uint8Array): Buffer
  /**
   * As `answer`, but with whatever certificate it has: openssl itself stamps with none that is not for it, so the
   * statement of a sound authority is signed by this one's key.
   */
  answerAnyhow(query: Uint8Array, sound: Tsa): Buffer
  /** Answers over HTTP until it is closed. */
  listen(how?: Tsa['answer']): Promise<{ url: string; close(): Promise<void>; requests: number }>
  remove(): void
}

export function makeTsa(options: TsaOptions = {}): Tsa {
  const { name = 'Bevis test TSA', key = 'ec', extensions = TSA_EXTENSIONS, essDigest = 'sha256' } = options
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'bevis-tsa-'))
  const here = (file: string) => join(folder, file)
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const newKey = (file: string): void => {
    const algorithm =
      key === 'ec'
        ? ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']
        : ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']
    openssl('genpkey', ...algorithm, '-out', file)
  }
  const certify = (file: string, subject: string, issuer: string, lines: readonly string[]): void => {
    newKey(`${file}.key`)
    openssl('req', '-new', '-key', `${file}.key`, '-subj', subject, '-out', `${file}.csr`)
    writeFileSync(here(`${file}.ext`), `${lines.join('\n')}\n`)
    const by = [
      '-CA',
      `${issuer}.pem`,
      '-CAkey',
      `${issuer}.key`,
      '-CAcreateserial',
      '-extfile',
      `${file}.ext`,
    ]
    openssl('x509', '-req', '-in', `${file}.csr`, ...by, '-days', '3650', '-sha256', '-out', `${file}.pem`)
  }
  newKey('root.key')
  openssl(
    ...['req', '-new', '-x509', '-key', 'root.key', '-subj', `/CN=${name} root`, '-days', '7300', '-sha256'],
    ...['-addext', 'keyUsage=critical,keyCertSign', '-out', 'root.pem'],
  )
  const ca = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign']
  if (options.intermediate === true) certify('middle', `/CN=${name} middle`, 'root', ca)
  const issuer = options.intermediate === true ? 'middle' : 'root'
  certify('tsa', `/CN=${name}/O=Bevis`, issuer, extensions)
  writeFileSync(
    here('chain.pem'),
    [...(options.intermediate === true ? ['middle.pem'] : []), 'root.pem']
      .map((file) => readFileSync(here(file), 'utf8'))
      .join(''),
  )
  const settings = {
    serial: here('serial'),
    signer_cert: here('tsa.pem'),
    certs: here('chain.pem'),
    signer_key: here('tsa.key'),
    signer_digest: 'sha256',
    default_policy: options.policy ?? TSA_POLICY,
    other_policies: '1.2.3.4.9',
    digests: 'sha256, sha384, sha512',
    ess_cert_id_alg: essDigest,
    accuracy: 'secs:1',
    ess_cert_id_chain: 'no',
  }
  const lines = Object.entries(settings).map(([field, value]) => `${field} = ${value}`)
  writeFileSync(here('tsa.cnf'), `[tsa]\ndefault_tsa = here\n[here]\n${lines.join('\n')}\n`)
  writeFileSync(here('serial'), '01\n')
  const rootFile = here('root.pem')

  const answer = (query: Uint8Array): Buffer => {
    writeFileSync(here('query.tsq'), query)
    openssl('ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'query.tsq', '-out', 'answer.tsr')
    return readFileSync(here('answer.tsr'))
  }
  return {
    folder,
    rootFile,
    root: readFileSync(rootFile, 'utf8'),
    answer,
    answerAnyhow(query, sound) {
      writeFileSync(here('sound.token'), readToken(sound.answer(query)))
      openssl('cms', '-verify', '-noverify', '-inform', 'DER', '-in', 'sound.token', '-out', 'tstinfo')
      openssl(
        ...[
          'cms',
          '-sign',
          '-cades',
          '-binary',
          '-nodetach',
          '-nosmimecap',
          '-outform',
          'DER',
          '-in',
          'tstinfo',
        ],
        ...['-econtent_type', '1.2.840.113549.1.9.16.1.4', '-signer', 'tsa.pem', '-inkey', 'tsa.key'],
        ...['-certfile', 'root.pem', '-out', 'forged.token'],
      )
      return Buffer.from(formatResponse(readFileSync(here('forged.token'))))
    },
    listen: (how = answer) => listen(how),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function listen(answer: Tsa['answer']): ReturnType<Tsa['listen']> {
  const state = { requests: 0 }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      state.requests += 1
      try {
        response.setHeader('content-type', 'application/timestamp-reply').end(answer(Buffer.concat(chunks)))
      } catch {
        response.writeHead(500).end()
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/tsr`,
    get requests() {
      return state.requests
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
