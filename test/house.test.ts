/** The walls of the house: who may import whom, and what no file may do, each with its reason. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ERRORS } from '@bevis/shared/error'

const root = resolve(import.meta.dirname, '..')
const sources = globSync('{agent,collector,shared}/src/**/*.ts', { cwd: root }).filter(
  (file) => !file.endsWith('.test.ts'),
)

interface Import {
  file: string
  /** A path from the root for our own files, else the package's name. */
  target: string
  typeOnly: boolean
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(
    /^(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?'([^']+)'|import\(\s*'([^']+)'\s*\)|new URL\(\s*'(\.[^']+\.ts)'/gm,
  )
  return [...found].map(([, type, plain, dynamic, worker]) => {
    const name = plain ?? dynamic ?? worker ?? ''
    const target = name.startsWith('.')
      ? relative(root, resolve(root, dirname(file), name))
      : name.startsWith('@bevis/')
        ? name.replace(/^@bevis\/(\w+)\/(.*)$/, '$1/src/$2.ts')
        : name
    return { file, target, typeOnly: type !== undefined }
  })
}

const imports = sources.flatMap(importsOf)
const show = ({ file, target }: Import) => `${file} -> ${target}`
const roomOf = (file: string) => file.split('/').slice(0, 3).join('/')

describe('arrows go one way', () => {
  test.each([
    [
      'agent',
      /^collector\//,
      'the agent runs on a customer’s server and knows the collector by its wire only',
    ],
    ['collector', /^agent\//, 'the collector knows agents by their statements only'],
    ['shared', /^(agent|collector)\//, 'what both sides agree on depends on neither'],
  ])('%s does not import %s: %s', (from, banned) => {
    const broken = imports.filter(({ file, target }) => file.startsWith(`${from}/`) && banned.test(target))
    expect(broken.map(show)).toEqual([])
  })

  /** Rooms that others of the same program stand on; everything else is a sibling of everything else. */
  const ground: Record<string, RegExp> = {
    agent: /^agent\/src\/(tree\/|[a-z-]+\.ts$)/,
    collector: /^collector\/src\/(store\/|[a-z-]+\.ts$)/,
  }
  /** Stories, commands and edges carry values between rooms; that is what they are for. */
  const carriers =
    /^(agent\/src\/(main\.ts|run\/|commands\/|schedule\/)|collector\/src\/(main\.ts|receive\.ts|recover\.ts|office\.ts|commands\/|http\/|pages\/register\.ts))/

  test.each(['agent', 'collector'])('rooms of the %s do not import their siblings', (program) => {
    const broken = imports.filter(
      ({ file, target, typeOnly }) =>
        file.startsWith(`${program}/src/`) &&
        target.startsWith(`${program}/src/`) &&
        !typeOnly &&
        !carriers.test(file) &&
        roomOf(file) !== roomOf(target) &&
        !ground[program]?.test(target),
    )
    expect(broken.map(show)).toEqual([])
  })
})

test('no test is left out without saying why, where the reporter finds it', () => {
  const tests = globSync('{agent,collector,shared,deploy,test}/**/*.test.ts', {
    cwd: root,
    exclude: (name) => name === 'node_modules',
  }).filter((file) => resolve(root, file) !== import.meta.filename)
  expect(tests.length).toBeGreaterThan(100)
  const silent = /\b(?:test|describe|it)\.(?:skip|skipIf|runIf|todo|only|fails)\b|\bskip\(\s*\)/
  expect(tests.filter((file) => silent.test(readFileSync(join(root, file), 'utf8')))).toEqual([])
})

describe('each dangerous thing lives in one room', () => {
  const only = (target: RegExp, allowed: RegExp) =>
    imports.filter((one) => target.test(one.target) && !allowed.test(one.file)).map(show)

  test('restic is spawned in its room only: its exit codes and messages are read in one place', () => {
    expect(only(/^execa$/, /^agent\/src\/restic\//)).toEqual([])
  })

  test('the agent speaks HTTP in the outbox and at enrolment only', () => {
    expect(only(/^undici$/, /^agent\/src\/outbox\//)).toEqual([])
  })

  test('a database engine is named in the store only', () => {
    expect(
      only(
        /^better-sqlite3$/,
        /^(agent\/src\/(state|outbox|evidence|schedule|lock|probe\/sqlite-child)|collector\/src\/(store\/sqlite|lock))/,
      ),
    ).toEqual([])
  })

  test('shared has no I/O: a browser must be able to run the auditor’s code', () => {
    const allowed = /^shared\/src\/(crypto\.ts|verify\/(main|evaluate|zip|[a-z-]*command)\.ts)$/
    expect(only(/^node:/, new RegExp(`^(agent|collector)/|${allowed.source}`))).toEqual([])
  })
})

describe('in the text of the sources', () => {
  const offending = (pattern: RegExp, allowed: RegExp) =>
    sources.filter(
      (file) => !allowed.test(file) && pattern.test(stripComments(readFileSync(join(root, file), 'utf8'))),
    )

  test('the environment is read in config.ts only', () => {
    expect(offending(/process\.env\b/, /^(agent|collector)\/src\/config\.ts$/)).toEqual([])
  })

  test('a program ends in its main.ts only', () => {
    expect(offending(/process\.exit\(/, /(^|\/)main\.ts$|-worker\.ts$/)).toEqual([])
  })

  test('shared has no clock: an evaluation says the same tomorrow', () => {
    expect(
      offending(
        /Date\.now\(|new Date\(\)|Temporal\.Now\b|performance\.now/,
        /^(agent|collector)\/|verify\/(main|evaluate)\.ts$/,
      ),
    ).toEqual([])
  })

  test('shared runs on an auditor’s Node 22 and in any browser: hex and base64 are its own', () => {
    // Enrolment is between an agent and its collector.
    expect(
      offending(
        /\.(toHex|fromHex|toBase64|fromBase64|setFromHex)\(/,
        /^(agent|collector)\/|evidence\/enrolment\.ts$/,
      ),
    ).toEqual([])
  })

  test('secrets never stand in arguments: no command takes a password', () => {
    expect(offending(/option\(\s*'--(password|token|secret|key)[ =]/, /^$/)).toEqual([])
  })

  test('nothing is marked to be done later', () => {
    expect(offending(/TODO|FIXME|XXX|@ts-ignore|as any\b/, /^$/)).toEqual([])
  })
})

describe('the error table', () => {
  test('every code is used, or it says nothing', () => {
    const text = sources
      .filter((file) => file !== 'shared/src/error.ts')
      .map((file) => readFileSync(join(root, file), 'utf8'))
      .join('\n')
    const unused = Object.keys(ERRORS).filter((code) => !text.includes(`'${code}'`))
    expect(unused).toEqual([])
  })

  test('every entry says what it means and what to do', () => {
    for (const [code, { means, cure }] of Object.entries(ERRORS)) {
      expect(means, code).toMatch(/\.$/)
      expect(cure, code).toMatch(/\.$/)
    }
  })
})

function stripComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}
