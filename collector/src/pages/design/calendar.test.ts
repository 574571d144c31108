import { describe, expect, test } from 'vitest'
import { localeOf } from '../language/locale.ts'
import { calendarTier, legend, periodOf, windowOf } from './calendar.ts'
import type { Cell } from './calendar.ts'

const en = localeOf('en')
const cell = (bucket: string, state: Cell['state'] = 'met'): Cell => ({
  bucket,
  state,
  href: `/to/${bucket}`,
})

/** Every day from one to another, both included. */
function days(from: string, to: string): Cell[] {
  const cells: Cell[] = []
  const last = Temporal.PlainDate.from(to)
  for (
    let day = Temporal.PlainDate.from(from);
    Temporal.PlainDate.compare(day, last) <= 0;
    day = day.add({ days: 1 })
  ) {
    cells.push(cell(day.toString()))
  }
  return cells
}

describe('the window', () => {
  test('shows twelve months of days, and says that there is more before', () => {
    const { groups, earlier, later } = windowOf('day', days('2024-01-10', '2026-11-23'))
    expect(groups.map(({ period }) => period)).toEqual([
      '2025-12',
      '2026-01',
      '2026-02',
      '2026-03',
      '2026-04',
      '2026-05',
      '2026-06',
      '2026-07',
      '2026-08',
      '2026-09',
      '2026-10',
      '2026-11',
    ])
    expect({ earlier, later }).toEqual({ earlier: true, later: false })
  })

  test('ends with the month that is asked for', () => {
    const { groups, earlier, later } = windowOf('day', days('2026-01-10', '2026-11-23'), '2026-03')
    expect(groups.map(({ period }) => period)).toEqual(['2026-01', '2026-02', '2026-03'])
    expect({ earlier, later }).toEqual({ earlier: false, later: true })
  })

  test('puts an ISO week into the month of its Thursday: the first of 2026 begins in December', () => {
    const weeks = [cell('2025-W52'), cell('2026-W01'), cell('2026-W02')]
    expect(windowOf('week', weeks, '2025-12').groups).toEqual([{ period: '2025', cells: [cell('2025-W52')] }])
  })

  test('has no more than a few hundred cells for whatever a contract promises', () => {
    const hours = days('2025-01-01', '2026-11-23').flatMap(({ bucket }) =>
      Array.from({ length: 24 }, (_, hour) => cell(`${bucket}T${String(hour).padStart(2, '0')}+01:00`)),
    )
    const { groups } = windowOf('hour', hours)
    expect(groups.reduce((sum, group) => sum + group.cells.length, 0)).toBe(7 * 24)
  })

  test('names periods by the beginning of their buckets', () => {
    expect(periodOf('hour', '2026-10-25T02+01:00')).toBe('2026-10-25')
    expect(periodOf('day', '2026-10-25')).toBe('2026-10')
    expect(periodOf('week', '2026-W43')).toBe('2026')
  })
})

describe('the heat map', () => {
  const tier = (per: 'day' | 'hour' | 'month', cells: Cell[]) => ({
    per,
    title: 'Days',
    note: 'each kept for 30 days',
    cells,
    hrefOf: (period: string) => `/list/${period}`,
  })
  const render = async (markup: ReturnType<typeof calendarTier>) => (await markup).toString()

  test('starts a month in the column of its weekday, and leaves unpromised days blank', async () => {
    const text = await render(
      calendarTier(tier('day', [cell('2026-11-03'), cell('2026-11-04', 'missed')]), en),
    )
    expect(text).toContain('<i class="c blank from-7">') // 1 November 2026 was a Sunday
    expect(text.match(/class="c blank/g)).toHaveLength(2)
  })

  test('says in words what each cell is, and reaches by Tab only what needs a person', async () => {
    const text = await render(
      calendarTier(tier('day', [cell('2026-11-03'), cell('2026-11-04', 'missed')]), en),
    )
    expect(text).toMatch(/aria-label="Tue, 3 Nov 2026: met"\s+tabindex="-1"/)
    expect(text).toMatch(/aria-label="Wed, 4 Nov 2026: missed"\s*>/)
  })

  test('tells the two hours of an October night apart', async () => {
    const night = [cell('2026-10-25T02+02:00'), cell('2026-10-25T02+01:00')]
    const text = await render(calendarTier(tier('hour', night), en))
    expect(text).toContain('the hour from 02:00 (+02:00)')
    expect(text).toContain('the hour from 02:00 (+01:00)')
  })

  test('explains only the shapes that occur', async () => {
    const text = await render(legend(new Set(['met', 'lost']), en))
    expect(text).toContain('lost')
    expect(text).not.toContain('excused')
  })
})
