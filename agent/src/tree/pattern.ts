/**
 * restic's exclude patterns, small: which paths a backup leaves out on purpose, so that only the others can be
 * gaps. After restic's internal/filter and Go's path/filepath.Match; the test asks restic itself.
 *
 * A pattern is a row of names that matches anywhere in the path (from the root when it starts with `/`), so a
 * match on a folder takes its content along; `**` stands for any number of names; a later `!pattern` brings
 * back what an earlier one excluded.
 */
import { posix } from 'node:path'
import { bytePathOf } from './path.ts'
import type { BytePath } from './path.ts'

interface Pattern {
  negated: boolean
  /** null is `**`; a string has no special characters. */
  parts: (string | Rune[] | null)[]
}

/** A code point, or an invalid byte plus {@link INVALID}. */
type Rune = number
const INVALID = 0x110000

/** Compiles `--exclude` patterns; the answer says whether restic leaves out the absolute path. */
export function excludedBy(patterns: readonly string[]): (path: BytePath) => boolean {
  const compiled = patterns.filter((text) => text !== '').map(compile)
  return (path) => {
    const names = split(path)
    let excluded = false
    for (const { negated, parts } of compiled) {
      if (negated ? excluded && matches(parts, names) : !excluded && matches(parts, names))
        excluded = !negated
    }
    return excluded
  }
}

function compile(text: string): Pattern {
  const negated = text.startsWith('!')
  const cleaned = posix.normalize(negated ? text.slice(1) : text).replace(/(.)\/$/, '$1')
  const parts = split(cleaned).map((part) => {
    // restic keeps `**` as an empty part, so that the pattern `/` comes to mean `/**`.
    if (part === '**' || part === '') return null
    return /[\\[\]*?]/.test(part) ? runes(bytePathOf(part)) : bytePathOf(part)
  })
  return { negated, parts }
}

/** An absolute path has `/` as its first name. */
function split(path: string): string[] {
  const parts = path.split('/')
  if (parts[0] === '') parts[0] = '/'
  return parts
}

const STAR: Rune[] = [0x2a]

function matches(parts: Pattern['parts'], names: string[]): boolean {
  const wild = parts.indexOf(null)
  if (wild >= 0) {
    const [before, after] = [parts.slice(0, wild), parts.slice(wild + 1)]
    for (let count = 0; count <= names.length - parts.length + 1; count += 1) {
      if (matches([...before, ...Array.from({ length: count }, () => STAR), ...after], names)) return true
    }
    return false
  }
  if (parts.length === 0) return names.length === 0
  const last = parts[0] === '/' ? 0 : names.length - parts.length
  const first = parts[0] !== '/' && names[0] === '/' ? 1 : 0
  if (parts.length > names.length) return false
  for (let offset = last; offset >= first; offset -= 1) {
    if (parts.every((part, at) => matchesName(part, names[offset + at] ?? ''))) return true
  }
  return false
}

function matchesName(part: string | Rune[] | null, name: string): boolean {
  if (typeof part === 'string') return part === name
  return part !== null && glob(part, 0, runes(name as BytePath), 0)
}

/** Go's filepath.Match within one name; a malformed pattern matches nothing (restic refuses it beforehand). */
function glob(pattern: Rune[], at: number, name: Rune[], from: number): boolean {
  for (let next = from; ; at += 1, next += 1) {
    const rune = pattern[at]
    if (rune === undefined) return next === name.length
    if (rune === 0x2a) {
      // A star never crosses the absolute path marker, which is no name.
      for (let rest = next; rest <= name.length; rest += 1) {
        if (!name.slice(next, rest).includes(0x2f) && glob(pattern, at + 1, name, rest)) return true
      }
      return false
    }
    const character = name[next]
    if (character === undefined) return false
    if (rune === 0x3f) {
      if (character === 0x2f) return false
    } else if (rune === 0x5b) {
      const end = matchClass(pattern, at + 1, character)
      if (end === null) return false
      at = end
    } else {
      if (rune === 0x5c) at += 1
      if (pattern[at] !== character) return false
    }
  }
}

/** The index of the closing bracket when the class holds the character, else null. */
function matchClass(pattern: Rune[], start: number, character: Rune): number | null {
  let at = start
  const negated = pattern[at] === 0x5e
  if (negated) at += 1
  let held = false
  for (let ranges = 0; ; ranges += 1) {
    if (pattern[at] === 0x5d && ranges > 0) return held === negated ? null : at
    const low = classRune()
    let high = low
    if (pattern[at] === 0x2d) {
      at += 1
      high = classRune()
    }
    if (low === null || high === null) return null
    const compared = character >= INVALID ? 0xfffd : character
    if (low <= compared && compared <= high) held = true
  }

  function classRune(): Rune | null {
    const rune = pattern[at]
    if (rune === undefined || rune === 0x2d || rune === 0x5d) return null
    if (rune === 0x5c) at += 1
    const value = pattern[at] ?? null
    at += 1
    return value
  }
}

/** The code points of UTF-8 in a BytePath, each invalid byte by itself. */
function runes(name: BytePath): Rune[] {
  const found: Rune[] = []
  for (let at = 0; at < name.length;) {
    const first = name.charCodeAt(at)
    const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1
    const text = Buffer.from(name.slice(at, at + length), 'latin1').toString('utf8')
    const rune = text.codePointAt(0) ?? 0
    const whole = length === 1 ? first < 0x80 : rune !== 0xfffd || name.slice(at, at + 3) === 'ï¿½'
    found.push(whole ? rune : INVALID + first)
    at += whole ? length : 1
  }
  return found
}
