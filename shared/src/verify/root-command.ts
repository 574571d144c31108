/** `bevis-verify root`: the customer's own key, which lies offline and signs the keys of its agents. */
import type { Command } from 'commander'
import { generateSigningKey, signerFromPem } from '../crypto.ts'
import type { Signer } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { openRootWord, signRootWord } from '../evidence/root-word.ts'
import type { RootWord } from '../evidence/root-word.ts'
import { hex64, instant, slug, toInstant } from '../format.ts'
import { formatVkey } from '../log/checkpoint.ts'
import { readText, tell, writeNew } from './command.ts'

interface Naming {
  readonly keyFile: string
  readonly name: string
  readonly out?: string
  readonly json?: boolean
}

interface Signing extends Naming {
  readonly tenant: string
  readonly agent: string
  readonly keyid: string
  readonly compromisedSince?: string
}

const EXIT = `
Exit codes:
  0  done
  1  the note is not signed by the key that it names
  2  it could not be done`

/** Registers `root`; errors are thrown for the program to tell. */
export function rootCommand(program: Command, now: () => Date): void {
  const root = program
    .command('root')
    .description('Your own root key: it signs the keys of your agents, and your trust file asks for that.')
    .addHelpText('afterAll', EXIT)
  create(root)
  sign(root, now)
  revoke(root, now)
  show(root)
}

function create(root: Command): void {
  root
    .command('create')
    .description('Makes a root key. Do it on a machine of your own, and keep the file offline.')
    .requiredOption('--name <name>', 'whose key it is, such as vestkyst.example/root')
    .requiredOption('--key-file <file>', 'where the private key goes, a new file')
    .option('--json', 'an answer for machines')
    .addHelpText(
      'after',
      `
Examples:
  bevis-verify root create --name vestkyst.example/root --key-file root.key
  bevis-verify root create --name vestkyst.example/root --key-file root.key --json | jq -r .vkey`,
    )
    .action(async (_: unknown, command: Command) => {
      const { name, keyFile, json } = command.optsWithGlobals<Naming>()
      const { privatePem, spki } = generateSigningKey()
      const vkey = formatVkey(name, spki)
      await writeNew(keyFile, privatePem, 0o600)
      tell(json, { keyFile, vkey }, [
        `${keyFile} holds the root key. Keep it offline, and a copy of it elsewhere.`,
        'The line for your trust file:',
        `root: { vkey: "${vkey}" }`,
      ])
    })
}

function sign(root: Command, now: () => Date): void {
  words(root, 'sign', 'Signs an agent’s key, as its installer printed it.')
    .addHelpText(
      'after',
      `
The agent hands the note on: bevis-agent key endorse web1.note. Its next keys, which the old one authorises
(bevis-agent key rotate), need no other; a new enrolment does.

Examples:
  bevis-verify root sign --name vestkyst.example/root --key-file root.key --tenant vestkyst --agent web1 \\
    --keyid 5344cb07… --out web1.note
  bevis-verify root sign --name vestkyst.example/root --key-file root.key --tenant vestkyst --agent web1 \\
    --keyid 5344cb07… --json | jq -r .note`,
    )
    .action((_: unknown, command: Command) => say('signed', command.optsWithGlobals<Signing>(), now()))
}

function revoke(root: Command, now: () => Date): void {
  words(root, 'revoke', 'Says that a key is an agent’s no longer.')
    .option('--compromised-since <instant>', 'since when it may have been in other hands')
    .addHelpText(
      'after',
      `
The collector logs the note: bevis-collector agent revoke web1 --root-note web1-revoked.note. You need not wait for
that: root.revoked in your own trust file counts at once.

Examples:
  bevis-verify root revoke --name vestkyst.example/root --key-file root.key --tenant vestkyst --agent web1 \\
    --keyid 5344cb07… --compromised-since 2026-11-20T00:00:00.000Z --out web1-revoked.note`,
    )
    .action((_: unknown, command: Command) => say('revoked', command.optsWithGlobals<Signing>(), now()))
}

function words(root: Command, name: string, description: string): Command {
  return root
    .command(name)
    .description(description)
    .requiredOption('--name <name>', 'the root key’s name, as it was made')
    .requiredOption('--key-file <file>', 'the private root key')
    .requiredOption('--tenant <tenant>', 'the customer, as the agent’s trust.yaml names it')
    .requiredOption('--agent <agent>', 'the agent, likewise')
    .requiredOption('--keyid <keyid>', 'the agent’s key, likewise')
    .option('--out <file>', 'where the note goes, a new file (default: standard output)')
    .option('--json', 'an answer for machines')
}

async function say(kind: RootWord['kind'], options: Signing, now: Date): Promise<void> {
  const { keyFile, name, tenant, agent, keyid, compromisedSince, out, json } = options
  const wrong = [
    ...(slug.safeParse(tenant).success ? [] : ['--tenant']),
    ...(slug.safeParse(agent).success ? [] : ['--agent']),
    ...(hex64.safeParse(keyid).success ? [] : ['--keyid (64 hex digits)']),
    ...(compromisedSince === undefined || instant.safeParse(compromisedSince).success
      ? []
      : ['--compromised-since (such as 2026-11-20T00:00:00.000Z)']),
  ]
  if (wrong.length > 0) throw new BevisError('USAGE', `cannot be read: ${wrong.join(', ')}`)
  const word: RootWord = {
    kind,
    tenant,
    agent,
    keyid,
    at: toInstant(now),
    ...(compromisedSince !== undefined && { compromisedSince }),
  }
  const note = signRootWord(word, await readSigner(keyFile), name)
  if (out !== undefined) await writeNew(out, note, 0o644)
  const done = `${out ?? ''}: ${name} says that ${keyid} of ${tenant}/${agent} is ${kind}`
  tell(
    json,
    { ...word, note, ...(out !== undefined && { out }) },
    out === undefined ? [note.slice(0, -1)] : [done],
  )
}

function show(root: Command): void {
  root
    .command('show')
    .description('Tells what a note says, and which root key signed it.')
    .argument('<file>', 'the note')
    .option('--json', 'an answer for machines')
    .addHelpText(
      'after',
      `
Examples:
  bevis-verify root show web1.note
  bevis-verify root show web1.note --json | jq -r .keyid`,
    )
    .action(async (file: string, _: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<{ json?: boolean }>()
      const note = await readText(file, 65_536)
      let opened: ReturnType<typeof openRootWord>
      try {
        opened = openRootWord(note)
      } catch (error) {
        if (!(error instanceof BevisError)) throw error
        tell(json, { problem: error.message }, [`not a root key’s word: ${error.message}`])
        process.exitCode = 1
        return
      }
      const vkey = formatVkey(opened.root.name, opened.root.spki)
      const { kind, tenant, agent, keyid, at, compromisedSince } = opened.word
      const since = compromisedSince === undefined ? '' : `, in other hands perhaps since ${compromisedSince}`
      tell(json, { ...opened.word, vkey }, [
        `${keyid} of ${tenant}/${agent} is ${kind}, said ${at}${since}`,
        `signed by ${vkey}: compare it with the root of your trust file`,
      ])
    })
}

export async function readSigner(file: string): Promise<Signer> {
  return signerFromPem(await readText(file, 65_536))
}
