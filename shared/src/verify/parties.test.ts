/** The parties' own keys. That forgeries are found is among the attacks; here is what the check says yes to. */
import { expect, test } from 'vitest'
import { packOf } from '../../../test/kit/pack.ts'
import { smallWorld } from '../../../test/kit/world.ts'
import { signerOf } from '../../../test/kit/register.ts'
import type { World } from '../../../test/kit/world.ts'
import { ACCEPTANCE, log, partyTrust, wordFor } from '../../../test/kit/party-attacks.ts'
import { openPartyWord } from '../contract/party-word.ts'
import { mergeTrust, parseTrust } from './trust.ts'
import { verifyPack } from './verify-pack.ts'

async function said(world: World, trust = partyTrust(world)): Promise<string> {
  const { checks } = verifyPack({ files: await packOf(world), trust: parseTrust(trust) })
  const check = checks.find(({ id }) => id === 'trust.parties')
  const failed = checks.filter(({ id, outcome }) => outcome === 'failed' && id !== 'trust.parties')
  expect(failed.filter(({ id }) => id !== 'verdict.recomputed')).toEqual([])
  return `${check?.outcome}: ${check?.detail}`
}

test('an acceptance that the customer’s own key signed is the customer’s', async () => {
  const world = await smallWorld(1)
  log(world, ACCEPTANCE, wordFor(ACCEPTANCE))
  expect(await said(world)).toBe('held: 1 acceptance and 0 other events signed by vestkyst.example/root')
})

test('it vouches for what the text says of the same version, which then needs no pin', async () => {
  const world = await smallWorld(1)
  log(world, ACCEPTANCE, wordFor(ACCEPTANCE))
  expect(await said(world, partyTrust(world, { pin: false }))).toMatch(/^held/)
})

test('what was said without a key is confirmed with it, and not the other way round', async () => {
  const [confirmed, taken] = [await smallWorld(1), await smallWorld(1)]
  log(confirmed, ACCEPTANCE)
  expect(await said(confirmed)).toMatch(
    /^failed: .*version 1 accepted, not signed by vestkyst\.example\/root$/,
  )
  log(confirmed, ACCEPTANCE, wordFor(ACCEPTANCE))
  expect(await said(confirmed)).toMatch(/^held/)
  log(taken, ACCEPTANCE, wordFor(ACCEPTANCE))
  log(taken, ACCEPTANCE)
  expect(await said(taken)).toMatch(/^failed/)
})

test('a reply to a report, and another party’s word, need no signature', async () => {
  const world = await smallWorld(1)
  const reply = { statement: '1'.repeat(64), reply: 'signed-off' }
  log(world, { ...ACCEPTANCE, event: 'finding-acknowledged', detail: reply })
  log(world, { ...ACCEPTANCE, by: { party: 'provider', person: 'S. Lind' } })
  expect(await said(world)).toMatch(/^held: 0 acceptances/)
})

test('a key that is bound to other contracts, or none, asks for nothing', async () => {
  const world = await smallWorld(1)
  log(world, ACCEPTANCE)
  expect(await said(world, partyTrust(world, { more: ', contracts: [AFT-1]' }))).toMatch(/^held/)
  expect(await said(world, world.trust())).toBe('held: your trust file names no key of a party')
})

test('of merged trust files every key counts', async () => {
  const world = await smallWorld(1)
  const merged = mergeTrust(
    parseTrust(world.trust()),
    parseTrust(partyTrust(world)),
    parseTrust(partyTrust(world)),
  )
  expect(merged.parties?.length).toBe(2)
})

test('a signed word says what was signed; with any bit changed it says nothing', () => {
  const word = wordFor(ACCEPTANCE)
  expect(openPartyWord(word).event).toEqual(ACCEPTANCE)
  const bytes = new TextEncoder().encode(word)
  const taken = Array.from(bytes, (_, n) => {
    const changed = Uint8Array.from(bytes)
    changed[n] = (changed[n] ?? 0) ^ 1
    try {
      const opened = openPartyWord(new TextDecoder().decode(changed))
      return JSON.stringify(opened.event) === JSON.stringify(ACCEPTANCE) ? '' : String(n)
    } catch {
      return ''
    }
  }).filter((n) => n !== '')
  expect(taken).toEqual([])
})

test.each([
  ['no version', { version: undefined }],
  [
    'the office’s own event',
    { event: 'report-issued', detail: { document: 'contract', sha256: '0'.repeat(64) } },
  ],
  ['a number in the register', { register: { no: 1, prev: '0'.repeat(64) } }],
  ['a field that the event has not', { detail: { ...ACCEPTANCE.detail, signed: 'x' } }],
  ['another text than it names', { detail: { sha256: '0'.repeat(64) } }],
] as const)('with %s it is refused, whoever signed it', (_, change) => {
  expect(() => wordFor({ ...ACCEPTANCE, ...change }, signerOf('anybody'))).toThrow(
    /not a party’s signed word/,
  )
})
