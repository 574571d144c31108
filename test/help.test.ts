/** The README says that every command has `--help` with examples, and `--json`. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const PROGRAMS = {
  'bevis-agent': 'agent/src/main.ts',
  'bevis-collector': 'collector/src/main.ts',
  'bevis-verify': 'shared/src/verify/main.ts',
}

/** They answer nothing: they stay until they are stopped, and write a log. */
const SERVICES = ['bevis-agent run', 'bevis-collector serve']

interface Told {
  readonly name: string
  readonly help: string
  readonly isHolder: boolean
}

async function helpOf(program: keyof typeof PROGRAMS, words: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [join(root, PROGRAMS[program]), ...words, '--help'])
  return stdout
}

/** Every command with its help, and whether it only holds others. */
async function commandsOf(program: keyof typeof PROGRAMS, words: readonly string[] = []): Promise<Told[]> {
  const help = await helpOf(program, words)
  const list = /^Commands:\n([\s\S]*?)(?:\n\n|$(?![\s\S]))/m.exec(help)?.[1] ?? ''
  const names = [...list.matchAll(/^ {2}([a-z][a-z-]*)\b/gm)]
    .flatMap(([, name]) => name ?? [])
    .filter((name) => name !== 'help')
  const inner: Told[] = []
  for (const name of names) inner.push(...(await commandsOf(program, [...words, name])))
  const isHolder = names.length > 0 && !(program === 'bevis-verify' && words.length === 0)
  return [{ name: [program, ...words].join(' '), help, isHolder }, ...inner]
}

test.each(Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[])(
  '%s: every command tells examples, exit codes and --json',
  async (program) => {
    const commands = await commandsOf(program)
    expect(commands.length).toBeGreaterThan(2)
    const lacking = commands.flatMap(({ name, help, isHolder }) => {
      const lacks = [
        ...(isHolder || /^Examples:\n +\S/m.test(help) ? [] : ['examples']),
        ...(isHolder || /^ +--json\b/m.test(help) || SERVICES.includes(name) ? [] : ['--json']),
        ...(/^Exit (codes|status)[:\n]/m.test(help) ? [] : ['exit codes']),
      ]
      return lacks.length === 0 ? [] : [`${name}: ${lacks.join(', ')}`]
    })
    expect(lacking).toEqual([])
  },
)
