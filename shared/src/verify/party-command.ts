/** `bevis-verify party`: a party's own key, offline, signs what the party says of a contract. */
import type { Command } from 'commander'
import { parseContract } from '../contract/parse.ts'
import { PARTY_EVENTS, openPartyWord, signPartyWord } from '../contract/party-word.ts'
import type { PartyWord } from '../contract/party-word.ts'
import { sha256Hex } from '../crypto.ts'
import { BevisError, errorMessageOf } from '../error.ts'
import type { ContractEvent } from '../evidence/predicates.ts'
import { toInstant } from '../format.ts'
import { formatVkey } from '../log/checkpoint.ts'
import { readText, tell, writeNew } from './command.ts'
import { readSigner } from './root-command.ts'

interface Speaking {
  readonly party: string
  readonly person: string
  readonly name: string
  readonly keyFile: string
  readonly number?: string
  readonly role?: string
  readonly detail?: string
  readonly out?: string
  readonly json?: boolean
}

const EXIT = `
Exit codes:
  0  done
  1  the file is not signed by the key that it names
  2  it could not be done`

const KEY = '--party customer --person "Liv Holm" --name vestkyst.example/root --key-file root.key'

/** Registers `party`; errors are thrown for the program to tell. */
export function partyCommand(program: Command, now: () => Date): void {
  const party = program
    .command('party')
    .description(
      'A party’s own key: it signs what you accept and approve, and your trust file asks for that.',
    )
    .addHelpText('afterAll', EXIT)
  words(party, 'accept', 'Signs that you accept a version of a contract.')
    .argument('<text>', 'the contract’s text that you read (YAML); its SHA-256 is what you sign')
    .requiredOption('--number <number>', 'of the version')
    .option('--role <text>', 'what the person is')
    .addHelpText(
      'after',
      `
The key is one that bevis-verify root create made: your root key, or one of its own. The collector logs the file:
bevis-collector contract signed accepted.json. A version that was accepted without your key is confirmed so too.
In your trust file: parties: [{ party: customer, vkey: "vestkyst.example/root+3b0a…+AZ…" }]

Examples:
  bevis-verify party accept AFT-2025-052.yaml --number 2 --out accepted.json \\
    ${KEY}
  bevis-verify party accept AFT-2025-052.yaml --number 2 --json \\
    ${KEY} | jq -r .signed`,
    )
    .action(async (file: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Speaking>()
      const text = await readContract(file)
      const version = Number(options.number)
      if (!text.versions.includes(version))
        throw new BevisError('USAGE', `${file} has no version ${options.number ?? ''}`)
      const detail = {
        sha256: text.sha256,
        ...(options.role !== undefined && { role: options.role }),
      }
      await say(
        options,
        { contract: text.contract, event: 'version-accepted', version, detail },
        text.sha256,
        now,
      )
    })
  words(party, 'event', 'Signs an approval, a hold or an acknowledgement.')
    .argument('<text>', 'the contract’s text that is in force (YAML)')
    .argument('<event>', PARTY_EVENTS.filter((kind) => kind !== 'version-accepted').join(', '))
    .requiredOption('--detail <json>', 'what it is about, by the kind of event')
    .option('--number <number>', 'of the version that it is about')
    .addHelpText(
      'after',
      `
Examples:
  bevis-verify party event AFT-1.yaml exclusion-approved --out approved.json \\
    --detail '{"sets":["shop"],"from":"2026-11-27","to":"2026-11-28"}' \\
    ${KEY}`,
    )
    .action(async (file: string, name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Speaking>()
      const event = PARTY_EVENTS.find((kind) => kind === name)
      if (event === undefined || event === 'version-accepted')
        throw new BevisError('USAGE', `${name} is no event that is signed so; see --help`)
      const { contract, sha256 } = await readContract(file)
      const version = options.number === undefined ? {} : { version: Number(options.number) }
      await say(options, { contract, event, ...version, detail: readDetail(options.detail) }, sha256, now)
    })
  show(party)
}

function words(party: Command, name: string, description: string): Command {
  return party
    .command(name)
    .description(description)
    .requiredOption('--party <party>', 'whose word it is: customer or provider')
    .requiredOption('--person <person>', 'who says it')
    .requiredOption('--name <name>', 'the key’s name, as it was made')
    .requiredOption('--key-file <file>', 'the private key')
    .option('--out <file>', 'where the signed file goes, a new file (default: standard output)')
    .option('--json', 'an answer for machines')
}

async function say(
  { party, person, name, keyFile, out, json }: Speaking,
  said: Pick<ContractEvent, 'contract' | 'event' | 'version' | 'detail'>,
  textSha256: string,
  now: () => Date,
): Promise<void> {
  if (party !== 'customer' && party !== 'provider')
    throw new BevisError('USAGE', '--party is customer or provider')
  const { contract, event, version, detail } = said
  const by = { party, person } as const
  const signed = signPartyWord(
    { contract, ...(version !== undefined && { version }), at: toInstant(now()), by, event, detail },
    { textSha256, signer: await readSigner(keyFile), name },
  )
  if (out !== undefined) await writeNew(out, `${signed}\n`, 0o644)
  tell(json, { ...describe(openPartyWord(signed)), signed, ...(out !== undefined && { out }) }, [
    out === undefined ? signed : `${out}: ${lineOf(openPartyWord(signed))}`,
  ])
}

function show(party: Command): void {
  party
    .command('show')
    .description('Tells what a signed file says, and which key signed it.')
    .argument('<file>', 'the signed file')
    .option('--json', 'an answer for machines')
    .addHelpText(
      'after',
      `
Examples:
  bevis-verify party show accepted.json
  bevis-verify party show accepted.json --json | jq .event`,
    )
    .action(async (file: string, _: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<{ json?: boolean }>()
      const text = await readText(file, 65_536)
      let word: PartyWord
      try {
        word = openPartyWord(text.trimEnd())
      } catch (error) {
        if (!(error instanceof BevisError)) throw error
        tell(json, { problem: error.message }, [errorMessageOf(error)])
        process.exitCode = 1
        return
      }
      const { vkey } = describe(word)
      tell(json, describe(word), [
        lineOf(word),
        `  of the text with the SHA-256 ${word.textSha256}`,
        `  ${JSON.stringify(word.event.detail)}`,
        `signed by ${vkey}: compare it with the parties of your trust file`,
      ])
    })
}

function describe({ event, key, textSha256 }: PartyWord) {
  return { event, textSha256, vkey: formatVkey(key.name, key.spki) }
}

function lineOf({ event: { contract, event, version, by, at } }: PartyWord): string {
  const what = version === undefined ? event : `${event}, version ${version}`
  return `${contract}: ${what}, ${by.person} (${by.party}), ${at}`
}

async function readContract(file: string): Promise<{ contract: string; versions: number[]; sha256: string }> {
  const yaml = await readText(file, 4 * 1024 * 1024)
  const { contract, errors } = parseContract(yaml, { draft: true })
  if (contract === undefined)
    throw new BevisError('CONTRACT_INVALID', `${file}: ${errors[0]?.message ?? 'cannot be read'}`)
  return { contract: contract.id, versions: contract.versions.map(({ no }) => no), sha256: sha256Hex(yaml) }
}

function readDetail(text = ''): ContractEvent['detail'] {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch (cause) {
    throw new BevisError('USAGE', '--detail cannot be read as JSON', { cause })
  }
  throw new BevisError('USAGE', '--detail is a JSON object: {"sets": ["shop"], …}')
}
