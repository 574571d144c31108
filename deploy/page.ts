import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { rolldown, type Plugin } from 'rolldown'
import { elementStyle } from '../collector/src/pages/design/element-style.ts'
import { layoutStyle } from '../collector/src/pages/design/layout-style.ts'
import { partStyle } from '../collector/src/pages/design/part-style.ts'
import { printStyle } from '../collector/src/pages/design/print-style.ts'
import { mark, symbol } from '../collector/src/pages/design/symbol.ts'
import { tokens } from '../collector/src/pages/design/tokens.ts'
import { pageStyle } from '../shared/src/verify/page/style.ts'

const shared = resolve(import.meta.dirname, '../shared/src')
const page = join(shared, 'verify/page')

const SIGNS = ['check', 'triangle', 'square', 'diamond', 'dash'] as const

/**
 * verify.html: the verifier as one page that needs nothing beside it and may reach nothing: its policy allows the one
 * script and the one style by their digests, and the worker that the script makes.
 */
export async function buildPage(): Promise<string> {
  const worker = await bundleScript(join(page, 'worker.ts'), [inBrowser()])
  const script = await bundleScript(join(page, 'main.ts'), [inBrowser(), textOf('worker-text.ts', worker)])
  const style = [tokens, elementStyle, layoutStyle, partStyle, printStyle, pageStyle].join('')
  const policy = [
    "default-src 'none'",
    `script-src ${digestOf(script)}`,
    `style-src ${digestOf(style)}`,
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const signs = [
    `<template id="sign-mark">${await mark(24)}</template>`,
    ...(await Promise.all(
      SIGNS.map(async (name) => `<template id="sign-${name}">${await symbol(name)}</template>`),
    )),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Bevis</title>
<style>${style}</style>
</head>
<body>
<noscript>This page checks evidence by a script of its own, which this browser does not run.</noscript>
${signs.join('\n')}
<script>${script}</script>
</body>
</html>
`
}

const digestOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** One classic script; closing tags inside its texts are spelt so that HTML does not see them. */
async function bundleScript(input: string, plugins: Plugin[]): Promise<string> {
  const build = await rolldown({
    input,
    platform: 'browser',
    plugins,
    onwarn(warning) {
      throw new Error(`bundling ${input}: ${warning.message}`)
    },
  })
  const { output } = await build.generate({ format: 'iife', minify: true, codeSplitting: false })
  await build.close()
  const [chunk] = output
  return chunk.code.replaceAll(/<\/(?=script)/gi, '<\\/').replaceAll('<!--', '<\\!--')
}

/** Node's cryptography is replaced by the browser's. */
function inBrowser(): Plugin {
  const ours = join(shared, 'crypto.ts')
  return {
    name: 'in-browser',
    async resolveId(source, importer) {
      if (!source.endsWith('crypto.ts')) return null
      const found = await this.resolve(source, importer, { skipSelf: true })
      return found?.id === ours ? join(page, 'crypto.ts') : found
    },
  }
}

/** The text that a module of this name is to hold. */
export function textOf(name: string, text: string): Plugin {
  return {
    name: `text-of-${name}`,
    transform(code, id) {
      if (!id.endsWith(`/${name}`)) return null
      return code.replace(/= (''|null)$/m, () => `= ${JSON.stringify(text)}`)
    },
  }
}

const BUILT = resolve(import.meta.dirname, '../dist/verify.html')

/** Builds the page of this clone, where its programs look for it, unless it is newer than what it is made of. */
export async function refreshPage(): Promise<string> {
  const root = resolve(import.meta.dirname, '..')
  const sources = globSync(['shared/src/**/*.ts', 'collector/src/pages/design/*.ts', 'deploy/page.ts'], {
    cwd: root,
  })
  const changedAt = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const newest = Math.max(...sources.map((file) => changedAt(join(root, file))))
  if (changedAt(BUILT) > newest) return BUILT
  const page = await buildPage()
  mkdirSync(resolve(BUILT, '..'), { recursive: true })
  const draft = `${BUILT}.${process.pid}`
  writeFileSync(draft, page)
  renameSync(draft, BUILT)
  return BUILT
}

if (import.meta.main) {
  const file = await refreshPage()
  process.stdout.write(`${file}, ${readFileSync(file).length} bytes\n`)
}
