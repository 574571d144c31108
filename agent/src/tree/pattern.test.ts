import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { QUICK_PASSWORD, quickRepository } from '../../../test/kit/quick-repository.ts'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import { bytePathOf } from './path.ts'
import { excludedBy } from './pattern.ts'
import { walkTree } from './walk.ts'

const { builds } = await resticVersions()
const folder = mkdtempSync(join(tmpdir(), 'bevis-pattern-'))
afterAll(() => rmSync(folder, { recursive: true }))
const source = join(folder, 'source')
const FILES = [
  'a',
  'b.tmp',
  'B.TMP',
  'cache/x',
  'cache/deep/y.tmp',
  'deep/cache/z',
  'deep/er/b.tmp',
  'deep/er/still/a',
  'a b/c',
  'æ/ø.tmp',
  '[x]',
  'star*',
  'back\\slash',
  'x-y/x^y',
  'new\nline',
  '.hidden/a',
]
for (const name of FILES) {
  mkdirSync(dirname(join(source, name)), { recursive: true })
  writeFileSync(join(source, name), name)
}

/** What restic itself leaves out, as paths below the source; null when it refuses the patterns. */
function excludedByRestic(binary: string, repository: string, patterns: string[]): string[] | null {
  const run = (...args: string[]): string =>
    execFileSync(binary, ['-r', repository, '--no-cache', '-q', ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], RESTIC_PASSWORD: QUICK_PASSWORD },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  try {
    run('backup', ...patterns.map((pattern) => `--exclude=${pattern}`), source)
  } catch (error) {
    if (/invalid pattern/i.test(String((error as { stderr?: string }).stderr))) return null
    throw error
  }
  const lines = run('ls', '--json', 'latest').trim().split('\n')
  const kept = new Set(lines.map((line) => (JSON.parse(line) as { path?: string }).path))
  return everything().filter((path) => !kept.has(path))
}

function everything(): string[] {
  return [...walkTree(bytePathOf(source))].map(({ path }) => Buffer.from(path, 'latin1').toString('utf8'))
}

/** Ours, with what lies below an excluded folder. */
function excludedByUs(patterns: string[]): string[] {
  const isExcluded = excludedBy(patterns)
  const entered = [...walkTree(bytePathOf(source), (path) => !isExcluded(path))].map(({ path }) =>
    Buffer.from(path, 'latin1').toString('utf8'),
  )
  return everything().filter((path) => !entered.includes(path))
}

const HAND_PICKED: string[][] = [
  ['*.tmp'],
  ['**/*.tmp', '!b.tmp'],
  ['cache'],
  ['deep/**/a', 'a b'],
  [`${source}/cache/`, `${source}//deep/./er/../er/b.tmp`],
  [`${source}/*/cache`, '.*'],
  ['/cache', '/**/still'],
  ['\\[x]', 'star\\*', 'back\\\\slash'],
  ['[[]x]', '[^a-z]', '?'],
  ['x?y', '[a-c]', '*[ø].tmp'],
  ['new\nline', 'er/**', '**/deep/**/b.tmp'],
  [`${source}/*`, '!*.tmp', '!cache'],
]

describe.each(builds)('restic $version leaves out what we say it does', ({ version, binary }) => {
  const repository = join(folder, `repository-${version}`)
  quickRepository({ version, binary }, repository)

  test.each(HAND_PICKED)('%j', (...patterns) => {
    const theirs = excludedByRestic(binary, repository, patterns)
    expect(excludedByUs(patterns)).toEqual(theirs)
  })
})

test('random patterns', () => {
  const newest = builds.at(-1)
  expect(newest, 'a restic to compare with').toBeDefined()
  if (!newest) return
  const repository = join(folder, 'repository-random')
  quickRepository(newest, repository)
  const piece = fc.constantFrom(
    'a',
    'b',
    'cache',
    'deep',
    'er',
    '*',
    '**',
    '?',
    '.tmp',
    '[a-d]',
    '[^b]',
    '/',
    '/',
    '\\*',
    'x',
  )
  const pattern = fc
    .tuple(fc.constantFrom('', '', '!', '/', `${source}/`), fc.array(piece, { minLength: 1, maxLength: 5 }))
    .map(([start, pieces]) => start + pieces.join(''))
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 3 }), (patterns) => {
      // A pattern that matches the source itself: restic 0.19 ignores it there, older ones back up nothing. We look
      // for no gaps then.
      if (excludedBy(patterns)(bytePathOf(source))) return
      const theirs = excludedByRestic(newest.binary, repository, patterns)
      if (theirs !== null) expect(excludedByUs(patterns)).toEqual(theirs)
    }),
    { numRuns: 20 },
  )
})

test('a name that is not UTF-8 is one character per invalid byte', () => {
  const name = (text: string) => bytePathOf('/a/') + Buffer.from(text, 'latin1').toString('latin1')
  const isExcluded = excludedBy(['b??'])
  expect(isExcluded(name('b\xff\xfe') as ReturnType<typeof bytePathOf>)).toBe(true)
  expect(isExcluded(name('b\xff') as ReturnType<typeof bytePathOf>)).toBe(false)
})
