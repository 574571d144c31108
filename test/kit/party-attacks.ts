/** Packs in which whoever runs the collector speaks in the name of a customer that signs with a key of its own. */
import { signPartyWord } from '@bevis/shared/contract/party-word'
import { sha256Hex, spkiOf } from '@bevis/shared/crypto'
import { encodeBase64 } from '@bevis/shared/base64'
import type { ContractEvent } from '@bevis/shared/evidence/predicates'
import { formatVkey } from '@bevis/shared/log/checkpoint'
import { packOf } from './pack.ts'
import { CONTRACT_ID, CONTRACT_YAML, START, smallWorld } from './world.ts'
import { signerOf } from './register.ts'
import type { World } from './world.ts'
import { ROOT, ROOT_NAME } from './root-attacks.ts'
import type { RootAttack } from './root-attacks.ts'

const LATER = new Date(START + 90 * 86_400_000).toISOString()
const TEXT = sha256Hex(CONTRACT_YAML)
const BY = { party: 'customer', person: 'M. Holm' } as const

/** What the customer says, with what is changed in it. */
export type Word = Partial<ContractEvent>

export const ACCEPTANCE = {
  ...{ contract: CONTRACT_ID, version: 1, at: LATER, by: BY, event: 'version-accepted' },
  detail: { sha256: TEXT },
} as const satisfies ContractEvent

const hold = (event: 'hold-started' | 'hold-released', at = LATER): ContractEvent => ({
  ...{ contract: CONTRACT_ID, at, by: BY, event },
  detail: { sets: ['filer'], covers: { from: '2025-01-01', to: '2025-01-31' }, authority: 'Tvist 2025-88' },
})

/** What a key signs of an event, as `bevis-verify party` does. */
export function wordFor(event: ContractEvent, signer = ROOT, textSha256 = TEXT): string {
  return signPartyWord(event, { textSha256, signer, name: ROOT_NAME })
}

/** The office logs an event, with the word that it was handed, if any. */
export function log(world: World, event: ContractEvent, signed?: string): void {
  world.issue(LATER)
  const detail = { ...event.detail, ...(signed !== undefined && { signed }) }
  world.receive(world.register.say({ ...event, detail }), LATER)
}

/** The customer's trust file: its key, and the text that it agreed to unless `pin` is false. */
export function partyTrust(world: World, { pin = true, more = '' } = {}): string {
  const vkey = formatVkey(ROOT_NAME, ROOT.spki)
  const text = pin ? `contracts: [{ id: ${CONTRACT_ID}, sha256: ${TEXT} }]\n` : ''
  return `${world.trust()}parties: [{ party: customer, vkey: "${vkey}"${more} }]\n${text}`
}

export async function partyAttacks(): Promise<RootAttack[]> {
  const made: RootAttack[] = []
  const add = async (name: string, act: (world: World) => void, pin = true) => {
    const world = await smallWorld(1)
    act(world)
    const files = await packOf(world)
    made.push({ name, files, trust: partyTrust(world, { pin }), foundBy: ['trust.parties'] })
  }
  const mallory = signerOf('mallory')
  await add('an acceptance in the customer’s name without its signature', (world) => log(world, ACCEPTANCE))
  await add('an acceptance that stands in the text alone', () => undefined, false)
  await add('an acceptance signed by another key of the same name', (world) =>
    log(world, ACCEPTANCE, wordFor(ACCEPTANCE, mallory)),
  )
  const elsewhere = { ...ACCEPTANCE, detail: { sha256: sha256Hex('another text') } }
  await add('an acceptance of another text', (world) =>
    log(world, ACCEPTANCE, wordFor(elsewhere, ROOT, elsewhere.detail.sha256)),
  )
  const changes: Record<string, Word> = {
    'another version': { version: 2 },
    'another contract': { contract: 'AFT-2025-263' },
    'another party': { by: { ...BY, party: 'provider' } },
    'another person': { by: { ...BY, person: 'S. Lind' } },
  }
  for (const [what, change] of Object.entries(changes))
    await add(`an acceptance signed of ${what}`, (world) =>
      log(world, ACCEPTANCE, wordFor({ ...ACCEPTANCE, ...change })),
    )
  await add('an approval with the signature of an acceptance', (world) =>
    log(world, hold('hold-released'), wordFor(ACCEPTANCE)),
  )
  await add('an acceptance whose signed word was changed', (world) => {
    const { vkey, envelope } = JSON.parse(wordFor({ ...ACCEPTANCE, version: 2 })) as {
      vkey: string
      envelope: { payload: string }
    }
    const payload = encodeBase64(
      new TextEncoder().encode(atob(envelope.payload).replace('"version":2', '"version":1')),
    )
    log(world, ACCEPTANCE, JSON.stringify({ vkey, envelope: { ...envelope, payload } }))
  })
  await add('a signed word by a key of small order', (world) => {
    const { envelope } = JSON.parse(wordFor(ACCEPTANCE)) as { envelope: object }
    const point = spkiOf(Uint8Array.from({ length: 32 }, (_, n) => (n === 0 ? 1 : 0)))
    const sig = encodeBase64(Uint8Array.from({ length: 64 }, (_, n) => (n === 0 ? 1 : 0)))
    const signatures = [{ keyid: sha256Hex(point), sig }]
    const word = { vkey: formatVkey(ROOT_NAME, point), envelope: { ...envelope, signatures } }
    log(world, ACCEPTANCE, JSON.stringify(word))
  })
  await add('an old hold, logged again after it was released', (world) => {
    const started = wordFor(hold('hold-started'))
    log(world, hold('hold-started'), started)
    log(world, hold('hold-released'), wordFor(hold('hold-released')))
    log(world, hold('hold-started'), started)
  })
  await add('an old hold, said again by the office alone', (world) => {
    log(world, hold('hold-started'), wordFor(hold('hold-started')))
    log(world, hold('hold-released'), wordFor(hold('hold-released')))
    log(world, hold('hold-started'))
  })
  await add('an acknowledgement that poses as a reply to a report', (world) => {
    const detail = { statement: TEXT, reply: 'signed-off', snapshot: TEXT }
    log(world, { ...hold('hold-started'), event: 'finding-acknowledged', detail })
  })
  return made
}
