import { basename } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import type { Document } from 'yaml'
import type { z } from 'zod'

const MAX_LENGTH = 1024 * 1024

/**
 * Reads YAML through a schema.
 * @throws BevisError CONFIG_INVALID with a line `file:line:column: path: problem` for every problem
 */
export function readYaml<S extends z.ZodType>(text: string, file: string, schema: S): z.output<S> {
  const name = basename(file)
  if (text.length > MAX_LENGTH) {
    throw new BevisError('CONFIG_INVALID', `${name} is longer than ${MAX_LENGTH} characters`)
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false })
  const problems = document.errors.map(({ message, pos }) => ({ offset: pos[0], message }))
  if (problems.length === 0) {
    const result = schema.safeParse(document.toJS({ maxAliasCount: 100 }))
    if (result.success) return result.data
    problems.push(...result.error.issues.flatMap((issue) => describe(issue, document)))
  }
  const told = problems
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ offset, message }) => {
      const { line, col } = lines.linePos(offset)
      return `${name}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${message}`
    })
  throw new BevisError('CONFIG_INVALID', [`${file} cannot be used:`, ...told].join('\n  '))
}

function describe(issue: z.core.$ZodIssue, document: Document): { offset: number; message: string }[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const full = [...issue.path, key]
      return { offset: offsetOf(document, full), message: `${full.map(String).join('.')}: unknown key` }
    })
  }
  const isAbsent = issue.path.length > 0 && document.getIn(issue.path) === undefined
  const reason = isAbsent && issue.code === 'invalid_type' ? 'is missing' : issue.message
  const place = issue.path.map(String).join('.') || 'the file'
  return [{ offset: offsetOf(document, issue.path), message: `${place}: ${reason}` }]
}

/** Where the key at `path` is written; for what is not there, where its nearest parent is. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = document.getIn(path.slice(0, depth - 1), true)
    const last = path[depth - 1]
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => isScalar(key) && key.value === last)
      : undefined
    if (isScalar(pair?.key)) return pair.key.range?.[0] ?? 0
    const node = document.getIn(path.slice(0, depth), true)
    if (isNode(node)) return node.range?.[0] ?? 0
  }
  return 0
}
