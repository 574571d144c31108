import { decodeBase64, encodeBase64 } from '../base64.ts'
import { BevisError } from '../error.ts'
import { openCheckpoint } from '../log/checkpoint.ts'
import type { Checkpoint } from '../log/checkpoint.ts'
import { EMPTY_ROOT, verifyInclusion } from '../log/merkle.ts'
import { parseProof } from '../log/proof.ts'
import { assertExtends } from '../log/receipt.ts'
import { parseConsistency } from '../log/consistency.ts'
import { fileOf, textOf } from './description.ts'
import type { PackContent } from './description.ts'
import type { LogClosure } from '../log/succession.ts'
import type { Keys } from './keys.ts'
import {
  PACK_FILES,
  checkpointFile,
  consistencyFile,
  filesOfStamps,
  decodeJson,
  indexLineSchema,
  linesOf,
  proofFile,
} from './pack.ts'
import type { IndexLine, Pack } from './pack.ts'
import { counted } from './report.ts'
import type { Findings } from './report.ts'
import type { VerifiedStatement } from './statements.ts'

/** A statement and its place in the log. */
export interface LoggedStatement extends VerifiedStatement {
  /** Index of its first leaf. */
  readonly leafIndex: number
  /** By the collector's clock: its claim. */
  readonly receivedAt: string
}

/**
 * Checks `log.checkpoint`, `log.index`, `log.inclusion` and `log.consistency`.
 * @returns the statements that the log holds, in log order, and the head that the proofs lead to
 */
export function placeStatements(
  files: PackContent,
  pack: Pack,
  keys: Keys,
  statements: readonly VerifiedStatement[],
  findings: Findings,
): { logged: LoggedStatement[]; checkpoint: Checkpoint | undefined } {
  const checkpoint = readCheckpoint(files, pack, keys, findings)
  const logged = indexStatements(files, pack, statements, findings)
  if (checkpoint !== undefined) {
    proveInclusion(files, checkpoint, logged, findings)
    proveConsistency(files, { checkpoint, closures: keys.closures }, logged, findings)
  }
  return { logged, checkpoint }
}

function readCheckpoint(
  files: PackContent,
  pack: Pack,
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

function indexStatements(
  files: PackContent,
  pack: Pack,
  statements: readonly VerifiedStatement[],
  findings: Findings,
): LoggedStatement[] {
  const lines = new Map<string, IndexLine>()
  let last: IndexLine | undefined
  findings.attempt('log.index', '', () => {
    for (const { text, number } of linesOf(fileOf(files, PACK_FILES.index), PACK_FILES.index)) {
      const place = `${PACK_FILES.index} line ${number}`
      const line = decodeJson(`${text}\n`, indexLineSchema, place)
      const id = `${line.pae} ${line.signature}`
      if (lines.has(id)) throw new BevisError('PACK_INVALID', `${place}: a leaf that was there before`)
      if (line.index >= pack.log.size) throw new BevisError('PACK_INVALID', `${place}: beyond the checkpoint`)
      if (last !== undefined && line.index <= last.index)
        throw new BevisError('PACK_INVALID', `${place}: not in log order`)
      if (last !== undefined && line.receivedAt < last.receivedAt) {
        throw new BevisError('PACK_INVALID', `${place}: received before what stands before it in the log`)
      }
      lines.set(id, line)
      last = line
    }
  })
  const logged: LoggedStatement[] = []
  let next = 0
  for (const verified of statements) {
    const placed = verified.leaves.map((leaf) => {
      const id = `${verified.paeDigest} ${leaf.signature}`
      const line = lines.get(id)
      lines.delete(id)
      return line?.keyid === leaf.key.keyid ? line : undefined
    })
    const [first] = placed
    if (first === undefined || placed.some((line) => line === undefined)) {
      findings.fail('log.index', `${verified.place}: has no line in ${PACK_FILES.index}`)
      continue
    }
    if (
      placed.some(
        (line, number) => line?.index !== first.index + number || line.receivedAt !== first.receivedAt,
      )
    ) {
      findings.fail('log.index', `${verified.place}: its signatures do not lie side by side in the log`)
    }
    if (first.index < next) findings.fail('log.index', `${verified.place}: not in log order`)
    next = first.index + 1
    logged.push({ ...verified, leafIndex: first.index, receivedAt: first.receivedAt })
  }
  for (const line of lines.values()) {
    findings.fail('log.index', `leaf ${line.index}: its statement is not in ${PACK_FILES.evidence}`)
  }
  findings.hold('log.index', `${counted(logged.length, 'statement')} in log order`)
  return logged.toSorted((a, b) => a.leafIndex - b.leafIndex)
}

function proveInclusion(
  files: PackContent,
  checkpoint: Checkpoint,
  logged: readonly LoggedStatement[],
  findings: Findings,
): void {
  let proven = 0
  const due = new Set(Array.from(filesOfStamps(files, checkpoint.size).leaves, proofFile))
  for (const { leafIndex, leaves } of logged) {
    for (const [number, leaf] of leaves.entries()) {
      const name = proofFile(leafIndex + number)
      due.add(name)
      proven += 1
      findings.attempt('log.inclusion', name, () => {
        const proof = parseProof(textOf(files, name))
        if (proof.checkpoint !== checkpoint.note)
          throw new BevisError('PROOF_INVALID', 'leads to another checkpoint')
        const included =
          proof.index === leafIndex + number &&
          verifyInclusion({
            index: proof.index,
            size: checkpoint.size,
            leafHash: leaf.leafHash,
            proof: proof.hashes,
            root: checkpoint.root,
          })
        if (!included)
          throw new BevisError('PROOF_INVALID', 'does not lead from the statement to the log’s root')
      })
    }
  }
  for (const name of files.keys()) {
    if (name.endsWith('.tlog-proof') && !due.has(name))
      findings.fail('log.inclusion', `${name}: of no statement and no stamp`)
  }
  findings.hold('log.inclusion', counted(proven, 'leaf', 'leaves'))
}

function proveConsistency(
  files: PackContent,
  { checkpoint, closures }: { checkpoint: Checkpoint; closures: readonly LogClosure[] },
  logged: readonly LoggedStatement[],
  findings: Findings,
): void {
  const rootBySize = new Map<number, string>()
  const stamped = filesOfStamps(files, checkpoint.size).sizes
  const due = new Set(Array.from(stamped, (size) => consistencyFile(size, checkpoint.size)))
  for (const { chain, place, leafIndex } of logged) {
    if (chain === null || chain.log === null) continue
    const { size, root } = chain.log
    const closed = closures.find(({ from }) => from.name === chain.log?.origin)
    if (closed !== undefined && size > closed.kept.size && size <= closed.last.size) {
      due.add(consistencyFile(size, checkpoint.size))
      const lost = `${closed.from.name} lost its entries from ${closed.kept.size} to ${closed.last.size}, and was closed`
      findings.skip('log.consistency', `${lost}: what agents saw of them cannot be compared any more`)
      continue
    }
    // What a closed log has left is the beginning of the one that goes on.
    const origin = closed !== undefined && size <= closed.kept.size ? checkpoint.origin : chain.log.origin
    if (leafIndex < size) findings.fail('log.consistency', `${place}: embeds a head that already holds it`)
    const known = rootBySize.get(size)
    if (known === root && origin === checkpoint.origin) continue
    findings.attempt('log.consistency', `${place}: the head of ${size} leaves that it embeds`, () => {
      if (known !== undefined && known !== root) {
        throw new BevisError('LOG_INCONSISTENT', 'another statement embeds another root for this size')
      }
      rootBySize.set(size, root)
      const hashes = size === 0 || size === checkpoint.size ? [] : readHashes(files, checkpoint, size)
      due.add(consistencyFile(size, checkpoint.size))
      if (size === 0 && root !== encodeBase64(EMPTY_ROOT))
        throw new BevisError('LOG_INCONSISTENT', 'not the empty root')
      assertExtends({ origin, size, root: decodeBase64(root) }, checkpoint, hashes)
      if (origin !== checkpoint.origin) throw new BevisError('LOG_INCONSISTENT', `of another log, ${origin}`)
    })
  }
  for (const name of files.keys()) {
    if (name.startsWith('proofs/consistency-') && !due.has(name)) {
      findings.fail('log.consistency', `${name}: of no head that a statement embeds or a stamp is over`)
    }
  }
  findings.hold('log.consistency', `${counted(rootBySize.size, 'head')} that agents had seen`)
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
