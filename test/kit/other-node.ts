import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const CACHE = resolve(import.meta.dirname, '../../.cache/node')
/** The oldest Node that an auditor may have. npm has it as a package of one program for each platform. */
const VERSION = '22.23.3'

/** That Node, brought by npm once into the repository's cache folder; or why it is not to be had. */
export async function oldestNode(): Promise<{ binary: string } | { missing: string }> {
  const name = `node-${process.platform}-${process.arch}`
  const home = join(CACHE, VERSION)
  const binary = join(home, 'package/bin/node')
  if (existsSync(binary)) return { binary }
  mkdirSync(CACHE, { recursive: true })
  const draft = mkdtempSync(join(CACHE, 'draft-'))
  try {
    await run('npm', ['pack', `${name}@${VERSION}`, '--silent', '--pack-destination', draft], { cwd: draft })
    await run('tar', ['-xzf', join(draft, `${name}-${VERSION}.tgz`), '-C', draft, 'package/bin/node'])
    if (!existsSync(home)) renameSync(draft, home)
    return { binary }
  } catch (error) {
    return { missing: `npm has no ${name}@${VERSION} for us: ${String(error).split('\n')[0] ?? ''}` }
  } finally {
    rmSync(draft, { recursive: true, force: true })
    rmSync(join(home, `${name}-${VERSION}.tgz`), { force: true })
  }
}
