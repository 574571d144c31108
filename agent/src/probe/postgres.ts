/**
 * A dump of PostgreSQL proves itself by being restored: first it is read through, then loaded into a scratch
 * server that listens on a socket in the scratch and nowhere else. The role that loads it is no superuser, so
 * nothing in a dump can start programs or read files. Errors that only say what this machine lacks (an
 * extension, a role, room) make it inconclusive; all others mean that the dump does not restore.
 */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runCommand } from '../local-command.ts'
import type { CommandEnding } from '../local-command.ts'
import { environmentOf, failed, inconclusive, passed } from './answer.ts'
import type { Answer, Bounds } from './answer.ts'
import type { Confinement } from './confine.ts'

const PROGRAMS = ['initdb', 'postgres', 'pg_restore', 'pg_dump', 'psql'] as const

/** The newest server of this machine with all that is needed, or null. */
export function findPostgres(path: string): string | null {
  const versioned = ['/usr/lib/postgresql', '/usr'].flatMap((parent) =>
    (existsSync(parent) ? readdirSync(parent) : [])
      .map((name) => ({
        version: Number(/^(?:pgsql-)?(\d+)$/.exec(name)?.[1]),
        folder: join(parent, name, 'bin'),
      }))
      .filter(({ version }) => version > 0),
  )
  const newestFirst = versioned.toSorted((a, b) => b.version - a.version).map(({ folder }) => folder)
  return [...newestFirst, ...path.split(':')].find(hasPrograms) ?? null
}

export function hasPrograms(folder: string): boolean {
  return PROGRAMS.every((name) => existsSync(join(folder, name)))
}

/** sun_path of unix(7) has 108 bytes, and PostgreSQL puts `/.s.PGSQL.5432` at the folder's end. */
const LONGEST_SOCKET_FOLDER = 90

export async function probePostgres(
  archive: string,
  bounds: Bounds & { readonly binaries: string },
  confinement: Confinement,
): Promise<Answer> {
  const version = archiveVersion(archive)
  if (version === null) return inconclusive('it is no archive of pg_dump in its custom or tar format')
  if (Buffer.byteLength(bounds.work) > LONGEST_SOCKET_FOLDER)
    return inconclusive(`${bounds.work} is too long a path for a socket; name a shorter scratch`)
  const endsAt = performance.now() + bounds.timeoutMs
  const run = (program: (typeof PROGRAMS)[number], args: readonly string[], signal?: AbortSignal) =>
    runCommand({
      ...confinement.wrap([join(bounds.binaries, program), ...args], bounds.memoryBytes),
      env: environmentOf(bounds),
      cwd: bounds.work,
      timeoutMs: Math.max(1, endsAt - performance.now()),
      killsRest: true,
      killAfterMs: 3_000,
      ...((signal ?? bounds.signal) && { signal: signal ?? bounds.signal }),
    })
  const data = join(bounds.work, 'data')
  const made = await run('initdb', [
    `--pgdata=${data}`,
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--no-locale',
    '--no-sync',
  ])
  if (made.ended !== 'well') return inconclusive(`a scratch server could not be made: initdb ${made.how}`)

  const stopping = new AbortController()
  const stop = (): void => stopping.abort()
  bounds.signal?.addEventListener('abort', stop)
  const server = run('postgres', serverArgs(data, bounds.work), stopping.signal)
  let isUp = true
  void server.then(() => (isUp = false))
  const client = (program: 'psql' | 'pg_restore' | 'pg_dump', user: string, args: readonly string[]) =>
    run(program, [`--host=${bounds.work}`, `--username=${user}`, '--no-password', ...args])
  try {
    if (!(await waitForServer(client, () => isUp && performance.now() < endsAt)))
      return inconclusive('the scratch server did not start')
    // The log is written by a process of its own, and whole only when the server has ended.
    const readLog = async (): Promise<string> => {
      stop()
      await server
      const log = join(data, 'log', 'log')
      return existsSync(log) ? readFileSync(log, 'latin1') : ''
    }
    return await load({ archive, version, client, run, readLog, work: bounds.work })
  } finally {
    stop()
    bounds.signal?.removeEventListener('abort', stop)
    await server
    rmSync(data, { recursive: true, force: true }) // the next dump has a server of its own
  }
}

function serverArgs(data: string, socketFolder: string): string[] {
  const settings = {
    listen_addresses: '',
    unix_socket_directories: socketFolder,
    unix_socket_permissions: '0700',
    fsync: 'off',
    full_page_writes: 'off',
    autovacuum: 'off',
    // The SQLSTATE of every error, one a line: prose is for people.
    logging_collector: 'on',
    log_directory: 'log',
    log_filename: 'log',
    log_line_prefix: '%e ',
    log_min_messages: 'error',
    log_min_error_statement: 'panic',
  }
  return ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

type Client = (
  program: 'psql' | 'pg_restore' | 'pg_dump',
  user: string,
  args: readonly string[],
) => Promise<CommandEnding>

async function waitForServer(client: Client, goesOn: () => boolean): Promise<boolean> {
  const prepare = ['CREATE ROLE probe LOGIN', 'CREATE DATABASE probe OWNER probe']
  const args = ['--dbname=postgres', '--no-psqlrc', '--set=ON_ERROR_STOP=1']
  while (goesOn()) {
    const { ended } = await client('psql', 'postgres', [...args, '--command=SELECT 1'])
    if (ended === 'well')
      return (
        (await client('psql', 'postgres', [...args, ...prepare.map((sql) => `--command=${sql}`)])).ended ===
        'well'
      )
    if (ended === 'aborted') return false
    await sleep(100)
  }
  return false
}

async function load(scratch: {
  archive: string
  version: string
  client: Client
  run: (program: 'pg_restore', args: readonly string[]) => Promise<CommandEnding>
  readLog: () => Promise<string>
  work: string
}): Promise<Answer> {
  const { archive, version, client, run, readLog, work } = scratch
  const read = await run('pg_restore', ['--file=/dev/null', archive])
  if (read.ended !== 'badly' && read.ended !== 'well') return inconclusive(`reading it ${read.how}`)
  if (read.ended === 'badly') {
    const own = join(work, 'own')
    await client('pg_dump', 'postgres', ['--format=custom', `--file=${own}`, 'postgres'])
    if (version > (archiveVersion(own) ?? ''))
      return inconclusive('a newer pg_dump than this machine has made it')
    return failed('pg_restore cannot read it to its end')
  }
  const restored = await client('pg_restore', 'probe', [
    '--dbname=probe',
    // What names other roles, other servers or the original's disks is no part of the data.
    '--no-owner',
    '--no-privileges',
    '--no-comments',
    '--no-tablespaces',
    '--no-publications',
    '--no-subscriptions',
    '--no-security-labels',
    archive,
  ])
  if (restored.ended !== 'well' && restored.ended !== 'badly')
    return inconclusive(`loading it ${restored.how}`)
  if (restored.ended === 'badly') {
    const states = errorStates(await readLog())
    const told = states.slice(0, 5).join(', ')
    if (states.length === 0 || states.some(isOfHere))
      return inconclusive(`this server cannot load all of it (SQLSTATE ${told})`)
    return failed(`it does not load (SQLSTATE ${told})`)
  }
  const sql = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
  const counted = await client('psql', 'probe', [
    '--dbname=probe',
    '--no-psqlrc',
    '--no-align',
    '--tuples-only',
    `--command=${sql}`,
  ])
  const tables = Number(counted.output)
  if (counted.ended !== 'well' || !(tables > 0)) return inconclusive('it loads, and holds no table')
  return passed(`it loads, with ${tables} ${tables === 1 ? 'table' : 'tables'}`)
}

/** The distinct SQLSTATEs of a server's errors, in their order, but for 57P03: we asked before it had started. */
function errorStates(log: string): string[] {
  const lines = log.split('\n')
  const states = lines.flatMap((line) => /^([0-9A-Z]{5}) (?:ERROR|FATAL|PANIC):/.exec(line)?.[1] ?? [])
  return [...new Set(states)].filter((state) => state !== '57P03')
}

/**
 * PostgreSQL, appendix A: not supported, no right, no such object (a role, a collation), and what a server
 * lacks or was told: resources, operators, its own files. One of them may be what all others follow from.
 */
function isOfHere(state: string): boolean {
  return /^(0A000|42501|42704|53...|57...|58...)$/.test(state)
}

/** The archive format's version as text that compares, or null: `PGDMP` and three bytes, in a tar inside toc.dat. */
function archiveVersion(file: string): string | null {
  if (!existsSync(file)) return null
  const start = Buffer.alloc(1024)
  const handle = openSync(file, 'r')
  try {
    readSync(handle, start)
  } finally {
    closeSync(handle)
  }
  const at = [0, 512].find((offset) => start.toString('latin1', offset, offset + 5) === 'PGDMP')
  return at === undefined ? null : start.toString('hex', at + 5, at + 7)
}
