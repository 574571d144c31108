/** The office of a collector: what it signs about one contract, numbered. */
import { sha256Hex, signerFromSeed } from '@bevis/shared/crypto'
import type { Signer } from '@bevis/shared/crypto'
import { ZERO_DIGEST } from '@bevis/shared/evidence/chain'
import { paeDigest, signEnvelope } from '@bevis/shared/evidence/envelope'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import type { ContractEvent } from '@bevis/shared/evidence/predicates'
import { STATEMENT_TYPE, encodeStatement } from '@bevis/shared/evidence/statement'

/** A signer whose key is the same in every run. */
export function signerOf(name: string): Signer {
  return signerFromSeed(Uint8Array.fromHex(sha256Hex(`seed of ${name}`)))
}

export const OFFICE = signerOf('office')

export class Register {
  readonly #contract: string
  readonly #sha256: string
  #last = { no: 0, prev: ZERO_DIGEST }

  constructor(contract: string, sha256: string) {
    this.#contract = contract
    this.#sha256 = sha256
  }

  /** The next event, signed. */
  say(
    said: Pick<ContractEvent, 'event' | 'at' | 'detail'> & Partial<ContractEvent>,
    office: Signer = OFFICE,
  ): Envelope {
    const register = { no: this.#last.no + 1, prev: this.#last.prev }
    const by = { party: 'provider', person: 'S. Lind' } as const
    const payload = encodeStatement({
      _type: STATEMENT_TYPE,
      subject: [{ name: `contracts/${this.#contract}`, digest: { sha256: this.#sha256 } }],
      predicateType: predicateTypeOf('contract-event'),
      predicate: { contract: this.#contract, by, register, ...said },
    })
    this.#last = { no: register.no, prev: paeDigest(payload) }
    return signEnvelope(payload, [office])
  }
}
