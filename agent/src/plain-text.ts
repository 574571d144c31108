/**
 * Paths, and what restic, hooks, probes and collectors say, come from others, and may hold what steers a terminal:
 * this is the one place where it is taken out, for what is signed and for what is printed.
 */

/** Whole escape sequences (ECMA-48: CSI and OSC), other control characters, and marks that turn text around. */
const STEERING =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?)?|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/** The text without it; line feeds and tabs stay, and sequences that `keeps` says are our own. */
export function plainText(text: string, keeps: (found: string) => boolean = () => false): string {
  return text.replace(STEERING, (found) => (keeps(found) ? found : ''))
}

/** Words for people, by their names in predicates. Paths are evidence, and stay byte for byte. */
const WORDS: ReadonlySet<string> = new Set(['message', 'reason', 'detail', 'by', 'actual', 'expected'])

/** The same value, with every text that is meant for people made plain. */
export function withoutControls<T>(value: T): T {
  return clean(value, false) as T
}

function clean(value: unknown, isWords: boolean): unknown {
  if (typeof value === 'string') return isWords ? plainText(value) : value
  if (Array.isArray(value)) return value.map((inner) => clean(inner, isWords))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, clean(inner, WORDS.has(name))]),
  )
}
