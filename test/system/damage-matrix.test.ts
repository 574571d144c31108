/**
 * The damage matrix: each damage made for real, on each restic and each kind of repository, and what a full test
 * by witnesses says of it. Nothing with damage in it is PASSED, and nothing without is FAILED; the table is printed.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Restic } from '../../agent/src/restic/restic.ts'
import {
  fileOf,
  flipBit,
  impatient,
  inMidRestore,
  leaveOwnLock,
  lockBy,
  openStage,
  ownPacks,
  packsOf,
  patientOnce,
  replace,
  takeAway,
  withOptions,
  writePassword,
} from '../kit/damage.ts'
import type { Backend, Base, Scene, SceneOptions, Stage } from '../kit/damage.ts'
import { openDamageTable, outcomeOf } from '../kit/damage-table.ts'
import { openFaultyWay } from '../kit/rest-server.ts'
import type { Mishap } from '../kit/rest-server.ts'
import { resticVersions } from '../kit/restic-versions.ts'
import type { ResticBuild } from '../kit/restic-versions.ts'

const { builds, missing } = await resticVersions()
if (missing !== undefined) process.stderr.write(`not tested: ${missing}\n`)
const server = builds.findLast(({ restServer }) => restServer !== undefined)?.restServer
if (server === undefined) process.stderr.write('not tested: there is no rest-server\n')
const backends: readonly Backend[] = server === undefined ? ['local'] : ['local', 'rest-server']
const folder = mkdtempSync(join(tmpdir(), 'bevis-damage-'))
const table = openDamageTable(builds, backends)

/** Twelve files and a link in one pack; or forty files in six packs. */
const FILES = { calm: 13, wide: 40 }
let stage: Stage
const bases = new Map<string, Base>()

beforeAll(async () => {
  stage = await openStage(folder, server)
  for (let at = 0; at < 12; at += 1) write(`calm/d${at % 4}/f${at}`, 30_000)
  symlinkSync('f0', join(folder, 'calm/d0/link'))
  for (let at = 0; at < FILES.wide; at += 1) write(`wide/f${at}`, 600_000)
  for (const build of builds) {
    // Packs as small as restic makes them.
    const small = withOptions(build, folder, '--pack-size 4')
    for (const name of ['calm', 'wide'])
      bases.set(`${name} ${build.version}`, await stage.base(name, small, join(folder, name)))
  }
}, 600_000)

afterAll(async () => {
  await stage.close()
  table.print('Damage to the repository and on the way to it, full tests by witnesses')
})

function write(name: string, bytes: number): void {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, randomBytes(bytes))
}

interface Damage {
  readonly damage: string
  readonly tree?: keyof typeof FILES
  readonly on?: Backend
  readonly make?: (scene: Scene) => unknown
  readonly restic?: (scene: Scene) => Restic
  readonly way?: () => Mishap
  readonly build?: (build: ResticBuild) => ResticBuild
  readonly verdict: 'PASSED' | 'FAILED' | 'INCONCLUSIVE'
  /** No others, each with its number where that is certain; left out: whatever came in time is identical. */
  readonly classes?: Readonly<Record<string, number | null>>
  readonly codes?: readonly string[]
  /** Until restic itself gives up. */
  readonly isPatient?: boolean
  /** The one version that it is for. */
  readonly only?: string
  /**
   * 0.14 reads again what it cannot read, for 45 s each time. `waits`: the test goes on until restic gives up, and only the
   * retest is ended without an answer. `ends`: it would be more than three minutes, so the test is ended too.
   */
  readonly on014?: 'waits' | 'ends'
  /** Over the network 0.14 says of it what it says of a transfer that was cut: then only the data check tells. */
  readonly isUncertainOn014?: boolean
  /** What the data check says of all packs, where that is another statement than the restore test's. */
  readonly dataCheck?: 'PASSED' | 'FAILED'
}

/** Until the third pack all is well. */
function fromThirdPack(mishap: (nth: number) => ReturnType<Mishap>): () => Mishap {
  return () => {
    let packs = 0
    return ({ method, url = '' }) => {
      if (method !== 'GET' || !/\/data\/[0-9a-f]{64}/.test(url)) return null
      packs += 1
      return packs > 2 ? mishap(packs - 2) : null
    }
  }
}

const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length / 2)
const DAMAGED = ['RESTIC_REPOSITORY_DAMAGED']
/** Whoever tells of damage may be one item's error alone: `There were 2 errors`. */
const DAMAGED_SOMEHOW = [...DAMAGED, 'RESTIC_FAILED']
const OUT_OF_REACH = ['RESTIC_REPOSITORY_UNREACHABLE', 'RESTIC_TIMEOUT']
const ALL_IDENTICAL = { identical: FILES.calm }
const ALL_MISSING = { missing: FILES.calm }
const SOME_MISSING = { identical: null, missing: null }

const damages: readonly Damage[] = [
  {
    // It takes a minute, so it begins first; later versions go on for a quarter of an hour.
    damage: 'server: cuts every answer, until restic gives up',
    tree: 'wide',
    only: '0.14',
    isPatient: true,
    way: fromThirdPack(() => 'cut'),
    verdict: 'INCONCLUSIVE',
    codes: ['RESTIC_REPOSITORY_UNREACHABLE'],
  },
  { damage: 'none', verdict: 'PASSED', classes: ALL_IDENTICAL, dataCheck: 'PASSED' },
  {
    damage: 'data pack: a bit flipped',
    make: (scene) => flipBit(packsOf(scene).data[0] ?? '', 1_000),
    verdict: 'FAILED',
    classes: { identical: FILES.calm - 1, missing: 1 },
    codes: DAMAGED,
    dataCheck: 'FAILED',
  },
  {
    // Nothing is read by a pack's header while there is an index: all comes back, and what would rebuild it is broken.
    damage: 'data pack: a bit flipped in its header',
    make: (scene) => flipBit(packsOf(scene).data[0] ?? '', -20),
    verdict: 'PASSED',
    classes: ALL_IDENTICAL,
    dataCheck: 'FAILED',
  },
  {
    damage: 'data pack: cut short',
    make: (scene) => replace(packsOf(scene).data[0] ?? '', half),
    verdict: 'FAILED',
    classes: SOME_MISSING,
    codes: DAMAGED,
    on014: 'waits',
    isUncertainOn014: true,
    dataCheck: 'FAILED',
  },
  {
    damage: 'data pack: deleted',
    make: (scene) => rmSync(packsOf(scene).data[0] ?? ''),
    verdict: 'FAILED',
    classes: { identical: 1, missing: FILES.calm - 1 },
    codes: DAMAGED,
    on014: 'waits',
  },
  {
    damage: 'tree pack: a bit flipped',
    make: (scene) => flipBit(packsOf(scene).trees[0] ?? '', 100),
    verdict: 'FAILED',
    classes: SOME_MISSING,
    codes: DAMAGED,
  },
  {
    damage: 'tree pack: cut short',
    make: (scene) => replace(packsOf(scene).trees[0] ?? '', half),
    verdict: 'FAILED',
    classes: { missing: null },
    codes: DAMAGED_SOMEHOW,
    on014: 'waits',
  },
  {
    damage: 'tree pack: deleted',
    make: (scene) => rmSync(packsOf(scene).trees[0] ?? ''),
    verdict: 'FAILED',
    classes: ALL_MISSING,
    codes: DAMAGED,
    on014: 'ends',
  },
  {
    damage: 'index: a bit flipped',
    make: (scene) => flipBit(fileOf(scene, 'index'), 100),
    verdict: 'FAILED',
    classes: ALL_MISSING,
    codes: DAMAGED,
  },
  {
    damage: 'snapshot: a bit flipped',
    make: ({ repository, base }) => flipBit(join(repository, 'snapshots', base.snapshotId), 100),
    verdict: 'FAILED',
    classes: ALL_MISSING,
    codes: DAMAGED,
  },
  {
    damage: 'snapshot: a bit flipped in another one',
    make: ({ repository, base }) => flipBit(join(repository, 'snapshots', base.bareId), 100),
    verdict: 'PASSED',
    classes: ALL_IDENTICAL,
  },
  {
    damage: 'key: a bit flipped',
    make: (scene) => flipBit(fileOf(scene, 'keys'), 300),
    verdict: 'INCONCLUSIVE',
    // 0.14 does not check the file's name, and stumbles over its content.
    codes: [...DAMAGED_SOMEHOW, 'RESTIC_PASSWORD_WRONG'],
  },
  {
    damage: 'wrong password',
    make: (scene) => writePassword(scene, 'wrong'),
    verdict: 'INCONCLUSIVE',
    codes: ['RESTIC_PASSWORD_WRONG'],
  },
  {
    damage: 'lock: live, shared',
    make: (scene) => lockBy(scene, 'shared'),
    verdict: 'PASSED',
    classes: ALL_IDENTICAL,
  },
  {
    damage: 'lock: live, exclusive',
    make: (scene) => lockBy(scene, 'exclusive'),
    verdict: 'INCONCLUSIVE',
    codes: ['RESTIC_REPOSITORY_LOCKED'],
  },
  {
    damage: 'lock: stale, not ours',
    make: async (scene) => (await lockBy(scene, 'exclusive'))(),
    verdict: 'INCONCLUSIVE',
    codes: ['RESTIC_REPOSITORY_LOCKED'],
  },
  {
    damage: 'lock: stale, our own',
    make: leaveOwnLock,
    verdict: 'PASSED',
    classes: ALL_IDENTICAL,
  },
  {
    damage: 'repository: gone before',
    make: ({ repository }) => renameSync(repository, `${repository}-gone`),
    verdict: 'INCONCLUSIVE',
    codes: ['RESTIC_REPOSITORY_MISSING'],
  },
  {
    damage: 'repository: gone in mid-restore',
    tree: 'wide',
    on: 'local',
    build: (build) => withOptions(build, folder, '--limit-download 6000'),
    make: ownPacks,
    restic: (scene) => inMidRestore(scene, () => takeAway(scene.repository)),
    verdict: 'INCONCLUSIVE',
    codes: ['RESTIC_REPOSITORY_MISSING', 'RESTIC_TIMEOUT'],
  },
  {
    damage: 'server: gone in mid-restore',
    tree: 'wide',
    way: fromThirdPack(() => 'gone'),
    verdict: 'INCONCLUSIVE',
    codes: OUT_OF_REACH,
  },
  {
    damage: 'server: stalls',
    tree: 'wide',
    way: fromThirdPack(() => 'stall'),
    verdict: 'INCONCLUSIVE',
    codes: OUT_OF_REACH,
  },
  {
    damage: 'server: cuts every answer',
    tree: 'wide',
    way: fromThirdPack(() => 'cut'),
    verdict: 'INCONCLUSIVE',
    codes: OUT_OF_REACH,
  },
  {
    damage: 'server: answers 500',
    tree: 'wide',
    way: fromThirdPack(() => 500),
    verdict: 'INCONCLUSIVE',
    codes: OUT_OF_REACH,
  },
  {
    damage: 'server: cuts two answers',
    tree: 'wide',
    way: fromThirdPack((nth) => (nth <= 2 ? 'cut' : null)),
    verdict: 'PASSED',
    classes: { identical: FILES.wide },
  },
]

const is014 = ({ version }: { version: string }): boolean => version.startsWith('0.14')
/** What sleeps longest begins first. */
const isLongest = (one: { on014?: 'waits' | 'ends'; version: string }): boolean =>
  is014(one) && one.on014 === 'waits'

const cases = damages.flatMap((damage) =>
  backends
    .filter((backend) => backend === (damage.way ? 'rest-server' : (damage.on ?? backend)))
    .flatMap((backend) =>
      builds
        .filter(({ version }) => version.startsWith(damage.only ?? ''))
        .map((build) => ({ ...damage, backend, resticBuild: build, version: build.version })),
    ),
)
cases.sort((one, other) => Number(isLongest(other)) - Number(isLongest(one)))
// Some rows only wait for restic 0.14.
vi.setConfig({ maxConcurrency: 16 })

test.concurrent.for(cases)('$damage: restic $version, $backend', async (one) => {
  const { damage, version, backend } = one
  const base = bases.get(`${one.tree ?? 'calm'} ${version}`)
  if (!base) throw new Error('there is no such base')
  const ends: (() => unknown)[] = []
  const way =
    one.way &&
    (async (url: string) => {
      const faulty = await openFaultyWay(url, one.way?.() ?? (() => null))
      ends.push(() => faulty.close())
      return faulty.url
    })
  const options: SceneOptions = {
    ...(way && { way }),
    ...(one.build && { build: one.build(one.resticBuild) }),
  }
  const scene = await stage.scene(base, backend, options)
  try {
    const undo = await one.make?.(scene)
    if (typeof undo === 'function') ends.push(undo as () => unknown)
    const isLong = isLongest(one)
    const isEnded = is014(one) && one.on014 === 'ends'
    const isImpatient = one.way !== undefined && one.isPatient !== true
    const restic =
      one.restic?.(scene) ??
      (isImpatient || isEnded ? impatient(scene) : isLong ? patientOnce(scene) : scene.place.restic)
    const wanted = { full: true, snapshotId: base.snapshotId }
    const result = await scene.place.test(wanted, { threads: 1, restic })
    const outcome = outcomeOf(result, isLong ? 'first' : 'last')
    const recorded = scene.place.drafts.length
    const dataCheck = one.dataCheck === undefined ? '' : (await scene.place.check()).result
    table.add(damage, version, backend, { ...outcome, dataCheck })
    expect(dataCheck).toBe(one.dataCheck ?? '')
    if (isEnded) return expect(outcome).toMatchObject({ verdict: 'INCONCLUSIVE', code: 'RESTIC_TIMEOUT' })
    if (is014(one) && one.isUncertainOn014 && backend === 'rest-server')
      return expect(outcome).toMatchObject({ verdict: 'INCONCLUSIVE', code: OUT_OF_REACH[0] })
    expect(outcome.verdict).toBe(one.verdict)
    // One automatic retest follows a failure, and is recorded beside it.
    const reasons = one.verdict === 'FAILED' ? ['scheduled', 'retest'] : ['scheduled']
    expect(result.tests.map((test) => test.result.reason)).toEqual(reasons)
    expect(recorded).toBe(reasons.length)
    expect(one.codes ?? ['']).toContain(outcome.code)
    const { classes = { identical: null } } = one
    expect(Object.keys(classes)).toEqual(expect.arrayContaining(Object.keys(outcome.classes)))
    for (const [name, count] of Object.entries(classes))
      if (count !== null) expect(outcome.classes[name]).toBe(count)
  } finally {
    for (const end of ends) await end()
    scene.remove()
  }
})
