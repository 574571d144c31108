import { expect, test } from 'vitest'
import { runOn } from '../../../../test/kit/pdf.ts'
import { Sheet } from './sheet.ts'

/** A paper whose last part begins wherever so many lines have left it. */
async function paperAfter(lines: number): Promise<Buffer> {
  const sheet = new Sheet({
    ...{ title: 'T', language: 'en', madeAt: new Date(0), foot: 'foot' },
    pageOf: (page, pages) => `${page} of ${pages}`,
  })
  sheet.cover({ kicker: 'K', title: 'T', lead: 'L' })
  sheet.list(Array.from({ length: lines }, (_, n) => `line ${n}`))
  sheet.heading(2, 'HEADING')
  sheet.paragraph('LEAD', { quiet: true })
  sheet.heading(3, 'PART')
  const tall = { text: 'ROW', under: Array.from({ length: 6 }, () => 'and what it is about').join(' ') }
  sheet.table([{ head: 'HEAD', share: 0.2, cell: (row: typeof tall) => row }], [tall, tall, tall])
  sheet.heading(2, 'END')
  return sheet.finish()
}

test('a heading stands on the page of what it is about, wherever the page ends', async (context) => {
  const places = new Set<number>()
  for (let lines = 14; lines <= 40; lines++) {
    const pages = runOn(context, await paperAfter(lines), 'pdftotext', '-layout', '{}', '-').split('\f')
    const pageOf = (word: string) => pages.findIndex((page) => page.includes(word))
    expect([lines, ...['HEADING', 'LEAD', 'PART', 'HEAD\n'].map(pageOf)]).toEqual([
      lines,
      ...Array.from({ length: 4 }, () => pageOf('ROW')),
    ])
    expect(pageOf('END')).toBeGreaterThanOrEqual(pageOf('ROW'))
    places.add(pageOf('ROW'))
  }
  expect([...places]).toEqual([0, 1]) // both sides of the page's end were tried
})
