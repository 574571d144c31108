import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import { quickenRepository, QUICK_PASSWORD } from '../../../test/kit/quick-repository.ts'
import { testPlace } from '../../../test/kit/restic-place.ts'
import type { TestPlace } from '../../../test/kit/restic-place.ts'

const { builds } = await resticVersions()
const server = builds.findLast(({ restServer }) => restServer !== undefined)?.restServer

describe.each(builds)('restic $version over rest-server', (build) => {
  beforeEach(({ skip }) => skip(server === undefined, 'there is no rest-server here'))

  test('a repository is missing, made, filled, tested; its password stays with us', async () => {
    const place = testPlace(build)
    const { url, stop } = await serve(place)
    const repository = { url, passwordFile: join(place.folder, 'password') }
    const restic = await place.open({ repository })
    expect(restic.location).not.toContain('sesame')
    const missing = await restic.snapshots().catch((error: unknown) => error)
    expect(missing).toMatchObject({ code: 'RESTIC_REPOSITORY_MISSING' })
    expect(String(missing)).not.toContain('sesame')
    const id = await restic.init()
    quickenRepository(join(place.folder, 'served', 'set'), QUICK_PASSWORD)
    place.write('a', randomBytes(100_000))
    const run = await restic.backup({ paths: [place.source] })
    expect(run).toMatchObject({ outcome: 'complete', summary: { files: 1 } })
    expect(await restic.repositoryId()).toBe(id)
    const { snapshotId = '' } = run
    const scratch = { target: join(place.folder, 'target'), cacheDir: join(place.folder, 'fresh') }
    expect((await restic.restore({ snapshotId, ...scratch })).error).toBeUndefined()

    await stop()
    const gone = await restic.snapshots({ deadlineMs: 3_000 }).catch((error: unknown) => error)
    expect(gone).toMatchObject({ code: 'RESTIC_REPOSITORY_UNREACHABLE' })
    expect(String(gone)).not.toContain('sesame')
  })
})

async function serve(place: TestPlace): Promise<{ url: string; stop: () => Promise<void> }> {
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const child = spawn(
    server ?? '',
    ['--no-auth', '--listen', address, '--path', join(place.folder, 'served')],
    {
      stdio: 'ignore',
    },
  )
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  onTestFinished(stop)
  for (let tries = 0; tries < 100; tries += 1) {
    const answers = await fetch(`http://${address}/`).then(
      () => true,
      () => false,
    )
    if (answers) break
    await sleep(50)
  }
  return { url: `rest:http://user:sesame@${address}/set`, stop }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
