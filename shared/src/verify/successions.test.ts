import { expect, test } from 'vitest'
import { describe as describePack, descriptionOf, packOf } from '../../../test/kit/pack.ts'
import { signerOf } from '../../../test/kit/register.ts'
import { START, smallWorld } from '../../../test/kit/world.ts'
import { parseVkey, formatVkey } from '../log/checkpoint.ts'
import { signSuccession } from '../log/succession.ts'
import { PACK_FILES } from './pack.ts'
import { parseTrust } from './trust.ts'
import { verifyPack } from './verify-pack.ts'

test('a stranger’s word that the log was closed excuses no head that it has forgotten', async () => {
  const world = await smallWorld(1)
  const [agent] = world.agents
  if (agent === undefined) throw new Error('an agent was to live here')
  const at = new Date(START + 90 * 86_400_000).toISOString()
  const { origin, size } = await world.log.checkpoint()
  agent.head = { origin, size, root: new Uint8Array(32).fill(7).toBase64() }
  world.receive(agent.state('agent-lifecycle', { at, event: 'heartbeat' }), at)
  const forked = await packOf(world)

  const keyOf = (name: string) => parseVkey(formatVkey(name, signerOf('mallory').spki))
  const head = (of: number) => ({ size: of, root: new Uint8Array(32) })
  const closure = { kind: 'closure', from: keyOf(origin), to: keyOf('another.example/log'), at } as const
  const note = signSuccession({ ...closure, kept: head(1), last: head(size) }, signerOf('mallory'))
  const files = new Map(forked).set(
    PACK_FILES.successions,
    new TextEncoder().encode(`${JSON.stringify([note])}\n`),
  )
  for (const pack of [forked, describePack(files, descriptionOf(forked))])
    for (const trust of [parseTrust(world.trust()), null]) {
      const { exit, checks } = verifyPack({ files: pack, trust })
      const found = checks.find(({ id }) => id === 'log.consistency')
      expect({ exit, outcome: found?.outcome }).toEqual({ exit: 1, outcome: 'failed' })
    }
})
