/** From a contract's YAML to its typed form: everything that is wrong is told at once, with its place. */
import type { YAMLError } from 'yaml'
import { LineCounter, parseDocument } from 'yaml'
import type { Problem, Said } from './problem.ts'
import { formatPath, quoteLine } from './problem.ts'
import type { Contract } from './schema.ts'
import { contractSchema } from './schema.ts'
import type { Placed } from './shape.ts'
import { problemsOfIssue, withoutUnknownKeys } from './shape.ts'
import { examine } from './remarks.ts'
import { Places } from '../yaml.ts'

/** A contract is written by people; what is larger was not. */
const LIMIT = 4 * 1024 * 1024

export interface ParsedContract {
  /** Only without errors. */
  contract?: Contract
  errors: Problem[]
  warnings: Problem[]
}

/**
 * Never throws for what the text says: it tells.
 * @param options.draft take a text of which no version has been accepted yet: acceptances may be in the log
 */
export function parseContract(yamlText: string, options: { draft?: boolean } = {}): ParsedContract {
  if (yamlText.length > LIMIT) {
    return refuse(
      { message: 'the file is longer than 4 MiB', cure: 'Check that it is a contract.' },
      { message: 'filen er længere end 4 MiB', cure: 'Se efter, om det er en aftale.' },
    )
  }
  const lines = new LineCounter()
  // What YAML would only warn of is refused by the schema; a hostile file has nothing to say to the process.
  const document = parseDocument(yamlText, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  const places = new Places(document, lines)
  const quoted = (problem: Placed): Problem => ({
    ...problem,
    quote: quoteLine(yamlText, problem.line, problem.column),
  })
  if (document.errors.length > 0) {
    return { errors: document.errors.map((error) => quoted(problemOfYaml(error, places))), warnings: [] }
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 1_000 })
  } catch {
    return refuse(
      { message: 'the file repeats itself by aliases beyond measure', cure: 'Write the repeated parts out.' },
      { message: 'filen gentager sig selv med aliaser uden mål', cure: 'Skriv det gentagne ud.' },
    )
  }
  const parsed = contractSchema.safeParse(value)
  const shape = parsed.success
    ? []
    : parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, value, places))
  const { errors, warnings } = examine(
    parsed.success ? value : withoutUnknownKeys(value, parsed.error.issues),
    options.draft === true,
  )
  const place = ({ path, key, say }: (typeof errors)[number]): Placed => ({
    ...(key === undefined ? places.of(path) : places.ofKey(path, key)),
    path: formatPath(key === undefined ? path : [...path, key]),
    ...say.en,
    da: say.da,
  })
  const all = [...shape, ...errors.map(place)].toSorted(byPlace).map(quoted)
  return {
    ...(parsed.success && all.length === 0 && { contract: parsed.data }),
    errors: all,
    warnings: warnings.map(place).toSorted(byPlace).map(quoted),
  }
}

function byPlace(a: Placed, b: Placed): number {
  return a.line - b.line || a.column - b.column
}

function refuse(en: Said, da: Said): ParsedContract {
  return { errors: [{ line: 1, column: 1, path: '', quote: '', ...en, da }], warnings: [] }
}

const CURES: Record<string, readonly [en: string, da: string]> = {
  DUPLICATE_KEY: ['Keep one of the two.', 'Behold den ene af de to.'],
  TAB_AS_INDENT: ['Indent with spaces.', 'Indryk med mellemrum.'],
}

function problemOfYaml(error: YAMLError, places: Places): Placed {
  const [cure, cureDa] = CURES[error.code] ?? [
    'Mend the YAML at this place; check quotes, colons and indentation.',
    'Ret YAML’en her; se efter anførselstegn, koloner og indrykning.',
  ]
  const message = error.message.split('\n')[0] ?? ''
  const da = { message: `YAML’en kan ikke læses (${message})`, cure: cureDa }
  return { ...places.at(error.pos[0]), path: '', message, cure, da }
}
