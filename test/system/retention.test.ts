/**
 * Retention by contract on real repositories. For each way in which `restic forget --keep-*` removes what a contract
 * still owes, restic itself shows it (a dry run of the policy that one would write), and the plan keeps it.
 */
import { execFileSync } from 'node:child_process'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import type { Statement } from '@bevis/shared/evidence/statement'
import { contractFor, keeping } from '@bevis/shared/contract/story-for-tests'
import type { Contract } from '@bevis/shared/contract/schema'
import { describe, expect, test } from 'vitest'
import type { OwnRun } from '../../agent/src/evidence/own-runs.ts'
import { snapOf } from '../../agent/src/evidence/observe.ts'
import { loadHold, raiseHold, releaseHold } from '../../agent/src/run/hold.ts'
import { runInventory } from '../../agent/src/run/inventory.ts'
import { runRetention } from '../../agent/src/run/retention.ts'
import type { RetentionContext, RetentionResult } from '../../agent/src/run/retention.ts'
import { createManifest, listManifests } from '../../agent/src/manifest/file.ts'
import { openRestic } from '../../agent/src/restic/restic.ts'
import type { Restic, Snapshot } from '../../agent/src/restic/restic.ts'
import { restServer } from '../kit/rest-server.ts'
import { testPlace } from '../kit/restic-place.ts'
import type { TestPlace } from '../kit/restic-place.ts'
import { resticVersions } from '../kit/restic-versions.ts'
import type { ResticBuild } from '../kit/restic-versions.ts'
import { storyContext } from '../kit/story-context.ts'

const { builds } = await resticVersions()
const newest = builds.slice(-1)
const own = hostname()

interface Shop {
  place: TestPlace
  restic: Restic
  context: RetentionContext
  drafts: ReturnType<typeof storyContext>['drafts']
  /** A snapshot of this time, made by the agent's own whole run unless it says otherwise. */
  take(time: string, options?: Taken): Promise<Snapshot>
  /** As somebody else would, by hand. */
  forget(...snapshots: Snapshot[]): void
  /** What restic would remove by a policy. */
  wouldForget(...policy: string[]): string[]
  at(now: string, more?: Partial<RetentionContext>): Promise<RetentionResult>
  ids(): Promise<string[]>
}

interface Taken {
  host?: string
  path?: string
  isAttested?: boolean
}

async function shop(build: ResticBuild, min: Record<string, unknown>[]): Promise<Shop> {
  const place = testPlace(build)
  const restic = await place.make()
  place.write('orders', 'orders')
  const { context: story, drafts } = storyContext(place, restic)
  const runs: OwnRun[] = []
  const repository = { id: await restic.repositoryId(), location: place.url }
  const contract: Contract = contractFor({
    id: 'shop',
    selector: { repository: repository.id, hosts: [own, 'old-name'], requiredPaths: [place.source] },
    retention: keeping(min),
  })
  const taken = new Set<string>()
  const run = (...args: string[]): string =>
    execFileSync(
      build.binary,
      ['-r', place.url, '-p', join(place.folder, 'password'), '--no-cache', ...args],
      {
        env: { PATH: process.env['PATH'], TZ: 'UTC', HOME: place.folder },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
  const set = {
    ...story.set,
    retention: { fromContract: true, every: 'P1D', prune: 'weekly' as const, hold: {} },
  }
  let now = new Date()
  const context: RetentionContext = {
    ...story,
    set,
    sharing: [set],
    contracts: [contract],
    own: runs,
    now: () => now,
    apply: false,
    isUnattended: false,
    clockDoubt: null,
  }
  return {
    place,
    restic,
    context,
    drafts,
    async take(time, { host = own, path = place.source, isAttested = true } = {}) {
      run('backup', '-q', '--host', host, '--time', time.replace('T', ' ').slice(0, 19), path)
      const made = (await restic.snapshots()).find(({ id }) => !taken.has(id))
      if (!made) throw new Error('no snapshot')
      taken.add(made.id)
      if (isAttested) runs.push(attested(made, repository, runs.length + 1))
      return made
    },
    forget: (...snapshots) => void run('forget', '-q', ...snapshots.map(({ id }) => id)),
    wouldForget(...policy) {
      const groups = JSON.parse(run('forget', '--dry-run', '--json', ...policy)) as Groups
      return groups.flatMap(({ remove }) => (remove ?? []).map(({ id }) => id))
    },
    at(instant, more = {}) {
      now = new Date(instant)
      return runRetention({ ...context, ...more })
    },
    ids: async () => (await restic.snapshots()).map(({ id }) => id),
  }
}

type Groups = { remove: { id: string }[] | null }[]

/** The statement of a whole run that made it. */
function attested(snapshot: Snapshot, repository: { id: string; location: string }, seq: number): OwnRun {
  const { time } = snapOf(snapshot)
  const predicate = {
    chain: { tenant: 't', agent: 'a', epoch: 1, seq, prev: '0'.repeat(64), log: null },
    host: 'h',
    tools: { agent: 'bevis-agent', os: 'linux' },
    set: 'shop',
    repository,
    startedAt: time,
    endedAt: time,
    exitCode: 0,
    outcome: 'complete',
    snapshot: snapOf(snapshot),
    source: { files: 1, bytes: 6, filesNew: 0, filesChanged: 0, filesUnmodified: 1, addedBytes: 0 },
  }
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [],
    predicateType: predicateTypeOf('backup-run'),
    predicate,
  }
  return { receivedAt: time, statement: statement as unknown as Statement }
}

function going(result: RetentionResult): string[] {
  if (result.plan === null) throw result.error ?? new Error('no plan')
  return result.plan.go.map(({ id }) => id)
}

describe.each(newest)('traps of restic’s own policies, restic $version', (build) => {
  test('off by one: --keep-daily 2 has removed the second closed day by the evening', async () => {
    const place = await shop(build, [{ per: 'day', keep: 2 }])
    const [first, second, third, today] = [
      await place.take('2025-03-07T12:00:00Z'),
      await place.take('2025-03-08T12:00:00Z'),
      await place.take('2025-03-09T12:00:00Z'),
      await place.take('2025-03-10T12:00:00Z'),
    ]
    expect(place.wouldForget('--keep-daily', '2', '--group-by', '')).toEqual(
      expect.arrayContaining([second.id]),
    )
    const result = await place.at('2025-03-10T20:00:00Z')
    expect(going(result)).toEqual([first.id])
    expect(result.plan?.stay.map(({ id }) => id)).toEqual([second.id, third.id, today.id])
    // What is shown to people as restic's arguments keeps what is owed, too.
    expect(result.plan?.policy).toContain('--keep-daily 3')
    expect(place.wouldForget('--keep-daily', '3', '--group-by', '')).toEqual([first.id])
  })

  test('years: --keep-yearly 2 removes on New Year’s Day what is owed through the last day of the year', async () => {
    const place = await shop(build, [{ per: 'year', keep: 2 }])
    const owed = await place.take('2025-12-31T12:00:00Z')
    await place.take('2026-12-31T12:00:00Z')
    await place.take('2027-12-31T10:00:00Z')
    await place.take('2028-01-01T10:00:00Z')
    // 2025 is kept to the end of 2027, which on the 1st of January is over; 2026 is owed still.
    expect(going(await place.at('2027-12-31T20:00:00Z'))).toEqual([])
    expect(place.wouldForget('--keep-yearly', '2', '--group-by', '')).toContain(owed.id)
    expect(going(await place.at('2028-01-01T20:00:00Z'))).toEqual([owed.id])
  })

  test('offsets: what was taken at 00:30 Danish time is yesterday’s to restic', async () => {
    const place = await shop(build, [{ per: 'day', keep: 2 }])
    const over = await place.take('2025-03-07T12:00:00Z')
    const noon = await place.take('2025-03-08T12:00:00Z')
    const night = await place.take('2025-03-08T23:30:00Z')
    await place.take('2025-03-10T12:00:00Z')
    // For restic both are of the 8th, so the older one goes, and one that nobody is owed stays in its place.
    expect(place.wouldForget('--keep-daily', '3', '--group-by', '')).toEqual([noon.id])
    const { plan } = await place.at('2025-03-10T20:00:00Z')
    expect(plan?.go.map(({ id }) => id)).toEqual([over.id])
    expect(plan?.stay.map(({ id }) => id)).toContain(night.id)
  })

  test('a date in the future takes a place from restic, and none from the plan', async () => {
    const place = await shop(build, [{ per: 'day', keep: 2 }])
    const owed = await place.take('2025-03-08T12:00:00Z')
    await place.take('2025-03-09T12:00:00Z')
    await place.take('2025-03-10T12:00:00Z')
    const future = await place.take('2035-01-01T12:00:00Z', { isAttested: false })
    expect(place.wouldForget('--keep-daily', '3', '--group-by', '')).toEqual([owed.id])
    const { plan } = await place.at('2025-03-10T20:00:00Z')
    expect(plan?.go).toEqual([])
    expect(plan?.stay.find(({ id }) => id === future.id)?.reasons.map(({ kind }) => kind)).toEqual([
      'future-dated',
    ])
  })

  test('grouping: a host that was renamed keeps its last ones for ever with restic’s default, not here', async () => {
    const place = await shop(build, [{ per: 'day', keep: 2 }])
    const old = await place.take('2025-03-01T12:00:00Z', { host: 'old-name' })
    await place.take('2025-03-09T12:00:00Z')
    await place.take('2025-03-10T12:00:00Z')
    expect(place.wouldForget('--keep-daily', '3')).toEqual([])
    expect(going(await place.at('2025-03-10T20:00:00Z'))).toEqual([old.id])
  })

  test('a tag gives a snapshot a new ID: it is the recovery point still', async () => {
    const place = await shop(build, [{ per: 'day', keep: 2 }])
    const taken = await place.take('2025-03-08T12:00:00Z')
    await place.take('2025-03-10T12:00:00Z')
    const args = ['-r', place.place.url, '-p', join(place.place.folder, 'password'), '--no-cache']
    execFileSync(build.binary, [...args, 'tag', '-q', '--add', 'month-end', taken.id])
    const renamed = (await place.restic.snapshots()).find(({ original }) => original === taken.id)
    const { plan } = await place.at('2025-03-10T20:00:00Z')
    expect(plan?.stay.find(({ id }) => id === renamed?.id)?.reasons).toEqual([
      expect.objectContaining({ kind: 'owed', bucket: '2025-03-08' }),
    ])
  })

  test('another set’s, another host’s and what nobody can place are not touched', async () => {
    const place = await shop(build, [{ per: 'day', keep: 2 }])
    mkdirSync(join(place.place.folder, 'other'))
    writeFileSync(join(place.place.folder, 'other', 'file'), 'other')
    const foreign = await place.take('2025-03-01T12:00:00Z', { isAttested: false, host: 'old-name' })
    const byHand = await place.take('2025-03-02T12:00:00Z', { isAttested: false })
    const pathless = await place.take('2025-03-03T12:00:00Z', {
      isAttested: false,
      path: join(place.place.folder, 'other'),
    })
    await place.take('2025-03-10T12:00:00Z')
    const { plan } = await place.at('2025-03-10T20:00:00Z')
    expect(plan?.go.map(({ id }) => id)).toEqual([byHand.id])
    expect(plan?.foreign.map(({ id }) => id)).toEqual([foreign.id, pathless.id])
  })
})

describe.each(builds)('restic $version', (build) => {
  test('shows first, then removes that and nothing else, prunes, and states it all', async () => {
    const place = await shop(build, [{ per: 'day', keep: 1 }])
    place.place.write('large', Buffer.alloc(400_000, 'x'))
    const [gone, stays] = [await place.take('2025-03-07T12:00:00Z'), await place.take('2025-03-10T12:00:00Z')]
    const folder = join(place.place.folder, 'state', 'manifests', 'shop')
    for (const snapshot of [gone, stays]) {
      const header = {
        manifest: 1 as const,
        set: 'shop',
        snapshot: snapOf(snapshot),
        startedAt: snapOf(snapshot).time,
        restic: build.version,
        turn: 0,
      }
      await (await createManifest(folder, header)).finish()
    }
    const now = '2025-03-10T20:00:00Z'
    const first = await place.at(now, { apply: true })
    expect(first).toMatchObject({ removed: [], isFirstShown: true, pruned: true, error: null })
    expect(await place.ids()).toHaveLength(2)
    // Backed up meanwhile: it was not shown, and stays whatever the plan says of it.
    const late = await place.take('2025-03-08T12:00:00Z')
    const second = await place.at(now, { apply: true })
    expect(second).toMatchObject({ removed: [gone.id], manifestsDropped: 1, error: null })
    expect(await place.ids()).toEqual([late.id, stays.id])
    expect((await listManifests(folder)).map(({ snapshot }) => snapshot)).toEqual([stays.id])
    const runs = place.drafts.filter(({ name }) => name === 'retention-run').map(({ predicate }) => predicate)
    expect(runs).toMatchObject([
      { removed: [], kept: 2, pruned: true, exitCode: 0 },
      { removed: [gone.id], kept: 2, pruned: false, exitCode: 0, policy: { contract: 'AFT-1', version: 1 } },
    ])
    expect(place.drafts.at(-1)?.name).toBe('inventory')
    // A week later it is time to prune again.
    const third = await place.at('2025-03-19T20:00:00Z', { apply: true })
    expect(third.error).toMatchObject({
      code: 'RETENTION_REFUSED',
      message: expect.stringContaining('newest whole backup'),
    })
    await place.take('2025-03-19T12:00:00Z')
    const fourth = await place.at('2025-03-19T20:00:00Z', { apply: true })
    expect(fourth).toMatchObject({ pruned: true, error: null })
    expect(fourth.freedBytes).toBeGreaterThanOrEqual(0)
    await place.restic.check()
  })
})

test.each(newest)(
  'a hold, a doubtful clock and a large part at once keep everything, restic $version',
  async (build) => {
    const place = await shop(build, [{ per: 'day', keep: 1 }])
    for (let hour = 1; hour <= 12; hour += 1)
      await place.take(`2025-03-01T${String(hour).padStart(2, '0')}:00:00Z`)
    const now = '2025-03-01T20:00:00Z'
    expect(going(await place.at(now))).toHaveLength(11)
    const { stateDir } = place.context
    const reasons = [{ kind: 'shrink', text: '98 % fewer files than the day before' }]
    // Of another set in the same repository: pruning would be of both.
    raiseHold(stateDir, 'books', { reasons, snapshot: null, now: new Date(now) })
    const { set } = place.context
    const sharing = [set, { ...set, id: 'books' }]
    expect((await place.at(now, { apply: true, sharing })).error?.code).toBe('RETENTION_HELD')
    raiseHold(stateDir, 'shop', { reasons, snapshot: null, now: new Date(now) })
    const held = await place.at(now, { apply: true })
    expect(held).toMatchObject({ removed: [], pruned: false, error: { code: 'RETENTION_HELD' } })
    expect(place.drafts.at(-1)).toMatchObject({
      name: 'retention-run',
      predicate: { removed: [], heldBy: expect.stringContaining('98 % fewer files') },
    })
    releaseHold(stateDir, 'shop')
    const doubted = await place.at(now, { apply: true, clockDoubt: 'this host’s clock is 400 s off' })
    expect(doubted).toMatchObject({ removed: [], error: { code: 'RETENTION_REFUSED' } })
    const unattended = await place.at(now, { apply: true, isUnattended: true })
    expect(unattended.error?.message).toContain('11 of 12 snapshots would go at once')
    expect(await place.ids()).toHaveLength(12)
    await runInventory(place.context)
    expect((await place.at(now, { apply: true })).removed).toHaveLength(11)
    expect(await place.ids()).toHaveLength(1)
    // What we removed ourselves is no reason to hold.
    expect(loadHold(stateDir, 'shop')).toBeNull()
  },
)

describe.each(newest)('snapshots go that nobody here removes, restic $version', (build) => {
  test('one while others are removed: nothing is pruned, and the next run is held', async () => {
    const place = await shop(build, [{ per: 'day', keep: 2 }])
    const [over, owed] = [await place.take('2025-03-01T12:00:00Z'), await place.take('2025-03-09T12:00:00Z')]
    await place.take('2025-03-10T12:00:00Z')
    const now = '2025-03-10T20:00:00Z'
    expect(going(await place.at(now))).toEqual([over.id])
    const restic: Restic = {
      ...place.restic,
      async forget(request) {
        const run = await place.restic.forget(request)
        place.forget(owed)
        return run
      },
    }
    const result = await place.at(now, { apply: true, restic })
    expect(result).toMatchObject({ removed: [over.id], pruned: false, error: { code: 'RETENTION_REFUSED' } })
    expect(result.error?.message).toContain(`snapshot ${owed.id} is gone`)
    expect(place.drafts.find(({ name }) => name === 'retention-run')?.predicate).toMatchObject({
      removed: [over.id],
      pruned: false,
      heldBy: expect.stringContaining(owed.id),
    })
    expect(loadHold(place.context.stateDir, 'shop')?.reasons).toMatchObject([{ kind: 'vanished' }])
    expect((await place.at(now, { apply: true })).error?.code).toBe('RETENTION_HELD')
  })

  test.each(['retention finds it', 'the next inventory finds it'])(
    'many at once: nothing is removed or pruned until a person has looked; %s',
    async (by) => {
      const place = await shop(build, [{ per: 'day', keep: 20 }])
      const { stateDir } = place.context
      const over = await place.take('2025-02-01T12:00:00Z')
      const taken: Snapshot[] = []
      for (let day = 1; day <= 15; day += 1)
        taken.push(await place.take(`2025-03-${String(day).padStart(2, '0')}T12:00:00Z`))
      const now = '2025-03-15T20:00:00Z'
      await runInventory(place.context)
      expect(going(await place.at(now))).toEqual([over.id])
      place.forget(...taken.slice(0, 12))
      if (by !== 'retention finds it') await runInventory(place.context)
      const held = await place.at(now, { apply: true })
      expect(held).toMatchObject({ removed: [], pruned: false, error: { code: 'RETENTION_HELD' } })
      expect(held.error?.message).toContain('12 snapshots are gone that this agent did not remove')
      expect(await place.ids()).toContain(over.id)
      // Who has looked is not asked again.
      releaseHold(stateDir, 'shop')
      const released = await place.at(now, { apply: true })
      expect(released).toMatchObject({ removed: [over.id], pruned: true, error: null })
      expect(loadHold(stateDir, 'shop')).toBeNull()
    },
  )

  test('a few, or a new ID by a tag, hold nothing', async () => {
    const place = await shop(build, [{ per: 'day', keep: 20 }])
    const taken: Snapshot[] = []
    for (let day = 1; day <= 15; day += 1)
      taken.push(await place.take(`2025-03-${String(day).padStart(2, '0')}T12:00:00Z`))
    await runInventory(place.context)
    const args = ['-r', place.place.url, '-p', join(place.place.folder, 'password'), '--no-cache']
    execFileSync(build.binary, [...args, 'tag', '-q', '--add', 'looked-at'])
    place.forget(...(await place.restic.snapshots()).slice(0, 3))
    const result = await place.at('2025-03-15T20:00:00Z', { apply: true })
    expect(result).toMatchObject({ hold: null, pruned: true, error: null })
  })
})

test.each(builds.filter(({ restServer: program }) => program !== undefined).slice(-1))(
  'append-only storage says no: told, stated, and nothing is pruned, restic $version',
  async (build) => {
    const place = await shop(build, [{ per: 'day', keep: 1 }])
    await place.take('2025-03-07T12:00:00Z')
    await place.take('2025-03-10T12:00:00Z')
    renameSync(place.place.url, join(place.place.folder, 'set'))
    const server = await restServer(build.restServer ?? '', place.place.folder, ['--append-only'])
    const restic = await openRestic({
      binary: build.binary,
      repository: { url: server.url, passwordFile: join(place.place.folder, 'password') },
      cacheDir: join(place.place.folder, 'cache'),
      environment: { PATH: process.env['PATH'] ?? '', HOME: place.place.folder },
      lockWaitMs: 1_000,
    })
    const now = '2025-03-10T20:00:00Z'
    expect(going(await place.at(now, { restic }))).toHaveLength(1)
    const refused = await place.at(now, { restic, apply: true })
    expect(refused).toMatchObject({ removed: [], pruned: false, error: { code: 'RESTIC_FAILED' } })
    expect(refused.error?.message).toContain('the storage refuses to delete')
    expect(place.drafts.at(-1)).toMatchObject({
      name: 'retention-run',
      predicate: { removed: [], kept: 2, exitCode: expect.any(Number) },
    })
    expect(await restic.snapshots()).toHaveLength(2)
    const stopped = await place.at(now, { restic, apply: true, signal: AbortSignal.abort() })
    expect(stopped).toMatchObject({ removed: [], error: { code: expect.stringMatching(/INTERRUPTED/) } })
  },
)
