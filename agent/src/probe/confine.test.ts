import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { runCommand } from '../local-command.ts'
import { openConfinement } from './confine.ts'

const isRoot = process.getuid?.() === 0
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
const MEMORY = 512 * 1024 * 1024

async function confined(argv: [string, ...string[]], memoryBytes = MEMORY) {
  const confinement = await openConfinement()
  return runCommand({ ...confinement.wrap(argv, memoryBytes), env, timeoutMs: 20_000, killsRest: true })
}

test('what is confined has no capability, cannot get one back, and dumps no core', async () => {
  const { output } = await confined(['/bin/cat', '/proc/self/status', '/proc/self/limits'])
  expect(output).toMatch(/CapInh: 0{16} CapPrm: 0{16} CapEff: 0{16}/)
  expect(output).toMatch(/CapAmb: 0{16}/)
  expect(output).toMatch(/Max core file size 0 0 bytes/)
  expect(output).toMatch(new RegExp(`Max data size ${MEMORY} ${MEMORY} bytes`))
})

test('as root: nobody, no groups, no new privileges, no network', async ({ skip }) => {
  skip(!isRoot, 'only root has rights to give up')
  const { output } = await confined(['/bin/sh', '-c', 'id; cat /proc/self/status /proc/net/dev'])
  expect(output).toMatch(/^uid=65534\(nobody\) gid=65534\(nogroup\) groups=65534\(nogroup\) /)
  expect(output).toMatch(/NoNewPrivs: 1/)
  expect(output.match(/\w+:(?= \d+ \d+ \d+ \d+ \d+ \d+ \d+ \d+ \d+ \d+)/g)).toEqual(['lo:'])
})

test('as root: a program of our own has no network either', async ({ skip }) => {
  skip(!isRoot, 'only root has rights to give up')
  const confinement = await openConfinement()
  const { output } = await runCommand({
    ...confinement.wrapOwn(['/bin/cat', '/proc/self/net/dev']),
    env,
    timeoutMs: 20_000,
  })
  expect(output.match(/\w+:(?= \d+ \d+ \d+ \d+ \d+ \d+ \d+ \d+ \d+ \d+)/g)).toEqual(['lo:'])
})

test('as root: nothing that it started outlives it, in whatever session', async ({ skip }) => {
  skip(!isRoot, 'only root has rights to give up')
  const marker = `${900 + Math.random()}`
  const escape = `setsid sleep ${marker} & sleep 0.2`
  expect(await confined(['/bin/sh', '-c', escape])).toMatchObject({ ended: 'well' })
  const alive = () =>
    execFileSync('/bin/sh', ['-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null || :'], { maxBuffer: 1e9 })
  await expect.poll(() => alive().includes(marker)).toBe(false)
})

test('arguments arrive as they are, and the status comes back', async () => {
  const { output, status } = await confined([
    '/bin/sh',
    '-c',
    'printf "[%s]" "$@"; exit 7',
    'x',
    '$(id)',
    '',
    'a b',
  ])
  expect([output, status]).toEqual(['[$(id)][][a b]', 7])
})

test('a process that wants more memory than it may have does not get it', async () => {
  const hungry = ['/usr/bin/env', 'awk', 'BEGIN { s = "x"; while (1) s = s s }'] as [string, ...string[]]
  const { ended, output } = await confined(hungry, 64 * 1024 * 1024)
  expect({ ended, output }).toMatchObject({
    ended: 'badly',
    output: expect.stringMatching(/memory|alloc/i) as string,
  })
})

/** As our unit starts the service: a user of its own with one ambient capability. */
const likeTheService = (script: string): string =>
  execFileSync(
    '/usr/bin/setpriv',
    [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      '--inh-caps=+dac_read_search',
      '--ambient-caps=+dac_read_search',
      '--bounding-set=-all,+dac_read_search',
      ...[process.execPath, '--input-type=module-typescript', '-e', script],
    ],
    { env, encoding: 'utf8', cwd: import.meta.dirname },
  )

const canBeTheService = (() => {
  try {
    return isRoot && likeTheService("console.log('yes')") === 'yes\n'
  } catch {
    return false // there is no setpriv here, or nobody may not read this clone
  }
})()

test('as the service: its one capability is not passed on, and the limits hold', ({ skip }) => {
  skip(!canBeTheService, 'not root, no setpriv, or nobody may not read this clone')
  const said = likeTheService(`
    import { readFileSync } from 'node:fs'
    import { openConfinement } from './confine.ts'
    import { runCommand } from '../local-command.ts'
    const show = (text) => /CapEff:\\s*(\\S+)/.exec(text)?.[1]
    const confinement = await openConfinement()
    const wrapped = confinement.wrap(['/bin/cat', '/proc/self/status', '/proc/self/limits'], ${MEMORY})
    const own = confinement.wrapOwn(['/bin/cat', '/proc/self/status'])
    const [one, two] = await Promise.all(
      [wrapped, own].map((command) => runCommand({ ...command, env: {}, timeoutMs: 20_000 })),
    )
    console.log(JSON.stringify([
      show(readFileSync('/proc/self/status', 'utf8')),
      show(one.output), one.output.includes('Max data size ${MEMORY} ${MEMORY}'), show(two.output),
    ]))`)
  expect(JSON.parse(said)).toEqual(['0000000000000004', '0000000000000000', true, '0000000000000000'])
})
