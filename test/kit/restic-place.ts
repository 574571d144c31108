import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { QUICK_PASSWORD, quickRepository } from './quick-repository.ts'
import type { ResticBuild } from './restic-versions.ts'
import type { OpenOptions, Restic } from '../../agent/src/restic/interface.ts'
import { openRestic } from '../../agent/src/restic/restic.ts'

/** A folder of its own per test, with a password, a source tree and room for a repository. */
export interface TestPlace {
  folder: string
  source: string
  url: string
  /** Over an empty repository */
  make(options?: Partial<OpenOptions>): Promise<Restic>
  /** Over whatever is there */
  open(options?: Partial<OpenOptions>): Promise<Restic>
  write(name: string | Buffer, content: string | Buffer): void
}

export function testPlace(build: ResticBuild): TestPlace {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-restic-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  const source = join(folder, 'source')
  mkdirSync(source)
  writeFileSync(join(folder, 'password'), `${QUICK_PASSWORD}\n`)
  const url = join(folder, 'repository')
  const open = (options: Partial<OpenOptions> = {}) =>
    openRestic({
      binary: build.binary,
      repository: { url, passwordFile: join(folder, 'password') },
      cacheDir: join(folder, 'cache'),
      environment: { PATH: process.env['PATH'] ?? '', HOME: folder },
      lockWaitMs: 1_000,
      ...options,
    })
  return {
    folder,
    source,
    url,
    open,
    make: (options) => {
      quickRepository(build, url)
      return open(options)
    },
    write: (name, content) => {
      const path = Buffer.concat([Buffer.from(`${source}/`), Buffer.from(name)])
      mkdirSync(dirname(path.toString('latin1')), { recursive: true })
      writeFileSync(path, content)
    },
  }
}

/** A restic with global options of the test's own, as the same process. */
export function wrapped(place: TestPlace, build: ResticBuild, before: string, options = ''): string {
  const script = join(place.folder, `restic-${readdirSync(place.folder).length}`)
  writeFileSync(script, `#!/bin/sh\nexec ${before} ${build.binary} ${options} "$@"\n`, { mode: 0o755 })
  return script
}

/** All files below a folder of the repository, largest first. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
