/** Packs by a forger who holds the collector's pen, and mends every description, but has no agent's key. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describe as describePack, descriptionOf, packOf } from '../../../test/kit/pack.ts'
import { KitAgent, START, World, liveDays, smallWorld } from '../../../test/kit/world.ts'
import { signerOf } from '../../../test/kit/register.ts'
import type { PackOptions, PackParts } from '../../../test/kit/pack.ts'
import { spkiOf, spkiToPem } from '../crypto.ts'
import { signEnvelope } from '../evidence/envelope.ts'
import type { Envelope } from '../evidence/envelope.ts'
import { formatVkey } from '../log/checkpoint.ts'
import { PACK_FILES, keyFile, proofFile } from './pack.ts'
import { parseTrust } from './trust.ts'
import { verifyPack } from './verify-pack.ts'

const encode = (text: string) => new TextEncoder().encode(text)
const at = (ms: number) => new Date(ms).toISOString()
const later = at(START + 90 * 86_400_000)

/** The ids of the checks that failed; with the trust file of the world unless another is given. */
async function failuresOf(world: World, options: PackOptions = {}, trust = world.trust()): Promise<string[]> {
  return failuresIn(await packOf(world, options), trust)
}

function failuresIn(files: ReadonlyMap<string, Uint8Array>, trust: string): string[] {
  const report = verifyPack({ files, trust: parseTrust(trust) })
  expect(report.exit).toBe(report.checks.some(({ outcome }) => outcome === 'failed') ? 1 : 0)
  return report.checks.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id)
}

const edit = (change: (parts: PackParts) => void): PackOptions => ({ edit: change })

test('a world with two agents and others’ leaves between them holds', async () => {
  expect(await failuresOf(await smallWorld())).toEqual([])
})

describe('statements', () => {
  test('one dropped from the middle leaves a gap', async () => {
    const world = await smallWorld()
    expect(
      await failuresOf(
        world,
        edit(({ logged }) => logged.splice(4, 1)),
      ),
    ).toEqual(['chain.unbroken'])
  })

  test('a truncated tail shows in the counts of the description', async () => {
    const world = await smallWorld()
    const whole = await packOf(world)
    const short = await packOf(
      world,
      edit(({ logged }) => logged.pop()),
    )
    const mended = describePack(short, descriptionOf(whole))
    expect(failuresIn(mended, world.trust())).toContain('completeness.population')
  })

  test('an agent left out altogether is missed by the trust file', async () => {
    const world = await smallWorld()
    const without = edit((parts) => {
      const [dropped] = parts.keys.filter(({ agent }) => agent === 'srv2')
      parts.logged = parts.logged.filter(({ envelope }) =>
        envelope.signatures.every(({ keyid }) => keyid !== dropped?.keyid),
      )
      parts.keys = parts.keys.filter(({ agent }) => agent !== 'srv2')
    })
    expect(await failuresOf(world, without)).toEqual(['trust.agents'])
  })

  test('two swapped are not in log order', async () => {
    const world = await smallWorld()
    const swap = edit(({ logged }) => logged.splice(3, 2, ...logged.slice(3, 5).toReversed()))
    expect(await failuresOf(world, swap)).toContain('log.index')
  })

  test('one that stands in the file twice is refused', async () => {
    const world = await smallWorld()
    const twice = edit(({ logged }) => logged.push(...logged.slice(-1)))
    expect(await failuresOf(world, twice)).toContain('envelopes.signatures')
  })

  test('one that is dated later by the collector than what follows it is refused', async () => {
    const world = await smallWorld()
    const late = edit(({ logged }) =>
      logged.splice(3, 1, { ...logged[3], receivedAt: later } as (typeof logged)[0]),
    )
    expect(await failuresOf(world, late)).toContain('log.index')
  })

  test('two for one place are an equivocation, whoever logged them', async () => {
    const world = await smallWorld(1)
    const [agent] = world.agents
    if (agent === undefined) throw new Error('no agent')
    const twin = Object.assign(new KitAgent(agent.name), {
      seq: agent.seq,
      prev: agent.prev,
      head: agent.head,
    })
    const beat = { at: later, event: 'heartbeat' } as const
    world.receive(agent.state('agent-lifecycle', beat), later)
    world.receive(twin.state('agent-lifecycle', { ...beat, clockOffsetMs: 99 }), later)
    expect(await failuresOf(world)).toEqual(['chain.equivocation'])
  })

  test('one that skips its predecessor breaks the chain', async () => {
    const world = await smallWorld(1)
    const [agent] = world.agents
    if (agent === undefined) throw new Error('no agent')
    agent.prev = 'ab'.repeat(32)
    world.receive(agent.state('agent-lifecycle', { at: later, event: 'heartbeat' }), later)
    expect(await failuresOf(world)).toEqual(['chain.unbroken'])
  })

  test('one of another tenant has no place here', async () => {
    const world = await smallWorld(1)
    await liveDays(world, new KitAgent('web', 'andre'), 1, Date.parse(later))
    expect(await failuresOf(world)).toContain('keys.valid')
    const relabelled = edit(({ keys }) => keys.forEach((key) => Object.assign(key, { tenant: 'vestkyst' })))
    const trust = world.trust().replace('andre', 'vestkyst')
    expect(await failuresOf(world, relabelled, trust)).toContain('statements.valid')
  })

  test('an agent cannot sign in the name of another', async () => {
    const world = await smallWorld(1)
    const [one, two] = world.agents
    if (one === undefined || two === undefined) throw new Error('no agents')
    const borrowed = Object.assign(new KitAgent(two.name), {
      seq: two.seq,
      prev: two.prev,
      signer: one.signer,
    })
    world.receive(borrowed.state('agent-lifecycle', { at: later, event: 'heartbeat' }), later)
    expect(await failuresOf(world)).toContain('envelopes.signatures')
  })

  test('nothing counts that a key signed after its revocation', async () => {
    const world = await smallWorld(1)
    const [agent] = world.agents
    if (agent === undefined) throw new Error('no agent')
    world.receive(agent.state('agent-lifecycle', { at: later, event: 'revoked' }), later)
    expect(await failuresOf(world)).toEqual([])
    world.receive(agent.state('agent-lifecycle', { at: later, event: 'heartbeat' }), later)
    expect(await failuresOf(world)).toEqual(['keys.revocation'])
  })

  test('an enrolment that only the agent signed introduces nobody', async () => {
    const world = await smallWorld(1)
    const alone = edit(({ logged }) => {
      const [first] = logged
      if (first !== undefined)
        first.envelope = { ...first.envelope, signatures: first.envelope.signatures.slice(0, 1) }
    })
    expect(await failuresOf(world, alone)).toContain('envelopes.signatures')
  })
})

describe('payloads that agents signed all the same', () => {
  test.each<[string, (json: string) => string]>([
    [
      'a key given twice',
      (json) => json.replace('"event":"heartbeat"', '"event":"alarm","event":"heartbeat"'),
    ],
    [
      '__proto__',
      (json) => json.replace('"event":"heartbeat"', '"__proto__":{"admin":true},"event":"heartbeat"'),
    ],
    ['white space', (json) => json.replace('"event":"heartbeat"', '"event": "heartbeat"')],
    ['a number spelt otherwise', (json) => json.replace('"seq":6', '"seq":6.0')],
    ['a lone surrogate', (json) => json.replace('"host":"srv1"', '"host":"\\ud800"')],
    ['an unknown kind', (json) => json.replace('agent-lifecycle', 'agent-deathcycle')],
  ])('%s', async (_, spoil) => {
    const world = await smallWorld(1)
    const [agent] = world.agents
    if (agent === undefined) throw new Error('no agent')
    agent.seq = 5
    const sound = agent.state('agent-lifecycle', { at: later, event: 'heartbeat' })
    const json = Buffer.from(sound.payload, 'base64').toString()
    expect(spoil(json)).not.toBe(json)
    world.receive(signEnvelope(encode(spoil(json)), [agent.signer]), later)
    // The kit itself cannot read it, so the line is put into a pack made before it.
    const files = new Map(
      await packOf(
        world,
        edit(({ logged }) => logged.pop()),
      ),
    )
    const line = `${JSON.stringify(world.logged.at(-1)?.envelope)}\n`
    const evidence = new TextDecoder().decode(files.get(PACK_FILES.evidence)) + line
    files.set(PACK_FILES.evidence, encode(evidence))
    expect(failuresIn(describePack(files, descriptionOf(files)), world.trust())).toContain('statements.valid')
  })
})

describe('envelopes', () => {
  async function respell(change: (line: string, envelope: Envelope) => string): Promise<string[]> {
    const world = await smallWorld(1)
    const files = new Map(await packOf(world))
    const lines = new TextDecoder().decode(files.get(PACK_FILES.evidence)).trimEnd().split('\n')
    const line = lines[2] ?? ''
    const changed = change(line, JSON.parse(line) as Envelope)
    expect(changed).not.toBe(line)
    lines[2] = changed
    files.set(PACK_FILES.evidence, encode(`${lines.join('\n')}\n`))
    return failuresIn(describePack(files, descriptionOf(files)), world.trust())
  }

  test.each<[string, (line: string, envelope: Envelope) => string]>([
    [
      'base64 with trailing bits',
      (line) => line.replace(/([A-Za-z0-9+/])==(?="}\]})/, (_, last: string) => `${nextLetter(last)}==`),
    ],
    [
      'URL-safe base64',
      (line) =>
        line.replace(/"sig":"[^"]*"/, (sig) =>
          sig.replaceAll('+', '-').replaceAll('/', '_').replace('A', 'A\\u003d'),
        ),
    ],
    ['base64 with a line break', (line) => line.replace('"payload":"', '"payload":"\\n')],
    ['a field twice', (line) => line.replace('{"payloadType"', '{"payload":"","payloadType"')],
    ['a field more', (line) => line.replace('{"payloadType"', '{"note":"","payloadType"')],
    ['white space', (line) => `${line} `],
    ['another payload type', (line) => line.replace('in-toto+json', 'in-toto+yaml')],
    ['no signature', (_, envelope) => JSON.stringify({ ...envelope, signatures: [] })],
    [
      'a signature more',
      (_, envelope) =>
        JSON.stringify({
          ...envelope,
          signatures: [
            ...envelope.signatures,
            ...signEnvelope(Buffer.from(envelope.payload, 'base64'), [signerOf('mallory')]).signatures,
          ],
        }),
    ],
    ['an empty line', () => ''],
    ['no JSON', () => 'null'],
  ])('%s', async (_, change) => {
    expect(await respell(change)).toContain('envelopes.signatures')
  })

  function nextLetter(letter: string): string {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    return alphabet[alphabet.indexOf(letter) + 1] ?? 'B'
  }
})

describe('keys', () => {
  test('a world of the forger’s own making agrees with itself, and no trust file names it', async () => {
    const world = await smallWorld(1)
    const forged = new World()
    const impostor = Object.assign(new KitAgent('srv1'), {
      signer: signerOf('mallory'),
      token: signerOf('moe'),
    })
    await liveDays(forged, impostor, 2)
    const files = await packOf(forged)
    expect(verifyPack({ files, trust: null }).result).toBe('self-consistent, not anchored')
    expect(failuresIn(files, world.trust())).toEqual(
      expect.arrayContaining(['trust.agents', 'envelopes.signatures']),
    )
  })

  test('a log of the forger’s own making is not the one that is trusted', async () => {
    const world = await smallWorld(1)
    const other = world.trust().replace(world.vkey, formatVkey(world.log.origin, signerOf('mallory').spki))
    expect(await failuresOf(world, {}, other)).toEqual(
      expect.arrayContaining(['trust.log', 'log.checkpoint']),
    )
  })

  test('another key in an agent’s file is refused', async () => {
    const world = await smallWorld(1)
    const files = new Map(await packOf(world))
    const keyid = world.agents[0]?.signer.keyid ?? ''
    files.set(keyFile(keyid), encode(spkiToPem(signerOf('mallory').spki)))
    expect(failuresIn(describePack(files, descriptionOf(files)), world.trust())).toContain('keys.valid')
  })

  test('a key of small order, with a signature that fits everything, is refused', async () => {
    const world = await smallWorld(1)
    const weak = { ...signerOf('x'), spki: spkiOf(Uint8Array.of(1, ...new Uint8Array(31))) }
    const keyid = 'dd51ffb87a3ec18c1b3ea4a8e0e2eb1b1ff0e5ab6c0bf4d21c5b3e5c1c2a5c0d'
    const add = edit(({ keys, signers }) => {
      keys.push({ keyid, tenant: 'vestkyst', agent: 'srv1', epoch: 1, purpose: 'agent' })
      signers.push({ ...weak, keyid })
    })
    expect(await failuresOf(world, add)).toContain('keys.valid')
  })

  test('a key that signs nothing has no business in the pack', async () => {
    const world = await smallWorld(1)
    const idle = signerOf('idle')
    const add = edit(({ keys, signers }) => {
      keys.push({ keyid: idle.keyid, tenant: 'vestkyst', agent: 'srv1', epoch: 2, purpose: 'token' })
      signers.push(idle)
    })
    expect(await failuresOf(world, add)).toEqual(['keys.valid'])
  })
})

describe('the log', () => {
  test('a fork is seen: what an agent was shown is not the beginning of this log', async () => {
    const world = await smallWorld(1)
    const [agent] = world.agents
    if (agent === undefined) throw new Error('no agent')
    const other = new World()
    other.receiveOthers(world.log.size - 1)
    await other.show(agent)
    world.receive(agent.state('agent-lifecycle', { at: later, event: 'heartbeat' }), later)
    expect(await failuresOf(world)).toEqual(['log.consistency'])
  })

  test('a statement cannot have seen a head that holds it already', async () => {
    const world = await smallWorld(1)
    const [agent] = world.agents
    if (agent === undefined) throw new Error('no agent')
    const size = world.log.size
    const envelope = agent.state('agent-lifecycle', { at: later, event: 'heartbeat' })
    world.receive(envelope, later)
    agent.head = { origin: world.log.origin, size: size + 3, root: 'A'.repeat(43) + '=' }
    world.receive(agent.state('agent-lifecycle', { at: later, event: 'heartbeat' }), later)
    expect(await failuresOf(world)).toEqual(['log.consistency'])
  })

  test('the proof of one leaf does not serve for another', async () => {
    const world = await smallWorld(1)
    const files = new Map(await packOf(world))
    files.set(proofFile(3), files.get(proofFile(4)) ?? new Uint8Array())
    expect(failuresIn(describePack(files, descriptionOf(files)), world.trust())).toEqual(['log.inclusion'])
  })

  test('an older head than the statements’ own leaves some of them out', async () => {
    const world = await smallWorld(1)
    const size = world.log.size
    const short = edit((parts) => {
      parts.logged.pop()
      parts.size = size - 1
    })
    expect(await failuresOf(world, short)).toEqual([])
    const files = new Map(await packOf(world, short))
    const whole = await packOf(world)
    for (const name of [PACK_FILES.evidence, PACK_FILES.index])
      files.set(name, whole.get(name) ?? new Uint8Array())
    expect(failuresIn(describePack(files, descriptionOf(files)), world.trust())).toContain('log.index')
  })
})

test('any pack we make holds, and with any one byte changed it does not', { timeout: 400_000 }, async () => {
  const shape = fc.record({
    agents: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 }),
    others: fc.integer({ min: 0, max: 5 }),
    where: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    which: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    mask: fc.integer({ min: 1, max: 255 }),
  })
  await fc.assert(
    fc.asyncProperty(shape, async ({ agents, others, where, which, mask }) => {
      const world = new World()
      world.receiveOthers(others)
      for (const [number, days] of agents.entries()) {
        await liveDays(world, new KitAgent(`srv${number}`), days, START + number * 4 * 86_400_000)
      }
      const files = await packOf(world)
      expect(failuresIn(files, world.trust())).toEqual([])
      const names = [...files.keys()].filter(
        (name) => name !== PACK_FILES.description && name !== PACK_FILES.seal,
      )
      const name = names[Math.floor(which * names.length)] ?? ''
      const content = Uint8Array.from(files.get(name) ?? [])
      const place = Math.floor(where * content.length)
      content[place] = (content[place] ?? 0) ^ mask
      const changed = new Map(files).set(name, content)
      expect(verifyPack({ files: changed, trust: null }).exit).toBe(1)
      if (name === PACK_FILES.readme) return
      expect(failuresIn(describePack(changed, descriptionOf(files)), world.trust())).not.toEqual([])
    }),
    { numRuns: 150 },
  )
})
