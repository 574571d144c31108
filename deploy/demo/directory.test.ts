import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { directoryOf } from './directory.ts'
import { tellUnread, unreadBy } from './prove.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bevis-directory-')))
afterAll(() => rmSync(folder, { recursive: true }))
const own = join(folder, 'clone/.demo')
const make = (name: string, text: string) => {
  mkdirSync(join(folder, name, '..'), { recursive: true })
  writeFileSync(join(folder, name), text)
}
make('full/deep/file.txt', 'something')
make('hollow/deep/empty.txt', '')
make('clone/.demo/files/file.txt', 'something')
make('file.txt', 'something')
symlinkSync('full', join(folder, 'link'))

describe('the directory of the demo', () => {
  test('is called as it really is, from where npm was started', () => {
    expect(directoryOf('link', folder, own)).toBe(join(folder, 'full'))
    expect(directoryOf('.', folder, own)).toBe(folder)
  })

  test.each([
    ['nowhere', /is not there$/],
    ['file.txt', /is no directory$/],
    ['hollow', /holds no file with content/],
    ['clone', /holds no file with content/],
    ['clone/.demo/files', /the demo's own folder/],
  ])('%s is refused in a line', (path, why) => {
    expect(() => directoryOf(path, folder, own)).toThrow(why)
  })

  test('a mistyped one ends the demo before it begins', () => {
    const script = join(import.meta.dirname, '../demo.ts')
    const env = { ...process.env, INIT_CWD: folder }
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'nowhere'], {
      env,
      encoding: 'utf8',
    })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toBe(`demo: ${join(folder, 'nowhere')} is not there\n`)
  })
})

test('what could not be read is told in words', () => {
  expect(tellUnread(unreadBy({ failed: { count: 1, paths: ['/a'] } }))).toBe(
    '1 file could not be read and is not in the backup',
  )
  expect(unreadBy({ outcome: 'complete' }).count).toBe(0)
})
