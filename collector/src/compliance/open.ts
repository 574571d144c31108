import type { Answer } from '@bevis/shared/contract/answer'
import { evaluate, Judge } from '@bevis/shared/contract/evaluate'
import type { FactIndex } from '@bevis/shared/contract/facts'
import { parseContract } from '@bevis/shared/contract/parse'
import type { Contract } from '@bevis/shared/contract/schema'
import { BevisError } from '@bevis/shared/error'
import { toInstant } from '@bevis/shared/format'
import { assertWhole } from '../store/read/whole-text.ts'
import { issuedTexts, listEvents } from '../store/read/events.ts'
import { listContracts, listContractTexts } from '../store/read/contracts.ts'
import { chunksOf } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import type { Compliance, Ticked, When } from './compliance.ts'
import { factFolder } from './facts.ts'
import type { Kept } from './transitions.ts'
import { changesBetween, keptOf } from './transitions.ts'

const ALL = { all: true } as const
/** How long an answer about the present is given again, unless something arrives or falls due. */
const KEEP_MS = 60_000
/** A contract is judged at least this often, whatever it said about its next deadline. */
const LONGEST_MS = 3_600_000

interface Judged {
  readonly answer: Answer
  readonly kept: Kept
  /** What it stands on: the contract's text and the last statement. */
  readonly stand: string
}

export function openCompliance(parts: { store: Store; now: () => Date }): Compliance {
  const { store, now } = parts
  const fold = factFolder(store)
  const contracts = new Map<string, { sha256: string; contract: Contract }>()
  const newest = new Map<string, Judged>()
  const judges = new WeakMap<FactIndex, { sha256: string; judge: Judge }>()
  /** What each contract was judged on last, so that a tick leaves alone what cannot have changed. */
  const judged = new Map<string, { stand: string; dueMs: number }>()

  async function readContract(id: string): Promise<{ sha256: string; contract: Contract }> {
    const [text] = await listContractTexts(store.db, ALL, id)
    if (text === undefined) throw new BevisError('NOT_FOUND', `there is no contract ${id}`)
    assertWhole(text)
    const known = contracts.get(id)
    if (known?.sha256 === text.sha256) return known
    const issued = issuedTexts(await listEvents(store.db, id)).get(text.revision)
    if (issued !== text.sha256) {
      throw new BevisError(
        'LOG_INCONSISTENT',
        issued === undefined
          ? `nothing in the log says that revision ${text.revision} of ${id} was applied: apply it anew, if it is right`
          : `revision ${text.revision} of ${id} is not the text that the log says was applied; nothing is judged by it`,
      )
    }
    const { contract } = parseContract(text.yaml, { draft: true })
    if (contract === undefined)
      throw new BevisError('CONTRACT_INVALID', `${id} can no longer be read: apply it anew`)
    const read = { sha256: text.sha256, contract }
    contracts.set(id, read)
    return read
  }

  /** One judge goes on with an index for as long as that is kept, so that a statement costs what it touches. */
  function judgeOf(index: FactIndex, sha256: string, contract: Contract): Judge {
    const known = judges.get(index)
    if (known?.sha256 === sha256) return known.judge
    const judge = new Judge(contract, index)
    judges.set(index, { sha256, judge })
    return judge
  }

  async function answer(id: string, { at, knownAt }: When = {}): Promise<Answer> {
    if (at !== undefined || knownAt !== undefined) {
      const { contract } = await readContract(id)
      const { facts, index } = await fold(id)
      const known = knownAt === undefined ? {} : { knownAt: new Date(knownAt) }
      return evaluate({ contract, facts, index, at: at === undefined ? now() : new Date(at), ...known })
    }
    return (await judgeNow(id)).answer
  }

  async function judgeNow(id: string): Promise<Judged> {
    const { sha256, contract } = await readContract(id)
    const { index, lastId } = await fold(id)
    const stand = [sha256, lastId, index.size].join(' ')
    const known = newest.get(id)
    if (known?.stand === stand && now().getTime() < nextDue(known.answer, KEEP_MS)) return known
    const judge = judgeOf(index, sha256, contract)
    const fresh = judge.judge(now())
    const judged = { answer: fresh, kept: keptOf(fresh, judge.unsettled), stand }
    newest.set(id, judged)
    return judged
  }

  async function tick(): Promise<Ticked> {
    const failures: { contract: string; error: unknown }[] = []
    let [evaluated, transitions] = [0, 0]
    for (const { id, headline } of await listContracts(store.db, ALL)) {
      try {
        const found = await judgeIfDue(id)
        if (found === null) continue
        evaluated += 1
        transitions += found
      } catch (error) {
        failures.push({ contract: id, error })
        if (headline !== null) await forgetHeadline(store, id)
      }
    }
    return { evaluated, transitions, failures }
  }

  /** The number of transitions; null where nothing can have changed. */
  async function judgeIfDue(id: string): Promise<number | null> {
    const { sha256 } = await readContract(id)
    const { index, lastId } = await fold(id)
    const stand = [sha256, lastId, index.size].join(' ')
    const before = judged.get(id)
    if (before?.stand === stand && now().getTime() < before.dueMs) return null
    const fresh = await judgeNow(id)
    const transitions = await keep(store, fresh, now())
    judged.set(id, { stand: fresh.stand, dueMs: nextDue(fresh.answer, LONGEST_MS) })
    return transitions
  }

  async function facts(id: string): ReturnType<Compliance['facts']> {
    const { facts: all, index } = await fold(id)
    return { facts: all.slice(), index }
  }

  return { answer, facts, tick }
}

/** What cannot be judged is in no list by the verdict that it had. */
async function forgetHeadline(store: Store, id: string): Promise<void> {
  await store.write((tx) => tx.updateTable('contract').set({ headline: null }).where('id', '=', id).execute())
}

/** When the verdict may turn by itself; at the latest `longestMs` after it was made. */
function nextDue(answer: Answer, longestMs: number): number {
  const deadlines = answer.sets.flatMap(({ nextDeadline }) =>
    nextDeadline === undefined ? [] : [nextDeadline],
  )
  return Math.min(Date.parse(answer.at) + longestMs, ...deadlines.map((deadline) => Date.parse(deadline)))
}

/** Stores the verdict, and what changed since the one before it; returns how much that was. */
async function keep(store: Store, { answer, kept }: Judged, now: Date): Promise<number> {
  const { contract: id, at, headline } = answer
  const knownAt = toInstant(now)
  return store.write(async (tx) => {
    const row = await tx
      .selectFrom('verdict')
      .select('answer')
      .where('contract_id', '=', id)
      .executeTakeFirst()
    const before = row === undefined ? null : (JSON.parse(row.answer) as Kept)
    const changes = changesBetween(before, kept, answer)
    const last = await tx
      .selectFrom('transition')
      .select(({ fn }) => fn.max('id').as('id'))
      .executeTakeFirst()
    const rows = changes.map(({ setId, subject, from, to }, n) => ({
      id: (last?.id ?? 0) + n + 1,
      contract_id: id,
      set_id: setId,
      subject,
      from_state: from,
      to_state: to,
      at,
      known_at: knownAt,
    }))
    for (const chunk of chunksOf(rows)) await tx.insertInto('transition').values(chunk).execute()
    const verdict = { at, known_at: knownAt, answer: JSON.stringify(kept) }
    await tx
      .insertInto('verdict')
      .values({ contract_id: id, ...verdict })
      .onConflict((conflict) => conflict.column('contract_id').doUpdateSet(verdict))
      .execute()
    await tx.updateTable('contract').set({ headline, evaluated_at: knownAt }).where('id', '=', id).execute()
    return rows.length
  })
}
