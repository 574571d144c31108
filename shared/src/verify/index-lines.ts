import { BevisError, errorMessageOf } from '../error.ts'
import { piecesOf } from './description.ts'
import type { Description, PackContent } from './description.ts'
import { PACK_FILES, decodeJson, indexLineSchema, linesOf } from './pack.ts'
import type { IndexLine } from './pack.ts'
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

/** How far a line is looked for that is not the next one, so as to tell what is missing; an honest pack needs none. */
const AHEAD_LINES = 1_000

/**
 * Checks `log.index`: statements come in the order of the log, and each finds its lines as the next of the index,
 * which names nothing else.
 */
export class IndexLines {
  readonly #lines: Iterator<IndexLine>
  readonly #findings: Findings
  /** Read, and not taken yet. */
  readonly #ahead: IndexLine[] = []
  #placed = 0

  constructor(files: PackContent, pack: Description, findings: Findings) {
    this.#findings = findings
    this.#lines = readLines(files, pack, findings)
  }

  /** Undefined where the index does not name it there. */
  place(verified: VerifiedStatement): LoggedStatement | undefined {
    const { leaves, paeDigest, place } = verified
    const isOf = (line: IndexLine | undefined, number: number) =>
      line?.pae === paeDigest &&
      line.signature === leaves[number]?.signature &&
      line.keyid === leaves[number].key.keyid
    let at = 0
    while (at < AHEAD_LINES && !isOf(this.#at(at), 0) && this.#at(at) !== undefined) at += 1
    const lines = leaves.map((_, number) => this.#at(at + number))
    const [first] = lines
    if (first === undefined || !lines.every(isOf)) {
      this.#findings.fail('log.index', `${place}: has no line in ${PACK_FILES.index}`)
      return undefined
    }
    const isSplit = lines.some(
      (line, number) => line?.index !== first.index + number || line.receivedAt !== first.receivedAt,
    )
    if (isSplit)
      this.#findings.fail('log.index', `${place}: its signatures do not lie side by side in the log`)
    for (const line of this.#ahead.splice(0, at)) this.#miss(line)
    this.#ahead.splice(0, leaves.length)
    this.#placed += 1
    return { ...verified, leafIndex: first.index, receivedAt: first.receivedAt }
  }

  conclude(): void {
    for (let line = this.#at(0); line !== undefined; line = this.#at(0)) {
      this.#miss(line)
      this.#ahead.shift()
    }
    this.#findings.hold('log.index', `${counted(this.#placed, 'statement')} in log order`)
  }

  #miss({ index }: IndexLine): void {
    this.#findings.fail('log.index', `leaf ${index}: its statement is not in ${PACK_FILES.evidence}`)
  }

  #at(place: number): IndexLine | undefined {
    while (this.#ahead.length <= place) {
      const next = this.#lines.next()
      if (next.done === true) return undefined
      this.#ahead.push(next.value)
    }
    return this.#ahead[place]
  }
}

function* readLines(files: PackContent, pack: Description, findings: Findings): Generator<IndexLine> {
  let last: IndexLine | undefined
  try {
    for (const { text, number } of linesOf(piecesOf(files, PACK_FILES.index), PACK_FILES.index)) {
      const place = `${PACK_FILES.index} line ${number}`
      const line = decodeJson(`${text}\n`, indexLineSchema, place)
      const refuse = (why: string): never => {
        throw new BevisError('PACK_INVALID', `${place}: ${why}`)
      }
      if (line.index >= pack.log.size) refuse('beyond the checkpoint')
      if (last !== undefined && line.index <= last.index) refuse('not in log order')
      if (last !== undefined && line.receivedAt < last.receivedAt)
        refuse('received before what stands before it in the log')
      // It decides which stamps stand (`Times`): nobody may choose it.
      if (line.receivedAt > pack.madeAt) refuse(`received after the pack was made, ${pack.madeAt}`)
      last = line
      yield line
    }
  } catch (error) {
    findings.fail('log.index', errorMessageOf(error))
  }
}
