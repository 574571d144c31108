/** Packs of a customer that has a root key, made by whoever runs the collector and would like other keys to count. */
import { signRootWord } from '@bevis/shared/evidence/root-word'
import type { RootWord } from '@bevis/shared/evidence/root-word'
import { formatVkey } from '@bevis/shared/log/checkpoint'
import type { CheckId } from '@bevis/shared/verify/report'
import { packOf } from './pack.ts'
import { KitAgent, START, World, smallWorld } from './world.ts'
import { signerOf } from './register.ts'

export const ROOT_NAME = 'vestkyst.example/root'
export const ROOT = signerOf('root of vestkyst')
const LATER = new Date(START + 90 * 86_400_000).toISOString()
const HEARTBEAT = { at: LATER, event: 'heartbeat' } as const

/** What the root key says of an agent, with what an attacker changes in it. */
export function wordOf(
  agent: KitAgent,
  change: Partial<RootWord> = {},
  root = ROOT,
  name = ROOT_NAME,
): string {
  const { tenant, name: id, signer } = agent
  return signRootWord(
    { kind: 'signed', tenant, agent: id, keyid: signer.keyid, at: LATER, ...change },
    root,
    name,
  )
}

/** The agent hands a note on, as `key endorse` does. */
export function endorse(world: World, agent: KitAgent, note: string): void {
  world.receive(
    agent.state('agent-lifecycle', { ...HEARTBEAT, key: agent.signer.keyid, detail: { root: note } }),
    LATER,
  )
}

/** The customer's trust file: its agents by name, and the root key; no keyid of an agent. */
export function rootTrust(world: World, more = ''): string {
  const agents = world.agents.map(({ tenant, name }) => `  - { tenant: ${tenant}, agent: ${name} }`)
  const root = `root: { vkey: "${formatVkey(ROOT_NAME, ROOT.spki)}"${more} }`
  return `log: { vkey: "${world.vkey}" }\nagents:\n${agents.join('\n')}\n${root}\n`
}

/** Two agents; of the second the test decides what is said. */
export async function rootWorld(): Promise<World & { readonly first: KitAgent; readonly second: KitAgent }> {
  const made = await smallWorld(1)
  const [first, second] = made.agents
  if (first === undefined || second === undefined) throw new Error('two agents were to live here')
  endorse(made, first, wordOf(first))
  return Object.assign(made, { first, second })
}

/** A pack by its files, with the customer's trust file, and what must fail. */
export interface RootAttack {
  readonly name: string
  readonly files: Map<string, Uint8Array>
  readonly trust: string
  readonly foundBy: readonly CheckId[]
}

export async function rootAttacks(): Promise<RootAttack[]> {
  const made: RootAttack[] = []
  const add = async (
    name: string,
    foundBy: readonly CheckId[],
    act: (victim: Awaited<ReturnType<typeof rootWorld>>) => string | undefined,
  ) => {
    const victim = await rootWorld()
    const more = act(victim)
    made.push({ name, files: await packOf(victim), trust: rootTrust(victim, more), foundBy })
  }
  const mallory = signerOf('mallory')
  await add('a key that the customer’s root key has not signed', ['trust.root'], () => undefined)
  await add('a key signed by another root key of the same name', ['trust.root'], (victim) => {
    endorse(victim, victim.second, wordOf(victim.second, {}, mallory))
    return undefined
  })
  await add('the root key’s word for another agent', ['trust.root'], (victim) => {
    endorse(victim, victim.second, wordOf(victim.first))
    return undefined
  })
  await add('the root key’s word for an agent of another tenant', ['trust.root'], (victim) => {
    endorse(victim, victim.second, wordOf(victim.second, { tenant: 'andre' }))
    return undefined
  })
  await add('the root key’s word for another key of the agent', ['trust.root'], (victim) => {
    endorse(victim, victim.second, wordOf(victim.second, { keyid: mallory.keyid }))
    return undefined
  })
  await add('a word of the root key that was changed', ['trust.root'], (victim) => {
    endorse(
      victim,
      victim.second,
      wordOf(victim.first).replace(victim.first.signer.keyid, victim.second.signer.keyid),
    )
    return undefined
  })
  await add('the root key’s revocation, taken for its signature', ['trust.root'], (victim) => {
    endorse(victim, victim.second, wordOf(victim.second, { kind: 'revoked' }))
    return undefined
  })
  await add('a key used after the root key revoked it', ['keys.revocation'], (victim) => {
    endorse(victim, victim.second, wordOf(victim.second))
    const detail = {
      agent: victim.second.name,
      epoch: 1,
      reason: 'stolen',
      root: wordOf(victim.second, { kind: 'revoked' }),
    }
    victim.receive(victim.register.say({ event: 'key-revoked', at: LATER, detail }), LATER)
    victim.receive(victim.second.state('agent-lifecycle', HEARTBEAT), LATER)
    return undefined
  })
  const note = { kind: 'revoked', compromisedSince: new Date(START).toISOString() } as const
  for (const [name, said] of [
    ['leaves out since when', {}],
    ['says that it was later', { compromisedSince: LATER }],
    ['is about an epoch before it', { epoch: 0, compromisedSince: note.compromisedSince }],
  ] as const) {
    await add(`the root key’s revocation in an event that ${name}`, ['trust.root'], (victim) => {
      endorse(victim, victim.second, wordOf(victim.second))
      const root = wordOf(victim.second, note)
      const detail = { agent: victim.second.name, epoch: 1, reason: 'stolen', ...said, root }
      victim.receive(victim.register.say({ event: 'key-revoked', at: LATER, detail }), LATER)
      return undefined
    })
  }
  await add('a revocation in the root key’s name by another key', ['trust.root'], (victim) => {
    endorse(victim, victim.second, wordOf(victim.second))
    const root = wordOf(victim.second, { kind: 'revoked' }, mallory)
    const detail = { agent: victim.second.name, epoch: 1, reason: 'unwanted', root }
    victim.receive(victim.register.say({ event: 'key-revoked', at: LATER, detail }), LATER)
    return undefined
  })
  return made
}
