import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { damageRepository } from './damage.ts'
import { makeRepository } from './machine.ts'
import { Story } from './story.ts'
import { makeTree } from './tree.ts'

const folder = mkdtempSync(join(tmpdir(), 'bevis-demo-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Names as bytes and contents of all regular files. */
function digestOf(tree: string): string {
  const hash = createHash('sha256')
  const walk = (path: Buffer): void => {
    for (const entry of readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
      const inner = Buffer.concat([path, Buffer.from('/'), entry.name])
      hash.update(entry.name)
      if (entry.isDirectory()) walk(inner)
      else if (entry.isFile()) hash.update(readFileSync(inner))
    }
  }
  walk(Buffer.from(tree))
  return hash.digest('hex')
}

test('the tree is the same each time, odd names and all', () => {
  const [first, second] = [join(folder, 'first'), join(folder, 'second')]
  expect(makeTree(first)).toBe(makeTree(second))
  expect(digestOf(first)).toBe(digestOf(second))
  const names = readdirSync(join(first, 'odd'), { encoding: 'latin1' })
  expect(names).toContain('two\nlines.txt')
  expect(names).toContain('latin1-\u00e6\u00f8\u00e5.txt')
})

test('the damage is real, and lies where it is said to', () => {
  const env = { PATH: process.env['PATH'], HOME: folder }
  const [source, repository, password] = ['source', 'repository', 'password'].map((name) =>
    join(folder, name),
  )
  makeTree(source ?? '')
  writeFileSync(password ?? '', 'password')
  makeRepository(repository ?? '', password ?? '', env)
  const common = ['-r', repository ?? '', '--password-file', password ?? '', '--no-cache']
  execFileSync('restic', [...common, 'backup', '-q', source ?? ''], { env })
  const { paths, offsets } = damageRepository(repository ?? '', password ?? '', env)
  expect(offsets.length).toBe(3)
  expect(paths.length).toBeGreaterThan(0)
  expect(spawnSync('restic', [...common, 'check'], { env }).status).toBe(0)
  expect(spawnSync('restic', [...common, 'check', '--read-data'], { env }).status).toBe(1)
})

test('a promise that was broken once, or never looked at, is not kept', () => {
  const story = new Story(['kept', 'broken', 'forgotten'])
  story.see('kept', true)
  story.see('broken', false)
  story.see('broken', true)
  expect(story.missing).toEqual(['broken', 'forgotten'])
  expect(() => story.see('never made', true)).toThrow('never promised')
})
