import { expect, test } from 'vitest'
import { configWarnings } from './config-warning.ts'
import { parseConfig, setDigest, setOf } from './config.ts'

const GOOD = `
collector: { url: https://collector.example.net/, ca: /etc/bevis/ca.pem }
state: /var/lib/bevis
sets:
  - id: shop
    contract: AFT-2025-052
    paths: [/srv/shop/dump, /srv/shop/media/]
    exclude: ["**/*.tmp"]
    repository: { url: "rest:https://backup.example.net/hfk-web", passwordFile: /etc/bevis/shop.pass, environmentFile: /etc/bevis/shop.env }
    backup:      { cron: "30 2 * * *", timezone: Europe/Copenhagen, jitter: PT10M }
    inventory:   { every: PT12H }
    restoreTest: { cron: "0 4 * * 6", files: 50, ladder: P90D, budget: { minutes: 60, bytes: 20GB }, method: auto }
    retention:   { fromContract: true, prune: weekly, hold: { onChangeRate: 40%, onShrink: 20% } }
    hooks:       { before: [/etc/bevis/dump-shop], after: [] , snapshotFs: none }
    probes:      [{ kind: sqlite, path: "**/*.db" }, { kind: command, run: [/etc/bevis/check-shop, "{restored}"] }]
`

/** The problems that a text is refused for, without the line that says which file. */
function problemsOf(text: string): string[] {
  try {
    parseConfig(text, '/etc/bevis/agent.yaml')
  } catch (error) {
    return error instanceof Error
      ? error.message
          .split('\n')
          .slice(1)
          .map((line) => line.trim())
      : []
  }
  return []
}

test('the configuration of the manual is read, with sizes in bytes and defaults filled in', () => {
  const config = parseConfig(GOOD, 'agent.yaml')
  expect(config).toMatchObject({ restic: 'restic', heartbeat: 'PT1H', log: 'info' })
  expect(config.collector.url).toBe('https://collector.example.net')
  expect(setOf(config, 'shop')).toMatchObject({
    paths: ['/srv/shop/dump', '/srv/shop/media'],
    backup: { jitter: 'PT10M', timezone: 'Europe/Copenhagen' },
    restoreTest: { budget: { bytes: 20e9, minutes: 60 } },
    hooks: { before: [['/etc/bevis/dump-shop']], after: [], snapshotFs: 'none', timeout: 'PT1H' },
    probes: [
      { kind: 'sqlite', path: '**/*.db', required: true, timeout: 'PT10M', memory: 1e9 },
      { kind: 'command', run: ['/etc/bevis/check-shop', '{restored}'], required: true },
    ],
  })
  // Whoever asks takes the backup's: this machine's own zone must not come between.
  expect(setOf(config, 'shop').restoreTest).not.toHaveProperty('timezone')
  expect(() => setOf(config, 'web')).toThrow('there is no set web; the configuration has shop')
})

test('a set with nothing but paths and a repository can be used by hand', () => {
  const text =
    'collector: {url: "http://127.0.0.1:1"}\nstate: /s\nsets: [{id: a, paths: [/a], repository: {url: /r, passwordFile: /p}}]'
  const set = parseConfig(text, 'agent.yaml').sets[0]
  expect(set).toMatchObject({ inventory: { every: 'PT12H' }, restoreTest: { files: 50, method: 'auto' } })
  expect(set?.backup.cron).toBeUndefined()
})

test('every problem is told at once, each with its line, column and cure', () => {
  const bad = `
collector: { url: ftp://example.net }
stat: /var/lib/bevis
sets:
  - id: "../shop"
    paths: []
    repository:
      url: rest:https://me:secret@backup.example.net/hfk
    backup: { cron: "61 2 * * *", timezone: Europe/Nowhere, jitter: P1M }
    restoreTest: { files: many, budget: { bytes: 20 apples } }
    hook: { before: [/bin/true] }
    hooks: { before: [dump-shop, [/bin/sh, -c, "true"]], after: "umount /mnt" }
    probes: [{ kind: mysql, path: "*.sql" }, { kind: sqlite }, { kind: command, run: [] }]
    retention: { hold: { onShrink: much } }
`
  const problems = problemsOf(bad)
  expect(problems).toEqual([
    'agent.yaml:1:1: state: is missing',
    expect.stringMatching(/^agent\.yaml:2:14: collector\.url: an address is needed, such as https/),
    'agent.yaml:3:1: stat: unknown key; take it out or mend its spelling',
    expect.stringMatching(/^agent\.yaml:5:5: sets\[0\]\.id: letters, digits/),
    'agent.yaml:6:5: sets[0].paths: at least one path is needed',
    'agent.yaml:7:5: sets[0].repository: name either passwordFile or passwordCommand: restic needs exactly one of them',
    expect.stringMatching(
      /^agent\.yaml:8:7: sets\[0\]\.repository\.url: a password does not belong into an address/,
    ),
    'agent.yaml:9:15: sets[0].backup.cron: 61 cannot be the minute',
    expect.stringMatching(/^agent\.yaml:9:35: sets\[0\]\.backup\.timezone: a time zone is needed/),
    expect.stringMatching(
      /^agent\.yaml:9:61: sets\[0\]\.backup\.jitter: .*months and years have no fixed length/,
    ),
    expect.stringMatching(/^agent\.yaml:10:20: sets\[0\]\.restoreTest\.files: /),
    expect.stringMatching(/^agent\.yaml:10:43: sets\[0\]\.restoreTest\.budget\.bytes: a size is needed/),
    'agent.yaml:11:5: sets[0].hook: unknown key; take it out or mend its spelling',
    'agent.yaml:12:23: sets[0].hooks.before[0]: an absolute path is needed, or a list of one and its arguments',
    expect.stringMatching(/^agent\.yaml:12:58: sets\[0\]\.hooks\.after: /),
    expect.stringMatching(
      /^agent\.yaml:13:16: sets\[0\]\.probes\[0\]\.kind: .*'sqlite' \| 'postgres' \| 'command'/,
    ),
    'agent.yaml:13:46: sets[0].probes[1].path: is missing',
    'agent.yaml:13:81: sets[0].probes[2].run: an absolute path is needed, or a list of one and its arguments',
    'agent.yaml:14:26: sets[0].retention.hold.onShrink: a share is needed, such as 40%',
  ])
})

test.each([
  ['the same set twice', GOOD + GOOD.slice(GOOD.indexOf('  - id')), 'another set is called shop too'],
  ['a key twice', GOOD + 'state: /elsewhere\n', 'Map keys must be unique'],
  ['a cron expression of four fields', GOOD.replace('30 2 * * *', '30 2 * *'), 'five fields are needed'],
  ['a cron minute that is none', GOOD.replace('30 2 * * *', '61 2 * * *'), '61 cannot be the minute'],
  ['a relative path', GOOD.replace('/srv/shop/dump', 'dump'), 'an absolute path is needed'],
  [
    'two ways to a password',
    GOOD.replace('passwordFile', 'passwordCommand: pass show shop, passwordFile'),
    'exactly one',
  ],
  [
    'a credential outside systemd',
    GOOD.replace('/etc/bevis/shop.pass', '$CREDENTIALS_DIRECTORY/shop'),
    'LoadCredential',
  ],
  ['no YAML at all', '\t{', 'agent.yaml:1:'],
  ['nothing', '', 'the file: '],
  ['a list', '[]', 'the file: '],
])('%s is refused', (_, text, expected) => {
  expect(problemsOf(text).join('\n')).toContain(expected)
})

test('what is allowed but probably not meant is a warning', () => {
  const config = parseConfig(
    GOOD.replace('https://collector.example.net/', 'http://collector.example.net'),
    'agent.yaml',
  )
  expect(configWarnings(config, new Date('2026-11-23T12:00:00.000Z'))).toEqual([
    expect.stringContaining('is not encrypted'),
    "set shop, retention: nothing is removed without the contract's text on this machine: set contractFile",
    'set shop, backup.cron: on 2027-03-28 clocks in Europe/Copenhagen skip "30 2 * * *"; it runs an hour later then',
  ])
  const local = GOOD.replace('https://collector.example.net/', 'http://127.0.0.1:8080')
    .replace('30 2', '30 1')
    .replace(/^ *retention:.*$/m, '')
  expect(configWarnings(parseConfig(local, 'agent.yaml'), new Date('2026-11-23T12:00:00.000Z'))).toEqual([])
})

test('the digest of a set changes with what it backs up, not with where its secrets are', () => {
  const digestOf = (text: string): string => setDigest(setOf(parseConfig(text, 'agent.yaml'), 'shop'))
  expect(digestOf(GOOD.replace('/etc/bevis/shop.pass', '/run/shop.pass'))).toBe(digestOf(GOOD))
  expect(digestOf(GOOD.replace('/srv/shop/dump', '/srv/shop/dumps'))).not.toBe(digestOf(GOOD))
})

test('data checks and deletion probes: a cycle that restic can count, a probe that a contract still takes', () => {
  const [plain] = parseConfig(GOOD, 'agent.yaml').sets
  expect(plain).toMatchObject({ dataCheck: { cycle: 28, jitter: 'PT0S' }, deletionProbe: {} })
  const given = (line: string): string => `${GOOD}    ${line}\n`
  expect(problemsOf(given('dataCheck: { cycle: 257 }'))).toEqual([
    expect.stringMatching(/sets\[0\]\.dataCheck\.cycle: /),
  ])
  const seldom = parseConfig(given('deletionProbe: { every: P60D }'), 'agent.yaml')
  expect(configWarnings(seldom, new Date('2026-11-23T12:00:00.000Z'))).toContainEqual(
    expect.stringContaining('deletionProbe.every: a contract takes a probe for P31D'),
  )
})
