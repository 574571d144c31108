import { readFileSync } from 'node:fs'
import { parseContract } from '@bevis/shared/contract/parse'
import { BevisError } from '@bevis/shared/error'
import { environment } from '../config.ts'
import { applyContract, describeProblems } from '../contract/apply.ts'
import { listContractTexts } from '../store/read/contracts.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

/** Needs no collector: it reads the file and tells. */
export function contractCheckCommand(file: string): Outcome {
  const { contract, errors, warnings } = parseContract(readText(file))
  const lines = [
    ...(errors.length === 0 ? [] : describeProblems(file, errors).split('\n')),
    ...warnings.map((warning) => `warning: ${describeProblems(file, [warning])}`),
  ]
  if (contract === undefined) return { exit: 1, json: { file, errors, warnings }, lines }
  return {
    exit: 0,
    json: { file, contract: contract.id, errors, warnings },
    lines: [...lines, `${file}: contract ${contract.id} can be applied.`],
  }
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
  options: { revision?: number },
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
  return {
    exit: 0,
    json: { ...text, revisions },
    lines: [
      `# ${id}, revision ${text.revision} of ${texts.length}, applied ${text.applied_at} by ${text.applied_by}`,
      `# SHA-256 ${text.sha256}`,
      ...text.yaml.replace(/\n$/, '').split('\n'),
    ],
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new BevisError('USAGE', `${file} cannot be read`, { cause })
  }
}
