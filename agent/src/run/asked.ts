/**
 * What becomes of what the collector asks. It can name a file, never a command, a repository or a place to write;
 * and of the files only those of a set of ours, as many a day as the configuration allows. All else is refused,
 * and the refusal is stated: whoever asks for other things is either mistaken or not who he says he is.
 */
import { parseDuration as parseTerm } from '@bevis/shared/contract/duration'
import { toInstant } from '@bevis/shared/format'
import { requestId } from '@bevis/shared/work'
import type { Terms, TestRequest, Work } from '@bevis/shared/work'
import { z } from 'zod'
import type { AgentConfig, SetConfig } from '../config.ts'
import { parseDuration } from '../quantity.ts'
import type { State } from '../state.ts'
import { bytePathOf, fromPathText, isWithin, pathText } from '../tree/path.ts'

const DAY_MS = 86_400_000

/** Refusals that are stated each day; beyond it they are only refused. */
const MOST_REFUSALS = 20

const handledSchema = z
  .array(z.object({ id: requestId, set: z.string().nullable(), at: z.string() }))
  .max(10_000)

/** Requests that have their answer; `set` null: they were refused. */
export type Handled = z.output<typeof handledSchema>

export interface Decided {
  /** To be done, the oldest first. */
  readonly accepted: readonly TestRequest[]
  readonly refused: readonly { readonly request: TestRequest; readonly why: string }[]
}

/** Pure: what is done of what was asked, now. A request that must wait for tomorrow is in neither list. */
export function decideAsked(
  { requests }: Pick<Work, 'requests'>,
  config: Pick<AgentConfig, 'sets'>,
  handled: Handled,
  now: Date,
): Decided {
  const done = new Set(handled.map(({ id }) => id))
  const today = handled.filter(({ at }) => Math.abs(now.getTime() - Date.parse(at)) < DAY_MS)
  const taken = Map.groupBy(today, ({ set }) => set)
  const room = new Map<string, number>()
  const decided: { accepted: TestRequest[]; refused: { request: TestRequest; why: string }[] } = {
    accepted: [],
    refused: [],
  }
  for (const request of requests) {
    if (done.has(request.id)) continue
    done.add(request.id)
    const set = config.sets.find(({ id }) => id === request.set)
    const why = reasonAgainst(request, set)
    if (why !== null) {
      if ((taken.get(null)?.length ?? 0) + decided.refused.length < MOST_REFUSALS)
        decided.refused.push({ request, why })
      continue
    }
    const perDay = set?.restoreTest.requestsPerDay ?? 0
    const left = room.get(request.set) ?? perDay - (taken.get(request.set)?.length ?? 0)
    room.set(request.set, left - 1)
    if (left > 0) decided.accepted.push(request)
  }
  return decided
}

function reasonAgainst({ path, set: name }: TestRequest, set: SetConfig | undefined): string | null {
  if (set === undefined) return `there is no set ${name} here`
  if (set.restoreTest.requestsPerDay === 0) return `the configuration of ${name} takes no requests`
  const asked = fromPathText(path)
  // A text that stands for other bytes than it shows must not slip past the comparison.
  if (pathText(asked) !== path || asked.includes('\0')) return 'the path is not in the form that was agreed'
  if (asked.split('/').some((part) => part === '.' || part === '..')) return 'the path climbs'
  return set.paths.some((root) => isWithin(asked, bytePathOf(root)))
    ? null
    : `${path} is not in the set ${name}`
}

export function loadHandled(state: State): Handled {
  try {
    return handledSchema.parse(JSON.parse(state.get('requests') ?? '[]'))
  } catch {
    return []
  }
}

/** Forgets what nobody asks for any more, and is old. */
export function keepHandled(state: State, entry: Handled[number], now: Date): void {
  state.write(() => {
    const kept = loadHandled(state).filter(({ at }) => now.getTime() - Date.parse(at) < 90 * DAY_MS)
    state.put('requests', JSON.stringify([...kept.slice(-5_000), entry]))
  })
}

export function handledOf({ id }: Pick<TestRequest, 'id'>, set: string | null, now: Date): Handled[number] {
  return { id, set, at: toInstant(now) }
}

/** The terms that are about this set: by contract, repository, host and what the contract requires of its paths. */
export function termsFor(
  { terms }: Pick<Work, 'terms'>,
  set: Pick<SetConfig, 'contract' | 'paths' | 'repository'>,
  here: { readonly repository: string; readonly host: string },
): Terms[] {
  const names = [here.repository, set.repository.lineage]
  return terms.filter(({ contract, set: { selector } }) => {
    if (set.contract !== undefined && set.contract !== contract) return false
    if (!names.includes(selector.repository) || !selector.hosts.includes(here.host)) return false
    return selector.requiredPaths.every((path) => set.paths.some((root) => isWithin(path, root)))
  })
}

/** What a test takes from the terms that are about its set. */
export interface Agreed {
  /** The shortest time within which the set must be restored; null where none is agreed. */
  readonly rtoSeconds: number | null
  /** Only those in the set: others are some other set's. */
  readonly canaries: readonly string[]
  /** Within this time every older snapshot is to be tested, where the configuration names none; null: not agreed. */
  readonly ladderMs: number | null
}

/** However short a time somebody writes into a contract, the host is not kept busy for it. */
const LEAST_LADDER_MS = 30 * DAY_MS

export function agreedIn(terms: readonly Terms[], set: Pick<SetConfig, 'paths' | 'restoreTest'>): Agreed {
  const rtos = terms.flatMap(({ set: { restoreTest } }) => {
    const seconds = parseDuration(restoreTest?.rto ?? '') / 1000
    return Number.isFinite(seconds) ? [seconds] : []
  })
  const named = [
    ...set.restoreTest.canaries,
    ...terms.flatMap(({ set: { content } }) => content?.canaries ?? []),
  ]
  const canaries = named.filter((path) => set.paths.some((root) => isWithin(path, root)))
  const ladders = terms.flatMap(({ set: { restoreTest } }) => {
    if (restoreTest?.ladder === undefined) return []
    const { months, days, elapsedMs } = parseTerm(restoreTest.ladder)
    return [Math.max(LEAST_LADDER_MS, (months * 28 + days) * DAY_MS + elapsedMs)]
  })
  return {
    rtoSeconds: rtos.length === 0 ? null : Math.min(...rtos),
    canaries: [...new Set(canaries)],
    ladderMs: ladders.length === 0 ? null : Math.min(...ladders),
  }
}

/**
 * The collector's seed for a test of what this inventory lists, for the n-th test under it: another draw each time,
 * from the one seed and a number that counts up, so that nobody can choose.
 */
export function seedFor(
  { seeds }: Pick<Work, 'seeds'>,
  set: string,
  inventory: string,
  state: Pick<State, 'get'>,
): { seed: string; inventory: string; uses: number } | null {
  const found = seeds.find((one) => one.set === set && one.inventory === inventory)
  if (found === undefined) return null
  const last = lastUse.safeParse(parseJson(state.get(useOf(set)))).data
  const uses = last?.seed === found.seed ? last.uses : 0
  return { seed: uses === 0 ? found.seed : `${found.seed}/${uses}`, inventory, uses }
}

/** To be called before the test: a draw that was seen is used, whatever becomes of it. */
export function useSeed(
  state: Pick<State, 'put'>,
  set: string,
  { seed, uses }: { seed: string; uses: number },
): void {
  state.put(useOf(set), JSON.stringify({ seed: seed.split('/')[0], uses: uses + 1 }))
}

const lastUse = z.object({ seed: z.string(), uses: z.int().min(0) })

function useOf(set: string): string {
  return `seed:${set}`
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return null
  }
}
