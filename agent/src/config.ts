import { readFileSync } from 'node:fs'
import { isAbsolute, join, normalize } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import { readYaml, unreadableText } from '@bevis/shared/yaml'
import { sha256Hex } from '@bevis/shared/crypto'
import { slug } from '@bevis/shared/format'
import { z } from 'zod'
import { withCure } from './cure.ts'
import { duration, size } from './quantity.ts'
import { cronProblems, isTimeZone } from './cron.ts'

/** Where the configuration is when no --config names it. */
export const CONFIG_FILE = '/etc/bevis/agent.yaml'

/** What the agent takes from its environment: nothing else in the agent reads it. */
export const environment = {
  /** An enrolment token, for installers that would rather not write a file. */
  token: process.env['BEVIS_TOKEN'],
  /** Set by systemd for a unit of Type=notify. */
  notifySocket: process.env['NOTIFY_SOCKET'],
  /** Microseconds between signs of life that systemd waits for; NaN without a watchdog. */
  watchdogMicroseconds: Number(process.env['WATCHDOG_USEC'] ?? Number.NaN),
  configFile: process.env['BEVIS_AGENT_CONFIG'],
  credentials: process.env['CREDENTIALS_DIRECTORY'],
  /** All that a restic process is given of our environment. */
  forRestic: Object.fromEntries(
    ['PATH', 'HOME', 'TMPDIR'].flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  ),
}

/** `$CREDENTIALS_DIRECTORY/name` names a file that systemd's LoadCredential= hands over. */
const path = z.string().transform((text, context) => {
  const credential = /^\$CREDENTIALS_DIRECTORY\/(.+)$/.exec(text)?.[1]
  if (credential !== undefined && environment.credentials === undefined) {
    context.addIssue(
      '$CREDENTIALS_DIRECTORY is set by systemd only: add LoadCredential= to the unit, or name the file',
    )
    return z.NEVER
  }
  const full = credential === undefined ? text : join(environment.credentials ?? '', credential)
  if (!isAbsolute(full) || full.includes('\0')) {
    context.addIssue('an absolute path is needed, such as /etc/bevis/shop.pass')
    return z.NEVER
  }
  return normalize(full).replace(/(.)\/$/, '$1')
})

const webAddress = z
  .url({ protocol: /^https?$/, error: 'an address is needed, such as https://collector.example.net' })
  .refine((text) => !hasSecret(text), 'a user name or password does not belong into an address')
  .transform((text) => text.replace(/\/+$/, ''))

/** restic's own addresses are no URLs throughout (`rest:https://…`, `sftp:user@host:/srv`), so the secret is looked for inside. */
function hasSecret(address: string): boolean {
  return /:\/\/[^/@]*:[^/@]*@/.test(address)
}

const timezone = z.string().refine(isTimeZone, 'a time zone is needed, such as Europe/Copenhagen')

const repository = z
  .strictObject({
    url: z
      .string()
      .min(1)
      .max(4096)
      .refine(
        (text) => !hasSecret(text),
        'a password does not belong into an address: put RESTIC_REST_USERNAME and RESTIC_REST_PASSWORD into environmentFile',
      ),
    passwordFile: path.exactOptional(),
    /** A command whose output is the password; restic starts it. */
    passwordCommand: z.string().min(1).exactOptional(),
    /** Lines NAME=value for restic: keys of an object store, say. */
    environmentFile: path.exactOptional(),
    /** The name that a contract gives to this repository and its successors; left out: its ID is its only name. */
    lineage: z
      .string()
      .regex(/^[\p{L}\p{N}][\p{L}\p{N}._ -]{0,127}$/u, 'a name is needed, such as hfk-web')
      .exactOptional(),
  })
  .refine(
    ({ passwordFile, passwordCommand }) => (passwordFile === undefined) !== (passwordCommand === undefined),
    {
      error: 'name either passwordFile or passwordCommand: restic needs exactly one of them',
    },
  )

/** Five fields, as node-cron reads them; left out: only by hand, with a command. */
const cron = z.string().superRefine((expression, context) => {
  for (const problem of cronProblems(expression)) context.addIssue(problem)
})

const backup = z.strictObject({
  cron: cron.exactOptional(),
  timezone: timezone.default(() => Temporal.Now.timeZoneId()),
  /** A run starts at a point of this span after its time, so that many agents do not start at once. */
  jitter: duration.default('PT0S'),
})

const inventory = z.strictObject({ every: duration.default('PT12H') })

const restoreTest = z.strictObject({
  cron: cron.exactOptional(),
  /** Left out: as the backup's. */
  timezone: timezone.exactOptional(),
  jitter: duration.default('PT0S'),
  /** Files drawn at random in each sample. */
  files: z.int().min(1).max(1_000_000).default(50),
  /** A scheduled test restores everything when the next one would come later than this; left out: only by hand. */
  fullEvery: duration.exactOptional(),
  /**
   * Every snapshot that is owed is tested once in this time, so many of them with each scheduled test, the longest
   * untested first; left out: one older snapshot with each test.
   */
  ladder: duration.exactOptional(),
  /** At most so long for a whole run, and so many restored bytes for one snapshot. */
  budget: z
    .strictObject({ minutes: z.int().min(1).max(10_080).exactOptional(), bytes: size.optional() })
    .default({}),
  /** `stream` judges files as restic completes them, `disk` once all are there; `auto` takes what fits. */
  method: z.enum(['auto', 'disk', 'stream']).default('auto'),
  /** The least number of drawn files that must be conclusive for PASSED; left out: `files`. */
  minConclusive: z.int().min(1).exactOptional(),
  /** Every file is restored once in so many scheduled tests; `status` shows how far the cycle is. */
  cycle: z.int().min(1).max(1_000).default(52),
  /** Files that every sample holds, beside those that the contract names. */
  canaries: z.array(path).max(100).default([]),
  /** So many restores a day may be asked for from outside, of files in this set; 0: none. */
  requestsPerDay: z.int().min(0).max(1_000).default(24),
  /** What a file makes of a test that came back whole, but with another mode, owner, time, attribute or link. */
  metadata: z.enum(['report', 'fail']).default('report'),
})

const dataCheck = z.strictObject({
  cron: cron.exactOptional(),
  timezone: timezone.exactOptional(),
  jitter: duration.default('PT0S'),
  /** Each run reads one part of so many; after as many runs every byte of the repository has been read. */
  cycle: z.int().min(1).max(256).default(28),
})

/** Left out: only by hand. The storage is left one small snapshot, which it refuses to delete. */
const deletionProbe = z.strictObject({ every: duration.exactOptional() })

/** An absolute path, or a list of that and its arguments: never a line for a shell. */
const command = z.union(
  [
    path.transform((program): [string, ...string[]] => [program]),
    z
      .tuple(
        [path],
        z
          .string()
          .max(4096)
          .regex(/^[^\0]*$/),
      )
      .refine((words) => words.length <= 100),
  ],
  { error: 'an absolute path is needed, or a list of one and its arguments' },
)

const hooks = z.strictObject({
  /** One after the other; when one fails, the others and the backup are left out. */
  before: z.array(command).max(20).default([]),
  /** Always all of them, however the backup ended. */
  after: z.array(command).max(20).default([]),
  /** What the hooks freeze the source with; a name that the evidence carries. `vss`: restic does it, on Windows. */
  snapshotFs: slug.default('none'),
  /** For each command. */
  timeout: duration.default('PT1H'),
})

const probeCommon = {
  /** False: a probe that comes to no result does not keep the test from PASSED. One that fails always does. */
  required: z.boolean().default(true),
  /** For each file, or for the one run of a command. */
  timeout: duration.default('PT10M'),
  memory: size.default(1e9),
}

/** Patterns as in `exclude`, for the files that a probe is restored. */
const pattern = z.string().min(1).max(4096)

const probe = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sqlite'), path: pattern, ...probeCommon }),
  z.strictObject({
    kind: z.literal('postgres'),
    /** Archives of pg_dump: its custom or tar format. */
    path: pattern,
    /** The folder of initdb, postgres and pg_restore; left out: the newest that is installed. */
    binaries: path.exactOptional(),
    ...probeCommon,
  }),
  z.strictObject({
    kind: z.literal('command'),
    /** `{restored}` becomes the folder under which restored files stand as they stood under `/`. */
    run: command,
    /** Left out: the whole snapshot is restored for it. */
    path: pattern.exactOptional(),
    ...probeCommon,
  }),
])

/** A share, `40%`; its value is from 0 to 1. */
const percent = z
  .string()
  .regex(/^\d{1,3}(\.\d{1,3})?%$/, 'a share is needed, such as 40%')
  .transform((text) => Number.parseFloat(text) / 100)

/** What of one backup against the one before it is told as an anomaly. Shares are of the files that there were. */
const anomaly = z.strictObject({
  /** New, changed and gone together; also more than half as much again as is usual for the set. */
  changeRate: percent.default(0.5),
  /** By so much fewer files, or fewer bytes. */
  shrink: percent.default(0.2),
  /** Gone, and not under another name. */
  deletion: percent.default(0.25),
  rename: percent.default(0.25),
  /** Of a sample of changed files: those that look encrypted. */
  encrypted: percent.default(0.8),
  /** Of fewer files no share is told. */
  minFiles: z.int().min(1).default(50),
  /** Files that never change: one that does, or goes, is an alarm. */
  canaries: z.array(path).max(100).default([]),
})

/** How somebody is told of an alarm, beside the agent's own state folder: the collector may be the one in doubt. */
const alarm = z.strictObject({
  mail: z
    .strictObject({
      to: z.array(z.email()).min(1).max(20),
      from: z.email(),
      /** `smtp://host:25`, `smtps://host:465`; no password in it. */
      server: z
        .url({ protocol: /^smtps?$/, error: 'an address is needed, such as smtp://mail.example.net:587' })
        .refine((text) => !hasSecret(text), 'a password does not belong into an address: use passwordFile'),
      user: z.string().min(1).max(320).exactOptional(),
      passwordFile: path.exactOptional(),
    })
    .exactOptional(),
  webhook: webAddress.exactOptional(),
  /** Alarms are appended to it, one JSON line each: a file that monitoring watches. */
  file: path.exactOptional(),
})

const retention = z.strictObject({
  /** Remove what the contract no longer owes. */
  fromContract: z.boolean().default(false),
  every: duration.default('P1D'),
  prune: z.enum(['never', 'daily', 'weekly', 'monthly']).default('weekly'),
  /** From when on nothing goes until a person has looked; left out: whenever it is told as an anomaly. */
  hold: z
    .strictObject({
      onChangeRate: percent.exactOptional(),
      onShrink: percent.exactOptional(),
      onDeletion: percent.exactOptional(),
      onRename: percent.exactOptional(),
      onEncrypted: percent.exactOptional(),
    })
    .default({}),
})

const set = z.strictObject({
  id: slug,
  /** The contract that this set is promised in; the collector binds it. */
  contract: slug.exactOptional(),
  /** That contract's whole text on this machine: what retention is decided by, and nothing else. */
  contractFile: path.exactOptional(),
  paths: z.array(path).min(1, 'at least one path is needed').max(1000),
  /** Patterns as restic's --exclude takes them. */
  exclude: z.array(z.string().min(1)).max(1000).default([]),
  repository,
  backup: backup.prefault({}),
  inventory: inventory.prefault({}),
  restoreTest: restoreTest.prefault({}),
  dataCheck: dataCheck.prefault({}),
  deletionProbe: deletionProbe.prefault({}),
  anomaly: anomaly.prefault({}),
  retention: retention.exactOptional(),
  hooks: hooks.prefault({}),
  probes: z.array(probe).max(20).default([]),
})

const agentConfig = z
  .strictObject({
    collector: z.strictObject({
      url: webAddress,
      /** Certificates that the collector's own must lead to, in PEM; left out: those of the system. */
      ca: path.exactOptional(),
      proxy: webAddress.exactOptional(),
    }),
    state: path,
    /** Where restore tests put files; left out: inside the state folder. */
    scratch: path.exactOptional(),
    /** The restic program: a path, or a name that is looked for in PATH. */
    restic: z.string().min(1).default('restic'),
    heartbeat: duration.default('PT1H'),
    alarm: alarm.default({}),
    log: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    sets: z.array(set).min(1, 'at least one backup set is needed').max(1000),
  })
  .superRefine(({ sets }, context) => {
    for (const [index, { id }] of sets.entries()) {
      if (sets.findIndex((other) => other.id === id) === index) continue
      context.addIssue({
        code: 'custom',
        path: ['sets', index, 'id'],
        message: `another set is called ${id} too`,
      })
    }
  })

/** The agent's configuration, defaults filled in. */
export type AgentConfig = z.output<typeof agentConfig>
/** How alarms leave this machine. */
export type AlarmConfig = AgentConfig['alarm']
/** One backup set: what is backed up, where to, and when. */
export type SetConfig = AgentConfig['sets'][number]
/** A check of restored files by something that knows them. */
export type ProbeConfig = SetConfig['probes'][number]

/**
 * Reads and checks a configuration.
 * @throws BevisError CONFIG_INVALID with every problem at once, each with its place
 */
export function loadConfig(file: string = environment.configFile ?? CONFIG_FILE): AgentConfig {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    throw withCure(
      new BevisError('CONFIG_INVALID', isMissing ? `${file} is not there` : unreadableText(file, cause), {
        cause,
      }),
      isMissing
        ? 'Make it from deploy/examples/agent.yaml, or name another with --config.'
        : 'Check its owner and mode, or name another with --config.',
    )
  }
  return parseConfig(text, file)
}

/** As {@link loadConfig}, for a text; `file` is only its name in messages. */
export function parseConfig(text: string, file: string): AgentConfig {
  return readYaml({ text, name: file, code: 'CONFIG_INVALID' }, agentConfig)
}

/** The set of this name. @throws BevisError USAGE */
export function setOf(config: AgentConfig, id: string): SetConfig {
  const found = config.sets.find((candidate) => candidate.id === id)
  if (found !== undefined) return found
  throw new BevisError(
    'USAGE',
    `there is no set ${id}; the configuration has ${config.sets.map((s) => s.id).join(', ')}`,
  )
}

/** Hex SHA-256 of a set's configuration as compact JSON, secrets left out: the subject of what has no snapshot. */
export function setDigest({ repository: { url }, ...rest }: SetConfig): string {
  return sha256Hex(JSON.stringify({ ...rest, repository: { url } }))
}
