/** Our envelopes are DSSE as others read it: Sigstore's own verifier takes them unchanged, and what was changed not. */
import { createPublicKey } from 'node:crypto'
import { bundleFromJSON } from '@sigstore/bundle'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { expect, test } from 'vitest'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { encodeEnvelope } from '@bevis/shared/evidence/envelope'
import { smallWorld } from './kit/world.ts'

const world = await smallWorld(1)
const agent = world.agents[0] ?? expect.fail('an agent')
const [enrolled, backup, inventory] = world.logged.map(({ envelope }) => envelope)

/** As `cosign verify-blob-attestation --insecure-ignore-tlog`: a key that is known, no log and no stamps of Sigstore's. */
function verify(envelope: Envelope): void {
  const bundle = bundleFromJSON({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: agent.signer.keyid }, tlogEntries: [] },
    dsseEnvelope: JSON.parse(encodeEnvelope(envelope)),
  })
  const publicKey = createPublicKey({ key: Buffer.from(agent.signer.spki), format: 'der', type: 'spki' })
  const trust = toTrustMaterial(
    { mediaType: '', tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] },
    (hint) => {
      expect(hint).toBe(agent.signer.keyid)
      return { publicKey, validFor: () => true }
    },
  )
  new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }).verify(
    toSignedEntity(bundle),
  )
}

test('@sigstore/verify accepts a statement as it lies in a pack', () => {
  for (const envelope of [backup, inventory])
    expect(() => verify(envelope ?? expect.fail('none'))).not.toThrow()
})

test('and refuses another payload, another type and another signature', () => {
  if (backup === undefined || inventory === undefined || enrolled === undefined) return expect.fail('none')
  const { payload, signatures } = inventory
  for (const changed of [
    { ...backup, payload },
    { ...backup, signatures },
    { ...backup, payloadType: 'application/vnd.in-toto+yaml' as 'application/vnd.in-toto+json' },
  ]) {
    expect(() => verify(changed)).toThrow(/signature verification failed/)
  }
})
