/** PDFs as other people's programs read them: qpdf and poppler, where they are installed. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPairSync } from 'node:crypto'
import { onTestFinished } from 'vitest'
import type { TestContext } from 'vitest'

type Tool = 'qpdf' | 'pdffonts' | 'pdfdetach' | 'pdfsig' | 'pdftotext' | 'pdfinfo' | 'openssl'

/** Runs a program on a PDF and gives what it prints; without the program the test is skipped, and says why. */
export function runOn(context: TestContext, pdf: Uint8Array, tool: Tool, ...args: string[]): string {
  if (!['/usr/bin', '/usr/local/bin'].some((folder) => existsSync(join(folder, tool)))) {
    context.skip(`${tool} is not installed: apt-get install qpdf poppler-utils`)
  }
  const folder = scratch()
  const file = join(folder, 'report.pdf')
  writeFileSync(file, pdf)
  return execFileSync(
    tool,
    args.map((arg) => (arg === '{}' ? file : arg)),
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  )
}

/** What is attached, by name. */
export function attachmentsOf(context: TestContext, pdf: Uint8Array): Map<string, Buffer> {
  const folder = join(scratch(), 'out')
  mkdirSync(folder)
  runOn(context, pdf, 'pdfdetach', '-saveall', '-o', folder, '{}')
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]))
}

/** A certificate of its own making, and its key. */
export function certificateOf(context: TestContext, kind: 'rsa' | 'ec'): { cert: string; key: string } {
  const { privateKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const folder = scratch()
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' })
  writeFileSync(join(folder, 'key'), key)
  const subject = [
    '-subj',
    '/CN=Nordlys IT-drift ApS',
    '-days',
    '3650',
    '-addext',
    'keyUsage=critical,digitalSignature',
  ]
  const cert = runOn(
    context,
    Buffer.alloc(0),
    'openssl',
    'req',
    '-x509',
    '-new',
    '-key',
    join(folder, 'key'),
    ...subject,
  )
  return { cert, key: key.toString() }
}

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-pdf-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
