/** What clauses on credits measure, in words. */
import { parseMeasure } from '../breach.ts'
import type { Language } from './words.ts'

/** By the dimension, or by one way to break it: `[English, Danish]`. */
const MEASURES: Record<string, readonly [string, string]> = {
  points: [
    'recovery points that are missing or too old',
    'gendannelsespunkter, der mangler eller er for gamle',
  ],
  'points.missed': ['a recovery point not taken in time', 'et gendannelsespunkt, der ikke blev taget i tide'],
  'points.recovery-point-age': [
    'the newest recovery point too old',
    'det nyeste gendannelsespunkt for gammelt',
  ],
  retention: ['owed snapshots that are gone', 'øjebliksbilleder, der skulle opbevares, og er væk'],
  'retention.lost': ['an owed snapshot that is gone', 'et øjebliksbillede, der skulle opbevares, og er væk'],
  ceiling: [
    'snapshots kept too long, or deleted under a hold',
    'øjebliksbilleder gemt for længe, eller slettet trods sletteforbud',
  ],
  'ceiling.over-retained': [
    'a snapshot kept longer than agreed',
    'et øjebliksbillede gemt længere end aftalt',
  ],
  'ceiling.hold-broken': [
    'a snapshot deleted under a legal hold',
    'et øjebliksbillede slettet trods sletteforbud',
  ],
  proof: ['restore tests overdue or failed', 'gendannelsestest, der udebliver eller ikke består'],
  'proof.proof-overdue': ['a restore test overdue', 'en gendannelsestest, der udebliver'],
  'proof.full-proof-overdue': ['a full restore test overdue', 'en fuld gendannelsestest, der udebliver'],
  'proof.ladder-overdue': [
    'a restore test of an older tier overdue',
    'en gendannelsestest af et ældre trin, der udebliver',
  ],
  'proof.refuted': [
    'a snapshot that failed two restore tests',
    'et øjebliksbillede, der ikke bestod to gendannelsestest',
  ],
  copies: ['copies that lack something, or can be deleted', 'kopier, der mangler noget eller kan slettes'],
  'copies.copy-missing': ['something missing in a copy', 'noget, der mangler i en kopi'],
  'copies.deletion-allowed': ['a copy that could be deleted', 'en kopi, der kunne slettes'],
  evidence: ['evidence that does not come', 'dokumentation, der udebliver'],
  'evidence.silence': ['evidence that does not come', 'dokumentation, der udebliver'],
}

/** Null for a measure that nothing here can count: it is only known by its own name. */
export function measureInWords(measure: string, language: Language): string | null {
  if (parseMeasure(measure) === null) return null
  return MEASURES[measure.trim()]?.[language === 'en' ? 0 : 1] ?? null
}
