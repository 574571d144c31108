/** The rules of `restic forget` as we play them through, beside restic's own dry run. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { forgotten, groupOf, parseForgetPolicy } from '@bevis/shared/contract/simulation/forget-policy'
import { zoneOf } from '@bevis/shared/contract/zone'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { QUICK_PASSWORD, quickRepository } from '../kit/quick-repository.ts'
import { resticVersions } from '../kit/restic-versions.ts'
import type { ResticBuild } from '../kit/restic-versions.ts'

const ZONE = 'Europe/Copenhagen'

/** By the clock in Denmark: both nights that change it, month and year ends, week 53, a date far ahead. */
const TIMES = [
  ...['2019-12-31 22:30:00', '2020-01-01 00:30:00', '2020-12-28 03:00:00', '2021-01-03 03:00:00'],
  ...['2024-02-29 12:00:00', '2024-03-31 01:30:00', '2024-03-31 03:30:00', '2024-10-27 02:30:00'],
  ...Array.from({ length: 12 }, (_, n) => `2024-11-${String(n * 2 + 1).padStart(2, '0')} 22:00:00`),
  ...['2024-12-01 00:00:00', '2024-12-01 00:00:01', '2024-12-01 23:59:59', '2024-12-31 23:30:00'],
  ...['2025-01-01 00:10:00', '2025-01-31 05:00:00', '2025-03-01 05:00:00', '2025-03-03 05:00:00'],
  ...['2025-03-30 04:00:00', '2025-03-31 04:00:00', '2025-03-31 04:40:00', '2035-01-01 12:00:00'],
]

const POLICIES = [
  '--keep-last 3',
  '--keep-daily 3',
  '--keep-daily 50',
  '--keep-hourly 4 --keep-weekly 3',
  '--keep-weekly 6 --keep-monthly 4 --keep-yearly 2',
  '--keep-yearly unlimited',
  '--keep-yearly 50',
  '--keep-within 1m',
  '--keep-within 1m --group-by host',
  '--keep-within-daily 1y2m --keep-within-monthly 6y --keep-last 1',
  '--keep-within-hourly 9h --keep-within-weekly 100d --keep-within-yearly 10y --group-by paths',
  '--keep-daily 2 --group-by ""',
]

interface Snapshot {
  id: string
  start: number
  host: string
  paths: string[]
}

const listed = z.array(
  z.object({
    id: z.string(),
    time: z.string(),
    hostname: z.string(),
    paths: z.array(z.string()),
  }),
)
const forgetAnswer = z.array(z.object({ remove: z.array(z.object({ id: z.string() })).nullish() }))

const { builds, missing } = await resticVersions()
if (missing !== undefined) process.stderr.write(`not tested: ${missing}\n`)

test('restic removes what we say that it would, in every version', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-forget-'))
  try {
    const repository = join(folder, 'repository')
    const [oldest] = builds
    if (oldest === undefined) throw new Error('no restic')
    quickRepository(oldest, repository)
    const env = { TZ: ZONE, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: QUICK_PASSWORD, HOME: folder }
    const restic = ({ binary }: ResticBuild, ...args: string[]) =>
      String(execFileSync(binary, [...args, '--no-cache'], { env, cwd: folder }))
    for (const name of ['a', 'b']) writeFileSync(join(folder, name), name)
    for (const [n, time] of TIMES.entries()) {
      const where = n % 7 === 3 ? ['--host', 'other', 'a'] : [n % 5 === 1 ? 'b' : 'a', '--host', 'srv']
      restic(oldest, 'backup', '-q', '--time', time, ...where)
    }
    const snapshots = listed
      .parse(JSON.parse(restic(oldest, 'snapshots', '--json')))
      .map(({ id, time, hostname, paths }) => ({ id, start: Date.parse(time), host: hostname, paths }))
    expect(snapshots).toHaveLength(TIMES.length)
    for (const build of builds) {
      for (const policy of POLICIES) {
        // restic 0.14 keeps all with -1, later ones with this word too
        if (policy.includes('unlimited') && build === oldest) continue
        const args = policy.split(' ').map((word) => (word === '""' ? '' : word))
        const output = restic(build, 'forget', '--dry-run', '--json', ...args)
        const theirs = forgetAnswer.parse(JSON.parse(output.slice(output.indexOf('['))))
        const removed = theirs.flatMap(({ remove }) => (remove ?? []).map(({ id }) => id))
        const told = [build.version, policy]
        expect([...told, played(policy, snapshots).toSorted()]).toEqual([...told, removed.toSorted()])
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

function played(text: string, snapshots: readonly Snapshot[]): string[] {
  const policy = parseForgetPolicy(text)
  const newestFirst = snapshots.toSorted((a, b) => b.start - a.start)
  return [...Map.groupBy(newestFirst, (one) => groupOf(policy, one)).values()].flatMap((group) =>
    forgotten(policy, group, zoneOf(ZONE), Date.now()).map(({ id }) => id),
  )
}
