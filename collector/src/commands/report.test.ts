import { afterEach, beforeEach, expect, test } from 'vitest'
import { CONTRACT, makeCollector } from '../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../test/kit/collector.ts'
import { serviceReportCommand } from './report.ts'

let place: TestFolder
let collector: TestCollector

beforeEach(async () => {
  place = await makeCollector()
  collector = await place.start({ now: () => new Date('2025-04-03T08:00:00.000Z') })
})

afterEach(async () => {
  await collector.stop()
  place.remove()
})

test('what the command says of a report is English, whatever language the report is in', async () => {
  await collector.enrolled('web1')
  const wish = { month: '2025-03', person: 'S. Lind', issue: true } as const
  const danish = await serviceReportCommand(collector.opened, CONTRACT, { ...wish, language: 'da' })
  expect(danish.lines[0]).toContain('issued 3 Apr 2025, 10:00 by S. Lind')
  const english = await serviceReportCommand(collector.opened, CONTRACT, { month: '2025-03', language: 'en' })
  expect(danish.lines).toEqual(english.lines)
})
