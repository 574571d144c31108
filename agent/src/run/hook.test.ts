import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { proofPlace } from '../../../test/kit/proof.ts'
import type { ProofPlace } from '../../../test/kit/proof.ts'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import type { SetConfig } from '../config.ts'

const { builds } = await resticVersions()

/** The place's set with hooks that are scripts; `$1` in them is the place's folder. */
function hooked(place: ProofPlace, before: string[], after: string[], snapshotFs = 'none'): SetConfig {
  const argvOf = (script: string): [string, ...string[]] => ['/bin/sh', '-c', script, 'hook', place.folder]
  return {
    ...place.set,
    hooks: { before: before.map(argvOf), after: after.map(argvOf), snapshotFs, timeout: 'PT20S' },
  }
}

const said = (place: ProofPlace, name: string) => readFileSync(join(place.folder, name), 'utf8')

describe.each(builds.slice(-1))('around restic $version', (build) => {
  test('a dump that a hook makes is in the snapshot, witnessed; the hook after knows the snapshot', async () => {
    const place = await proofPlace({ build })
    place.write('kept', 'content')
    const set = hooked(
      place,
      ['echo "$BEVIS_SET $BEVIS_PHASE $BEVIS_SNAPSHOT" > "$1/source/dump"; sleep 2.1'],
      ['echo "$BEVIS_PHASE $BEVIS_OUTCOME $BEVIS_SNAPSHOT" > "$1/after"; rm "$1/source/dump"'],
      'lvm',
    )
    const result = await place.backup({ set })
    expect(result).toMatchObject({ outcome: 'complete', hookErrors: [], tally: { files: 2, witnessed: 2 } })
    expect(said(place, 'after')).toBe(`after complete ${result.snapshotId}\n`)
    expect(place.drafts[0]?.predicate).toMatchObject({ fileSystemSnapshot: 'lvm' })
    // The source is gone, and the witness still proves what came back.
    const { tests } = await place.test({ full: true })
    expect(tests[0]?.result).toMatchObject({ result: 'PASSED', reference: { manifest: 2 } })
  })

  test('when a hook before it fails there is no backup, and that is told; the hooks after it run all the same', async () => {
    const place = await proofPlace({ build })
    place.write('kept', 'content')
    const set = hooked(
      place,
      ['echo "no secret in evidence"; exit 3', 'touch "$1/second"'],
      ['echo "$BEVIS_OUTCOME[$BEVIS_SNAPSHOT]" > "$1/after"'],
    )
    const warned: string[] = []
    const logger = { info() {}, warn: (_: object, message: string) => void warned.push(message) }
    const result = await place.backup({ set, logger })
    expect(result).toMatchObject({ outcome: 'failed', snapshotId: null, error: { code: 'HOOK_FAILED' } })
    expect(place.drafts.map(({ predicate }) => predicate)).toMatchObject([
      {
        outcome: 'failed',
        exitCode: -1,
        error: {
          code: 'HOOK_FAILED',
          message: 'the hook /bin/sh before the backup of shop ended with status 3',
        },
      },
    ])
    expect(JSON.stringify(place.drafts)).not.toContain('no secret')
    expect(warned[0]).toContain('it said: no secret in evidence')
    expect(existsSync(join(place.folder, 'second'))).toBe(false)
    expect(said(place, 'after')).toBe('failed[]\n')
    expect(await place.restic.snapshots()).toEqual([])
  })

  test('a hook after it that fails leaves the statement complete, and does not keep the next one from running', async () => {
    const place = await proofPlace({ build })
    place.write('kept', 'content')
    const result = await place.backup({ set: hooked(place, [], ['exit 1', 'touch "$1/second"']) })
    expect(result).toMatchObject({ outcome: 'complete', error: null, hookErrors: [{ code: 'HOOK_FAILED' }] })
    expect(place.drafts[0]?.predicate).toMatchObject({ outcome: 'complete' })
    expect(place.drafts[0]?.predicate).not.toHaveProperty('error')
    expect(existsSync(join(place.folder, 'second'))).toBe(true)
  })

  test('stopped in a hook: it ends at once, nothing is backed up, what was mounted is taken away', async () => {
    const place = await proofPlace({ build })
    place.write('kept', 'content')
    const stopping = new AbortController()
    const set = hooked(place, ['touch "$1/begun"; sleep 60'], ['touch "$1/unmounted"'])
    const running = place.backup({ set, signal: stopping.signal })
    await expect.poll(() => existsSync(join(place.folder, 'begun')), { timeout: 10_000 }).toBe(true)
    stopping.abort()
    expect(await running).toMatchObject({ outcome: 'failed', error: { code: 'INTERRUPTED' } })
    expect(existsSync(join(place.folder, 'unmounted'))).toBe(true)
  })

  test('a source that only a hook makes is not missing', async () => {
    const place = await proofPlace({ build })
    const mount = join(place.folder, 'mounted')
    const set = { ...hooked(place, ['mkdir "$1/mounted"; echo x > "$1/mounted/x"'], ['rm -r "$1/mounted"']) }
    const result = await place.backup({ set: { ...set, paths: [mount] } })
    expect(result).toMatchObject({ outcome: 'complete', tally: { files: 1, witnessed: 1 } })
    expect(existsSync(mount)).toBe(false)
  })
})
