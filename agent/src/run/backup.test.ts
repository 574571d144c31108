import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { quickRepository } from '../../../test/kit/quick-repository.ts'
import { testPlace } from '../../../test/kit/restic-place.ts'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import { storyContext } from '../../../test/kit/story-context.ts'
import { runBackup } from './backup.ts'
import { loadHold } from './hold.ts'

const { builds } = await resticVersions()

describe.each(builds)('restic $version', (build) => {
  /** Over an empty repository, with a restic before which something happens as soon as it is to back up. */
  async function place(happens: string) {
    const made = testPlace(build)
    const binary = join(made.folder, 'restic')
    const script = `#!/bin/sh\nif [ "$1" = backup ]; then ${happens}; fi\nexec ${build.binary} "$@"\n`
    writeFileSync(binary, script, { mode: 0o755 })
    quickRepository(build, made.url)
    const restic = await made.open({ binary })
    return { ...made, restic, ...storyContext(made, restic) }
  }

  test('a root that goes away after our look at it is missing all the same', async () => {
    const gone = 'gone away'
    const made = await place(`rm -r "$(dirname $0)/${gone}"`)
    const root = join(made.folder, gone)
    made.write('kept', 'kept')
    mkdirSync(root)
    writeFileSync(join(root, 'file'), 'lost')
    // Neither is another root for being written another way.
    const set = { ...made.context.set, paths: [`${made.source}/`, `${made.folder}/./${gone}`] }
    const run = await runBackup({ ...made.context, set })
    expect(run).toMatchObject({ outcome: 'partial', error: { code: 'SOURCE_MISSING' } })
    expect(run.error?.message).toContain(gone)
    expect(run.error?.message).not.toContain('source')
    expect(made.drafts[0]?.predicate).toMatchObject({
      outcome: 'partial',
      failed: { paths: expect.arrayContaining([set.paths[1]]) },
    })
    rmSync(join(made.folder, 'restic'))
    writeFileSync(join(made.folder, 'restic'), `#!/bin/sh\nexec ${build.binary} "$@"\n`, { mode: 0o755 })
    mkdirSync(root)
    writeFileSync(join(root, 'file'), 'back')
    expect(await runBackup({ ...made.context, set })).toMatchObject({ outcome: 'complete', error: null })
  })

  test('a root that is a symbolic link is missing, unless what it leads to is in another root', async () => {
    const made = testPlace(build)
    const { context, drafts } = storyContext(made, await made.make())
    const [disk, data] = [join(made.folder, 'disk'), join(made.folder, 'data')]
    mkdirSync(join(disk, 'web'), { recursive: true })
    writeFileSync(join(disk, 'web', 'page'), 'page')
    made.write('file', 'content')
    symlinkSync(join(disk, 'web'), data)
    const run = (...paths: string[]) => runBackup({ ...context, set: { ...context.set, paths } })
    for (const root of [data, `${data}/`]) {
      const { outcome, error } = await run(made.source, root)
      expect([outcome, error?.code]).toEqual(['partial', 'SOURCE_MISSING'])
      expect(error?.message).toContain(`restic keeps the link alone: back up ${join(disk, 'web')})`)
      expect(drafts.at(-1)?.predicate).toMatchObject({
        outcome: 'partial',
        failed: { count: 1, paths: [root] },
      })
    }
    const { tally, ...both } = await run(made.source, data, disk)
    expect([both.outcome, both.error, tally?.files]).toEqual(['complete', null, 3])
    // On the way to a root a link is followed.
    expect(await run(join(made.folder, 'data', 'page'))).toMatchObject({ outcome: 'complete', error: null })
    symlinkSync('/nowhere', join(made.folder, 'dangling'))
    expect(await run(made.source, join(made.folder, 'dangling'))).toMatchObject({ outcome: 'partial' })
  })

  test('a path that had files and has none looks unmounted: told and held, however few they were', async () => {
    const made = testPlace(build)
    const { context } = storyContext(made, await made.make())
    const [nas, spool] = [join(made.folder, 'nas'), join(made.folder, 'spool')]
    for (const root of [nas, spool]) mkdirSync(root)
    for (let n = 0; n < 300; n += 1) made.write(`file ${n}`, 'content')
    writeFileSync(join(nas, 'photo'), 'photo')
    const night = async (more: object = {}): Promise<string[]> => {
      const set = { ...context.set, paths: [made.source, nas, spool], ...more }
      const { outcome, anomalies } = await runBackup({ ...context, set })
      expect(outcome).toBe('complete')
      return anomalies.map(({ kind, text }) => `${kind}: ${text}`)
    }
    expect(await night()).toEqual([])
    rmSync(join(nas, 'photo'))
    expect(await night()).toEqual([`emptied: no file is left in ${nas}: is what should be there mounted?`])
    expect(loadHold(context.stateDir, 'shop')?.reasons).toMatchObject([{ kind: 'emptied' }])
    writeFileSync(join(nas, 'photo'), 'photo')
    expect(await night()).toEqual([])
    // Excludes that were changed are nobody's loss.
    expect(await night({ exclude: [nas] })).toEqual([])
  })

  test('a repository that could not be named is asked once more, and told without the stack if that fails too', async () => {
    const made = await place('true')
    made.write('file', 'content')
    const stack = String.raw`readVersion\nmain.main\n\tgithub.com/restic/restic/cmd/restic/main.go:196\nruntime.main\n\truntime/proc.go:290\n`
    const failing = (times: number): void => {
      const count = `$(ls "$(dirname $0)" | grep -c ^failed)`
      const fails = `touch "$(dirname $0)/failed-$$"; printf '${stack}' >&2; exit 1`
      const script = `#!/bin/sh\nif [ "$1" = cat ] && [ ${count} -lt ${times} ]; then ${fails}; fi\nexec ${build.binary} "$@"\n`
      rmSync(join(made.folder, 'restic'))
      writeFileSync(join(made.folder, 'restic'), script, { mode: 0o755 })
    }
    failing(2)
    const { outcome, error } = await runBackup(made.context)
    expect([outcome, error?.code, error?.message]).toEqual([
      'failed',
      'RESTIC_FAILED',
      expect.stringMatching(/ended with 1: readVersion$/),
    ])
    failing(3)
    expect(await runBackup(made.context)).toMatchObject({ outcome: 'complete', error: null })
  })

  test('a restic that cannot be noted is ended at once, and the run is told as failed', async () => {
    const made = await place('sleep 1; touch $0-went-on')
    made.write('file', 'content')
    await made.restic.repositoryId()
    const [noted = ''] = readdirSync(join(made.folder, 'cache', 'own-processes'))
    const folder = join(made.folder, 'cache', 'own-processes', noted)
    // What a full or read-only disk does, for root too: nothing can be made in it.
    rmSync(folder, { recursive: true })
    writeFileSync(folder, '')
    expect(await made.restic.backup({ paths: [made.source] })).toMatchObject({
      outcome: 'failed',
      error: { code: 'RESTIC_INTERRUPTED', message: expect.stringContaining('could not be noted') },
    })
    const run = await runBackup(made.context)
    expect(run).toMatchObject({ outcome: 'failed', snapshotId: null, error: { code: 'RESTIC_INTERRUPTED' } })
    expect(made.drafts.at(-1)?.predicate).toMatchObject({ outcome: 'failed' })
    await sleep(2_000)
    expect(existsSync(join(made.folder, 'restic-went-on'))).toBe(false)
    rmSync(folder)
    mkdirSync(folder)
    expect(await made.restic.snapshots()).toEqual([])
  })
})
