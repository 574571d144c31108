import { describe, expect, test } from 'vitest'
import { packOf } from '../../../test/kit/pack.ts'
import { smallWorld } from '../../../test/kit/world.ts'
import { parseTrust } from './trust.ts'
import { verifyPack } from './verify-pack.ts'

const world = await smallWorld()
const honest = await packOf(world)
const trust = parseTrust(world.trust())

describe('an honest pack', () => {
  test('is verified against the customer’s own keys', () => {
    const report = verifyPack({ files: honest, trust })
    expect(report.checks.filter(({ outcome }) => outcome !== 'held')).toEqual([])
    expect(report).toMatchObject({ result: 'verified', exit: 0, anchored: true })
  })

  test('without a trust file is self-consistent, and says what that leaves open', () => {
    const report = verifyPack({ files: honest, trust: null })
    expect(report).toMatchObject({ result: 'self-consistent, not anchored', exit: 2, anchored: false })
    const open = report.checks.filter(({ outcome }) => outcome !== 'held')
    expect(open.map(({ id }) => id)).toEqual(['trust.log', 'trust.agents', 'trust.root', 'trust.parties'])
    expect(report.notProven.join('\n')).toMatch(/Whose keys these are/)
  })
})
