// Behind `npm run demo`, `npm test` and `npm run bench` (and `node deploy/run.mjs install agent|collector`): sets
// up what a machine with only Node, npm and git lacks, then runs the task. Plain JavaScript for Node 20 and later, and built-in modules only, because it
// runs before anything is installed. All that it downloads stays inside the clone (node_modules, .cache).

import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [task = '', ...rest] = process.argv.slice(2)
const cache = join(root, '.cache')
const setupLog = join(cache, 'setup.log')
const modules = join(root, 'node_modules')
const resticMinimum = [0, 14]

// npm hands its own settings down as npm_*, and they would change what pnpm does. Only where packages come
// from is kept: someone behind a mirror or a proxy said that on purpose.
const kept = /^npm_config_(registry|userconfig|cafile|proxy|https_proxy|https-proxy|noproxy)$/i
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || kept.test(name)),
)
env.PATH = [join(modules, '.bin'), process.env.PATH || '/usr/bin:/bin'].join(delimiter)

// Where the user stands: tasks run in the clone, but a relative path on the command line is meant from there.
env.INIT_CWD ??= process.cwd()

const say = (line) => process.stdout.write(`setup: ${line}\n`)
const fail = (line) => {
  process.stderr.write(`setup: ${line}\n`)
  process.exit(1)
}

/** Runs quietly, the output kept in .cache/setup.log, with a sign of life every 15 seconds. */
function runQuietly(what, command, args, options = {}) {
  mkdirSync(cache, { recursive: true })
  appendFileSync(setupLog, `\n$ ${command} ${args.join(' ')}\n`)
  const started = Date.now()
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], ...options })
    const pulse = setInterval(() => say(`${what}: still at it after ${seconds()}`), 15_000)
    child.stdout.on('data', (bytes) => appendFileSync(setupLog, bytes))
    child.stderr.on('data', (bytes) => appendFileSync(setupLog, bytes))
    child.on('error', (error) => appendFileSync(setupLog, `${error.message}\n`))
    child.on('close', (code) => {
      clearInterval(pulse)
      if (code === 0) say(`${what}: done in ${seconds()}`)
      resolve(code === 0)
    })
  })
}

/** What `command ARGS` prints, or null when it is not there or does not run. */
function answerOf(command, ...args) {
  const { status, stdout } = spawnSync(command, args, { env, encoding: 'utf8', timeout: 20_000 })
  return status === 0 ? stdout : null
}

// --- the packages -----------------------------------------------------------------------------------------

function packagesAreFresh() {
  const installed = join(modules, '.modules.yaml')
  if (!existsSync(installed)) return false
  if (statSync(installed).mtimeMs >= statSync(join(root, 'pnpm-lock.yaml')).mtimeMs) return true
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lockDigest()
}

const stamp = join(modules, '.bevis-setup')
const lockDigest = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex')

async function installPackages() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const store = join(cache, 'pnpm')
  const installed = join(modules, '.modules.yaml')
  // A node_modules that a developer's own pnpm made goes on with that pnpm's store.
  const ours =
    !existsSync(installed) || readFileSync(installed, 'utf8').includes(JSON.stringify(store).slice(1, -1))
  const inside = {
    ...env,
    npm_config_cache: join(cache, 'npm'),
    npm_config_update_notifier: 'false',
    XDG_CACHE_HOME: cache,
    XDG_STATE_HOME: cache,
    XDG_DATA_HOME: cache,
  }
  const args = ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only']
  say(`packages and the project's own Node, by ${packageManager}`)
  const done = await runQuietly('packages', 'npx', ours ? [...args, `--store-dir=${store}`] : args, {
    env: ours ? inside : env,
  })
  if (!done) {
    process.stderr.write(readFileSync(setupLog, 'utf8').split('\n').slice(-25).join('\n'))
    fail('the packages could not be installed; npm must reach its registry (see above, and .cache/setup.log)')
  }
  writeFileSync(stamp, lockDigest())
}

// --- the system's packages --------------------------------------------------------------------------------

const managers = [
  {
    tool: 'apt-get',
    install: ['install', '-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'],
    refresh: ['update', '-q', '-o', 'Acquire::Retries=0'],
    names: { libatomic: 'libatomic1' },
  },
  { tool: 'dnf', install: ['install', '-y', '-q'] },
  { tool: 'apk', install: ['add', '--no-cache'] },
  {
    tool: 'pacman',
    install: ['-S', '--noconfirm', '--needed'],
    refresh: ['-Sy'],
    names: { libatomic: 'gcc-libs', 'poppler-utils': 'poppler' },
  },
  {
    tool: 'zypper',
    install: ['--non-interactive', 'install'],
    names: { libatomic: 'libatomic1', 'poppler-utils': 'poppler-tools' },
  },
  { tool: 'brew', install: ['install', '-q'], unprivileged: true, names: { 'poppler-utils': 'poppler' } },
]
const systemPath = [env.PATH, '/usr/local/sbin', '/usr/sbin', '/sbin', '/opt/homebrew/bin'].join(delimiter)
const onSystemPath = (tool) => systemPath.split(delimiter).some((folder) => existsSync(join(folder, tool)))
const manager = managers.find(({ tool }) => onSystemPath(tool))
const isRoot = process.getuid?.() === 0

/** What comes before the package manager's command: nothing, a sudo that asks nothing, or null: not allowed. */
function privilege() {
  if (manager.unprivileged) return isRoot ? null : []
  if (isRoot) return []
  return answerOf('sudo', '-n', 'true') === null ? null : ['sudo', '-n']
}

const packageOf = (name) => manager?.names?.[name] ?? name
const howTo = (name) =>
  manager
    ? `${manager.unprivileged ? '' : 'sudo '}${manager.tool} ${manager.install[0]} ${packageOf(name)}`
    : `install ${name}`

async function installFromSystem(name) {
  const prefix = manager ? privilege() : null
  if (prefix === null) return false
  const options = { env: { ...env, PATH: systemPath, DEBIAN_FRONTEND: 'noninteractive' } }
  const call = (what, args) => {
    const [command, ...before] = [...prefix, manager.tool]
    return runQuietly(what, command, [...before, ...args], options)
  }
  say(`${name}: not here, so ${manager.tool} installs ${packageOf(name)}`)
  if (await call(name, [...manager.install, packageOf(name)])) return true
  // Package lists can be absent (slim images) or too old to be served.
  const refreshed = manager.refresh && (await call('package lists', manager.refresh))
  if (refreshed && (await call(name, [...manager.install, packageOf(name)]))) return true
  say(`${name}: ${manager.tool} could not install it; what it said is in .cache/setup.log`)
  return false
}

// --- what each task needs ---------------------------------------------------------------------------------

async function provideNode() {
  const ownNode = join(modules, '.bin', 'node')
  if (answerOf(ownNode, '--version')) return ownNode
  if (process.platform === 'linux' && existsSync(ownNode)) {
    await installFromSystem('libatomic')
    if (answerOf(ownNode, '--version')) return ownNode
    if (Number(process.versions.node.split('.')[0]) < 26) {
      fail(`the project's Node needs the library libatomic.so.1. Run: ${howTo('libatomic')}`)
    }
  }
  if (Number(process.versions.node.split('.')[0]) >= 26) return process.execPath
  return fail(
    `no Node 26 for ${process.platform} ${process.arch} comes with the project: install Node 26 or later`,
  )
}

async function provideRestic() {
  const version = () => /restic (\d+)\.(\d+)/.exec(answerOf('restic', 'version') ?? '')
  if (!version()) await installFromSystem('restic')
  const found = version()
  if (!found) fail(`restic is not on PATH and cannot be installed from here. Run: ${howTo('restic')}`)
  const [major, minor] = [Number(found[1]), Number(found[2])]
  if (major === resticMinimum[0] && minor < resticMinimum[1]) {
    fail(
      `${found[0]} is older than 0.14: put a newer one on PATH (https://restic.readthedocs.io, Installation)`,
    )
  }
}

/** Tools that some tests need: without one, those tests say so and are skipped. */
async function provideTestTools(kinds) {
  const wanted = {
    openssl: ['openssl version'],
    strace: ['strace --version'],
    qpdf: ['qpdf --version'],
    'poppler-utils': ['pdfinfo -v'],
  }
  if (kinds.includes('browser'))
    wanted.chromium = ['chromium', 'chromium-browser', 'google-chrome'].map(
      (command) => `${command} --version`,
    )
  for (const [name, questions] of Object.entries(wanted)) {
    if (questions.some((question) => answerOf(...question.split(' ')) !== null)) continue
    if (!(await installFromSystem(name)))
      say(`${name}: not here; tests that need it are skipped. Run: ${howTo(name)}`)
  }
}

/** Hands over: same terminal, signals passed on, and the task's exit status is ours. */
function hand(node, args) {
  const child = spawn(node, args, { cwd: root, env, stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A terminal's Ctrl-C reaches the child by itself: passing it on as well would look like a second one.
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)))
  }
  // npm passes SIGTERM to its shell only, which dies without us: an orphan ends its task too.
  const parent = process.ppid
  setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 1000).unref()
  child.on('error', (error) => fail(error.message))
  child.on('exit', (code, signal) => {
    if (code !== null) process.exit(code)
    process.exit(128 + ({ SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 0))
  })
}

const kinds = ['unit', 'system', 'fault', 'browser']

const tasks = {
  demo: () => ['deploy/demo.ts', ...rest],
  bench: () => ['test/bench/main.ts', ...rest],
  bundle: () => ['deploy/bundle.ts', ...rest],
  page: () => ['deploy/page.ts'],
  install: () => ['deploy/install.ts', 'install', ...rest],
  uninstall: () => ['deploy/install.ts', 'uninstall', ...rest],
  test: async () => {
    const chosen = kinds.includes(rest[0]) ? [rest[0]] : kinds
    await provideTestTools(chosen)
    const reporters = ['--reporter=default', '--reporter=./test/reporter.ts']
    const passedOn = chosen.length === 1 ? ['--project', ...rest] : rest
    return [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      'test/vitest.config.ts',
      ...reporters,
      ...passedOn,
    ]
  },
}

const help = `usage: node deploy/run.mjs TASK [ARGUMENTS]

  demo [PATH] [--once]          the main job on real data, or on the directory PATH, which is only read
  test [unit|system|fault|browser]    the tests
  bench                         the figures
  bundle verify [--out FOLDER]  bevis-verify as one file, for an auditor's Node 22 or later
  page                          verify.html, the verifier for a browser, into dist
  install agent|collector [--root DIR] [--prefix /opt/bevis]
  uninstall agent|collector [--root DIR] [--prefix /opt/bevis] [--purge]

Each brings what is missing first: the packages and the project's own Node into the clone, restic by the system's
package manager. --root is another folder for the machine's own, to look at an installation or to pack it.

Exit codes: the task's own; 1 where it could not be started.
`
const isAskedForHelp = [task, ...rest].some((word) => word === '--help' || word === '-h')
// vitest has a help of its own.
if (task === '' || task === 'help' || (isAskedForHelp && task !== 'test' && task !== 'bench')) {
  process.stdout.write(help)
  process.exit(0)
}
if (!Object.hasOwn(tasks, task))
  fail(`there is no task ${task}: node deploy/run.mjs ${Object.keys(tasks).join('|')}; --help tells more`)
if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Node ${process.versions.node} is too old: 20 or later`)
// restic first: where it cannot be had, that is known at once.
if (!['uninstall', 'bundle', 'page'].includes(task) && rest[0] !== 'collector') await provideRestic()
if (!packagesAreFresh()) await installPackages()
const node = await provideNode()
hand(node, await tasks[task]())
