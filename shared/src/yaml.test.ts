import { expect, test } from 'vitest'
import { z } from 'zod'
import { readYaml, unreadableText } from './yaml.ts'

const schema = z.strictObject({
  name: z.string().min(1).max(3).optional(),
  hosts: z.array(z.string()).min(1).max(2).optional(),
  paths: z.array(z.string()).min(2).optional(),
  port: z.number().min(1024).max(65_535).optional(),
  mode: z.enum(['full', 'sample']).optional(),
  own: z.string().min(1, 'name the host').optional(),
})

function refusal(text: string): string {
  try {
    readYaml({ text, name: '/etc/bevis/x.yaml', code: 'CONFIG_INVALID' }, schema)
    return 'taken'
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
}

test.each([
  ['hosts: []', 'x.yaml:1:1: hosts: is empty; at least one entry is needed'],
  ['hosts: [a, b, c]', 'x.yaml:1:1: hosts: is too long; at most 2 entries'],
  ['paths: [a]', 'x.yaml:1:1: paths: is too short; at least 2 entries'],
  ['name: ""', 'x.yaml:1:1: name: is empty'],
  ['name: abcd', 'x.yaml:1:1: name: is too long; at most 3 characters'],
  ['port: 80', 'x.yaml:1:1: port: is too small; at least 1024'],
  ['port: 70000', 'x.yaml:1:1: port: is too large; at most 65535'],
  ['port: many', 'x.yaml:1:1: port: must be a number'],
  ['hosts: web1', 'x.yaml:1:1: hosts: must be a list'],
  ['mode: half', 'x.yaml:1:1: mode: must be one of full, sample'],
  ['own: ""', 'x.yaml:1:1: own: name the host'],
  ['', 'x.yaml:1:1: the file: is empty, or holds nothing but comments'],
  ['# later\n', 'x.yaml:1:1: the file: is empty, or holds nothing but comments'],
])('%j is refused in words', (text, told) => {
  expect(refusal(text)).toContain(told)
})

test('a file that cannot be read is told with the reason', () => {
  const error = (code: string) => Object.assign(new Error(`${code}: no`), { code })
  expect(unreadableText('a.yaml', error('ENOENT'))).toBe('a.yaml cannot be read: it is not there (ENOENT)')
  expect(unreadableText('a.yaml', error('EACCES'))).toBe(
    'a.yaml cannot be read: this user may not read it (EACCES)',
  )
  expect(unreadableText('a.yaml', new Error('odd'))).toBe('a.yaml cannot be read: odd')
})
