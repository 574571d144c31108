/**
 * Packs as an attacker makes them, each with the checks that must find it. The attacker holds the collector's pen: it
 * chooses what goes into the pack and mends every digest, but has no agent's key and not the log's.
 */
import { signEnvelope } from '@bevis/shared/evidence/envelope'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { formatVkey } from '@bevis/shared/log/checkpoint'
import { PACK_FILES, keyFile, proofFile } from '@bevis/shared/verify/pack'
import type { CheckId } from '@bevis/shared/verify/report'
import { spkiToPem } from '@bevis/shared/crypto'
import { describe, descriptionOf, packOf } from './pack.ts'
import { KitAgent, START, World, liveDays, smallWorld } from './world.ts'
import { signerOf } from './register.ts'
import type { PackOptions } from './pack.ts'
import { partyAttacks } from './party-attacks.ts'
import { rootAttacks } from './root-attacks.ts'
import { writeZip, zipOf } from './zip.ts'
import type { ZipEntry } from './zip.ts'

export interface Attack {
  readonly name: string
  readonly zip: Uint8Array
  /** The customer's own trust file. */
  readonly trust: string
  /** One of these must fail. */
  readonly foundBy: readonly CheckId[]
}

type Files = ReadonlyMap<string, Uint8Array>

const encode = (text: string) => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)
const LATER = new Date(START + 90 * 86_400_000).toISOString()
const HEARTBEAT = { at: LATER, event: 'heartbeat' } as const
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

/** A world of its own for each attack: two agents, one day each. */
async function world(): Promise<World & { readonly first: KitAgent; readonly second: KitAgent }> {
  const made = await smallWorld(1)
  const [first, second] = made.agents
  if (first === undefined || second === undefined) throw new Error('two agents were to live here')
  return Object.assign(made, { first, second })
}

/** What an honest collector would hand over. */
export async function honestPack(): Promise<{ zip: Uint8Array; trust: string }> {
  const honest = await world()
  return { zip: zipOf(await packOf(honest)), trust: honest.trust() }
}

/** Every attack on a pack that we know of. */
export async function attacks(): Promise<Attack[]> {
  const honest = await world()
  const trust = honest.trust()
  const files = await packOf(honest)
  const made: Attack[] = []
  const add = (name: string, zip: Uint8Array, foundBy: readonly CheckId[], by = trust) =>
    made.push({ name, zip, trust: by, foundBy })
  /** Files are changed, and the description is made to fit. */
  const forge = (
    name: string,
    foundBy: readonly CheckId[],
    change: (files: Map<string, Uint8Array>) => void,
  ) => {
    const changed = new Map(files)
    change(changed)
    add(name, zipOf(describe(changed, descriptionOf(files))), foundBy)
  }
  const edit = async (name: string, foundBy: readonly CheckId[], options: PackOptions, by = trust) =>
    add(name, zipOf(await packOf(honest, options)), foundBy, by)
  /** What is signed is logged by the collector as ever, but should not have been. */
  const log = async (
    name: string,
    foundBy: readonly CheckId[],
    act: (made: Awaited<ReturnType<typeof world>>) => unknown,
  ) => {
    const victim = await world()
    await act(victim)
    add(name, zipOf(await packOf(victim)), foundBy, victim.trust())
  }

  for (const file of files.keys()) {
    if (/proofs\/(?![23]\.)/.test(file)) continue
    add(`one bit of ${file}`, zipOf(flip(files, file)), [
      'zip.structure',
      'files.accounted',
      'pack.description',
    ])
  }
  forge('one bit of a statement, all digests mended', ['envelopes.signatures'], (pack) =>
    pack.set(PACK_FILES.evidence, flipped(pack.get(PACK_FILES.evidence), 400)),
  )
  await edit('a statement dropped', ['chain.unbroken'], { edit: ({ logged }) => logged.splice(4, 1) })
  await edit('two statements swapped', ['log.index'], {
    edit: ({ logged }) => logged.splice(3, 2, ...logged.slice(3, 5).toReversed()),
  })
  await edit('a statement replayed', ['envelopes.signatures'], {
    edit: ({ logged }) => logged.push(...logged.slice(-1)),
  })
  const short = await packOf(honest, { edit: ({ logged }) => logged.pop() })
  add('the newest statement cut off', zipOf(describe(short, descriptionOf(files))), [
    'completeness.population',
  ])
  const marked = await packOf(honest, { clauses: ['iso27001-5.22'] })
  const unmarked = new Map(marked)
  replace(unmarked, PACK_FILES.table, ',iso27001-5.22,', ',,')
  add('a clause’s mark taken away', zipOf(describe(unmarked, descriptionOf(marked))), ['table.rederived'])
  await edit('an agent left out', ['trust.agents'], {
    edit: (parts) => {
      const gone = new Set([honest.second.signer.keyid, honest.second.token.keyid])
      parts.logged = parts.logged.filter(({ envelope }) =>
        envelope.signatures.every(({ keyid }) => !gone.has(keyid)),
      )
      parts.keys = parts.keys.filter(({ keyid }) => !gone.has(keyid))
    },
  })
  await log('a second statement for one number', ['chain.equivocation'], (victim) => {
    const twin = Object.assign(new KitAgent(victim.first.name), {
      seq: victim.first.seq,
      prev: victim.first.prev,
      head: victim.first.head,
    })
    victim.receive(victim.first.state('agent-lifecycle', HEARTBEAT), LATER)
    victim.receive(twin.state('agent-lifecycle', { ...HEARTBEAT, clockOffsetMs: 99 }), LATER)
  })
  await log('signed by another enrolled agent', ['envelopes.signatures'], (victim) => {
    const borrowed = Object.assign(new KitAgent(victim.second.name), {
      seq: victim.second.seq,
      prev: victim.second.prev,
      signer: victim.first.signer,
    })
    victim.receive(borrowed.state('agent-lifecycle', HEARTBEAT), LATER)
  })
  await log('a statement of another tenant', ['keys.valid', 'statements.valid'], (victim) =>
    liveDays(victim, new KitAgent('web', 'andre'), 1, Date.parse(LATER)),
  )
  await log('another history was shown to one agent', ['log.consistency'], async (victim) => {
    const other = new World()
    other.receiveOthers(victim.log.size - 1)
    await other.show(victim.first)
    victim.receive(victim.first.state('agent-lifecycle', HEARTBEAT), LATER)
  })
  await log('a key used after its revocation', ['keys.revocation'], (victim) => {
    victim.receive(victim.first.state('agent-lifecycle', { at: LATER, event: 'revoked' }), LATER)
    victim.receive(victim.first.state('agent-lifecycle', HEARTBEAT), LATER)
  })
  await edit('the collector’s clock put back', ['log.index'], {
    edit: ({ logged }) => logged.splice(3, 1, { ...logged[3], receivedAt: LATER } as (typeof logged)[0]),
  })
  const described = descriptionOf(files)
  const earlier = new Date(Date.parse(described.madeAt) - 1).toISOString()
  add(
    'a pack dated before the last that it holds',
    zipOf(describe(files, { ...described, madeAt: earlier })),
    ['log.index'],
  )
  for (const [name, spoil] of SPOILT_PAYLOADS) {
    const victim = await world()
    victim.first.seq = 5
    const sound = victim.first.state('agent-lifecycle', HEARTBEAT)
    const json = Buffer.from(sound.payload, 'base64').toString()
    if (spoil(json) === json) throw new Error(`${name}: nothing was spoilt`)
    const line = JSON.stringify(signEnvelope(encode(spoil(json)), [victim.first.signer]))
    const pack = new Map(await packOf(victim))
    pack.set(PACK_FILES.evidence, encode(`${decode(pack.get(PACK_FILES.evidence))}${line}\n`))
    add(
      `a signed payload with ${name}`,
      zipOf(describe(pack, descriptionOf(pack))),
      ['statements.valid'],
      trust,
    )
  }
  for (const [name, respell] of RESPELT_ENVELOPES) {
    forge(`an envelope with ${name}`, ['envelopes.signatures'], (pack) => {
      const lines = decode(pack.get(PACK_FILES.evidence)).split('\n')
      const before = lines[2] ?? ''
      lines[2] = respell(before, JSON.parse(before) as Envelope)
      if (lines[2] === before) throw new Error(`${name}: nothing was changed`)
      pack.set(PACK_FILES.evidence, encode(lines.join('\n')))
    })
  }
  forge('a verdict that claims more than the evidence', ['verdict.recomputed'], (pack) =>
    replace(pack, PACK_FILES.verdict, /"headline":"[a-z-]+"/, '"headline":"splendid"'),
  )
  forge('a table that shows better runs', ['table.rederived'], (pack) =>
    replace(pack, PACK_FILES.table, ',complete,', ',perfect,'),
  )
  forge('the proof of another leaf', ['log.inclusion'], (pack) =>
    pack.set(proofFile(3), pack.get(proofFile(4)) ?? new Uint8Array()),
  )
  forge('another key in an agent’s file', ['keys.valid'], (pack) =>
    pack.set(keyFile(honest.first.signer.keyid), encode(spkiToPem(signerOf('mallory').spki))),
  )
  const forged = new World()
  const impostor = Object.assign(new KitAgent('srv1'), {
    signer: signerOf('mallory'),
    token: signerOf('moe'),
  })
  await liveDays(forged, impostor, 2)
  add('a world of the forger’s own making', zipOf(await packOf(forged)), ['trust.agents'])
  await edit(
    'a trust file of another log',
    ['trust.log'],
    {},
    trust.replace(honest.vkey, formatVkey(honest.log.origin, signerOf('mallory').spki)),
  )
  await edit(
    'a trust file that names another text of the contract',
    ['contract.text'],
    {},
    `${trust}contracts:\n  - { id: AFT-2025-262, sha256: "${'0'.repeat(63)}1" }\n`,
  )
  for (const { name, files: forgery, trust: by, foundBy } of [
    ...(await rootAttacks()),
    ...(await partyAttacks()),
  ])
    add(name, zipOf(forgery), foundBy, by)
  for (const [name, zip] of zipTricks(files)) add(name, zip, ['zip.structure'])
  return made
}

const SPOILT_PAYLOADS: readonly (readonly [string, (json: string) => string])[] = [
  ['a key given twice', (json) => json.replace('"event":"heartbeat"', '"event":"alarm","event":"heartbeat"')],
  [
    '__proto__',
    (json) => json.replace('"event":"heartbeat"', '"__proto__":{"admin":true},"event":"heartbeat"'),
  ],
  ['a number spelt otherwise', (json) => json.replace('"seq":6', '"seq":6.0')],
  ['half a surrogate pair', (json) => json.replace('"host":"srv1"', '"host":"\\ud800"')],
]

const RESPELT_ENVELOPES: readonly (readonly [string, (line: string, envelope: Envelope) => string])[] = [
  [
    'base64 with trailing bits',
    (line) => line.replace(/(.)==(?="}\]})/, (_, last: string) => `${nextLetter(last)}==`),
  ],
  ['base64 with a line break', (line) => line.replace('"payload":"', '"payload":"\\n')],
  ['a field twice', (line) => line.replace('{"payloadType"', '{"payload":"","payloadType"')],
  [
    'the same signature spelt otherwise (S + L)',
    (_, envelope) => {
      const [first] = envelope.signatures
      if (first === undefined) throw new Error('no signature')
      const sig = Buffer.from(first.sig, 'base64')
      const scalar = BigInt(`0x${Buffer.from(sig.subarray(32)).reverse().toString('hex')}`) + ORDER
      Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse().copy(sig, 32)
      return JSON.stringify({ ...envelope, signatures: [{ ...first, sig: sig.toString('base64') }] })
    },
  ],
]

function nextLetter(letter: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  return alphabet[alphabet.indexOf(letter) + 1] ?? 'B'
}

export function zipTricks(files: Files): [string, Uint8Array][] {
  const entries: ZipEntry[] = Array.from(files, ([name, content]) => ({ name, content }))
  const and = (...more: ZipEntry[]) => writeZip([...entries, ...more])
  const [first, ...others] = entries
  if (first === undefined) throw new Error('an empty pack')
  return [
    ['a zip that climbs out of its folder', and({ name: '../../etc/cron.d/x', content: encode('x') })],
    ['a zip with an absolute name', and({ name: '/etc/passwd', content: encode('x') })],
    ['a zip with two files of one name', and(first)],
    ['a zip with a name in capitals too', and({ ...first, name: first.name.toUpperCase() })],
    [
      'a zip with a symbolic link',
      writeZip([{ ...first, externalAttributes: (0o120777 << 16) >>> 0 }, ...others]),
    ],
    ['a zip bomb', and({ name: PACK_FILES.readme, content: new Uint8Array(10_000_000), deflate: true })],
    [
      'a zip whose headers contradict each other',
      writeZip([{ ...first, localName: first.name.replace(/^./, 'x') }, ...others]),
    ],
    ['a zip with bytes between its entries', writeZip(entries, { gap: encode('hidden') })],
    [
      'a zip in the comment of another',
      writeZip(entries, { comment: writeZip([first]).toString('latin1').slice(0, 60_000) }),
    ],
    ['a zip cut short', zipOf(files).subarray(0, -100)],
    ['no zip at all', encode('PK\u0003\u0004 but nothing else')],
  ]
}

function replace(pack: Map<string, Uint8Array>, name: string, what: string | RegExp, by: string): void {
  const before = decode(pack.get(name))
  const after = before.replace(what, by)
  if (after === before) throw new Error(`${name} has no ${String(what)}`)
  pack.set(name, encode(after))
}

function flipped(content: Uint8Array | undefined, at: number): Uint8Array {
  const changed = Uint8Array.from(content ?? [])
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

function flip(files: Files, name: string): Map<string, Uint8Array> {
  const content = files.get(name)
  return new Map(files).set(name, flipped(content, (content?.length ?? 0) >> 1))
}
