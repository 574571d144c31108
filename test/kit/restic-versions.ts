import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** One restic, with Debian's rest-server of the same suite where that could be had. */
export interface ResticBuild {
  /** '0.19.1' */
  version: string
  binary: string
  restServer?: string
}

/** Suites of Debian, by what they hold: 0.14 (the oldest that the agent takes), 0.18 and 0.19. */
const SUITES = [
  { suite: 'bookworm', version: '0.14' },
  { suite: 'trixie', version: '0.18' },
  { suite: 'sid', version: '0.19' },
] as const
const PACKAGES = ['restic', 'restic-rest-server']
const CACHE = resolve(import.meta.dirname, '../../.cache/restic')
/** A machine without network is not asked again by every test file of a run. */
const FAILURE_COUNTS_MS = 10 * 60_000

/**
 * Every restic that can be had: what is installed, and Debian's packages from the mirror that this machine's
 * apt already uses, unpacked into the repository's cache folder. `missing` says what could not be had, and why.
 */
export async function resticVersions(): Promise<{ builds: ResticBuild[]; missing?: string }> {
  const builds = new Map<string, ResticBuild>()
  const missing: string[] = []
  const add = (build: ResticBuild | undefined): void => {
    const minor = build?.version.split('.', 2).join('.')
    if (build && minor !== undefined) builds.set(minor, { ...builds.get(minor), ...build })
  }
  add(await installed('restic', 'restic-rest-server'))
  for (const { suite, version } of SUITES) {
    if (version === '0.14' && builds.has(version)) continue
    try {
      add(await fromDebian(suite))
    } catch (error) {
      if (!builds.has(version)) missing.push(`restic ${version} (${suite}): ${reasonOf(error)}`)
    }
  }
  const sorted = [...builds.values()].toSorted((one, other) =>
    one.version.localeCompare(other.version, 'en', { numeric: true }),
  )
  return { builds: sorted, ...(missing.length > 0 && { missing: missing.join('; ') }) }
}

async function installed(binary: string, restServer: string): Promise<ResticBuild | undefined> {
  try {
    const { stdout } = await run(binary, ['version'])
    const version = /^restic (\d+\.\d+\.\d+)/.exec(stdout)?.[1]
    if (version === undefined) return undefined
    return { version, binary, ...(existsSync(restServer) && { restServer }) }
  } catch {
    return undefined
  }
}

async function fromDebian(suite: string): Promise<ResticBuild | undefined> {
  const home = await unpackedOf(suite, PACKAGES, join(CACHE, suite))
  return installed(join(home, 'usr/bin/restic'), join(home, 'usr/bin/restic-rest-server'))
}

/** Debian packages of a suite, unpacked into `home` once. @throws what apt said, also from the cache for a while */
export async function unpackedOf(suite: string, packages: readonly string[], home: string): Promise<string> {
  const failure = `${home}.failed`
  if (!existsSync(home)) {
    mkdirSync(CACHE, { recursive: true })
    await alone(`${home}.lock`, async () => {
      if (existsSync(home)) return
      const age = existsSync(failure) ? Date.now() - statSync(failure).mtimeMs : Number.POSITIVE_INFINITY
      if (age < FAILURE_COUNTS_MS) throw new Error(readFileSync(failure, 'utf8'))
      try {
        await unpack(suite, packages, home)
      } catch (error) {
        writeFileSync(failure, reasonOf(error))
        throw error
      }
    })
  }
  return home
}

/** apt with lists, cache and sources of its own: it leaves the machine's alone, and needs no root. */
async function unpack(suite: string, packages: readonly string[], home: string): Promise<void> {
  const work = `${home}.new`
  rmSync(work, { recursive: true, force: true })
  for (const folder of ['lists/partial', 'cache/archives/partial', 'out', 'root']) {
    mkdirSync(join(work, folder), { recursive: true })
  }
  writeFileSync(join(work, 'sources.list'), await sourceLine(suite))
  const options = [
    `Dir::Etc::sourcelist=${work}/sources.list`,
    'Dir::Etc::sourceparts=/dev/null',
    'Dir::Etc::preferencesparts=/dev/null',
    `Dir::State::lists=${work}/lists`,
    `Dir::Cache=${work}/cache`,
    'Acquire::Languages=none',
    'Acquire::Retries=2',
    'APT::Sandbox::User=root',
    'APT::Update::Error-Mode=any',
  ].flatMap((option) => ['-o', option])
  const limits = { timeout: 180_000, maxBuffer: 16 * 1024 * 1024, env: { ...process.env, LC_ALL: 'C' } }
  await run('apt-get', ['-q', ...options, 'update'], limits)
  await run('apt-get', ['-q', ...options, 'download', ...packages], { ...limits, cwd: join(work, 'out') })
  for (const name of readdirSync(join(work, 'out'))) {
    await run('dpkg-deb', ['-x', join(work, 'out', name), join(work, 'root')])
  }
  renameSync(join(work, 'root'), home) // whole, or not at all
  rmSync(work, { recursive: true, force: true })
}

/** The archive and the keys that this machine's own apt trusts, for another suite of it. */
async function sourceLine(suite: string): Promise<string> {
  const format = '$(REPO_URI)\t$(RELEASE)\t$(COMPONENT)\t$(SOURCESENTRY)'
  const { stdout } = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])
  const targets = stdout.split('\n').map((line) => line.split('\t'))
  // Updates and security have a dash in their names, and are archives of a part.
  const target = targets.find(
    ([, release = '-', component]) => component === 'main' && !release.includes('-'),
  )
  if (target?.[0] === undefined || !/^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))) {
    throw new Error('apt on this machine names no Debian archive')
  }
  const keys = signedBy(target[3] ?? '')
  return `deb ${keys === undefined ? '' : `[signed-by=${keys}] `}${target[0]} ${suite} main\n`
}

/** 'FILE:LINE' leads to the entry of the archive: a stanza of a .sources file, or one line of a .list. */
function signedBy(entry: string): string | undefined {
  const [, file, number] = /^(.*):(\d+)$/.exec(entry) ?? []
  if (file === undefined || !existsSync(file)) return undefined
  const lines = readFileSync(file, 'utf8').split('\n')
  const line = lines[Number(number) - 1] ?? ''
  const inLine = /^deb\s+\[[^\]]*signed-by=([^\s\]]+)/.exec(line)?.[1]
  if (inLine !== undefined) return inLine
  const from = lines.findLastIndex((text, at) => at < Number(number) - 1 && text.trim() === '') + 1
  const stanza =
    lines
      .slice(from)
      .join('\n')
      .split(/\n\s*\n/)[0] ?? ''
  return /^Signed-By:\s*(\/\S+)/im.exec(stanza)?.[1]
}

/** One process at a time; a lock whose process is gone does not count. */
async function alone(lock: string, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (isAbandoned(lock)) rmSync(lock, { force: true })
    else await sleep(200)
  }
  try {
    await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function isAbandoned(lock: string): boolean {
  try {
    const pid = Number(readFileSync(lock, 'utf8'))
    if (pid === 0) return false // just made, not yet written
    if (pid === process.pid) return false // another test file in another thread of this process
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function reasonOf(error: unknown): string {
  const { stderr } = error as { stderr?: string }
  const text = stderr === undefined || stderr === '' ? String(error) : stderr
  return text.trim().split('\n').slice(-3).join(' ').slice(0, 500)
}
