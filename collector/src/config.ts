import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import { parseCosignerKey } from '@bevis/shared/log/cosignature'
import { readYaml, unreadableText } from '@bevis/shared/yaml'
import { z } from 'zod'

/** Where the configuration is when no --config names it. */
export const CONFIG_FILE = '/etc/bevis/collector.yaml'

/** What the collector takes from its environment: nothing else in the collector reads it. */
export const environment = {
  /** The first account's password, for `init` and `user add`. */
  password: process.env['BEVIS_PASSWORD'] === '' ? undefined : process.env['BEVIS_PASSWORD'],
  /** Set: no colours. */
  noColor: process.env['NO_COLOR'] !== undefined && process.env['NO_COLOR'] !== '',
  /** Set by systemd for a unit of Type=notify. */
  notifySocket: process.env['NOTIFY_SOCKET'],
  /** Who called sudo, if anybody did. */
  sudoUser: process.env['SUDO_USER'] === '' ? undefined : process.env['SUDO_USER'],
  configFile: process.env['BEVIS_COLLECTOR_CONFIG'],
  credentials: process.env['CREDENTIALS_DIRECTORY'],
}

/**
 * `$CREDENTIALS_DIRECTORY/name` names a file that systemd's LoadCredential= hands over. Commands by hand have none,
 * and most need none: there it stays as it is, for whoever reads it to say so.
 */
const path = z
  .string()
  .transform((text) =>
    environment.credentials === undefined
      ? text
      : text.replace(/^\$CREDENTIALS_DIRECTORY\//, `${environment.credentials}/`),
  )
  .refine(
    (text) => (isAbsolute(text) || text.startsWith('$CREDENTIALS_DIRECTORY/')) && !text.includes('\0'),
    'an absolute path is needed',
  )

const listen = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, 'host:port is needed, such as 127.0.0.1:8443')
  .transform((text) => {
    const colon = text.lastIndexOf(':')
    return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
  })
  .refine(({ port }) => port <= 65_535, 'a port is at most 65535')

/** From a minute to a day, in milliseconds: a tick that runs more often would only warm the room. */
const tick = z
  .string()
  .refine(isDuration, 'an ISO 8601 duration is needed, such as PT1M')
  .transform((text) => Temporal.Duration.from(text).total({ unit: 'milliseconds' }))
  .refine((ms) => ms >= 1_000 && ms <= 86_400_000, 'between PT1S and PT24H')

const configSchema = z.strictObject({
  listen: listen.prefault('127.0.0.1:8443'),
  /** The log's name in its signed heads, for ever: a host name of yours, with a path if it likes. */
  origin: z
    .string()
    .max(255)
    .regex(/^[A-Za-z0-9][A-Za-z0-9./_-]*$/, 'a name like collector.example.net/log is needed'),
  state: path.default('/var/lib/bevis-collector'),
  /** Best on another disk than `state`: it tells when the database was set back. */
  checkpointFile: path.optional(),
  tls: z.strictObject({ key: path, cert: path }).optional(),
  /** A certificate (PEM, then those up to its root) and its key, which seal the PDFs (PAdES). */
  seal: z.strictObject({ key: path, cert: path }).optional(),
  /** The address under which agents and people reach it; invitations and links are made of it. */
  publicUrl: z
    .url({ protocol: /^https?$/, error: 'an address is needed, such as https://collector.example.net' })
    .transform((text) => text.replace(/\/+$/, '')),
  /** Outside log witnesses (C2SP tlog-witness): each is asked to cosign the log's heads, at its submission prefix. */
  logWitnesses: z
    .array(
      z.strictObject({
        vkey: z
          .string()
          .max(1_024)
          .refine(isCosignerKey, 'a cosigner’s key is needed: name+hex+base64, type 4'),
        url: z
          .url({ protocol: /^https?$/, error: 'an address is needed, such as https://witness.example.org' })
          .transform((text) => text.replace(/\/+$/, '')),
      }),
    )
    .max(32)
    .default([]),
  /** Time stamping authorities (RFC 3161): each stamps the log's first head of an hour, and every pack. */
  timestamps: z
    .array(
      z.strictObject({
        url: z.url({
          protocol: /^https?$/,
          error: 'an address is needed, such as https://tsa.example.net/tsr',
        }),
        /** PEM: the root certificates that its own are checked by. */
        ca: path,
        /** The policy that it must stamp under, an OID. */
        policy: z
          .string()
          .max(256)
          .regex(/^[0-2](\.(0|[1-9]\d*))+$/, 'an OID is needed, such as 1.3.6.1.4.1.4146.2.3')
          .optional(),
      }),
    )
    .max(8)
    .default([]),
  /** Addresses of reverse proxies whose X-Forwarded-For is believed. */
  trustedProxies: z.array(z.string().max(64)).max(64).default([]),
  /** A file with a token for /metrics; without it, only callers on this machine may read them. */
  metricsTokenFile: path.optional(),
  /** From one address; agents behind one gateway share it. */
  requestsPerMinute: z.int().min(10).max(1_000_000).default(3_000),
  tick: tick.prefault('PT1M'),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug']).default('info'),
})

export interface CollectorConfig extends Omit<z.output<typeof configSchema>, 'checkpointFile'> {
  readonly checkpointFile: string
}

/** Reads and checks the configuration. @throws BevisError CONFIG_INVALID listing every problem with its line */
export function readConfig(file: string | undefined): CollectorConfig {
  const name = file ?? environment.configFile ?? CONFIG_FILE
  let text: string
  try {
    text = readFileSync(name, 'utf8')
  } catch (cause) {
    const message = `${unreadableText(name, cause)}: make it from deploy/examples/collector.yaml, or name another with --config`
    throw new BevisError('CONFIG_INVALID', message, { cause })
  }
  return parseConfig(text, name)
}

/** As `readConfig`, but null where none was named and none is there: for commands that can do without. */
export function readConfigIfAny(file: string | undefined): CollectorConfig | null {
  const isNamed = file !== undefined || environment.configFile !== undefined
  return isNamed || existsSync(CONFIG_FILE) ? readConfig(file) : null
}

export function parseConfig(text: string, file: string): CollectorConfig {
  const config = readYaml({ text, name: file, code: 'CONFIG_INVALID' }, configSchema)
  return { ...config, checkpointFile: config.checkpointFile ?? join(config.state, 'checkpoint.latest') }
}

function isCosignerKey(text: string): boolean {
  try {
    parseCosignerKey(text)
    return true
  } catch {
    return false
  }
}

function isDuration(text: string): boolean {
  try {
    Temporal.Duration.from(text).total({ unit: 'milliseconds' })
    return true
  } catch {
    return false
  }
}
