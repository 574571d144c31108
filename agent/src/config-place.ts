import { basename } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import type { Document } from 'yaml'
import type { z } from 'zod'

const MAX_LENGTH = 1024 * 1024

/** Keys that the design has and this version does not act on: accepting them silently would promise what is not done. */
const NOT_YET = new Set(['hooks', 'probes', 'retention'])

/**
 * Reads YAML through a schema.
 * @throws BevisError CONFIG_INVALID with a line `file:line:column: path: problem` for every problem
 */
export function readYaml<S extends z.ZodType>(text: string, file: string, schema: S): z.output<S> {
  const name = basename(file)
  if (text.length > MAX_LENGTH)
    throw new BevisError('CONFIG_INVALID', `${name} is longer than ${MAX_LENGTH} characters`)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false })
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${name}:${Math.max(line, 1)}:${Math.max(col, 1)}`
  }
  const problems = document.errors.map(({ message, pos }) => ({ offset: pos[0], message }))
  if (problems.length === 0) {
    const result = schema.safeParse(document.toJS({ maxAliasCount: 100 }))
    if (result.success) return result.data
    problems.push(...result.error.issues.flatMap((issue) => describe(issue, document)))
  }
  const told = problems
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ offset, message }) => `${place(offset)}: ${message}`)
  throw new BevisError('CONFIG_INVALID', [`${file} has ${count(told.length)}:`, ...told].join('\n  '))
}

function count(problems: number): string {
  return problems === 1 ? 'a problem' : `${problems} problems`
}

function describe(issue: z.core.$ZodIssue, document: Document): { offset: number; message: string }[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const full = [...issue.path, key]
      const reason = NOT_YET.has(key)
        ? 'not in this version; take it out'
        : 'unknown key; take it out or mend its spelling'
      return { offset: offsetOf(document, full), message: `${pathText(full)}: ${reason}` }
    })
  }
  const isAbsent = issue.path.length > 0 && document.getIn(issue.path) === undefined
  const reason = isAbsent && issue.code === 'invalid_type' ? 'is missing' : issue.message
  return [
    { offset: offsetOf(document, issue.path), message: `${pathText(issue.path) || 'the file'}: ${reason}` },
  ]
}

/** Where the key at `path` is written; for what is not there, where its nearest parent is. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = document.getIn(path.slice(0, depth - 1), true)
    const last = path[depth - 1]
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && key.value === last)
      if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0] ?? 0
    }
    const node = document.getIn(path.slice(0, depth), true)
    if (isNode(node)) return node.range?.[0] ?? 0
  }
  return 0
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')
}
