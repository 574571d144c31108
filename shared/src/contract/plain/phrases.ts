import type {
  Contract,
  ContractSet,
  Copy,
  Exclusion,
  Hold,
  RestoreTestTerms,
  Tier,
  Version,
} from '../schema.ts'
import type { Speech } from './words.ts'

type Max = NonNullable<ContractSet['retention']['max']>
type Partial = Exclude<ContractSet['partial'], 'reject'>

/** Every sentence of the plain reading, in one language. Each says all that its part of the contract says. */
export interface Phrases {
  say: Speech
  contract(contract: Contract): string
  term(term: Contract['term']): string
  zone(zone: string, holidays: Contract['holidays']): string
  inForce(no: number, from: string): string
  draft(no: number, from: string): string
  amends(policy: Version['amendmentPolicy'], from: string): string
  set(id: string): string
  clause(wording: string): string
  what(selector: ContractSet['selector']): string
  onboarded(date: string): string
  when(schedule: ContractSet['schedule']): string
  age(rpo: string): string
  grace(grace: string): string
  kept(tiers: readonly string[]): string
  tier(tier: Tier): string
  ceiling(max: Max): string
  noCeiling: string
  whole: string
  partial(partial: Partial): string
  content(content: NonNullable<ContractSet['content']>): string
  copy(copy: Copy): string
  encryption(encryption: NonNullable<ContractSet['encryption']>): string
  tests(terms: RestoreTestTerms): string
  ladder(every: string): string
  noTests: string
  evidence(evidence: ContractSet['evidence']): string
  about(set: ContractSet): string
  unit(unit: NonNullable<Version['units']>[number]): string
  exclusion(exclusion: Exclusion): string
  hold(hold: Hold): string
  penalty(penalty: Version['penalties'][number]): string
  step(text: string): string
  changes(before: number, after: number, from: string): string
  noChanges: string
  added(text: string): string
  dropped(text: string): string
  changed(before: string, after: string): string
  newSet(id: string): string
  goneSet(id: string): string
  forAll: string
}
