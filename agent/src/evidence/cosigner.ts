import { join } from 'node:path'
import type { Signer } from '@bevis/shared/crypto'
import { parseVkey } from '@bevis/shared/log/checkpoint'
import { agentCosignerName, formatCosignerKey } from '@bevis/shared/log/cosignature'
import type { State } from '../state.ts'
import type { Identity } from './identity.ts'
import { makeKey } from './key.ts'

/** The agent as a witness of the log: a name and a key of its own, which sign nothing but heads of the log. */
export interface Cosigner {
  readonly name: string
  readonly signer: Signer
  /** As it is announced, and as policies name it. */
  readonly vkey: string
}

/** Reads the cosigning key, or makes it where there is none yet: an agent of an older version has none. */
export function openCosigner(state: State, { agent, vkey }: Pick<Identity, 'agent' | 'vkey'>): Cosigner {
  const signer = makeKey(join(state.folder, 'cosigner.key'))
  const name = agentCosignerName(parseVkey(vkey).name, agent)
  return { name, signer, vkey: formatCosignerKey(name, signer.spki) }
}
