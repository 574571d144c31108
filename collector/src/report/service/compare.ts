/** What today's evidence says otherwise of a month than the report that was issued. */
import type { Dimension } from '@bevis/shared/contract/answer'
import type { ServiceReport } from './model.ts'

export interface Corrections {
  readonly levels: readonly {
    readonly set: string
    readonly dimension: Dimension
    readonly was: string
    readonly is: string
  }[]
  readonly deviations: readonly {
    readonly set: string
    readonly code: string
    readonly subject: string
    readonly was: boolean
    readonly is: boolean
  }[]
  /** In per cent of the monthly fee; null where they are the same. */
  readonly credits: { readonly was: number; readonly is: number } | null
}

/** @param today the same month, judged to the same instant, from what is known today */
export function compareReports(issued: ServiceReport, today: ServiceReport): Corrections {
  const levelsOf = ({ sets }: ServiceReport) =>
    new Map(
      sets.flatMap(({ id, levels }) =>
        levels.map(
          ({ dimension, month }) =>
            [`${id} ${dimension}`, { set: id, dimension, state: month.state }] as const,
        ),
      ),
    )
  const before = levelsOf(issued)
  const deviationsOf = ({ deviations }: ServiceReport) =>
    new Map(
      deviations
        .filter(({ code }) => code !== 'unknown')
        .map((one) => [`${one.set} ${one.code} ${one.subject}`, one] as const),
    )
  const [was, is] = [deviationsOf(issued), deviationsOf(today)]
  const changed = [...new Set([...was.keys(), ...is.keys()])].filter((key) => was.has(key) !== is.has(key))
  return {
    levels: [...levelsOf(today)].flatMap(([key, { set, dimension, state }]) => {
      const earlier = before.get(key)
      return earlier === undefined || earlier.state === state
        ? []
        : [{ set, dimension, was: earlier.state, is: state }]
    }),
    deviations: changed.flatMap((key) => {
      const one = was.get(key) ?? is.get(key)
      if (one === undefined) return []
      return [{ set: one.set, code: one.code, subject: one.subject, was: was.has(key), is: is.has(key) }]
    }),
    credits:
      issued.credits.pct === today.credits.pct ? null : { was: issued.credits.pct, is: today.credits.pct },
  }
}
