/** What the demo's contract and configurations are made of. */
export interface Terms {
  readonly host: string
  /** What is backed up, absolute. */
  readonly source: string
  /** Left out of the backup. */
  readonly exclude: readonly string[]
  readonly sets: readonly {
    readonly id: string
    readonly repository: string
    readonly repositoryId: string
  }[]
  readonly passwordFile: string
  readonly collectorUrl: string
  readonly state: string
  /** Whether the agent's service goes on by itself, every few minutes, with the first set. */
  readonly goesOn: boolean
  readonly now: Date
}

export const CONTRACT = 'DEMO-2026-001'
const zone = 'Europe/Copenhagen'

// JSON is YAML: what programs write needs no other form. People's examples are in deploy/examples.
const yaml = (comment: string, value: unknown) => `# ${comment}\n${JSON.stringify(value, null, 2)}\n`

/** A contract made for today: a point every day, kept for two weeks, and a restore test every month. */
export function contractText({ host, source, sets, now }: Terms): string {
  const today = Temporal.Instant.fromEpochMilliseconds(now.getTime())
    .toZonedDateTimeISO(zone)
    .toPlainDate()
    .toString()
  const at = new Date(now.getTime() - 3_600_000).toISOString()
  return yaml('Made by the demo for today.', {
    id: CONTRACT,
    provider: { name: 'Nordlys IT-drift ApS', cvr: '11223344' },
    customer: { name: 'Havfruen Keramik ApS', cvr: '33445566' },
    timezone: zone,
    term: { start: today },
    versions: [
      {
        no: 1,
        effectiveFrom: today,
        acceptances: [
          { party: 'customer', person: 'Liv Dam', at },
          { party: 'provider', person: 'S. Lind', at },
        ],
        sets: sets.map(({ id, repositoryId }) => ({
          id,
          personalData: 'ordinary',
          selector: { repository: repositoryId, hosts: [host], requiredPaths: [source] },
          schedule: { every: 'P1D' },
          retention: {
            wording:
              'Daglig backup gemmes i 14 dage, ugebackup i 8 uger, månedsbackup i 6 måneder; højst 7 måneder.',
            min: [
              { per: 'day', keep: 14 },
              { per: 'week', keep: 8 },
              { per: 'month', keep: 6 },
            ],
            max: { age: 'P7M' },
          },
          partial: { maxFailedPct: 5 },
          restoreTest: { every: 'P1M', mode: 'full', rto: 'PT4H' },
        })),
      },
    ],
  })
}

export function agentText(terms: Terms): string {
  const { source, exclude, sets, passwordFile, collectorUrl, state, goesOn } = terms
  // The contract asks for a restore of everything each month.
  const tested = { files: 20, fullEvery: 'P28D' }
  return yaml('Made by the demo.', {
    collector: { url: collectorUrl },
    state,
    heartbeat: 'PT1M',
    sets: sets.map(({ id, repository }, index) => ({
      id,
      contract: CONTRACT,
      paths: [source],
      exclude,
      repository: { url: repository, passwordFile },
      ...(index === 0 && goesOn
        ? { backup: { cron: '*/2 * * * *' }, restoreTest: { cron: '1-59/4 * * * *', ...tested } }
        : { backup: { cron: '30 3 * * *' }, restoreTest: { cron: '0 5 * * 6', ...tested } }),
      inventory: { every: 'PT1H' },
    })),
  })
}

export function collectorText(place: {
  listen: string
  url: string
  state: string
  clock: { url: string; rootFile: string } | null
}): string {
  const { clock } = place
  return yaml('Made by the demo.', {
    listen: place.listen,
    origin: 'demo.bevis.example/log',
    publicUrl: place.url,
    state: place.state,
    tick: 'PT5S',
    ...(clock !== null && { timestamps: [{ url: clock.url, ca: clock.rootFile }] }),
  })
}
