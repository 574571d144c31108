import { instant } from '@bevis/shared/format'
import { BevisError } from '@bevis/shared/error'
import { openCompliance } from '../compliance/open.ts'
import type { Opened } from './open.ts'
import { alignColumns } from './outcome.ts'
import type { Outcome } from './outcome.ts'

/** The newest; --json has them all. */
const FINDINGS_SHOWN = 20

/** Judges a contract; exit 1 if it is breached. */
export async function evaluateCommand(
  { store, now }: Opened,
  id: string,
  options: { at?: string; knownAt?: string },
): Promise<Outcome> {
  const when = { at: readInstant(options.at), knownAt: readInstant(options.knownAt) }
  const answer = await openCompliance({ store, now }).answer(id, when)
  const { headline, sets, findings } = answer
  const dimensions = Object.keys(sets[0]?.dimensions ?? {})
  const rows = sets.map((set) => [set.id, set.headline, ...Object.values<string>(set.dimensions)])
  return {
    exit: headline === 'breached' ? 1 : 0,
    json: answer,
    lines: [
      `${id}, version ${answer.version ?? 'none'}, at ${answer.at}: ${headline}`,
      ...alignColumns([['SET', 'VERDICT', ...dimensions.map((name) => name.toUpperCase())], ...rows]),
      ...findings
        .slice(-FINDINGS_SHOWN)
        .map(({ code, set, at, detail }) => `${code} in ${set} at ${at}: ${JSON.stringify(detail)}`),
    ],
  }
}

function readInstant(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const date = new Date(text)
  const parsed = instant.safeParse(Number.isNaN(date.getTime()) ? text : date.toISOString())
  if (!parsed.success) throw new BevisError('USAGE', `${text} is no instant such as 2026-11-23T04:05:06Z`)
  return parsed.data
}
