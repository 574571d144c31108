import type { FindingAnswer } from '@bevis/shared/contract/answer'
import { toInstant } from '@bevis/shared/format'
import { en } from '../pages/language/en.ts'
import { openCompliance } from '../compliance/open.ts'
import { readAt, readInstant } from './instant.ts'
import type { Opened } from './open.ts'
import { alignColumns } from './outcome.ts'
import type { Outcome } from './outcome.ts'

/** The newest; --json has them all. */
const FINDINGS_SHOWN = 20

/** Judges a contract; exit 0 only if it is compliant, or promises nothing yet. What is unknown is not well. */
export async function evaluateCommand(
  { store, now }: Opened,
  id: string,
  options: { at?: string; knownAt?: string },
): Promise<Outcome> {
  const [at, knownAt] = [readAt(options.at, now()), readInstant(options.knownAt)]
  const isAhead = at !== undefined && at > now()
  const when = { at: at && toInstant(at), knownAt: knownAt && toInstant(knownAt) }
  const answer = await openCompliance({ store, now }).answer(id, when)
  const { headline, sets, findings } = answer
  const dimensions = Object.keys(sets[0]?.dimensions ?? {})
  const rows = sets.map((set) => [set.id, set.headline, ...Object.values<string>(set.dimensions)])
  return {
    exit: headline === 'compliant' || headline === 'not-applicable' ? 0 : 1,
    json: answer,
    lines: [
      `${id}, version ${answer.version ?? 'none'}, at ${answer.at}: ${headline}`,
      ...alignColumns([['SET', 'VERDICT', ...dimensions.map((name) => name.toUpperCase())], ...rows]),
      ...findings.slice(-FINDINGS_SHOWN).map(tell),
      ...(findings.length > FINDINGS_SHOWN
        ? [`and ${findings.length - FINDINGS_SHOWN} findings before these (--json has them all)`]
        : []),
      ...(isAhead
        ? [`${answer.at} is in the future: this is what it comes to if nothing more arrives.`]
        : []),
    ],
  }
}

/** `What it is: set, since when (detail, detail)`; the code stands where we have no words for it. */
function tell({ code, set, at, detail }: FindingAnswer): string {
  const words: Record<string, string> = en.finding
  const names: Record<string, string> = en.detail
  const details = Object.entries(detail).map(
    ([key, value]) => `${names[key] ?? key} ${String(value).replace(/\p{C}/gu, '?')}`,
  )
  return `${words[code] ?? code}: ${set}, ${at}${details.length === 0 ? '' : ` (${details.join(', ')})`}`
}
