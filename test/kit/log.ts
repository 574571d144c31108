import type { Signer } from '@bevis/shared/crypto'
import { signCheckpoint } from '@bevis/shared/log/checkpoint'
import type { Checkpoint } from '@bevis/shared/log/checkpoint'
import { appendLeaves, consistencyProof, inclusionProof, leafHash, rootOf } from '@bevis/shared/log/merkle'
import type { NodeId } from '@bevis/shared/log/merkle'

/** A transparency log in memory, for tests that need real proofs and no collector. */
export class MemoryLog {
  readonly origin: string
  readonly signer: Signer
  size = 0
  #edge: Uint8Array[] = []
  readonly #nodes = new Map<string, Uint8Array>()

  constructor(origin: string, signer: Signer) {
    this.origin = origin
    this.signer = signer
  }

  /** @returns the leaf's index */
  append(entry: Uint8Array): number {
    const added = appendLeaves(this.size, this.#edge, [leafHash(entry)])
    for (const { id, hash } of added.nodes) this.#nodes.set(`${id.level}/${id.index}`, hash)
    this.#edge = added.edge
    this.size = added.size
    return added.size - 1
  }

  read = (ids: readonly NodeId[]): Promise<Uint8Array[]> =>
    Promise.resolve(
      ids.map((id) => {
        const hash = this.#nodes.get(`${id.level}/${id.index}`)
        if (hash === undefined) throw new RangeError(`no node ${id.level}/${id.index}`)
        return hash
      }),
    )

  async checkpoint(size = this.size): Promise<Checkpoint> {
    return signCheckpoint({ origin: this.origin, size, root: await rootOf(size, this.read) }, this.signer)
  }

  inclusion(index: number, size = this.size): Promise<Uint8Array[]> {
    return inclusionProof(index, size, this.read)
  }

  consistency(from: number, to = this.size): Promise<Uint8Array[]> {
    return from === 0 || from === to ? Promise.resolve([]) : consistencyProof(from, to, this.read)
  }
}
