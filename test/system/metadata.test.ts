/** Metadata as a real restic brings it back: extended attributes, ACLs, links, folders without files, FIFOs. */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Restic } from '../../agent/src/restic/restic.ts'
import { proofPlace, settle } from '../kit/proof.ts'
import type { ProofPlace } from '../kit/proof.ts'
import { resticVersions } from '../kit/restic-versions.ts'

const { builds } = await resticVersions()
const isRoot = process.getuid?.() === 0

/** Extended attributes are set by Python, which is where Debian is; Node has no call for them. */
function python(script: string): boolean {
  try {
    execFileSync('python3', ['-c', `import os,struct\n${script}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
const acl = `struct.pack('<I',2)+b''.join(struct.pack('<HHI',t,p,i) for t,p,i in [(1,6,2**32-1),(2,4,1234),(4,4,2**32-1),(16,4,2**32-1),(32,0,2**32-1)])`
const setUp = (file: string): boolean =>
  python(
    `os.setxattr('${file}','user.colour',b'\\xff\\x00\\n')\nos.setxattr('${file}','system.posix_acl_access',${acl})`,
  )

async function placeOf(
  build: (typeof builds)[number],
  setting: string,
  method: 'auto' | 'disk',
): Promise<ProofPlace> {
  const place = await proofPlace({ build, setting, method })
  for (let at = 0; at < 12; at += 1) place.write(`d${at % 3}/f${at}`, `content ${at}`)
  const at = (name: string) => join(place.source, name)
  mkdirSync(at('empty'), { mode: 0o750 })
  symlinkSync('nowhere', at('link'))
  linkSync(at('d0/f0'), at('d1/other-name'))
  execFileSync('mkfifo', [at('fifo')])
  for (let n = 0; n < 12; n += 1) if (!setUp(at(`d${n % 3}/f${n}`))) throw new Error('no attributes here')
  await settle()
  await place.backup()
  return place
}

/** A restic whose restore is followed by something. */
function spoiled(restic: Restic, spoil: (target: string) => void): Restic {
  return {
    ...restic,
    async restore(request) {
      const run = await restic.restore(request)
      spoil(request.target)
      return run
    },
  }
}

describe.each(builds.slice(-1))('restic $version', (build) => {
  test.each(['auto', 'disk'] as const)(
    '%s: what came back whole is told as compared, attributes too',
    async (method) => {
      const place = await placeOf(build, '    restoreTest: { files: 6, metadata: fail }', method)
      const { tests, outcome } = await place.test()
      const { metadata, exceptions } = tests[0]?.result ?? {}
      expect(exceptions).toEqual([])
      expect(outcome).toBe('PASSED')
      expect(metadata).toMatchObject({ different: 0, attributes: { different: 0 } })
      expect(metadata?.attributes?.compared).toBeGreaterThanOrEqual(6)
      expect(metadata?.compared).toBeGreaterThan(8)
    },
  )

  test('an attribute that is lost fails where the set says so, and is told where it does not', async () => {
    const place = await placeOf(build, '    restoreTest: { files: 12, metadata: fail }', 'disk')
    const lose = (target: string): void =>
      void python(`os.removexattr('${target}${place.source}/d1/f1','user.colour')`)
    const wanted = { full: true }
    const restic = spoiled(place.restic, lose)
    const failed = (await place.test(wanted, { restic })).tests[0]?.result
    expect(failed).toMatchObject({
      result: 'FAILED',
      error: { code: 'METADATA_DIFFERS' },
      classes: { identical: 14 },
      metadata: { attributes: { different: 1 } },
      exceptions: [
        { path: `${place.source}/d1/f1`, class: 'metadata', detail: 'other extended attributes or ACLs' },
      ],
    })
    const set = { ...place.set, restoreTest: { ...place.set.restoreTest, metadata: 'report' as const } }
    const told = (await place.test(wanted, { restic, set })).tests[0]?.result
    expect(told).toMatchObject({ result: 'PASSED', exceptionsTotal: 1, metadata: { different: 1 } })
  })

  test('a hard link that came back as a copy and an empty folder that is gone are seen', async () => {
    const place = await placeOf(build, '    restoreTest: { files: 3 }', 'disk')
    const spoil = (target: string): void => {
      const at = (name: string) => `${target}${place.source}/${name}`
      execFileSync('sh', [
        '-c',
        `cp -p '${at('d1/other-name')}' '${at('x')}' && mv '${at('x')}' '${at('d1/other-name')}'`,
      ])
      execFileSync('rmdir', [at('empty')])
    }
    const { exceptions, metadata } =
      (await place.test({}, { restic: spoiled(place.restic, spoil) })).tests[0]?.result ?? {}
    const details = (exceptions ?? []).map(({ detail }) => detail)
    expect(details).toContain('a hard link came back as a copy')
    expect(details).toContain('no dir was restored')
    expect(metadata?.different).toBeGreaterThanOrEqual(2)
  })

  // While a restore is streamed its times are looked at before it has ended: nothing can be spoiled afterwards.
  test('a modification time that is lost is told by its file', async () => {
    const place = await placeOf(build, '    restoreTest: { metadata: fail }', 'disk')
    const file = join(place.source, 'd2/f5')
    const restic = spoiled(place.restic, (target) => utimesSync(`${target}${file}`, 1, 1))
    for (const full of [false, true]) {
      const [first] = (await place.test({ full }, { restic })).tests
      expect(first?.result).toMatchObject({
        result: 'FAILED',
        error: { code: 'METADATA_DIFFERS' },
        exceptions: [{ path: file, class: 'metadata', detail: 'another modification time' }],
        exceptionsTotal: 1,
      })
    }
  })

  test('what cannot be compared is told, never passed over', async () => {
    const place = await placeOf(build, '    restoreTest: { files: 6, metadata: fail }', 'auto')
    python(
      `[os.utime(os.path.join(d,f)) for d,_,fs in os.walk('${place.source}') for f in fs if f.startswith('f') and f!='fifo']`,
    )
    const { result, metadata } = (await place.test()).tests[0]?.result ?? {}
    expect(metadata?.notCompared).toMatch(/^attributes of \d+ whose source has changed since/)
    expect(result).toBe('PASSED')
    if (!isRoot) expect(metadata?.notCompared).toContain('owners')
  })
})
