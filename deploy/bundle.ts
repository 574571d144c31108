import { copyFileSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { rolldown, type Plugin } from 'rolldown'
import { buildPage, textOf } from './page.ts'

const clone = resolve(import.meta.dirname, '..')

/** The programs, each with the file that it starts from. */
export const PROGRAMS = {
  agent: 'agent/src/main.ts',
  collector: 'collector/src/main.ts',
  verify: 'shared/src/verify/main.ts',
} as const
export type Program = keyof typeof PROGRAMS

const platform = `${process.platform}-${process.arch}`
const ADDON = 'better_sqlite3.node'
const fileReference = /new URL\(\s*'(\.{1,2}\/[^']+)',\s*import\.meta\.url,?\s*\)/g

/**
 * Node's, for the agent, whose children take them over: a young generation of 12 MB a thread, and no helper threads for
 * the compiler. By itself Node makes a full restore test of a hundred thousand files some 80 MB larger, and no faster.
 */
export const AGENT_FLAGS = ['--max-semi-space-size=4', '--no-concurrent-recompilation'] as const

/** What the verifier is called wherever it is taken: it is one file, and any Node from 22 on runs it. */
export const VERIFIER_FILE = 'bevis-verify.mjs'

/**
 * Bundles a program into `folder` as main.js (the verifier as {@link VERIFIER_FILE}, and nothing else), its worker entries and whatever files it reads beside its code.
 * A bundle is what ships: Node does not strip types below a package folder, and one file starts twice as fast.
 */
export async function bundle(program: Program, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const addon = addonOf(program)
  const build = await rolldown({
    input: { main: join(clone, PROGRAMS[program]) },
    platform: 'node',
    plugins: [filesBesideCode(folder), nativeAddon(), textOf('page-text.ts', await buildPage())],
    onwarn(warning) {
      throw new Error(`bundling ${program}: ${warning.message}`)
    },
  })
  await build.write({
    dir: folder,
    format: 'esm',
    entryFileNames: program === 'verify' ? VERIFIER_FILE : '[name].js',
    chunkFileNames: 'part-[hash].js',
    ...(program === 'verify' && { codeSplitting: false }),
  })
  await build.close()
  if (addon !== null) copyFileSync(addon, join(folder, ADDON))
  if (program === 'collector') copyFileSync(fontLicence(), join(folder, 'SourceSans3-LICENSE.md'))
}

/** The SIL Open Font License goes where the fonts go. */
function fontLicence(): string {
  const require = createRequire(join(clone, 'collector/package.json'))
  return join(dirname(require.resolve('source-sans/package.json')), 'LICENSE.md')
}

/** `new URL('./x', import.meta.url)`: code becomes an entry of its own, any other file is copied. */
function filesBesideCode(folder: string): Plugin {
  return {
    name: 'files-beside-code',
    transform(code, id) {
      // pdfkit reads the colour profile that it puts into each PDF.
      if (id.includes('/node_modules/') && !id.includes('/node_modules/pdfkit/')) return null
      return code.replaceAll(fileReference, (_, reference: string) => {
        const file = resolve(dirname(id), reference)
        const name = basename(file).replace(/\.ts$/, '.js')
        if (file.endsWith('.ts')) this.emitFile({ type: 'chunk', id: file, fileName: name })
        else copyFileSync(file, join(folder, name))
        return `new URL('./${name}', import.meta.url)`
      })
    },
  }
}

/** better-sqlite3's compiled part, taken by name for this platform, lies beside main.js. */
function nativeAddon(): Plugin {
  return {
    name: 'native-addon',
    resolveId(source, importer) {
      if (source === 'better-sqlite3') return this.resolve(`${source}/${platform}`, importer)
      return source.endsWith('.node') ? { id: `./${ADDON}`, external: true } : null
    },
  }
}

function addonOf(program: Program): string | null {
  if (program === 'verify') return null
  const require = createRequire(join(clone, program, 'package.json'))
  const library = dirname(require.resolve('better-sqlite3/package.json'))
  return join(library, 'prebuilds', `${platform}.node`)
}

/** `node deploy/run.mjs bundle verify --out FOLDER`: what an auditor is handed, by itself. */
async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string' } },
  })
  const program = (Object.keys(PROGRAMS) as Program[]).find((known) => known === positionals[0])
  if (program === undefined || positionals.length > 1)
    throw new Error('usage: bundle agent|collector|verify [--out FOLDER]')
  const folder = resolve(process.env['INIT_CWD'] ?? '.', values.out ?? join(clone, 'dist', program))
  await bundle(program, folder)
  process.stdout.write(`${program} is in ${folder}\n`)
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
  })
}
