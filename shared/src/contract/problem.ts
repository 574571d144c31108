import type { Document, LineCounter } from 'yaml'
import { isNode } from 'yaml'

/** One thing wrong with a contract file, or worth a look, and what to do about it. Lines and columns from 1. */
export interface Problem {
  line: number
  column: number
  /** `versions.0.sets.1.retention`; empty for the file as a whole. */
  path: string
  message: string
  cure: string
}

export type Path = readonly PropertyKey[]

/** Finds the places of a YAML document's values. */
export class Places {
  readonly #document: Document
  readonly #lines: LineCounter

  constructor(document: Document, lines: LineCounter) {
    this.#document = document
    this.#lines = lines
  }

  /** The place of a value; of what would hold it, where it is missing. */
  of(path: Path): { line: number; column: number } {
    for (let length = path.length; length >= 0; length--) {
      const node: unknown = this.#document.getIn(path.slice(0, length), true)
      const offset = isNode(node) ? node.range?.[0] : undefined
      if (offset !== undefined) return this.at(offset)
    }
    return { line: 1, column: 1 }
  }

  /** The place of a key itself. */
  ofKey(path: Path, key: string): { line: number; column: number } {
    const holder: unknown = this.#document.getIn([...path], true)
    if (isNode(holder) && 'items' in holder && Array.isArray(holder.items)) {
      for (const item of holder.items as { key?: unknown }[]) {
        const node = item.key
        if (isNode(node) && 'value' in node && String(node.value) === key && node.range) {
          return this.at(node.range[0])
        }
      }
    }
    return this.of(path)
  }

  at(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
}

export function formatPath(path: Path): string {
  return path.map(String).join('.')
}
