/**
 * What a contract promises, in plain words, Danish or English: version by version, and what changes from one to
 * the next. Every term of the contract is in a sentence, so that no change goes unsaid.
 */
import type { ContractEvent } from '../evidence/predicates.ts'
import { isAccepted } from './acceptance.ts'
import { DANISH } from './plain/da.ts'
import { ENGLISH } from './plain/en.ts'
import type { Phrases } from './plain/phrases.ts'
import type { Language } from './plain/words.ts'
import type { Contract, ContractSet, Version } from './schema.ts'

export type { Language }

/** A heading and what stands below it. */
export interface PlainPart {
  heading: string
  sentences: string[]
}

export interface PlainVersion {
  no: number
  /** Both parties have. */
  isAccepted: boolean
  heading: string
  /** What is said of all sets, where something is. */
  sentences: string[]
  sets: (PlainPart & { id: string })[]
}

export interface PlainText {
  heading: string
  sentences: string[]
  versions: PlainVersion[]
  /** From each version to the one that takes effect after it. */
  changes: PlainChanges[]
}

/** `parts` is empty where nothing that is promised changes; `none` says so. */
export interface PlainChanges {
  heading: string
  none: string
  parts: PlainPart[]
}

/** @param events of the contract, from the log: acceptances among them count like those in the text */
export function describeContract(
  contract: Contract,
  language: Language,
  events: readonly ContractEvent[] = [],
): PlainText {
  const words = wordsOf(language)
  const versions = contract.versions.toSorted(byEffect)
  return {
    heading: words.contract(contract),
    sentences: [words.term(contract.term), words.zone(contract.timezone, contract.holidays)],
    versions: versions.map((version) => describeVersion(version, isAccepted(version, events), words)),
    changes: versions.flatMap((version, place) => {
      const before = versions[place - 1]
      return before === undefined ? [] : [describeChanges(before, version, language)]
    }),
  }
}

/** One set's promises, as in the contract's plain reading. */
export function describeSet(set: ContractSet, version: Version, language: Language): string[] {
  return [...sentencesOf(set, version, wordsOf(language)).values()].flat()
}

/** What a set promises at a glance: the same sentences, without the clause, the selector and the finer terms. */
export function describeInShort(set: ContractSet, version: Version, language: Language): string[] {
  const sentences = sentencesOf(set, version, wordsOf(language))
  return ['when', 'age', 'kept', 'ceiling', 'copies', 'tests'].flatMap((topic) => sentences.get(topic) ?? [])
}

/** What the later version promises otherwise. */
export function describeChanges(before: Version, after: Version, language: Language): PlainChanges {
  const words = wordsOf(language)
  const parts: PlainPart[] = []
  const tell = (heading: string, sentences: string[]): void => {
    if (sentences.length > 0) parts.push({ heading, sentences })
  }
  tell(words.forAll, differences(wholeOf(before, words), wholeOf(after, words), words))
  for (const set of after.sets) {
    const earlier = before.sets.find(({ id }) => id === set.id)
    const now = sentencesOf(set, after, words)
    if (earlier === undefined) tell(words.newSet(set.id), [...now.values()].flat())
    else tell(words.set(set.id), differences(sentencesOf(earlier, before, words), now, words))
  }
  for (const { id } of before.sets) {
    if (!after.sets.some((set) => set.id === id)) parts.push({ heading: words.goneSet(id), sentences: [] })
  }
  const heading = words.changes(before.no, after.no, after.effectiveFrom)
  if (parts.length > 0) {
    parts.push({ heading: words.amends(after.amendmentPolicy, after.effectiveFrom), sentences: [] })
  }
  return { heading, none: words.noChanges, parts }
}

/** The text as lines for a terminal or a file, two spaces deeper by level. What the contract says cannot command either. */
export function formatPlain({ heading, sentences, versions, changes }: PlainText): string[] {
  const below = (lines: readonly string[], depth: number) =>
    lines.map((line) => ' '.repeat(depth) + line.replace(/\p{C}/gu, '?'))
  return [
    ...below([heading, ...sentences], 0),
    ...versions.flatMap((version) => [
      '',
      ...below([version.heading], 0),
      ...below(version.sentences, 2),
      ...version.sets.flatMap((set) => [...below([set.heading], 2), ...below(set.sentences, 4)]),
    ]),
    ...changes.flatMap(({ heading: title, none, parts }) => [
      '',
      ...below([title], 0),
      ...(parts.length === 0 ? [`  ${none}`] : []),
      ...parts.flatMap((part) => [...below([part.heading], 2), ...below(part.sentences, 4)]),
    ]),
  ]
}

function wordsOf(language: Language): Phrases {
  return language === 'da' ? DANISH : ENGLISH
}

function byEffect(a: Version, b: Version): number {
  return a.effectiveFrom === b.effectiveFrom ? a.no - b.no : a.effectiveFrom < b.effectiveFrom ? -1 : 1
}

function describeVersion(version: Version, accepted: boolean, words: Phrases): PlainVersion {
  const { no, effectiveFrom, sets } = version
  return {
    no,
    isAccepted: accepted,
    heading: accepted ? words.inForce(no, effectiveFrom) : words.draft(no, effectiveFrom),
    sentences: [
      ...(version.changeNote === undefined ? [] : [version.changeNote]),
      ...[...wholeOf(version, words).values()].flat(),
    ],
    sets: sets.map((set) => ({
      id: set.id,
      heading: words.set(set.id),
      sentences: [...sentencesOf(set, version, words).values()].flat(),
    })),
  }
}

/** Sentences by what they are about. */
type Topics = Map<string, string[]>

function wholeOf({ units = [], exclusions, holds, penalties, escalation }: Version, words: Phrases): Topics {
  return new Map([
    ['units', units.map((unit) => words.unit(unit))],
    ['exclusions', exclusions.map((one) => words.exclusion(one))],
    ['holds', holds.map((one) => words.hold(one))],
    ['penalties', penalties.map((one) => words.penalty(one))],
    ['escalation', escalation.map((one) => words.step(textOf(one)))],
  ])
}

function sentencesOf(set: ContractSet, version: Version, words: Phrases): Topics {
  const { schedule, retention, restoreTest, partial, content, copies = [], encryption } = set
  const onboardedAt = set.onboardedAt ?? version.effectiveFrom
  return new Map([
    ['clause', [words.clause(retention.wording)]],
    ['about', [words.about(set)]],
    ['what', [words.what(set.selector)]],
    ['onboarded', [words.onboarded(onboardedAt)]],
    ['when', [words.when(schedule)]],
    ['age', [words.age(schedule.rpo ?? schedule.every)]],
    ['kept', [words.kept(retention.min.map((tier) => words.tier(tier)))]],
    ['grace', [words.grace(schedule.lateGrace)]],
    ['ceiling', [retention.max === undefined ? words.noCeiling : words.ceiling(retention.max)]],
    ['partial', [partial === 'reject' ? words.whole : words.partial(partial)]],
    ['content', content === undefined ? [] : [words.content(content)]],
    ['copies', copies.map((copy) => words.copy(copy))],
    ['encryption', encryption === undefined ? [] : [words.encryption(encryption)]],
    ['tests', [restoreTest === undefined ? words.noTests : words.tests(restoreTest)]],
    ['ladder', restoreTest?.ladder === undefined ? [] : [words.ladder(restoreTest.ladder)]],
    ['evidence', [words.evidence(set.evidence)]],
  ])
}

function differences(before: Topics, after: Topics, words: Phrases): string[] {
  return [...after].flatMap(([topic, now]) => {
    const then = before.get(topic) ?? []
    const gone = then.filter((one) => !now.includes(one))
    const come = now.filter((one) => !then.includes(one))
    const [was, is] = [gone[0], come[0]]
    if (gone.length === 1 && come.length === 1 && was !== undefined && is !== undefined) {
      return [words.changed(was, is)]
    }
    return [...gone.map((one) => words.dropped(one)), ...come.map((one) => words.added(one))]
  })
}

function textOf(step: Record<string, unknown>): string {
  return Object.entries(step)
    .map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
}
