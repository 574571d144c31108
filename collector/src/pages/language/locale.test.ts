import { describe, expect, test } from 'vitest'
import { da } from './da.ts'
import { en } from './en.ts'
import { chooseLanguage, localeOf } from './locale.ts'

/** `a.b.c` for every text in a catalogue, with the text. */
function flatten(value: object, path = ''): [string, string][] {
  return Object.entries(value).flatMap(([key, inner]): [string, string][] =>
    typeof inner === 'string' ? [[`${path}${key}`, inner]] : flatten(inner as object, `${path}${key}.`),
  )
}

const holes = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name).toSorted()

describe('the catalogues', () => {
  test('have the same keys', () => {
    const keys = (catalogue: object) =>
      flatten(catalogue)
        .map(([key]) => key)
        .toSorted()
    expect(keys(da)).toEqual(keys(en))
  })

  test('fill the same holes', () => {
    const danish = new Map(flatten(da))
    for (const [key, text] of flatten(en)) expect(holes(danish.get(key) ?? ''), key).toEqual(holes(text))
  })

  test('leave no text empty', () => {
    for (const [key, text] of [...flatten(en), ...flatten(da)]) expect(text.trim(), key).not.toBe('')
  })

  test('use the glossary', () => {
    expect(da.state.breached).toBe('ikke overholdt')
    expect(da.state.unknown).toBe('ukendt')
    expect(da.state['at-risk']).toBe('i risiko')
    expect(da.state.compliant).toBe('overholdt')
    expect(JSON.stringify(da)).not.toMatch(/misligholdelse/i) // a legal conclusion, for the parties to draw
  })
})

describe('Danish', () => {
  const { t, ...locale } = localeOf('da')

  test('has its plurals', () => {
    expect(t('overview.needYou', { count: 1, total: '6' })).toBe('1 aftale af 6 kalder på dig.')
    expect(t('overview.needYou', { count: 2, total: '6' })).toBe('2 aftaler af 6 kalder på dig.')
  })

  test('writes dates, numbers and durations as Danes do', () => {
    expect(locale.instant('2026-11-23T09:40:00.000Z')).toBe('23. nov. 2026, 10.40')
    expect(locale.instant('2026-07-01T09:40:00.000Z')).toBe('1. jul. 2026, 11.40')
    expect(locale.number(18_204)).toBe('18.204')
    expect(locale.percent(0.994)).toBe('99,4\u00a0%')
    expect(locale.bytes(7_588_616_760)).toBe('7,6 GB')
    expect(locale.duration(50 * 3_600_000)).toBe('2 dage og 2 timer')
    expect(locale.isoDuration('P1M')).toBe('1 måned')
    expect(locale.relative('2026-11-20T09:40:00.000Z', new Date('2026-11-23T09:40:00Z'))).toBe(
      'for 3 dage siden',
    )
  })

  test('never rounds a share with a failure in it up to a whole', () => {
    expect(locale.percent(0.999999)).toBe('99,9\u00a0%')
    expect(locale.percent(1)).toBe('100\u00a0%')
  })

  test('writes an agreed rate as it was agreed, and a sum of rates without the dust of its sum', () => {
    expect([0.7, 0.05, 5.8, 12.345678].map((pct) => locale.rate(pct))).toEqual([
      '0,7\u00a0%',
      '0,05\u00a0%',
      '5,8\u00a0%',
      '12,345678\u00a0%',
    ])
    expect([0.7, 0.1 + 0.2].map((pct) => localeOf('en').rate(pct))).toEqual(['0.7%', '0.3%'])
  })
})

describe('the language of a reader', () => {
  test.each([
    [undefined, undefined, 'da'],
    [undefined, 'en-GB,en;q=0.9', 'en'],
    [undefined, 'de-DE,de;q=0.9,en;q=0.5,da;q=0.7', 'da'],
    [undefined, 'en;q=0, da', 'da'],
    [undefined, 'fr', 'da'],
    ['en', 'da', 'en'],
    ['xx', 'en', 'en'],
    [undefined, ',;q=,;;;q=x', 'da'],
  ] as const)('chosen %s, asked for %s: %s', (chosen, asked, language) => {
    expect(chooseLanguage(chosen, asked)).toBe(language)
  })
})
