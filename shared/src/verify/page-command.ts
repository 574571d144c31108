/** `bevis-verify pack-page`: the verifier as a page, for whoever has a browser and no Node. */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { sha256Hex } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { unreadableText } from '../yaml.ts'
import { PAGE_TEXT } from './page-text.ts'

/** Where a clone keeps it. */
const BUILT = join(import.meta.dirname, '../../../dist/verify.html')

/**
 * The text of verify.html.
 * @throws BevisError USAGE in a clone where it was not built yet
 */
export async function readPage(): Promise<string> {
  if (PAGE_TEXT !== null) return PAGE_TEXT
  try {
    return await readFile(BUILT, 'utf8')
  } catch (cause) {
    throw new BevisError('USAGE', 'verify.html is not built in this clone: run `npm run page`', { cause })
  }
}

const HELP = `
The page checks a pack in a browser, by the same code: it needs no network, and its own policy forbids it any.
Hand it to an auditor yourself: the copy that lies in a pack came with what it is to check.

Exit codes: 0 written; 2 it could not be written.

Examples:
  $ bevis-verify pack-page                      writes verify.html here
  $ bevis-verify pack-page --out /tmp/v.html
  $ bevis-verify pack-page --json | jq -r .sha256
`

/** Registers the `pack-page` command; errors are thrown for the program to tell. */
export function pageCommand(program: Command): void {
  program
    .command('pack-page')
    .description('write the verifier as one page for a browser')
    .option('--out <file>', 'where to', 'verify.html')
    .option('--force', 'replace a file that is there')
    .option('--json', 'print the file and its SHA-256 as JSON and nothing else')
    .addHelpText('after', HELP)
    .action(async (_: unknown, command: Command) => {
      const { out, force, json } = command.optsWithGlobals<{ out: string; force?: boolean; json?: boolean }>()
      const page = await readPage()
      if (force !== true && existsSync(out))
        throw new BevisError('USAGE', `${out} exists already: name another file, or --force`)
      try {
        await writeFile(out, page)
      } catch (cause) {
        throw new BevisError('USAGE', unreadableText(out, cause), { cause })
      }
      const sha256 = sha256Hex(page)
      process.stdout.write(
        json === true ? `${JSON.stringify({ file: out, sha256 })}\n` : `${out}, SHA-256 ${sha256}\n`,
      )
    })
}
