/**
 * The damage matrix's other half: what happens to the source, before, during and after the backup, and what shapes
 * files can have. All of a tree's files meet their fates before one full test, and the table has a row for each.
 */
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inMidRead, openStage, withOptions } from '../kit/damage.ts'
import type { Backend, Base, Stage } from '../kit/damage.ts'
import { openDamageTable, outcomeAt, outcomeOf } from '../kit/damage-table.ts'
import { lastOf, settle } from '../kit/proof.ts'
import { resticVersions } from '../kit/restic-versions.ts'
import type { ResticBuild } from '../kit/restic-versions.ts'

const { builds } = await resticVersions()
const newest = builds.at(-1)
const server = builds.findLast(({ restServer }) => restServer !== undefined)?.restServer
const backends: readonly Backend[] = server === undefined ? ['local'] : ['local', 'rest-server']
const places = backends.flatMap((backend) =>
  builds.map((build) => ({ backend, build, version: build.version })),
)
const folder = mkdtempSync(join(tmpdir(), 'bevis-damage-'))
const table = openDamageTable(builds, backends)
const isRoot = process.getuid?.() === 0

let stage: Stage
const bases = new Map<string, Base>()
const ends: (() => unknown)[] = []
let hasRotten = false

/** What becomes of a file after the backup; what a test by witness tells of it, and one without: the class comes first. */
const fates: Record<string, { meet: (path: string) => void; told: string[]; bare: string[] }> = {
  untouched: { meet: () => undefined, told: ['identical'], bare: ['identical'] },
  edited: {
    meet: (path) => writeFileSync(path, 'longer than it was before'),
    told: ['identical'],
    bare: ['unverified'],
  },
  'edited, same size': {
    meet: (path) => overwrite(path, 'EDITED'),
    told: ['identical'],
    bare: ['unverified'],
  },
  touched: {
    meet: (path) => utimesSync(path, new Date(), new Date()),
    told: ['identical'],
    bare: ['unverified'],
  },
  'set back in time': {
    meet: (path) => {
      overwrite(path, 'OLDER')
      utimesSync(path, new Date(0), new Date(0))
    },
    told: ['identical', 'moved-back'],
    bare: ['unverified', 'moved-back'],
  },
  'overwritten, times put back': {
    meet: (path) => keepingTimes(path, () => overwrite(path, 'HIDDEN')),
    told: ['identical', 'moved-back'],
    bare: ['unverified', 'moved-back'],
  },
  'replaced, same size, times put back': {
    meet: (path) =>
      keepingTimes(path, () => {
        const content = readFileSync(path)
        writeFileSync(`${path}.new`, content.fill('R', 0, 4))
        renameSync(`${path}.new`, path)
      }),
    told: ['identical', 'moved-back'],
    bare: ['unverified', 'moved-back'],
  },
  deleted: { meet: (path) => rmSync(path), told: ['identical'], bare: ['unverified'] },
  renamed: { meet: (path) => renameSync(path, `${path} to this`), told: ['identical'], bare: ['unverified'] },
  'permissions changed': {
    meet: (path) => chmodSync(path, 0o600),
    told: ['identical'],
    bare: ['unverified'],
  },
  'now a FIFO': {
    meet: (path) => {
      rmSync(path)
      execFileSync('mkfifo', [path])
    },
    told: ['identical'],
    bare: ['unverified'],
  },
  'overwritten during the test': { meet: keepWriting, told: ['identical'], bare: ['unverified'] },
}

const shapes: Record<string, (path: string) => void> = {
  plain: (path) => writeFileSync(path, 'plain'),
  'of 0 bytes': (path) => writeFileSync(path, ''),
  sparse: (path) => {
    writeFileSync(path, 'start')
    truncateSync(path, 20_000_000)
  },
  'hard-linked': (path) => {
    writeFileSync(path, 'one file')
    linkSync(path, `${path}, twice`)
  },
  'name with a newline': (path) => writeFileSync(path.replace('name', 'na\nme'), 'newline'),
  'name that is no UTF-8': (path) => writeFileSync(Buffer.from(`${path}\u{e6}\u{ff}`, 'latin1'), 'latin1'),
  'name like its neighbour’s': (path) => {
    for (const byte of ['\u{fe}', '\u{fd}'])
      writeFileSync(Buffer.from(`${path.replace('’', '')}${byte}`, 'latin1'), byte)
  },
  'name of a pattern': (path) => writeFileSync(`${path} $HOME *?[x] \\ "quoted" `, 'odd'),
  'path of 4,000 bytes': (path) => writeDeep(path, 4_000),
  'link to nowhere': (path) => symlinkSync('/nowhere/at/all', path),
  setuid: (path) => {
    writeFileSync(path, 'setuid')
    chmodSync(path, 0o4755)
  },
  'empty folder': (path) => mkdirSync(path),
  FIFO: (path) => execFileSync('mkfifo', [path]),
  socket: (path) => {
    const listening = createServer().listen(path)
    ends.push(() => listening.close())
  },
}
/** Regular files and links of all shapes together. */
const SHAPED = 13

beforeAll(async () => {
  stage = await openStage(folder, server)
  const trees = ['moved', 'shapes', 'torn', 'huge']
  for (const name of trees) mkdirSync(join(folder, name))
  for (const name of Object.keys(fates)) writeFileSync(join(folder, 'moved', name), `content of ${name}`)
  for (const [name, make] of Object.entries(shapes)) make(join(folder, 'shapes', name))
  writeFileSync(join(folder, 'torn/still'), 'still')
  writeFileSync(join(folder, 'torn/overwritten'), randomBytes(24_000_000))
  writeFileSync(join(folder, 'huge/5 GB'), 'start')
  truncateSync(join(folder, 'huge/5 GB'), 5_000_000_000)
  writeFileSync(join(folder, 'huge/small'), 'small')
  const rotting = isRoot ? mountedImage() : null
  await settle()
  const make = async (name: string, build: ResticBuild, source = join(folder, name)): Promise<void> => {
    bases.set(`${name} ${build.version}`, await stage.base(name, build, source))
  }
  for (const build of builds) {
    await make('moved', build)
    await make('shapes', build)
    if (rotting) await make('rot', build, rotting.source)
    const slow = withOptions(build, folder, '--pack-size 4 --limit-upload 8000')
    const restic = (place: Parameters<typeof inMidRead>[0]) =>
      inMidRead(place, join(folder, 'torn/overwritten'), () => tear(join(folder, 'torn/overwritten')))
    bases.set(`torn ${build.version}`, await stage.base('torn', slow, join(folder, 'torn'), { restic }))
  }
  if (newest) await make('huge', newest)
  for (const [name, { meet }] of Object.entries(fates)) meet(join(folder, 'moved', name))
  rotting?.rot()
  hasRotten = rotting !== null
}, 600_000)

afterAll(async () => {
  for (const end of ends) await end()
  await stage.close()
  table.print('What happens to the source, and shapes of files: full tests by witnesses, and without any')
})

function baseOf(name: string, version: string): Base {
  const base = bases.get(`${name} ${version}`)
  if (!base) throw new Error(`there is no base ${name}`)
  return base
}

describe.each(places)('restic $version, $backend', ({ build, backend, version }) => {
  const testOf = async (
    name: string,
    isBare: boolean,
    files: string[] = [],
    base = baseOf(name, version),
  ) => {
    const scene = await stage.scene(base, backend, { build })
    const snapshotId = isBare ? base.bareId : base.snapshotId
    try {
      return await scene.place.test({ snapshotId, ...(files.length > 0 ? { files } : { full: true }) })
    } finally {
      scene.remove()
    }
  }

  test.concurrent('whatever becomes of a source, its witness proves the backup; without one nothing passes', async () => {
    for (const isBare of [false, true]) {
      const result = await testOf('moved', isBare)
      for (const [name, { told, bare }] of Object.entries(fates)) {
        const outcome = outcomeAt(result, join(folder, 'moved', name))
        table.add(`source ${name}${isBare ? ', no witness' : ''}`, version, backend, outcome)
        // A file that is written to all the time may also be seen moving.
        if (isBare && fates[name]?.meet === keepWriting)
          expect(['unverified', 'unreadable']).toContain(outcome.said[0])
        else expect([name, ...outcome.said]).toEqual([name, ...(isBare ? bare : told)])
      }
      expect(outcomeOf(result)).toMatchObject(
        isBare
          ? { verdict: 'INCONCLUSIVE', code: 'NOT_ENOUGH_CONCLUSIVE' }
          : { verdict: 'PASSED', classes: { identical: Object.keys(fates).length } },
      )
    }
  })

  test.concurrent('a file overwritten while restic reads it is told at the backup, and proves nothing', async () => {
    const base = baseOf('torn', version)
    const path = join(folder, 'torn/overwritten')
    expect(base.backup).toMatchObject({ outcome: 'complete', tally: { torn: { count: 1, paths: [path] } } })
    const result = await testOf('torn', false)
    table.add('source overwritten during the backup', version, backend, outcomeAt(result, path))
    expect(outcomeOf(result)).toMatchObject({
      verdict: 'INCONCLUSIVE',
      classes: { identical: 1, unverified: 1 },
    })
    expect(lastOf(result).exceptions[0]?.detail).toContain('changed during the backup')
  })

  test.concurrent('rot in the source alone leaves the backup good; without a witness one of the two is wrong', async ({
    skip,
  }) => {
    if (!hasRotten) skip('no loop device: only root can make storage rot under a file system')
    const base = baseOf('rot', version)
    const [rotten, files] = [join(base.source, 'rotten-0'), 401]
    const good = await testOf('rot', false)
    table.add('source rotten', version, backend, outcomeAt(good, rotten))
    expect(outcomeOf(good)).toMatchObject({ verdict: 'PASSED', classes: { identical: files } })
    expect(lastOf(good)).toMatchObject({ exceptionsTotal: files - 1 })
    expect(outcomeAt(good, rotten).said.at(-1)).toBe('rot')
    const bare = await testOf('rot', true)
    table.add('source rotten, no witness', version, backend, outcomeOf(bare))
    expect(outcomeOf(bare)).toMatchObject({
      verdict: 'FAILED',
      classes: { identical: 1, diverged: files - 1 },
    })
  })

  test.concurrent('files of every shape come back, with and without a witness', async () => {
    expect(baseOf('shapes', version).backup).toMatchObject({
      outcome: 'complete',
      tally: {
        files: SHAPED,
        witnessed: SHAPED,
        gaps: { count: 0 },
        unresolved: { count: 0 },
        torn: { count: 0 },
      },
    })
    for (const isBare of [false, true]) {
      const result = await testOf('shapes', isBare)
      for (const name of Object.keys(shapes))
        table.add(`file: ${name}${isBare ? ', no witness' : ''}`, version, backend, {
          ...outcomeOf(result),
          said: [],
        })
      expect(outcomeOf(result)).toEqual({ verdict: 'PASSED', classes: { identical: SHAPED }, code: '' })
      expect(lastOf(result)).toMatchObject({ metadata: { different: 0 }, exceptionsTotal: 0 })
    }
    const odd = [
      String.raw`name that is no UTF-8\xe6\xff`,
      'na\nme with a newline',
      'name of a pattern $HOME *?[x] \\ "quoted" ',
    ]
    const asked = await testOf(
      'shapes',
      false,
      odd.map((name) => join(folder, 'shapes', name)),
    )
    expect(outcomeOf(asked)).toEqual({ verdict: 'PASSED', classes: { identical: odd.length }, code: '' })
  })

  test.concurrent('a file of 5 GB comes back', async ({ skip }) => {
    if (backend !== 'local') skip('once per version: reading 5 GB costs the most of all rows')
    const result = await testOf('huge', false, [], baseOf('huge', newest?.version ?? ''))
    table.add('file: of 5 GB (once per version)', version, backend, outcomeOf(result))
    expect(outcomeOf(result)).toEqual({ verdict: 'PASSED', classes: { identical: 2 }, code: '' })
  })
})

test('restic takes a rotten file over unread; each run hashes a thirtieth of them again, and finds it', async ({
  skip,
}) => {
  if (!hasRotten) skip('no loop device')
  const scene = await stage.scene(baseOf('rot', newest?.version ?? ''), 'local')
  const { tally } = await scene.place.backup()
  scene.remove()
  expect(tally?.rot.count).toBeGreaterThan(0)
  expect(tally?.rot.count).toBeLessThan(100)
  expect(scene.place.drafts.at(-1)?.predicate).toMatchObject({
    anomaly: { rot: { count: tally?.rot.count } },
  })
})

function overwrite(path: string, start: string): void {
  const file = openSync(path, 'r+')
  writeSync(file, start, 0)
  closeSync(file)
}

/** utimes in Node takes doubles, which lose nanoseconds; touch does not. */
function keepingTimes(path: string, change: () => void): void {
  const reference = join(folder, 'times')
  execFileSync('touch', ['-r', path, reference])
  change()
  execFileSync('touch', ['-r', reference, path])
}

/** Overwrites a file over and over, as a program does that does not know of backups. */
function keepWriting(path: string): void {
  const script = `const file = fs.openSync(process.argv[1], 'r+')
let letter = 0
setInterval(() => fs.writeSync(file, Buffer.alloc(9, 97 + (letter = (letter + 1) % 26)), 0, 9, 0), 5)`
  const child = spawn(process.execPath, ['-e', script, path], { stdio: 'ignore' })
  ends.push(() => child.kill())
}

function tear(path: string): void {
  const file = openSync(path, 'r+')
  for (const at of [0, 23_000_000]) writeSync(file, Buffer.alloc(4_096, 'torn'), 0, 4_096, at)
  closeSync(file)
}

function writeDeep(path: string, bytes: number): void {
  let deep = path
  while (bytes - deep.length > 300) deep = join(deep, 'd'.repeat(200))
  deep = join(deep, 'd'.repeat(bytes - deep.length - 6), 'deep')
  mkdirSync(dirname(deep), { recursive: true })
  writeFileSync(deep, 'deep')
}

/** A file system in a file: what is changed there while it is not mounted, nobody was told of. */
function mountedImage(): { source: string; rot: () => void } | null {
  const [image, mounted] = [join(folder, 'image'), join(folder, 'mounted')]
  const source = join(mounted, 'source')
  mkdirSync(mounted)
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }
  const run = (command: string): void => void execFileSync('sh', ['-c', command], { stdio: 'pipe', env })
  try {
    run(
      `truncate -s 32M ${image} && mkfs.ext4 -q -E lazy_itable_init=0 ${image} && mount -o loop ${image} ${mounted}`,
    )
  } catch (error) {
    process.stderr.write(`not tested, rot under a file system: no loop device (${String(error)})\n`)
    return null
  }
  ends.push(() => run(`umount ${mounted}`))
  mkdirSync(source)
  for (let at = 0; at < 400; at += 1) writeFileSync(join(source, `rotten-${at}`), `MARK-${'r'.repeat(500)}`)
  writeFileSync(join(source, 'sound'), 'sound')
  return {
    source,
    rot() {
      run(`umount ${mounted}`)
      const bytes = readFileSync(image)
      for (let at = bytes.indexOf('MARK-rrr'); at >= 0; at = bytes.indexOf('MARK-rrr', at + 1))
        bytes[at] = 0x6d
      writeFileSync(image, bytes)
      run(`mount -o loop ${image} ${mounted}`)
    },
  }
}
