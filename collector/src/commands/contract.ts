import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { parseContract } from '@bevis/shared/contract/parse'
import { describeContract, formatPlain } from '@bevis/shared/contract/plain'
import type { Language, PlainText } from '@bevis/shared/contract/plain'
import type { Problem } from '@bevis/shared/contract/problem'
import type { ContractEvent } from '@bevis/shared/evidence/predicates'
import { BevisError } from '@bevis/shared/error'
import { unreadableText } from '@bevis/shared/yaml'
import { environment } from '../config.ts'
import { describeProblems, examineContract } from '../contract/apply.ts'
import type { Examined } from '../contract/apply.ts'
import { damageOf } from '../store/read/whole-text.ts'
import { listEvents } from '../store/read/events.ts'
import { listContractTexts } from '../store/read/contracts.ts'
import { openOfficeOf } from './open.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

/** How a contract is told: its text, or what it promises in plain words. */
export interface Telling {
  readonly plain?: boolean
  readonly language?: Language
}

/**
 * Tells what `apply` would say. Without a collector it can only read the file, and says that.
 * @param opened null where there is no collector
 */
export async function contractCheckCommand(
  file: string,
  { plain, language = 'en', draft = false }: Telling & { draft?: boolean },
  opened: Opened | null,
): Promise<Outcome> {
  const yaml = readText(file)
  const { contract, errors, warnings } = parseContract(yaml, { draft })
  const lines = [...describeProblems(file, errors, language), ...warn(file, warnings, language)]
  if (contract === undefined) return { exit: 1, json: { file, errors, warnings }, lines }
  const examined = opened && (await examineContract(opened.store.db, { yaml, file, draft }, opened.now()))
  const objections = examined?.objections ?? []
  const told = plain === true ? describeContract(contract, language) : undefined
  return {
    exit: objections.length === 0 ? 0 : 1,
    json: {
      file,
      contract: contract.id,
      errors,
      warnings,
      objections,
      comparedWithCollector: examined !== null,
      ...plainly(told),
    },
    lines: [
      ...lines,
      ...objections.map((objection) => `${file}: ${objection}`),
      ...(objections.length === 0 ? [conclude(file, contract.id, examined, language)] : []),
      ...(told === undefined ? [] : ['', ...formatPlain(told)]),
    ],
  }
}

function conclude(file: string, id: string, examined: Examined | null, language: Language): string {
  if (examined === null) {
    return language === 'da'
      ? `${file}: aftale ${id} er i orden for sig selv. Her er ingen modtager at sammenligne med; \`contract apply\` gør det.`
      : `${file}: contract ${id} is sound by itself. There is no collector here to compare it with; \`contract apply\` will.`
  }
  const { isNew, revision } = examined
  if (language === 'da') {
    return isNew
      ? `${file}: aftale ${id} kan tages i brug, som revision ${revision}.`
      : `${file}: aftale ${id} har allerede denne tekst, som revision ${revision}.`
  }
  return isNew
    ? `${file}: contract ${id} can be applied, as revision ${revision}.`
    : `${file}: contract ${id} has this text already, as revision ${revision}.`
}

function plainly(plain: PlainText | undefined): { plain?: PlainText } {
  return plain === undefined ? {} : { plain }
}

function warn(file: string, warnings: readonly Problem[], language: Language): string[] {
  return warnings.flatMap((warning) => {
    const [told, ...quote] = describeProblems(file, [warning], language)
    return [`${language === 'da' ? 'advarsel' : 'warning'}: ${told}`, ...quote]
  })
}

export async function contractApplyCommand(
  opened: Opened,
  file: string,
  {
    by = userName(),
    draft = false,
    language = 'en',
  }: { by?: string; draft?: boolean; language?: Language } = {},
): Promise<Outcome> {
  const text = { yaml: readText(file), file, by, draft, language }
  const office = await openOfficeOf(opened)
  const { contract, warnings, ...applied } = await office.applyContract(text)
  return {
    exit: 0,
    json: { contract: contract.id, ...applied, warnings },
    lines: [
      ...warn(file, warnings, language),
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
  const damage = damageOf(text)
  const events = (await listEvents(store.db, id)).map(({ event }) => event)
  const told = options.plain === true ? plainOf(id, text.yaml, events, options.language) : undefined
  return {
    exit: damage === null ? 0 : 1,
    json: { ...text, damage, revisions, ...plainly(told) },
    lines: [
      ...(damage === null ? [] : [`# NOT WHAT WAS APPLIED: ${damage}`]),
      `# ${id}, revision ${text.revision} of ${texts.length}, applied ${text.applied_at} by ${text.applied_by}`,
      `# SHA-256 ${text.sha256}`,
      ...(told === undefined ? text.yaml.replace(/\n$/, '').split('\n') : formatPlain(told)),
    ],
  }
}

function plainOf(
  id: string,
  yaml: string,
  events: readonly ContractEvent[],
  language: Language = 'en',
): PlainText {
  const { contract } = parseContract(yaml, { draft: true })
  if (contract === undefined)
    throw new BevisError('CONTRACT_INVALID', `${id} can no longer be read: apply it anew`)
  return describeContract(contract, language, events)
}

/** Who runs this, by the system's word: who called sudo, else whom the process belongs to. */
function userName(): string {
  if (environment.sudoUser !== undefined) return environment.sudoUser
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}` // one without a name, as in a container
  }
}

/** @throws BevisError USAGE; CONTRACT_INVALID for what is no text: its bytes would be kept as others than were signed */
function readText(file: string): string {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw new BevisError('USAGE', unreadableText(file, cause), { cause })
  }
  if (isUtf8(bytes)) return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  const line = new TextDecoder().decode(bytes).split('\uFFFD')[0]?.split('\n').length ?? 1
  throw new BevisError(
    'CONTRACT_INVALID',
    `${file}:${line}: the file is no text in UTF-8: check that it is the contract, and save it as UTF-8`,
  )
}
