/** Turns what the schema refuses into problems that name the place and the cure. */
import { z } from 'zod'
import type { Path, Places } from '../yaml.ts'
import { NEEDED, neededInDanish } from './needed.ts'
import type { Problem, Said, Saying } from './problem.ts'
import { formatPath } from './problem.ts'
import { contractSchema } from './schema.ts'

type Issue = z.core.$ZodIssue

/** A problem with its place; the line is quoted when all are known. */
export type Placed = Omit<Problem, 'quote'>

export function problemsOfIssue(issue: Issue, root: unknown, places: Places, prefix: Path = []): Placed[] {
  const path = [...prefix, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...places.ofKey(path, key),
      path: formatPath([...path, key]),
      ...ofUnknownKey(key, path),
    }))
  }
  const value = valueAt(root, path)
  if (issue.code === 'invalid_union' && typeof value === 'object' && value !== null) {
    const nearest = issue.errors.find((issues) => issues.some((one) => one.path.length > 0 || 'keys' in one))
    if (nearest !== undefined) return nearest.flatMap((one) => problemsOfIssue(one, root, places, path))
  }
  return [{ ...places.of(path), path: formatPath(path), ...ofValue(value, path, neededBy(issue)) }]
}

function ofValue(value: unknown, path: Path, needed: string): Said & { da: Said } {
  const isFile = path.length === 0
  const key = `"${String(path.findLast((part) => typeof part === 'string') ?? formatPath(path))}"`
  const [en, da] = isFile ? ['the file', 'filen'] : [key, key]
  const neededDa = neededInDanish(needed)
  if (value === undefined) {
    return {
      message: `${en} is missing`,
      cure: `Add ${en}: ${needed}.`,
      da: { message: `${da} mangler`, cure: `Tilføj ${da}: ${neededDa}.` },
    }
  }
  return {
    message: `${en} is ${show(value)}, which is not ${needed}`,
    cure: `Write ${needed}.`,
    da: { message: `${da} er ${show(value)}, hvilket ikke er ${neededDa}`, cure: `Skriv ${neededDa}.` },
  }
}

function ofUnknownKey(key: string, path: Path): Said & { da: Said } {
  const { en, da } = cureForKey(key, path)
  const name = JSON.stringify(key)
  return { message: `unknown key ${name}`, cure: en, da: { message: `ukendt nøgle ${name}`, cure: da } }
}

/** A copy in which a misspelt key does not keep the rest of its map from being looked at. */
export function withoutUnknownKeys(root: unknown, issues: readonly Issue[]): unknown {
  const copy: unknown = structuredClone(root)
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue
    const holder = valueAt(copy, issue.path)
    if (typeof holder !== 'object' || holder === null) continue
    for (const key of issue.keys) Reflect.deleteProperty(holder, key)
  }
  return copy
}

/** What is needed in words: the schema's own, or made from the kind of issue. */
function neededBy(issue: Issue): string {
  const own = issue.message
  if (!/^(Invalid|Too)\b/.test(own)) return own
  if (issue.code === 'invalid_type') return KINDS[issue.expected] ?? `a ${issue.expected}`
  if (issue.code === 'invalid_value') {
    const [only, ...more] = issue.values.map(String)
    return more.length === 0 ? String(only) : `one of ${[only, ...more].join(', ')}`
  }
  if (issue.code === 'too_small') return `at least ${issue.minimum}${unitOf(issue.origin)}`
  if (issue.code === 'too_big') return `at most ${issue.maximum}${unitOf(issue.origin)}`
  if (issue.code === 'invalid_union') return NEEDED.partial[0]
  return NEEDED.anything[0]
}

const KINDS: Record<string, string> = {
  object: NEEDED.map[0],
  array: NEEDED.list[0],
  string: NEEDED.plainText[0],
  number: NEEDED.number[0],
}

function unitOf(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : ''
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}

/** All keys of the contract, by the key of the map that holds them. */
let keysByHolder: Map<string, Set<string>> | undefined

function knownKeys(): Map<string, Set<string>> {
  if (keysByHolder !== undefined) return keysByHolder
  const found = new Map<string, Set<string>>()
  const visit = (node: unknown, holder: string): void => {
    if (typeof node !== 'object' || node === null) return
    const { properties, items, anyOf } = node as Record<string, unknown>
    if (typeof properties === 'object' && properties !== null) {
      const keys = found.get(holder) ?? new Set()
      found.set(holder, keys)
      for (const [key, inner] of Object.entries(properties)) {
        keys.add(key)
        visit(inner, key)
      }
    }
    visit(items, holder)
    if (Array.isArray(anyOf)) for (const one of anyOf) visit(one, holder)
  }
  visit(z.toJSONSchema(contractSchema, { io: 'input', unrepresentable: 'any', reused: 'inline' }), '')
  keysByHolder = found
  return found
}

function cureForKey(key: string, path: Path): Record<keyof Saying, string> {
  const holder = path.findLast((part) => typeof part === 'string')
  const allowed = [...(knownKeys().get(String(holder ?? '')) ?? [])]
  const near = allowed
    .map((one) => ({ one, distance: distanceOf(one.toLowerCase(), key.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)[0]
  if (near !== undefined && near.distance <= Math.max(2, key.length / 3)) {
    return { en: `Did you mean "${near.one}"?`, da: `Mente du "${near.one}"?` }
  }
  const elsewhere = [...knownKeys()].find(([, keys]) => keys.has(key))?.[0]
  if (elsewhere !== undefined) {
    const [en, da] =
      elsewhere === '' ? ['the top level', 'øverste niveau'] : [`"${elsewhere}"`, `"${elsewhere}"`]
    return { en: `Move it to ${en}.`, da: `Flyt den til ${da}.` }
  }
  const known = allowed.join(', ')
  return { en: `Remove it; known here: ${known}.`, da: `Fjern den; her kendes: ${known}.` }
}

/** Levenshtein's. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(
        Math.min(
          (next[j - 1] ?? 0) + 1,
          (row[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      )
    }
    row = next
  }
  return row[b.length] ?? 0
}
