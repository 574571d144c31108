import { expect, test } from 'vitest'
import { ledgerOf } from '@bevis/shared/contract/ledger'
import { Story, contractFor } from '@bevis/shared/contract/story-for-tests'
import { formatLedger } from './ledger-table.ts'

test('one line for a month and set; what is not known is empty, and no unit is a formula', () => {
  const story = new Story()
  story.inventory('2025-03-01T06:00:00Z', { sizeBytes: 9 })
  story.backup('2025-03-05T21:00:00Z')
  const contract = contractFor({ unit: '=HYPERLINK("http://x")' })
  const text = formatLedger(ledgerOf({ contract, facts: story.facts, from: '2025-03', to: '2025-04' }))
  const [head, march, april, end] = text.split('\r\n')
  expect(head?.split(',').slice(0, 6)).toEqual([
    'contract',
    'month',
    'set',
    'unit',
    'repository',
    'backups_complete',
  ])
  expect(march).toBe(
    'AFT-1,2025-03,filer,"\'=HYPERLINK(""http://x"")",vts-01,1,0,0,0,4200,4200000,0,0,0,0,0,1,0,0,9,0,0,0,0,0,0,0',
  )
  expect(april).toBe(
    'AFT-1,2025-04,filer,"\'=HYPERLINK(""http://x"")",vts-01,0,0,0,,,,0,0,0,0,0,0,0,,,0,0,0,0,0,0,0',
  )
  expect(end).toBe('')
})
