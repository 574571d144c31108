import { readFileSync } from 'node:fs'
import { openPartyWord } from '@bevis/shared/contract/party-word'
import { EVENT_KINDS } from '@bevis/shared/contract/event-detail'
import { BevisError } from '@bevis/shared/error'
import { unreadableText } from '@bevis/shared/yaml'
import type { ContractEvent } from '@bevis/shared/evidence/predicates'
import { formatVkey } from '@bevis/shared/log/checkpoint'
import type { RecordedEvent } from '../office.ts'
import { findContract } from '../store/read/contracts.ts'
import { listEvents } from '../store/read/events.ts'
import { openOfficeOf } from './open.ts'
import type { Opened } from './open.ts'
import { alignColumns } from './outcome.ts'
import type { Outcome } from './outcome.ts'

interface Speaking {
  readonly party: ContractEvent['by']['party']
  readonly person: string
}

export interface Accepting extends Speaking {
  readonly number: number
  readonly role?: string
  readonly sha256?: string
}

export async function acceptCommand(
  opened: Opened,
  contract: string,
  { number, role, sha256, party, person }: Accepting,
): Promise<Outcome> {
  const office = await openOfficeOf(opened)
  const detail = { ...(sha256 !== undefined && { sha256 }), ...(role !== undefined && { role }) }
  const said = {
    contract,
    event: 'version-accepted',
    version: number,
    by: { party, person },
    detail,
  } as const
  return told(await office.record(said))
}

/** Logs what a party signed with its own key; what it says and of whom stands in the file. */
export async function signedCommand(opened: Opened, file: string): Promise<Outcome> {
  const signed = openPartyWord(readSigned(file))
  const { contract, event, version, by, detail } = signed.event
  const office = await openOfficeOf(opened)
  const outcome = told(await office.record({ contract, event, version, by, detail, signed }))
  const vkey = formatVkey(signed.key.name, signed.key.spki)
  return {
    ...outcome,
    json: { ...outcome.json, vkey },
    lines: [
      ...outcome.lines,
      `  signed by ${vkey}: whether that is the ${by.party}’s key, ask the ${by.party}`,
    ],
  }
}

function readSigned(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd()
  } catch (cause) {
    throw new BevisError('USAGE', unreadableText(file, cause), { cause })
  }
}

export interface Saying extends Speaking {
  readonly number?: number
  readonly detail?: string
  readonly detailFile?: string
}

export async function eventCommand(
  opened: Opened,
  contract: string,
  name: string,
  options: Saying,
): Promise<Outcome> {
  const event = EVENT_KINDS.find((kind) => kind === name)
  if (event === undefined) throw new BevisError('USAGE', `${name} is none of ${EVENT_KINDS.join(', ')}`)
  const { number, party, person } = options
  const office = await openOfficeOf(opened)
  const said = { contract, event, version: number, by: { party, person }, detail: readDetail(options) }
  return told(await office.record(said))
}

function readDetail({ detail, detailFile }: Saying): ContractEvent['detail'] {
  if ((detail === undefined) === (detailFile === undefined))
    throw new BevisError('USAGE', 'say what it is about: --detail or --detail-file, one of them')
  try {
    const value: unknown = JSON.parse(detail ?? readFileSync(detailFile ?? '', 'utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch (cause) {
    throw new BevisError('USAGE', 'the detail cannot be read as JSON', { cause })
  }
  throw new BevisError('USAGE', 'the detail is a JSON object: {"sets": ["shop"], …}')
}

function told({ paeDigest, event }: RecordedEvent) {
  const { contract, event: kind, by } = event
  return {
    exit: 0 as const,
    json: { statement: paeDigest, event },
    lines: [`Logged for ${contract}: ${kind}, ${by.person} (${by.party}).`, `  statement ${paeDigest}`],
  }
}

/** A party's own signature covers what stands beside it; `--json` has it. */
function withoutSignature({ signed, ...detail }: ContractEvent['detail']): ContractEvent['detail'] {
  return signed === undefined ? detail : { ...detail, signed: true }
}

export async function eventsCommand({ store }: Opened, contract: string): Promise<Outcome> {
  if ((await findContract(store.db, { all: true }, contract)) === undefined)
    throw new BevisError('NOT_FOUND', `there is no contract ${contract}`)
  const events = await listEvents(store.db, contract)
  const rows = events.map(({ leafIndex, event: { at, event, version, by, detail } }) => [
    String(leafIndex),
    at,
    event + (version === undefined ? '' : ` ${version}`),
    `${by.person} (${by.party})`,
    JSON.stringify(withoutSignature(detail)),
  ])
  return {
    exit: 0,
    json: events,
    lines: alignColumns([['LEAF', 'AT', 'EVENT', 'BY', 'DETAIL'], ...rows]).map((line) =>
      line.replace(/\p{C}/gu, '?'),
    ),
  }
}
