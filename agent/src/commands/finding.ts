/** One thing that was looked at. */
export interface Finding {
  readonly what: string
  readonly verdict: 'good' | 'warning' | 'bad'
  readonly detail: string
}

export const good = (what: string, detail: string): Finding => ({ what, verdict: 'good', detail })
export const warning = (what: string, detail: string): Finding => ({ what, verdict: 'warning', detail })
export const bad = (what: string, detail: string): Finding => ({ what, verdict: 'bad', detail })
