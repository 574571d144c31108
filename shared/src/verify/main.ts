#!/usr/bin/env node
import { fstatSync, openSync, readSync } from 'node:fs'
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { Command, CommanderError } from 'commander'
import { BevisError, ERRORS, errorCodeOf, errorMessageOf } from '../error.ts'
import { readBytes } from './command.ts'
import { verifyEnvelope } from './envelope-report.ts'
import type { EnvelopeReport } from './envelope-report.ts'
import { evaluateCommand } from './evaluate.ts'
import { forkCommand } from './fork-command.ts'
import { isPackFile } from './pack.ts'
import { pageCommand } from './page-command.ts'
import { printReport } from './print.ts'
import type { Report } from './report.ts'
import { unreadableText } from '../yaml.ts'
import { mergeTrust, parseTrust } from './trust.ts'
import type { Trust } from './trust.ts'
import { VERSION } from './version.ts'
import { examineStamps } from './stamps.ts'
import { partyCommand } from './party-command.ts'
import { rootCommand } from './root-command.ts'
import { reportUnreadable, verifyPack } from './verify-pack.ts'
import { windowed } from './windowed.ts'
import { openZip } from './zip.ts'
import type { ByteSource, PackContent } from './zip.ts'

const EXIT_CODES = `
Exit codes:
  0  all checks held, by the keys of your trust file
  1  something failed: do not rely on it
  2  something could not be checked (no trust file, a file that cannot be read); the message says what`

const EXAMPLES = `
Examples:
  bevis-verify AFT-2025-052.zip --trust trust.yaml
  bevis-verify AFT-2025-052.zip --trust web1.yaml --trust web2.yaml    several agents: their files are merged
  bevis-verify AFT-2025-052.zip --trust trust.yaml --json | jq .result

The trust file (YAML) is yours: the keys that were handed to you at enrolment.
  log: { vkey: "log.example.net+6b1f…+AQ…" }
  agents:
    - { tenant: vestkyst, agent: srv1, keyid: 5344cb07d43b… }   # one keyid, or a list of them
  office: { keyid: 1f0c22… }                                    # the collector's own, where it signed events
  root: { vkey: "vestkyst.example/root+3b0a…+AZ…" }              # your own root key, which signed the agents’ keys
  parties:                                                      # whose own keys sign acceptances and the like
    - { party: customer, vkey: "vestkyst.example/root+3b0a…+AZ…" }
  tsa: 9c1185a5c5e9…                                            # SHA-256 of the clocks’ root certificates (DER)
  policy: |                                                     # who else must have seen the log (C2SP tlog-policy)
    witness one.example one.example+ad5e3e21+BOe2…
    quorum one.example
  contracts:                                                    # if you want the text pinned too
    - { id: AFT-2025-052, sha256: 9f86d081884c… }

A second agent, or one that was enrolled anew, has a key of its own: give its file too, or make keyid a list. With
root, a keyid may be left out: every agent’s key must be signed by your root key then (bevis-verify root --help).

Without a trust file everything is checked by the keys in the pack itself: the best result is
"self-consistent, not anchored", with exit code 2, since nobody has vouched for whose keys they are.
${EXIT_CODES}`

/** `| head` closes the pipe when it has seen enough; that is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})

const program = new Command('bevis-verify')
  .description(
    'Checks an evidence pack offline: every signature, chain and log proof, and the verdict itself.',
  )
  .version(`bevis-verify ${VERSION}`, '-V, --version', 'tell the version')
  .argument('[pack]', 'the pack (a zip)')
  .option(
    '--trust <file>',
    'your trust file (YAML), several if given several times; without it nothing is anchored',
    (file: string, files: readonly string[]) => [...files, file],
    [] as readonly string[],
  )
  .option('--json', 'a report for machines')
  .addHelpText('after', EXAMPLES)
  .enablePositionalOptions() // --json behind a command's name is the command's own
  .exitOverride()
  .action(async (file: string | undefined, options: { trust: readonly string[]; json?: boolean }) => {
    if (file === undefined) throw new BevisError('USAGE', 'name a pack; see bevis-verify --help')
    // Nearly all that a pass over a pack leaves is garbage: V8 would rather grow than look for it. A twentieth more
    // processor time keeps 100,000 statements in a quarter less memory.
    setFlagsFromString('--semi-space-growth-factor=1')
    setFlagsFromString('--heap-growing-percent=50')
    const trust = await readTrust(options.trust)
    const report = await reportOn(file, trust)
    print(
      options.json === true ? `${JSON.stringify(report)}\n` : printReport(report, { colour: hasColour() }),
    )
    process.exitCode = report.exit
  })

program
  .command('envelope')
  .description('Checks one envelope: its form, and its signature when you give the key.')
  .argument('<file>', 'the envelope (DSSE, JSON)')
  .option('-k, --key <file...>', 'public keys (PEM)', [])
  .option('--json', 'a report for machines')
  .addHelpText(
    'after',
    `
Examples:
  bevis-verify envelope statement.json --key 5344cb07….pem
  bevis-verify envelope statement.json --key 5344cb07….pem --json | jq .signatures

Exit codes:
  0  a signature held and none failed
  1  one failed, or the envelope is malformed
  2  no key for it`,
  )
  .action(async (file: string, options: { key: string[]; json?: boolean }) => {
    const decode = (bytes: Uint8Array) => new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const pems = await Promise.all(options.key.map(async (key) => decode(await readBytes(key, 65_536))))
    const report = envelopeReportOn(decode(await readBytes(file, 1_048_576)), pems)
    if (options.json === true) print(`${JSON.stringify(report)}\n`)
    else {
      if (report.problem !== null) print(`malformed    ${report.problem}\n`)
      for (const { keyid, outcome } of report.signatures)
        print(`${outcome.padEnd(11)}  signature by ${keyid}\n`)
      if (report.paeDigest !== null) print(`statement    ${report.paeDigest}\n`)
      if (report.statement !== null) print(`${JSON.stringify(report.statement, null, 2)}\n`)
    }
    process.exitCode = report.exit
  })

evaluateCommand(program)
forkCommand(program)
pageCommand(program)
rootCommand(program, () => new Date())
partyCommand(program, () => new Date())

async function reportOn(file: string, trust: Trust | null): Promise<Report> {
  let files: PackContent
  try {
    files = openZip(openFile(file), isPackFile)
  } catch (error) {
    if (errorCodeOf(error) !== 'PACK_INVALID') throw error
    return reportUnreadable(errorMessageOf(error), trust)
  }
  return verifyPack({ files, trust, stamps: await examineStamps(files, trust) })
}

/** A malformed envelope is a bad answer about the envelope, not a failure to answer. */
function envelopeReportOn(text: string, pems: readonly string[]): EnvelopeReport {
  try {
    return verifyEnvelope(text, pems)
  } catch (error) {
    const code = errorCodeOf(error)
    if (code !== 'ENVELOPE_MALFORMED' && code !== 'STATEMENT_INVALID') throw error
    return { signatures: [], statement: null, paeDigest: null, problem: errorMessageOf(error), exit: 1 }
  }
}

async function readTrust(files: readonly string[]): Promise<Trust | null> {
  const [first, ...others] = await Promise.all(
    files.map(async (file) => parseTrust(new TextDecoder().decode(await readBytes(file, 1_048_576)), file)),
  )
  return first === undefined ? null : mergeTrust(first, ...others)
}

/** The pack stays on the disk: what is read of it at a time is what is checked at a time. */
function openFile(file: string): ByteSource {
  try {
    const handle = openSync(file, 'r')
    const stats = fstatSync(handle)
    if (!stats.isFile()) throw new BevisError('USAGE', `${file} is no file`)
    return windowed(stats.size, (from, to, room) => {
      const bytes = room?.subarray(0, to - from) ?? new Uint8Array(to - from)
      for (let at = 0; at < bytes.length;) {
        const count = readSync(handle, bytes, at, bytes.length - at, from + at)
        if (count === 0) throw new BevisError('PACK_INVALID', `${file} was cut off while it was read`)
        at += count
      }
      return bytes
    })
  } catch (cause) {
    throw new BevisError('USAGE', unreadableText(file, cause), { cause })
  }
}

function print(text: string): void {
  process.stdout.write(text)
}

/** As https://no-color.org asks. */
function hasColour(): boolean {
  return process.stdout.isTTY && process.stdout.hasColors()
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : ERRORS.USAGE.exit
  else {
    const code = errorCodeOf(error)
    process.stderr.write(`bevis-verify: ${code}: ${errorMessageOf(error)}\n`)
    process.exitCode = ERRORS[code].exit
  }
}
