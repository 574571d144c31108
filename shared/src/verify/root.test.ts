/** A customer's root key. That its forgeries are found is among the attacks; here is what it says yes to, and when. */
import { describe, expect, test } from 'vitest'
import { packOf } from '../../../test/kit/pack.ts'
import { KitAgent, START } from '../../../test/kit/world.ts'
import { signerOf } from '../../../test/kit/register.ts'
import type { World } from '../../../test/kit/world.ts'
import { ROOT, ROOT_NAME, endorse, rootTrust, rootWorld, wordOf } from '../../../test/kit/root-attacks.ts'
import { openRootWord, signRootWord } from '../evidence/root-word.ts'
import { formatVkey } from '../log/checkpoint.ts'
import { signSuccession } from '../log/succession.ts'
import { mergeTrust, parseTrust } from './trust.ts'
import { verifyPack } from './verify-pack.ts'

const DAY = 86_400_000
const at = (days: number) => new Date(START + days * DAY).toISOString()

async function unheld(world: World, trust: string): Promise<string[]> {
  const { checks } = verifyPack({ files: await packOf(world), trust: parseTrust(trust) })
  return checks
    .filter(({ id, outcome }) => outcome !== 'held' && id !== 'verdict.recomputed')
    .map(({ id, detail }) => `${id}: ${detail}`)
}

async function bothSigned(): ReturnType<typeof rootWorld> {
  const world = await rootWorld()
  endorse(world, world.second, wordOf(world.second))
  return world
}

test('keys that the root key signed need no keyid in the trust file', async () => {
  const world = await bothSigned()
  expect(await unheld(world, rootTrust(world))).toEqual([])
})

test('a pinned keyid is not enough where the trust file names a root key', async () => {
  const world = await rootWorld()
  const pinned = `${world.trust()}root: { vkey: "${formatVkey(ROOT_NAME, ROOT.spki)}" }\n`
  expect(await unheld(world, pinned)).toEqual([
    expect.stringMatching(/^trust\.root: agent srv2, epoch 1: key .* is not signed by your root key/),
  ])
})

test('an agent that the trust file names is missed as ever', async () => {
  const world = await bothSigned()
  const trust = rootTrust(world).replace('root:', '  - { tenant: vestkyst, agent: srv3 }\nroot:')
  expect(await unheld(world, trust)).toEqual([
    'trust.agents: srv3: named in your trust file, not in the pack',
  ])
})

test('an enrolment by a new invitation needs a new signature of the root key', async () => {
  const world = await bothSigned()
  const { second } = world
  const heir = new KitAgent(second.name)
  Object.assign(heir, { epoch: 2, prev: second.prev, head: second.head })
  heir.signer = signerOf('the next key of srv2')
  heir.token = signerOf('another invitation')
  world.agents.push(heir)
  const enrolled = { at: at(90), event: 'enrolled', key: heir.signer.keyid } as const
  world.receive(heir.state('agent-lifecycle', enrolled), at(90))
  expect(await unheld(world, rootTrust(world))).toEqual([
    expect.stringMatching(/^trust\.root: agent srv2, epoch 2/),
  ])
  endorse(world, heir, wordOf(heir))
  expect(await unheld(world, rootTrust(world))).toEqual([])
})

describe('keys that the customer itself revokes, in its trust file', () => {
  test('are in doubt where no stamp tells what was before', async () => {
    const world = await bothSigned()
    const revoked = `, revoked: [{ keyid: ${world.second.signer.keyid}, since: ${at(60)} }]`
    expect(await unheld(world, rootTrust(world, revoked))).toEqual([
      expect.stringMatching(/^keys\.revocation: the key .* may have been in other hands since/),
    ])
  })
})

describe('a revocation by the root key', () => {
  const since = at(1)
  /** What does not hold of a pack in which an event with this detail carries the note. */
  async function revoked(detail: Record<string, unknown>, after = 0): Promise<string[]> {
    const world = await bothSigned()
    const { second } = world
    const root = wordOf(second, { kind: 'revoked', compromisedSince: since })
    const said = { agent: second.name, epoch: 1, reason: 'stolen', ...detail, root }
    world.receive(world.register.say({ event: 'key-revoked', at: at(90), detail: said }), at(90))
    for (let n = 0; n < after; n += 1)
      world.receive(second.state('agent-lifecycle', { at: at(90), event: 'heartbeat' }), at(90))
    return unheld(world, rootTrust(world))
  }
  const less = expect.stringMatching(/^trust\.root: .*: its event says less than your root key’s word$/)
  const doubted = expect.stringMatching(new RegExp(`^keys\\.revocation: .*other hands since ${since}`))

  test('is held by an event that says as much, or more', async () => {
    expect(await revoked({ compromisedSince: since })).toEqual([doubted])
    expect(await revoked({ compromisedSince: at(0), epoch: 2 })).toEqual([
      expect.stringContaining(`other hands since ${at(0)}`),
    ])
  })

  test('is not by one that says less, and counts all the same', async () => {
    expect(await revoked({})).toEqual([less, doubted])
    expect(await revoked({ compromisedSince: at(2) })).toEqual([less, doubted])
    expect(await revoked({ compromisedSince: since, epoch: 0 }, 1)).toEqual([
      less,
      expect.stringMatching(/^keys\.revocation: .*: signed after leaf \d+, which revoked its key$/),
    ])
  })
})

describe('a trust file', () => {
  test('without a root key needs the keyid of every agent', async () => {
    const world = await rootWorld()
    const [log = '', head = '', first = ''] = rootTrust(world).split('\n')
    expect(() => parseTrust([log, head, first, ''].join('\n'))).toThrow(/a keyid is missing/)
  })

  test('is merged with others that name the same root key or none, and with no other', async () => {
    const world = await bothSigned()
    const [plain, rooted] = [parseTrust(world.trust()), parseTrust(rootTrust(world))]
    expect(mergeTrust(plain, rooted).root?.vkey.name).toBe(ROOT_NAME)
    const foreign = rootTrust(world).replace(
      formatVkey(ROOT_NAME, ROOT.spki),
      formatVkey(ROOT_NAME, signerOf('mallory').spki),
    )
    expect(() => mergeTrust(rooted, parseTrust(foreign))).toThrow(/different root keys/)
  })
})

describe('a note', () => {
  const agent = new KitAgent('srv1')
  const note = wordOf(agent, { kind: 'revoked', compromisedSince: at(3) })

  test('says what was signed', () => {
    expect(openRootWord(note).word).toEqual({
      ...{ kind: 'revoked', tenant: 'vestkyst', agent: 'srv1', keyid: agent.signer.keyid },
      ...{ at: at(90), compromisedSince: at(3) },
    })
  })

  test('with any bit changed says nothing', () => {
    const bytes = new TextEncoder().encode(note)
    const taken = Array.from(bytes, (_, n) => {
      const changed = Uint8Array.from(bytes)
      changed[n] = (changed[n] ?? 0) ^ 1
      try {
        openRootWord(new TextDecoder().decode(changed))
        return n
      } catch {
        return -1
      }
    }).filter((n) => n >= 0)
    expect(taken).toEqual([])
  })

  test.each([
    ['a tenant with a space', { tenant: 'vest kyst' }],
    ['no key', { keyid: 'abc' }],
    ['a local time', { at: '2025-01-01' }],
    ['a signature that is compromised', { kind: 'signed', compromisedSince: at(3) }],
  ] as const)('with %s is refused, whoever signed it', (_, change) => {
    expect(() => openRootWord(wordOf(agent, change))).toThrow(/not a word of a root key/)
  })

  test('is nothing else that a key signs', () => {
    const key = { name: ROOT_NAME, keyId: new Uint8Array(4), spki: ROOT.spki }
    const other = signSuccession({ kind: 'key', from: key, to: key, at: at(1) }, ROOT)
    expect(() => openRootWord(other)).toThrow(/its first line/)
    const word = { kind: 'signed', tenant: 't', agent: 'a', keyid: agent.signer.keyid, at: at(1) } as const
    expect(() => openRootWord(signRootWord(word, ROOT, ROOT_NAME).replace('/v1', '/v2'))).toThrow(
      /its first line/,
    )
  })
})
