/**
 * Probes look at data that comes from elsewhere, with programs that may do as it says. So they run as somebody
 * who may nothing: as `nobody` when we are root, else without the capabilities that we have; without a network
 * where the kernel lets us take it away (as root); with a limit on what each process may allocate.
 */
import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import { runCommand } from '../local-command.ts'
import type { CommandRequest } from '../local-command.ts'

export interface Account {
  readonly uid: number
  readonly gid: number
}

export interface Confinement {
  /** Whom restored files are given to; null: they are ours already. */
  readonly account: Account | null
  /** The command, confined. */
  wrap(argv: readonly [string, ...string[]], memoryBytes: number): Wrapped
  /** Another start of a program of our own, which drops to `account` by itself; without our capabilities. */
  wrapOwn(argv: readonly [string, ...string[]]): Wrapped
}

export type Wrapped = Pick<CommandRequest, 'argv' | 'uid' | 'gid'>

/** What is found in any PATH; a configured one may name a place that others can write to. */
const PLACES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin']

/** A hard limit that is lower already stays as it is. */
const LIMITED = 'ulimit -c 0; (ulimit -d "$1") 2>/dev/null && ulimit -d "$1"; shift; exec "$@"'

const DROPPED = ['--no-new-privs', '--inh-caps=-all', '--ambient-caps=-all']

/** @throws BevisError PROBE_INCONCLUSIVE when we have capabilities and no means to drop them */
export async function openConfinement(): Promise<Confinement> {
  const setpriv = find('setpriv')
  const account = process.getuid?.() === 0 ? nobody() : null
  if (account === null && setpriv === null && hasCapabilities()) {
    throw new BevisError(
      'PROBE_INCONCLUSIVE',
      'setpriv (util-linux) is missing, and no probe may have our capabilities',
    )
  }
  const limited = (argv: readonly string[], memoryBytes: number): string[] => [
    '/bin/sh',
    '-c',
    LIMITED,
    'sh',
    String(Math.ceil(memoryBytes / 1024)),
    ...argv,
  ]
  if (account === null) {
    const dropping = setpriv !== null && hasCapabilities() ? [setpriv, ...DROPPED, '--'] : []
    const wrapOwn = (argv: readonly string[]): Wrapped => ({ argv: nonEmpty([...dropping, ...argv]) })
    return { account, wrapOwn, wrap: (argv, memoryBytes) => wrapOwn(limited(argv, memoryBytes)) }
  }
  const namespaces = await unshared()
  const wrapOwn = (argv: readonly [string, ...string[]]): Wrapped => ({
    argv: nonEmpty([...namespaces, ...argv]),
  })
  if (setpriv === null) {
    return { account, wrapOwn, wrap: (argv, bytes) => ({ argv: nonEmpty(limited(argv, bytes)), ...account }) }
  }
  const becoming = [
    ...namespaces,
    setpriv,
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    '--clear-groups',
    ...DROPPED,
    '--bounding-set=-all',
    '--',
  ]
  return {
    account,
    wrapOwn,
    wrap: (argv, bytes) => ({ argv: nonEmpty([...becoming, ...limited(argv, bytes)]) }),
  }
}

/**
 * Namespaces of its own, as far as we are let: in a container even root may not be. With one for processes
 * nothing that a probe started, in whatever session, outlives it and could meddle while we clean up.
 */
async function unshared(): Promise<string[]> {
  const [unshare, yes] = [find('unshare'), find('true')]
  if (unshare === null || yes === null) return []
  for (const namespaces of [['--net', '--ipc', '--pid', '--fork', '--kill-child'], ['--net']]) {
    const words: [string, ...string[]] = [unshare, ...namespaces, '--']
    const { ended } = await runCommand({ argv: [...words, yes], env: {}, timeoutMs: 5_000 })
    if (ended === 'well') return words
  }
  return []
}

function find(name: string): string | null {
  for (const place of PLACES) {
    try {
      accessSync(join(place, name), constants.X_OK)
      return join(place, name)
    } catch {
      // It may be in the next one.
    }
  }
  return null
}

function nobody(): Account {
  const [, uid = 65_534, gid = 65_534] =
    /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

/** capabilities(7): what our unit gives the agent to read every file with is ambient, and passes to its children. */
function hasCapabilities(): boolean {
  try {
    return /^CapAmb:\s*0*[1-9a-f]/m.test(readFileSync('/proc/self/status', 'latin1'))
  } catch {
    return false
  }
}

function nonEmpty(words: readonly string[]): [string, ...string[]] {
  const [first = '/bin/false', ...rest] = words
  return [first, ...rest]
}
