/** From a contract's YAML to its typed form: everything that is wrong is told at once, with its place. */
import type { YAMLError } from 'yaml'
import { LineCounter, parseDocument } from 'yaml'
import type { Problem } from './problem.ts'
import { formatPath } from './problem.ts'
import type { Contract } from './schema.ts'
import { contractSchema } from './schema.ts'
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

/** Never throws for what the text says: it tells. */
export function parseContract(yamlText: string): ParsedContract {
  if (yamlText.length > LIMIT) return refuse('the file is longer than 4 MiB', 'Check that it is a contract.')
  const lines = new LineCounter()
  // What YAML would only warn of is refused by the schema; a hostile file has nothing to say to the process.
  const document = parseDocument(yamlText, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  const places = new Places(document, lines)
  if (document.errors.length > 0) {
    return { errors: document.errors.map((error) => problemOfYaml(error, places)), warnings: [] }
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 1_000 })
  } catch {
    return refuse('the file repeats itself by aliases beyond measure', 'Write the repeated parts out.')
  }
  const parsed = contractSchema.safeParse(value)
  const shape = parsed.success
    ? []
    : parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, value, places))
  const { errors, warnings } = examine(
    parsed.success ? value : withoutUnknownKeys(value, parsed.error.issues),
  )
  const place = ({ path, key, ...rest }: (typeof errors)[number]): Problem => ({
    ...(key === undefined ? places.of(path) : places.ofKey(path, key)),
    path: formatPath(key === undefined ? path : [...path, key]),
    ...rest,
  })
  const all = [...shape, ...errors.map(place)].toSorted(byPlace)
  return {
    ...(parsed.success && all.length === 0 && { contract: parsed.data }),
    errors: all,
    warnings: warnings.map(place).toSorted(byPlace),
  }
}

function byPlace(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column
}

function refuse(message: string, cure: string): ParsedContract {
  return { errors: [{ line: 1, column: 1, path: '', message, cure }], warnings: [] }
}

function problemOfYaml(error: YAMLError, places: Places): Problem {
  const cure =
    error.code === 'DUPLICATE_KEY'
      ? 'Keep one of the two.'
      : error.code === 'TAB_AS_INDENT'
        ? 'Indent with spaces.'
        : 'Mend the YAML at this place; check quotes, colons and indentation.'
  return { ...places.at(error.pos[0]), path: '', message: error.message.split('\n')[0] ?? '', cure }
}
