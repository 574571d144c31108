import { readFileSync } from 'node:fs'
import { parseContract } from '@bevis/shared/contract/parse'
import { describeContract, formatPlain } from '@bevis/shared/contract/plain'
import type { Language, PlainText } from '@bevis/shared/contract/plain'
import type { Problem } from '@bevis/shared/contract/problem'
import { BevisError } from '@bevis/shared/error'
import { environment } from '../config.ts'
import { applyContract, describeProblems } from '../contract/apply.ts'
import { listContractTexts } from '../store/read/contracts.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

/** How a contract is told: its text, or what it promises in plain words. */
export interface Telling {
  readonly plain?: boolean
  readonly language?: Language
}

/** Needs no collector: it reads the file and tells. */
export function contractCheckCommand(file: string, { plain, language = 'en' }: Telling = {}): Outcome {
  const { contract, errors, warnings } = parseContract(readText(file))
  const lines = [
    ...errors.flatMap((error) => tell(file, error, language)),
    ...warnings.flatMap((warning) =>
      tell(file, warning, language, language === 'da' ? 'advarsel: ' : 'warning: '),
    ),
  ]
  if (contract === undefined) return { exit: 1, json: { file, errors, warnings }, lines }
  const told = plain === true ? describeContract(contract, language) : undefined
  const done =
    language === 'da'
      ? `${file}: aftale ${contract.id} kan tages i brug.`
      : `${file}: contract ${contract.id} can be applied.`
  return {
    exit: 0,
    json: { file, contract: contract.id, errors, warnings, ...plainly(told) },
    lines: [...lines, done, ...(told === undefined ? [] : ['', ...formatPlain(told)])],
  }
}

function plainly(plain: PlainText | undefined): { plain?: PlainText } {
  return plain === undefined ? {} : { plain }
}

/** The problem, and below it the line that it is about. */
function tell(file: string, problem: Problem, language: Language, kind = ''): string[] {
  const said = language === 'da' ? { ...problem, ...problem.da } : problem
  const told = `${kind}${describeProblems(file, [said])}`
  return problem.quote === '' ? [told] : [told, `    ${problem.quote}`]
}

export async function contractApplyCommand({ store, now }: Opened, file: string): Promise<Outcome> {
  const text = { yaml: readText(file), file, by: environment.user }
  const { contract, warnings, ...applied } = await applyContract(store, text, now())
  return {
    exit: 0,
    json: { contract: contract.id, ...applied, warnings },
    lines: [
      ...warnings.map((warning) => `warning: ${describeProblems(file, [warning])}`),
      applied.isNew
        ? `${contract.id} of ${applied.tenant} is at revision ${applied.revision} (SHA-256 ${applied.sha256}).`
        : `${contract.id} has this text already, as revision ${applied.revision}.`,
    ],
  }
}

export async function contractShowCommand(
  { store }: Opened,
  id: string,
  options: Telling & { revision?: number },
): Promise<Outcome> {
  const texts = await listContractTexts(store.db, { all: true }, id)
  const { revision } = options
  const text = revision === undefined ? texts[0] : texts.find((one) => one.revision === revision)
  if (text === undefined) {
    const what = revision === undefined ? `contract ${id}` : `revision ${revision} of ${id}`
    throw new BevisError('NOT_FOUND', `there is no ${what}`)
  }
  const revisions = texts.map(({ contract_id, revision: no, sha256, applied_at, applied_by }) => ({
    contract_id,
    revision: no,
    sha256,
    applied_at,
    applied_by,
  }))
  const told = options.plain === true ? plainOf(id, text.yaml, options.language) : undefined
  return {
    exit: 0,
    json: { ...text, revisions, ...plainly(told) },
    lines: [
      `# ${id}, revision ${text.revision} of ${texts.length}, applied ${text.applied_at} by ${text.applied_by}`,
      `# SHA-256 ${text.sha256}`,
      ...(told === undefined ? text.yaml.replace(/\n$/, '').split('\n') : formatPlain(told)),
    ],
  }
}

function plainOf(id: string, yaml: string, language: Language = 'en'): PlainText {
  const { contract } = parseContract(yaml)
  if (contract === undefined)
    throw new BevisError('CONTRACT_INVALID', `${id} can no longer be read: apply it anew`)
  return describeContract(contract, language)
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new BevisError('USAGE', `${file} cannot be read`, { cause })
  }
}
