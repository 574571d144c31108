/**
 * YAML that people write, read through a schema: everything that is wrong is told at once, each thing with its
 * place, so that a file is mended in one go.
 */
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import type { Document } from 'yaml'
import type { z } from 'zod'
import { BevisError, errorMessageOf } from './error.ts'
import type { ErrorCode } from './error.ts'

export type Path = readonly PropertyKey[]

/** Line and column, both from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** Finds where the values of a document are written. */
export class Places {
  readonly #document: Document
  readonly #lines: LineCounter

  constructor(document: Document, lines: LineCounter) {
    this.#document = document
    this.#lines = lines
  }

  /** The place of a value; of what would hold it, where it is missing. */
  of(path: Path): Place {
    for (let length = path.length; length >= 0; length--) {
      const node: unknown = this.#document.getIn(path.slice(0, length), true)
      const offset = isNode(node) ? node.range?.[0] : undefined
      if (offset !== undefined) return this.at(offset)
    }
    return this.at(0)
  }

  /** The place of a key itself; of its map, where it is missing. */
  ofKey(path: Path, key: string): Place {
    const map: unknown = path.length === 0 ? this.#document.contents : this.#document.getIn([...path], true)
    const pair = isMap(map)
      ? map.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
      : undefined
    return isNode(pair?.key) && pair.key.range ? this.at(pair.key.range[0]) : this.of(path)
  }

  /** Where somebody would look for it: at its key, in a list at the item, else where its nearest parent is. */
  ofEntry(path: Path): Place {
    const key = path.at(-1)
    if (key === undefined) return this.at(0)
    const parent = path.slice(0, -1)
    if (this.#document.getIn([...path], true) === undefined) return this.ofEntry(parent)
    return typeof key === 'string' ? this.ofKey(parent, key) : this.of(path)
  }

  at(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
}

export interface YamlFile {
  readonly text: string
  /** What messages call it: a path, or `the trust file`. */
  readonly name: string
  /** Of the error that a bad file becomes. */
  readonly code: ErrorCode
  /** `failsafe`: every scalar is a text, so that a number of digits needs no quotes. */
  readonly schema?: 'core' | 'failsafe'
  readonly maxAliases?: number
}

const MAX_CHARACTERS = 1024 * 1024

/**
 * Reads a file through a schema.
 * @throws BevisError with the file's code and a line `name:line:column: path: problem` for every problem
 */
export function readYaml<S extends z.ZodType>(file: YamlFile, schema: S): z.output<S> {
  const { text, name, code, maxAliases = 100 } = file
  const short = name.slice(name.lastIndexOf('/') + 1)
  if (text.length > MAX_CHARACTERS)
    throw new BevisError(code, `${name} is longer than ${MAX_CHARACTERS} characters`)
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: 'error', // a hostile file has nothing to say to the process
    schema: file.schema ?? 'core',
  })
  const places = new Places(document, lines)
  const problems = document.errors.map(({ message, pos }) => ({ place: places.at(pos[0]), message }))
  if (problems.length === 0 && document.contents === null)
    problems.push({ place: places.at(0), message: 'the file: is empty, or holds nothing but comments' })
  if (problems.length === 0) {
    const result = schema.safeParse(valueOf(document, maxAliases, file))
    if (result.success) return result.data
    problems.push(...result.error.issues.flatMap((issue) => describe(issue, document, places)))
  }
  const told = problems
    .toSorted((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
    .map(({ place: { line, column }, message }) => `${short}:${line}:${column}: ${message}`)
  const count = told.length === 1 ? 'a problem' : `${told.length} problems`
  throw new BevisError(code, [`${name} has ${count}:`, ...told].join('\n  '))
}

const READ_REASONS: Record<string, string> = {
  ENOENT: 'it is not there',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  ELOOP: 'its links lead in a circle',
}

/** `agent.yaml cannot be read: this user may not read it (EACCES)` */
export function unreadableText(name: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = READ_REASONS[code]
  return `${name} cannot be read: ${reason === undefined ? errorMessageOf(error) : `${reason} (${code})`}`
}

function valueOf(document: Document, maxAliasCount: number, { code, name }: YamlFile): unknown {
  try {
    return document.toJS({ maxAliasCount })
  } catch (cause) {
    throw new BevisError(code, `${name} repeats itself by aliases beyond measure; write the parts out`, {
      cause,
    })
  }
}

function describe(
  issue: z.core.$ZodIssue,
  document: Document,
  places: Places,
): { place: Place; message: string }[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      place: places.ofKey(issue.path, key),
      message: `${pathText([...issue.path, key])}: unknown key; take it out or mend its spelling`,
    }))
  }
  const isAbsent = issue.path.length > 0 && document.getIn(issue.path) === undefined
  const reason = isAbsent && issue.code === 'invalid_type' ? 'is missing' : reasonOf(issue)
  return [{ place: places.ofEntry(issue.path), message: `${pathText(issue.path) || 'the file'}: ${reason}` }]
}

const UNITS: Record<string, readonly [one: string, many: string]> = {
  array: ['entry', 'entries'],
  set: ['entry', 'entries'],
  map: ['entry', 'entries'],
  string: ['character', 'characters'],
  file: ['byte', 'bytes'],
}

const KINDS: Record<string, string> = {
  array: 'a list (- one - two)',
  object: 'a map (key: value)',
  record: 'a map (key: value)',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
}

/** What is wrong, in words for the person who wrote the file. A schema's own message is kept as it is. */
function reasonOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'too_small' && issue.message.startsWith('Too small')) {
    const { minimum, origin, inclusive = true } = issue
    if (Number(minimum) === 1 && inclusive && origin in UNITS)
      return origin === 'string' ? 'is empty' : 'is empty; at least one entry is needed'
    return `is too ${origin in UNITS ? 'short' : 'small'}; ${boundOf(origin, inclusive ? 'at least' : 'more than', minimum)}`
  }
  if (issue.code === 'too_big' && issue.message.startsWith('Too big')) {
    const { maximum, origin, inclusive = true } = issue
    return `is too ${origin in UNITS ? 'long' : 'large'}; ${boundOf(origin, inclusive ? 'at most' : 'less than', maximum)}`
  }
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return `must be ${KINDS[issue.expected] ?? issue.expected}`
  }
  if (issue.code === 'invalid_value' && issue.message.startsWith('Invalid')) {
    return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`
  }
  return issue.message
}

function boundOf(origin: string, how: string, bound: number | bigint): string {
  const [one, many] = UNITS[origin] ?? ['', '']
  return `${how} ${bound} ${Number(bound) === 1 ? one : many}`.trimEnd()
}

/** `sets[0].backup.cron` */
function pathText(path: Path): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')
}
