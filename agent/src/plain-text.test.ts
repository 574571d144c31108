import { expect, test } from 'vitest'
import { plainText, withoutControls } from './plain-text.ts'

test('nothing that steers a terminal is left; lines and letters stay', () => {
  const title = '\u001b]0;owned\u0007'
  expect(plainText(`a\u001b[2J\u001b[31mb${title}\u009b31mc\r\u0000\u202ed\n\té`)).toBe('ab31mcd\n\té')
  expect(plainText('\u001b[31mred\u001b[2J', (found) => found === '\u001b[31m')).toBe('\u001b[31mred')
})

test('words are made plain at any depth, paths stay evidence', () => {
  const said = { error: { message: 'no\u0007' }, paths: ['/srv/\u0007'], detail: { message: '\u001b[2Jx' } }
  expect(withoutControls(said)).toEqual({
    error: { message: 'no' },
    paths: ['/srv/\u0007'],
    detail: { message: 'x' },
  })
})
