import { decodeBase64, encodeBase64 } from '../base64.ts'
import { BevisError } from '../error.ts'
import { openCheckpoint } from '../log/checkpoint.ts'
import type { Checkpoint } from '../log/checkpoint.ts'
import { EMPTY_ROOT, verifyInclusion } from '../log/merkle.ts'
import { parseProof } from '../log/proof.ts'
import { assertExtends } from '../log/receipt.ts'
import { parseConsistency } from '../log/consistency.ts'
import { textOf } from './description.ts'
import type { Description, PackContent } from './description.ts'
import type { LoggedStatement } from './index-lines.ts'
import type { LogClosure } from '../log/succession.ts'
import type { Keys } from './keys.ts'
import { NameList } from './name-list.ts'
import { checkpointFile, consistencyFile, filesOfStamps, proofFile } from './pack.ts'
import { counted } from './report.ts'
import type { Findings } from './report.ts'

/** Checks `log.checkpoint`: the head that the proofs lead to. */
export function readCheckpoint(
  files: PackContent,
  pack: Description,
  keys: Keys,
  findings: Findings,
): Checkpoint | undefined {
  return findings.attempt('log.checkpoint', checkpointFile(pack.log.size), () => {
    if (keys.log === null) throw new BevisError('CHECKPOINT_INVALID', 'there is no key to check it with')
    const checkpoint = openCheckpoint(textOf(files, checkpointFile(pack.log.size)), keys.log)
    if (checkpoint.size !== pack.log.size || checkpoint.origin !== pack.log.origin) {
      throw new BevisError('CHECKPOINT_INVALID', `signs ${checkpoint.size} leaves of ${checkpoint.origin}`)
    }
    findings.hold('log.checkpoint', `${checkpoint.origin}, ${counted(checkpoint.size, 'leaf', 'leaves')}`)
    return checkpoint
  })
}

/** Checks `log.inclusion`. */
export class Inclusion {
  readonly #files: PackContent
  readonly #checkpoint: Checkpoint
  readonly #findings: Findings
  readonly #due = new NameList()
  #proven = 0

  constructor(files: PackContent, checkpoint: Checkpoint, findings: Findings) {
    this.#files = files
    this.#checkpoint = checkpoint
    this.#findings = findings
    for (const leaf of filesOfStamps(files, checkpoint.size).leaves) this.#due.add(proofFile(leaf))
  }

  prove({ leafIndex, leaves }: LoggedStatement): void {
    for (const [number, leaf] of leaves.entries()) {
      const name = proofFile(leafIndex + number)
      this.#due.add(name)
      this.#proven += 1
      this.#findings.attempt('log.inclusion', name, () =>
        this.#assert(name, leafIndex + number, leaf.leafHash),
      )
    }
  }

  #assert(name: string, index: number, leafHash: Uint8Array): void {
    const { note, size, root } = this.#checkpoint
    const proof = parseProof(textOf(this.#files, name))
    if (proof.checkpoint !== note) throw new BevisError('PROOF_INVALID', 'leads to another checkpoint')
    const claim = { index: proof.index, size, leafHash, proof: proof.hashes, root }
    if (proof.index !== index || !verifyInclusion(claim))
      throw new BevisError('PROOF_INVALID', 'does not lead from the statement to the log’s root')
  }

  conclude(): void {
    for (const name of this.#files.keys()) {
      if (name.endsWith('.tlog-proof') && !this.#due.has(name))
        this.#findings.fail('log.inclusion', `${name}: of no statement and no stamp`)
    }
    this.#findings.hold('log.inclusion', counted(this.#proven, 'leaf', 'leaves'))
  }
}

/** Heads whose roots are at hand; others are proven anew when they are embedded again. */
const ROOTS_KEPT = 1_000

/** Checks `log.consistency`. */
export class Consistency {
  readonly #files: PackContent
  readonly #checkpoint: Checkpoint
  readonly #closures: readonly LogClosure[]
  readonly #findings: Findings
  readonly #due = new NameList()
  readonly #heads = new NameList()
  readonly #rootBySize = new Map<number, string>()

  constructor(
    files: PackContent,
    { checkpoint, closures }: { checkpoint: Checkpoint; closures: readonly LogClosure[] },
    findings: Findings,
  ) {
    this.#files = files
    this.#checkpoint = checkpoint
    this.#closures = closures
    this.#findings = findings
    for (const size of filesOfStamps(files, checkpoint.size).sizes) this.#expect(size)
  }

  #expect(size: number): void {
    this.#due.add(consistencyFile(size, this.#checkpoint.size))
  }

  prove({ chain, place, leafIndex }: LoggedStatement): void {
    if (chain === null || chain.log === null) return
    const { size, root } = chain.log
    const closed = this.#closures.find(({ from }) => from.name === chain.log?.origin)
    if (closed !== undefined && size > closed.kept.size && size <= closed.last.size) {
      this.#expect(size)
      const lost = `${closed.from.name} lost its entries from ${closed.kept.size} to ${closed.last.size}, and was closed`
      this.#findings.skip('log.consistency', `${lost}: what agents saw of them cannot be compared any more`)
      return
    }
    // What a closed log has left is the beginning of the one that goes on.
    const isContinued = closed !== undefined && size <= closed.kept.size
    const origin = isContinued ? this.#checkpoint.origin : chain.log.origin
    if (leafIndex < size)
      this.#findings.fail('log.consistency', `${place}: embeds a head that already holds it`)
    if (this.#rootBySize.get(size) === root && origin === this.#checkpoint.origin) return
    this.#findings.attempt('log.consistency', `${place}: the head of ${size} leaves that it embeds`, () =>
      this.#assert({ origin, size, root }),
    )
  }

  #assert({ origin, size, root }: { origin: string; size: number; root: string }): void {
    const known = this.#rootBySize.get(size)
    if (known !== undefined && known !== root) {
      throw new BevisError('LOG_INCONSISTENT', 'another statement embeds another root for this size')
    }
    this.#keep(size, root)
    const checkpoint = this.#checkpoint
    const hashes = size === 0 || size === checkpoint.size ? [] : readHashes(this.#files, checkpoint, size)
    this.#expect(size)
    if (size === 0 && root !== encodeBase64(EMPTY_ROOT))
      throw new BevisError('LOG_INCONSISTENT', 'not the empty root')
    assertExtends({ origin, size, root: decodeBase64(root) }, checkpoint, hashes)
    if (origin !== checkpoint.origin) throw new BevisError('LOG_INCONSISTENT', `of another log, ${origin}`)
  }

  #keep(size: number, root: string): void {
    this.#heads.add(`${size}`)
    this.#rootBySize.set(size, root)
    const oldest = this.#rootBySize.keys().next().value
    if (this.#rootBySize.size > ROOTS_KEPT && oldest !== undefined) this.#rootBySize.delete(oldest)
  }

  conclude(): void {
    for (const name of this.#files.keys()) {
      if (name.startsWith('proofs/consistency-') && !this.#due.has(name)) {
        this.#findings.fail(
          'log.consistency',
          `${name}: of no head that a statement embeds or a stamp is over`,
        )
      }
    }
    this.#findings.hold('log.consistency', `${counted(this.#heads.size, 'head')} that agents had seen`)
  }
}

/** The consistency proof from a smaller head. @throws BevisError PACK_INVALID, PROOF_INVALID */
export function readHashes(files: PackContent, checkpoint: Checkpoint, size: number): readonly Uint8Array[] {
  const name = consistencyFile(size, checkpoint.size)
  const proof = parseConsistency(textOf(files, name))
  if (proof.from !== size || proof.checkpoint !== checkpoint.note) {
    throw new BevisError('PROOF_INVALID', `${name} is about other heads`)
  }
  return proof.hashes
}
