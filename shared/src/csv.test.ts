import { expect, test } from 'vitest'
import { formatCsvLine } from './csv.ts'

test('cells are quoted where they must be, and unknown ones are empty', () => {
  expect(formatCsvLine(['a', 'b "c"', 'd,e', 'f\r\ng', 1.5, -2, true, null, ''])).toBe(
    'a,"b ""c""","d,e","f\r\ng",1.5,-2,true,,\r\n',
  )
})

test.each(['=1+1', '+45', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '\u200B=1', '＝1', '|calc', '%0A'])(
  'a spreadsheet takes %j for a text',
  (text) => {
    expect(formatCsvLine([text]).replace(/^"/, '')).toMatch(/^'/)
  },
)

test.each(['D:\\Bilag', '/srv/data', 'vts-01', '2025-03-05', 'ærø', "it's"])('%j stays as it is', (text) => {
  expect(formatCsvLine([text])).toBe(`${text}\r\n`)
})
