import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { holdLock } from '../../../test/kit/other-restic.ts'
import { quickRepository } from '../../../test/kit/quick-repository.ts'
import { testPlace } from '../../../test/kit/restic-place.ts'
import type { TestPlace } from '../../../test/kit/restic-place.ts'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import { faultyWay, restServer } from '../../../test/kit/rest-server.ts'
import type { Mishap, RestServer } from '../../../test/kit/rest-server.ts'
import { storyContext } from '../../../test/kit/story-context.ts'
import type { StoryContext } from '../../../test/kit/story-context.ts'
import { runDeletionProbe } from './deletion-probe.ts'
import { PROBE_NAME } from './probe-snapshot.ts'

const { builds } = await resticVersions()
const program = builds.findLast(({ restServer: one }) => one !== undefined)?.restServer ?? ''

describe.each(builds)('restic $version', (build) => {
  beforeEach(({ skip }) => skip(program === '', 'there is no rest-server here'))

  test('append-only storage refuses, which is proven again and again on one snapshot', async () => {
    const { context, drafts, restic, own } = await served(['--append-only'])
    const first = await runDeletionProbe(context)
    expect(first).toMatchObject({ outcome: 'refused', error: null, answer: expect.stringContaining('403') })
    expect(await runDeletionProbe(context)).toMatchObject({
      outcome: 'refused',
      snapshotId: first.snapshotId,
    })
    const listed = await restic.snapshots()
    expect(listed.filter(({ tags }) => tags.includes(PROBE_NAME))).toMatchObject([
      { id: first.snapshotId, hostname: PROBE_NAME },
    ])
    expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining(own))
    expect(await restic.locks()).toEqual([])
    expect(drafts).toMatchObject([
      {
        subject: { name: `snapshots/${first.snapshotId}` },
        predicate: { outcome: 'refused', attempted: first.snapshotId, by: expect.stringContaining('403') },
      },
      { predicate: { outcome: 'refused' } },
    ])
  })

  test('storage that deletes is told, and nothing else than the probe is gone', async () => {
    const { context, drafts, restic, own, place } = await served()
    // Somebody gave real data the probe's names.
    const named = await restic.backup({ paths: [place.source], host: PROBE_NAME, tags: [PROBE_NAME] })
    for (let run = 0; run < 2; run += 1) {
      expect(await runDeletionProbe(context)).toMatchObject({ outcome: 'allowed', error: null })
    }
    expect((await restic.snapshots()).map(({ id }) => id)).toEqual([...own, named.snapshotId])
    expect(drafts).toMatchObject([
      { predicate: { outcome: 'allowed' } },
      { predicate: { outcome: 'allowed' } },
    ])
  })

  test('a folder of this machine is no append-only storage', async () => {
    const place = testPlace(build)
    const { context } = storyContext(place, await place.make())
    expect(await runDeletionProbe(context)).toMatchObject({ outcome: 'allowed' })
  })

  test('while somebody else works on the repository nothing can be told', async () => {
    const place = testPlace(build)
    const { context } = storyContext(place, await place.make())
    const release = await holdLock(place, build.binary)
    expect(await runDeletionProbe(context)).toMatchObject({
      outcome: 'inconclusive',
      error: { code: 'RESTIC_REPOSITORY_LOCKED' },
    })
    await release()
    expect(await runDeletionProbe(context)).toMatchObject({ outcome: 'allowed' })
  })

  /** From the deletion on; what comes before it has the time that a busy machine takes. */
  function impatient(context: StoryContext): StoryContext {
    const { restic } = context
    let isTried = false
    return {
      ...context,
      restic: {
        ...restic,
        forget(request) {
          isTried = true
          return restic.forget({ ...request, deadlineMs: 3_000 })
        },
        snapshots: (limits) => restic.snapshots({ ...limits, ...(isTried && { deadlineMs: 3_000 }) }),
      },
    }
  }

  const isProbe: (what: ReturnType<Mishap>) => Mishap =
    (what) =>
    ({ method, url }) =>
      method === 'DELETE' && url?.includes('/snapshots/') === true ? what : null

  test.each([
    ['stall', 'RESTIC_TIMEOUT'],
    ['reset', /TIMEOUT|UNREACHABLE|FAILED/],
    [500, /TIMEOUT|UNREACHABLE|FAILED/],
    [401, /TIMEOUT|UNREACHABLE|FAILED/],
    [200, 'RESTIC_FAILED'],
  ] as const)('a deletion that is answered with %s proves nothing, and says so', async (what, code) => {
    const { context, drafts, restic, own } = await served(['--append-only'], isProbe(what), () => {}, 1_000)
    // An answer ends it by itself; what restic tries again for a quarter of an hour is ended.
    const run = await runDeletionProbe(what === 200 ? context : impatient(context))
    expect(run.outcome).toBe('inconclusive')
    expect(run.error?.code).toMatch(code)
    expect(drafts).toMatchObject([{ predicate: { outcome: 'inconclusive', attempted: run.snapshotId } }])
    expect((await restic.snapshots()).map(({ id }) => id)).toEqual([...own, run.snapshotId])
  })

  test('storage that says no and deletes all the same has refused nothing', async () => {
    let target = ''
    const { context } = await served(
      [],
      ({ method, url = '' }, response) => {
        if (method !== 'DELETE' || !url.includes('/snapshots/')) return null
        // It is gone before the answer is there: else the listing could come first.
        void fetch(`${target}${url}`, { method }).then(() => response.writeHead(403).end())
        return 'stall'
      },
      ({ url }) => {
        target = new URL(url.replace('rest:', '')).origin
      },
    )
    const run = await runDeletionProbe(context)
    expect(run).toMatchObject({ outcome: 'inconclusive', error: { code: 'RESTIC_FAILED' } })
    expect(run.error?.message).toMatch(/but it is gone/)
  })

  test('a server that dies in the middle of the probe has refused nothing, even if it did', async () => {
    let server: RestServer | undefined
    let isAnswered = false
    const { context, drafts } = await served(
      ['--append-only'],
      ({ method, url = '' }) => {
        if (method !== 'DELETE' || !url.includes('/snapshots/')) return isAnswered ? 'reset' : null
        isAnswered = true
        void server?.kill()
        return 403
      },
      (one) => {
        server = one
      },
      1_000,
    )
    const run = await runDeletionProbe(impatient(context))
    expect(run).toMatchObject({ outcome: 'inconclusive', snapshotId: expect.any(String) })
    expect(drafts).toMatchObject([{ predicate: { outcome: 'inconclusive' } }])
    await server?.start()
    isAnswered = false
  })

  test('a repository that is shut or gone: nothing was attempted', async () => {
    const { context, drafts, place, server } = await served(['--append-only'], null, () => {}, 1_000)
    writeFileSync(join(place.folder, 'password'), 'wrong')
    expect(await runDeletionProbe(context)).toMatchObject({ error: { code: 'RESTIC_PASSWORD_WRONG' } })
    writeFileSync(join(place.folder, 'password'), 'correct horse')
    await server.kill()
    const stop = AbortSignal.timeout(3_000)
    expect(await runDeletionProbe({ ...context, signal: stop })).toMatchObject({
      error: { code: expect.stringMatching(/^RESTIC_(INTERRUPTED|REPOSITORY_UNREACHABLE)$/) },
    })
    for (const { subject, predicate } of drafts) {
      expect(subject.name).toBe('sets/shop')
      expect(predicate).toMatchObject({ outcome: 'inconclusive', attempted: '0'.repeat(64) })
    }
  })

  test('storage that takes no lock has not been asked', async () => {
    let isReadOnly = false
    const { context } = await served(
      ['--append-only'],
      ({ method, url = '' }) => (isReadOnly && method === 'POST' && url.includes('/locks/') ? 403 : null),
      () => {},
      1_000,
    )
    expect(await runDeletionProbe(context)).toMatchObject({ outcome: 'refused' })
    isReadOnly = true
    const run = await runDeletionProbe({ ...context, signal: AbortSignal.timeout(4_000) })
    expect(run.outcome).toBe('inconclusive')
  })

  async function served(
    options: readonly string[] = [],
    mishap: Mishap | null = null,
    onServer: (server: RestServer) => void = () => {},
    // Until it is killed it takes its lock away, where the server lets it.
    killAfterMs = 20_000,
  ) {
    const place: TestPlace = testPlace(build)
    const folder = join(place.folder, 'served')
    quickRepository(build, join(folder, 'set'))
    const server = await restServer(program, folder, options)
    onServer(server)
    const url = mishap === null ? server.url : await faultyWay(server.url, mishap)
    const restic = await place.open({
      repository: { url, passwordFile: join(place.folder, 'password') },
      killAfterMs,
    })
    place.write('a', 'real data')
    const own: string[] = []
    for (let run = 0; run < 2; run += 1)
      own.push((await restic.backup({ paths: [place.source] })).snapshotId ?? '')
    return { place, server, restic, own, ...storyContext(place, restic, url) }
  }
})
