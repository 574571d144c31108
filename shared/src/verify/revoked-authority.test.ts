import { expect, test } from 'vitest'
import { describe as describePack, descriptionOf, packOf } from '../../../test/kit/pack.ts'
import { signerOf } from '../../../test/kit/register.ts'
import { KitAgent, START, smallWorld } from '../../../test/kit/world.ts'
import { decodeBase64 } from '../base64.ts'
import { signEnvelope } from '../evidence/envelope.ts'
import { formatConsistency } from '../log/consistency.ts'
import { checkpointFile, consistencyFile, stampFile } from './pack.ts'
import type { ExaminedStamp } from './stamps.ts'
import { parseTrust } from './trust.ts'
import { verifyPack } from './verify-pack.ts'

const at = (days: number) => new Date(START + days * 86_400_000).toISOString()

test('the next key, which a key in other hands authorised, is in doubt where no stamp is from before', async () => {
  const world = await smallWorld(1)
  const [first] = world.agents
  if (first === undefined) throw new Error('an agent was to live here')
  const heir = Object.assign(new KitAgent(first.name), { epoch: 2, prev: first.prev, head: first.head })
  heir.signer = signerOf('the next key')
  heir.token = signerOf('no token')
  const before = world.log.size
  world.agents.push(heir)
  const rotated = { at: at(90), event: 'rotated', key: heir.signer.keyid } as const
  const { payload } = heir.state('agent-lifecycle', rotated)
  world.receive(signEnvelope(decodeBase64(payload), [heir.signer, first.signer]), at(90))
  const after = world.log.size
  const detail = { agent: first.name, epoch: 1, reason: 'stolen', compromisedSince: at(80) }
  world.receive(world.register.say({ event: 'key-revoked', at: at(91), detail }), at(91))
  const made = await packOf(world, {
    edit: (parts) => {
      parts.keys = parts.keys.filter(({ keyid }) => keyid !== heir.token.keyid)
    },
  })
  const whole = descriptionOf(made).log.size
  const trust = parseTrust(`${world.trust()}tsa: ${'0'.repeat(64)}\n`)

  /** What is said of the key where the head of so many leaves was stamped on the 79th day. */
  async function stampedAt(size: number) {
    const files = new Map(made)
    const put = (name: string, text: string) => files.set(name, new TextEncoder().encode(text))
    const checkpoint = new TextDecoder().decode(made.get(checkpointFile(whole)))
    put(checkpointFile(size), (await world.log.checkpoint(size)).note)
    put(stampFile(size, whole), 'looked at already')
    const hashes = await world.log.consistency(size, whole)
    put(consistencyFile(size, whole), formatConsistency({ from: size, hashes, checkpoint }))
    const stamp = { genTime: at(79), accuracyMs: 0, policy: '1.2', serial: '1', authority: 'CN=TSA' }
    const examined: ExaminedStamp = {
      ...{ name: stampFile(size, whole), size, leafIndex: whole, leafHash: new Uint8Array(32), problem: '' },
      stamp: { ...stamp, validUntil: at(9_999) },
    }
    const pack = describePack(files, descriptionOf(made))
    const { exit, checks } = verifyPack({ files: pack, trust, stamps: [examined] })
    return { exit, ...checks.find(({ id }) => id === 'keys.revocation') }
  }
  expect(await stampedAt(before)).toMatchObject({
    exit: 2,
    outcome: 'not-checked',
    detail: expect.stringContaining('of 1 statement no stamp'),
  })
  expect(await stampedAt(after)).toMatchObject({ outcome: 'held' }) // the collector misdated it: told elsewhere
})
