// Puts a clone's programs in place and takes them away again:
//   node deploy/run.mjs install agent|collector [--root DIR] [--prefix /opt/bevis]
//   node deploy/run.mjs uninstall agent|collector [--root DIR] [--prefix /opt/bevis] [--purge]
// --root is the machine's root folder, another one for images and packages: then no command of the system runs.

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { AGENT_FLAGS, VERIFIER_FILE, bundle, type Program } from './bundle.ts'

type Service = 'agent' | 'collector'
const SERVICES: readonly Service[] = ['agent', 'collector']
const DEFAULT_PREFIX = '/opt/bevis'

export interface Place {
  /** The folder that is `/` on the machine. */
  readonly root: string
  /** Where the programs live on the machine, absolute. */
  readonly prefix: string
}

const clone = resolve(import.meta.dirname, '..')
const at = ({ root }: Place, path: string) => join(root, path)
const inPrefix = (place: Place, path: string) => at(place, join(place.prefix, path))

/** What belongs to one service, as paths on the machine. State and configuration are listed apart. */
const unitOf = (service: Service) => `/etc/systemd/system/bevis-${service}.service`
const sysusersOf = (service: Service) => `/etc/sysusers.d/bevis-${service}.conf`
const tmpfilesOf = (service: Service) => `/etc/tmpfiles.d/bevis-${service}.conf`
const configOf = (service: Service) => `/etc/bevis/${service}.yaml`
const stateOf = { agent: '/var/lib/bevis', collector: '/var/lib/bevis-collector' }
const secretsOf = { agent: '/etc/bevis/secrets', collector: '/etc/bevis/collector-secrets' }

/** Installs or updates a service; configuration and state that are there stay as they are. */
export async function install(service: Service, place: Place): Promise<void> {
  for (const folder of ['bin', 'lib']) mkdirSync(inPrefix(place, folder), { recursive: true })
  replaceFile(inPrefix(place, 'lib/node'), (file) => copyFileSync(process.execPath, file), 0o755)
  for (const document of ['README.md', 'LICENSE']) {
    if (existsSync(join(clone, document))) copyFileSync(join(clone, document), inPrefix(place, document))
  }
  for (const program of [service, 'verify'] as const) {
    await replaceFolder(inPrefix(place, `lib/${program}`), (folder) => bundle(program, folder))
    const launcher = inPrefix(place, `bin/bevis-${program}`)
    replaceFile(launcher, (file) => writeFileSync(file, launcherOf(program)), 0o755)
    link(place, program)
  }
  const systemd = (name: string) => readFileSync(join(import.meta.dirname, 'systemd', name), 'utf8')
  const unit = systemd(`bevis-${service}.service`).replaceAll(DEFAULT_PREFIX, place.prefix)
  writeText(at(place, unitOf(service)), unit)
  writeText(at(place, sysusersOf(service)), systemd(`bevis-${service}.sysusers`))
  writeText(at(place, tmpfilesOf(service)), systemd(`bevis-${service}.tmpfiles`))
  const config = at(place, configOf(service))
  if (!existsSync(config)) {
    writeText(config, readFileSync(join(import.meta.dirname, 'examples', `${service}.yaml`), 'utf8'))
  }
}

/**
 * Removes a service. State and configuration stay unless `purge`; a repository's password is never removed:
 * without it the backups themselves would be lost.
 */
export function uninstall(service: Service, place: Place, purge: boolean): void {
  for (const path of [unitOf(service), sysusersOf(service), tmpfilesOf(service)])
    rmSync(at(place, path), { force: true })
  const others = SERVICES.filter((other) => other !== service && existsSync(at(place, unitOf(other))))
  for (const program of others.length === 0 ? ([service, 'verify'] as const) : [service]) {
    rmSync(at(place, `/usr/local/bin/bevis-${program}`), { force: true })
    rmSync(inPrefix(place, `bin/bevis-${program}`), { force: true })
    rmSync(inPrefix(place, `lib/${program}`), { recursive: true, force: true })
  }
  if (others.length === 0) {
    for (const file of ['lib/node', 'README.md', 'LICENSE']) rmSync(inPrefix(place, file), { force: true })
    for (const folder of ['bin', 'lib', '']) removeIfEmpty(inPrefix(place, folder))
  }
  for (const path of [unitOf(service), sysusersOf(service), tmpfilesOf(service)]) prune(place, dirname(path))
  prune(place, '/usr/local/bin')
  prune(place, dirname(place.prefix))
  if (purge) {
    rmSync(at(place, stateOf[service]), { recursive: true, force: true })
    rmSync(at(place, configOf(service)), { force: true })
  }
  for (const folder of [secretsOf[service], stateOf[service]]) removeIfEmpty(at(place, folder))
  for (const folder of [secretsOf[service], stateOf[service]]) prune(place, dirname(folder))
}

/**
 * Started by root, agent and collector become the service's own user first: what they write must stay readable
 * and writable for the service. Root's own files (a contract, a token) stay readable by a capability.
 */
function launcherOf(program: Program): string {
  const flags = program === 'agent' ? `${AGENT_FLAGS.join(' ')} ` : ''
  const start = `"$lib/node" ${flags}"$lib/${program}/${program === 'verify' ? VERIFIER_FILE : 'main.js'}" "$@"`
  // Started by a link in PATH, or from another root: the programs are where the launcher itself lies.
  const find = 'lib=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")/lib'
  if (program === 'verify') return `#!/bin/sh\n${find}\nexec ${start}\n`
  const user = `bevis-${program}`
  const capability = program === 'agent' ? 'dac_read_search' : 'dac_override'
  const privileges = `--inh-caps=-all,+${capability} --ambient-caps=+${capability} --bounding-set=-all,+${capability}`
  return [
    '#!/bin/sh',
    find,
    `# What it writes must belong to the service, so root becomes ${user} first.`,
    `if [ "$(id -u)" = 0 ] && id ${user} >/dev/null 2>&1 && command -v setpriv >/dev/null 2>&1; then`,
    `  exec setpriv --reuid=${user} --regid=${user} --clear-groups ${privileges} \\`,
    `    ${start}`,
    'fi',
    `exec ${start}`,
    '',
  ].join('\n')
}

function link(place: Place, program: Program): void {
  const name = at(place, `/usr/local/bin/bevis-${program}`)
  mkdirSync(dirname(name), { recursive: true })
  rmSync(name, { force: true })
  const launcher = join(place.prefix, 'bin', `bevis-${program}`)
  // Below another root an absolute link would lead out of it.
  symlinkSync(place.root === '/' ? launcher : relative('/usr/local/bin', launcher), name)
}

function writeText(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  replaceFile(file, (fresh) => writeFileSync(fresh, text), 0o644)
}

/** Made aside and moved in: a program that runs keeps the file it started from. */
function replaceFile(file: string, make: (fresh: string) => void, mode: number): void {
  const fresh = `${file}.new`
  make(fresh)
  chmodSync(fresh, mode)
  renameSync(fresh, file)
}

async function replaceFolder(folder: string, make: (fresh: string) => Promise<void>): Promise<void> {
  const [fresh, old] = [`${folder}.new`, `${folder}.old`]
  for (const left of [fresh, old]) rmSync(left, { recursive: true, force: true })
  await make(fresh)
  if (existsSync(folder)) renameSync(folder, old)
  renameSync(fresh, folder)
  rmSync(old, { recursive: true, force: true })
}

/** In an otherwise empty root every folder is ours; on a machine, or in an image of one, only /etc/bevis is. */
function prune(place: Place, path: string): void {
  if (['/usr/bin', '/bin'].some((folder) => existsSync(at(place, folder)))) {
    if (path === '/etc/bevis') removeIfEmpty(at(place, path))
    return
  }
  for (let folder = path; folder !== '/'; folder = dirname(folder)) removeIfEmpty(at(place, folder))
}

function removeIfEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder)
}

/** On the machine itself: users, folders, and systemd told. Each command is left out where it is not there. */
function system(...commands: string[][]): void {
  for (const [command = '', ...args] of commands)
    spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** As sd_booted(3) tells it. */
const isBooted = existsSync('/run/systemd/system')

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      root: { type: 'string', default: '/' },
      prefix: { type: 'string', default: DEFAULT_PREFIX },
      purge: { type: 'boolean', default: false },
    },
  })
  const [action, name] = positionals
  const service = SERVICES.find((known) => known === name)
  if ((action !== 'install' && action !== 'uninstall') || service === undefined) {
    throw new Error('usage: install|uninstall agent|collector [--root DIR] [--prefix DIR] [--purge]')
  }
  if (!/^\/[A-Za-z0-9._/-]+$/.test(values.prefix))
    throw new Error(`--prefix ${values.prefix}: an absolute path without spaces is needed`)
  const place: Place = {
    root: resolve(process.env['INIT_CWD'] ?? '.', values.root),
    prefix: values.prefix.replace(/\/+$/, ''),
  }
  const here = place.root === '/'
  const unit = `bevis-${service}.service`
  if (action === 'install') {
    await install(service, place)
    if (here)
      system(['systemd-sysusers', sysusersOf(service)], ['systemd-tmpfiles', '--create', tmpfilesOf(service)])
    if (here && isBooted) system(['systemctl', 'daemon-reload'], ['systemctl', 'try-restart', unit])
    const next =
      service === 'agent' ? 'bevis-agent enroll --token-file FILE' : 'bevis-collector init --email ADDRESS'
    say(`${service} is in ${inPrefix(place, '')}; its configuration is ${at(place, configOf(service))}`)
    say(`next: edit it, then \`${next}\`, then \`systemctl enable --now bevis-${service}\``)
    return
  }
  if (here && isBooted && existsSync(unitOf(service))) system(['systemctl', 'disable', '--now', unit])
  uninstall(service, place, values.purge)
  if (here && isBooted) system(['systemctl', 'daemon-reload'])
  if (here && values.purge) system(['userdel', `bevis-${service}`])
  const kept = values.purge
    ? ''
    : `; kept: ${at(place, stateOf[service])} and ${at(place, configOf(service))} (--purge removes them)`
  say(`${service} is removed${kept}`)
  const secrets = at(place, secretsOf[service])
  if (existsSync(secrets)) say(`${secrets} stays: what it holds may be needed to read the backups`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  })
}
