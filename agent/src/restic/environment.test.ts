import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { childEnvironment, parseEnvironment } from './environment.ts'

test('a child gets its base, the backend’s variables and ours, and nothing of restic from around us', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-environment-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const passwordFile = join(folder, 'password')
  const environmentFile = join(folder, 'environment')
  writeFileSync(passwordFile, 'x')
  writeFileSync(environmentFile, '# keys\n\nAWS_ACCESS_KEY_ID=AKIA\nAWS_SECRET_ACCESS_KEY="a=b #c"\n')
  const base = { PATH: '/bin', RESTIC_PASSWORD: 'leaked', RESTIC_REPOSITORY: '/elsewhere' }
  const { variables, secrets } = childEnvironment(
    base,
    { url: '/r', passwordFile, environmentFile },
    '/cache',
  )
  expect(variables).toEqual({
    PATH: '/bin',
    AWS_ACCESS_KEY_ID: 'AKIA',
    AWS_SECRET_ACCESS_KEY: 'a=b #c',
    RESTIC_REPOSITORY: '/r',
    RESTIC_PASSWORD_FILE: passwordFile,
    RESTIC_CACHE_DIR: '/cache',
    RESTIC_PROGRESS_FPS: '1',
    LC_ALL: 'C',
  })
  expect(secrets).toEqual([])
  const code = (repository: object) => {
    try {
      childEnvironment(base, { url: '/r', ...repository }, '/cache')
      return 'none'
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  expect(code({})).toBe('CONFIG_INVALID')
  expect(code({ passwordFile, passwordCommand: 'pass' })).toBe('CONFIG_INVALID')
  expect(code({ passwordFile: join(folder, 'none') })).toBe('SECRET_UNREADABLE')
  expect(code({ passwordFile, environmentFile: join(folder, 'none') })).toBe('SECRET_UNREADABLE')
  expect(code({ passwordCommand: 'pass' })).toBe('none')
})

test.each([
  ['RESTIC_PASSWORD=secret', 'RESTIC_PASSWORD'],
  ['RESTIC_REPOSITORY=secret', 'RESTIC_REPOSITORY'],
  ['export KEY=secret', 'NAME=VALUE'],
  ['just-a-secret', 'NAME=VALUE'],
  ['1KEY=secret', 'NAME=VALUE'],
  ['KEY="secret', 'quote'],
  ['KEY=secret\nKEY=secret', 'twice'],
])('%j is refused with its line, and without its value', (text, why) => {
  const line = text.split('\n').length
  expect(() => parseEnvironment(text, 'shop.env')).toThrow(why)
  expect(() => parseEnvironment(text, 'shop.env')).toThrow(`shop.env:${line}:`)
  try {
    parseEnvironment(text, 'shop.env')
  } catch (error) {
    expect(String(error)).not.toContain('secret')
  }
})
