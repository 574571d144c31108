/** Probes on really restored data: databases that are whole, torn and damaged, dumps, and commands. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { Draft } from '../../agent/src/evidence/record.ts'
import { findPostgres } from '../../agent/src/probe/postgres.ts'
import { lastOf, proofPlace } from '../kit/proof.ts'
import type { ProofPlace } from '../kit/proof.ts'
import { resticVersions } from '../kit/restic-versions.ts'

const { builds } = await resticVersions()
const isRoot = process.getuid?.() === 0
const binaries = findPostgres(process.env['PATH'] ?? '')

function makeDatabase(file: string, mode: 'wal' | 'delete' = 'delete'): Sqlite.Database {
  const db = new Sqlite(file)
  db.pragma(`journal_mode = ${mode}`)
  db.exec('create table orders (id integer primary key, note text); create index by_note on orders (note)')
  const insert = db.prepare('insert into orders (note) values (?)')
  for (let row = 0; row < 500; row += 1) insert.run(randomBytes(20).toString('hex'))
  return db
}

function probesOf({ drafts }: ProofPlace): { detail?: string | undefined }[] | undefined {
  const draft = drafts.at(-1)
  return draft?.name === 'restore-test' ? (draft as Draft<'restore-test'>).predicate.probes : undefined
}

describe.each(builds.slice(-1))('restic $version', (build) => {
  const placeWith = (probes: string, more = '') =>
    proofPlace({ build, setting: `    restoreTest: { files: 2${more} }\n    probes: [${probes}]` })

  test('databases that are whole pass, also with their write-ahead log, also under names that are bytes', async () => {
    const place = await placeWith('{ kind: sqlite, path: "**/*.db" }')
    place.write('other', 'x')
    makeDatabase(join(place.source, 'plain.db')).close()
    const open = makeDatabase(join(place.source, 'wal.db'), 'wal')
    onTestFinished(() => void open.close())
    expect(existsSync(join(place.source, 'wal.db-wal'))).toBe(true)
    place.write(Buffer.from('odd \xff\n.db', 'latin1'), readFileSync(join(place.source, 'plain.db')))
    await place.backup()
    expect(lastOf(await place.test())).toMatchObject({ result: 'PASSED' })
    expect(probesOf(place)).toEqual([
      {
        name: 'sqlite **/*.db',
        outcome: 'passed',
        detail: expect.stringMatching(/^3 of 3 files probed; .*its integrity check is ok$/) as string,
      },
    ])
  })

  test('a database that was broken before the backup: every byte came back, and the test is FAILED', async () => {
    const place = await placeWith('{ kind: sqlite, path: "**/*.db" }')
    const file = join(place.source, 'shop.db')
    makeDatabase(file).close()
    const bytes = readFileSync(file)
    bytes.fill(0xa5, 8192, 12_288)
    writeFileSync(file, bytes)
    await place.backup()
    const result = await place.test()
    expect(result.tests.map(({ result: { reason, result: verdict } }) => [reason, verdict])).toEqual([
      ['scheduled', 'FAILED'],
      ['retest', 'FAILED'],
    ])
    expect(lastOf(result)).toMatchObject({
      classes: { identical: 1 },
      error: { code: 'PROBE_FAILED', message: expect.stringContaining('shop.db: ') as string },
      probes: [{ outcome: 'failed' }],
    })
  })

  test('a header that is gone, or was never there, is no proof of damage and no pass', async () => {
    const place = await placeWith('{ kind: sqlite, path: "*.db" }')
    place.write(
      'shop.db',
      'not a database at all, but long enough for a header of one hundred bytes'.repeat(20),
    )
    await place.backup()
    expect(lastOf(await place.test())).toMatchObject({
      result: 'INCONCLUSIVE',
      error: { code: 'PROBE_INCONCLUSIVE', message: expect.stringContaining('no SQLite database') as string },
    })
  })

  test('a hot journal is rolled back, as whoever opens the restored database would', async () => {
    const place = await placeWith('{ kind: sqlite, path: "*.db" }')
    const living = join(place.folder, 'living.db')
    const db = makeDatabase(living)
    onTestFinished(() => void db.close())
    db.pragma('cache_size = 2')
    db.exec("begin; update orders set note = note || 'changed'")
    expect(existsSync(`${living}-journal`)).toBe(true)
    mkdirSync(place.source, { recursive: true })
    copyFileSync(living, join(place.source, 'shop.db'))
    copyFileSync(`${living}-journal`, join(place.source, 'shop.db-journal'))
    await place.backup()
    expect(lastOf(await place.test())).toMatchObject({ result: 'PASSED', probes: [{ outcome: 'passed' }] })
  })

  test('a command sees the files as they stood, and its verdict counts; what it says stays here', async () => {
    const place = await placeWith(
      `{ kind: command, path: "/**/data/*", run: [/bin/sh, -c, 'echo secret; test "$(cat "$1"/*/*/source/data/count)" = 3', probe, "{restored}"] }`,
    )
    place.write('data/count', '3')
    place.write('other', 'x')
    await place.backup()
    expect(lastOf(await place.test())).toMatchObject({ result: 'PASSED' })
    expect(probesOf(place)).toEqual([
      { name: 'command /bin/sh /**/data/*', outcome: 'passed', detail: 'it ended with status 0' },
    ])
    place.write('data/count', '4')
    await place.backup()
    expect(lastOf(await place.test({ full: true }))).toMatchObject({
      result: 'FAILED',
      probes: [{ outcome: 'failed', detail: 'it ended with status 1' }],
    })
    expect(JSON.stringify(place.drafts)).not.toContain('secret')
  })

  test('a command has no rights: not to our state, not to what was restored with a setuid bit', async ({
    skip,
  }) => {
    skip(!isRoot, 'only root has rights to give up')
    const place = await placeWith(
      `{ kind: command, run: [/bin/sh, -c, 'id -u; ls "$2" && exit 1; cd "$1"/*/*/source && test ! -u tool && test ! -e pipe && test -r locked/in && echo fine > tool', probe, "{restored}", STATE] }`.replace(
        'STATE',
        '/root',
      ),
    )
    place.write('tool', '#!/bin/sh\n')
    chmodSync(join(place.source, 'tool'), 0o4755)
    place.write('locked/in', 'x')
    chmodSync(join(place.source, 'locked/in'), 0o000)
    chmodSync(join(place.source, 'locked'), 0o000)
    execFileSync('mkfifo', [join(place.source, 'pipe')])
    await place.backup()
    expect(lastOf(await place.test())).toMatchObject({ result: 'PASSED', probes: [{ outcome: 'passed' }] })
  })

  test.each([
    ['takes too long', '{ kind: command, run: [/bin/sleep, "60"], timeout: PT1S }', 'took longer than 1 s'],
    ['cannot be started', '{ kind: command, run: [/nowhere/x] }', 'status 127'],
    ['cannot tell', "{ kind: command, run: [/bin/sh, -c, 'exit 75'] }", 'status 75'],
    ['has nothing to look at', '{ kind: sqlite, path: "*.db" }', 'no such file'],
    ['finds a database that was cut to nothing', '{ kind: sqlite, path: "**/cut" }', 'it holds no table'],
    ['needs more than the budget', '{ kind: command, run: [/bin/true] }', 'the budget is 100'],
  ])('a probe that %s is no pass, unless it is not required', async (_, probe, detail) => {
    const budget = detail.includes('budget') ? ', budget: { bytes: 100 }' : ''
    const place = await placeWith(probe, budget)
    for (let index = 0; index < 5; index += 1) place.write(`f${index}`, Buffer.alloc(40, index))
    place.write('cut', '')
    await place.backup()
    expect(lastOf(await place.test())).toMatchObject({
      result: 'INCONCLUSIVE',
      error: { code: 'PROBE_INCONCLUSIVE', message: expect.stringContaining(detail) as string },
    })
    const [one] = place.set.probes
    if (!one) throw new Error('no probe')
    const set = { ...place.set, probes: [{ ...one, required: false }] }
    expect(lastOf(await place.test({}, { set }))).toMatchObject({
      result: 'PASSED',
      probes: [{ outcome: 'inconclusive' }],
    })
  })

  test('files that somebody asked for are no matter of probes for others', async () => {
    const place = await placeWith('{ kind: sqlite, path: "*.db" }')
    place.write('plain', 'x')
    makeDatabase(join(place.source, 'shop.db')).close()
    await place.backup()
    const plain = lastOf(await place.test({ files: [`${place.source}/plain`] }))
    expect(plain).toMatchObject({ result: 'PASSED' })
    expect(plain).not.toHaveProperty('probes')
    expect(lastOf(await place.test({ files: [`${place.source}/shop.db`] }))).toMatchObject({
      probes: [{ outcome: 'passed' }],
    })
  })

  describe('dumps of PostgreSQL', () => {
    beforeEach(({ skip }) =>
      skip(binaries === null, 'PostgreSQL is not installed: apt-get install postgresql'),
    )

    test(
      'one that loads passes, one that was cut short fails, each in a server of its own',
      { timeout: 240_000 },
      async () => {
        const place = await placeWith('{ kind: postgres, path: "*.dump", timeout: PT2M }')
        const dump = dumpOf(
          'create table t (id int primary key); insert into t select generate_series(1, 50000)',
        )
        place.write('shop.dump', dump)
        await place.backup()
        expect(lastOf(await place.test())).toMatchObject({ result: 'PASSED' })
        expect(probesOf(place)?.[0]?.detail).toMatch(
          /^1 of 1 file probed; .*shop\.dump: it loads, with 1 table$/,
        )
        place.write('shop.dump', dump.subarray(0, dump.length - 20_000))
        await place.backup()
        expect(lastOf(await place.test({ full: true }))).toMatchObject({
          result: 'FAILED',
          probes: [
            { outcome: 'failed', detail: expect.stringContaining('cannot read it to its end') as string },
          ],
        })
        // Two dumps, each on a server of its own; one is no dump at all.
        place.write('shop.dump', dump)
        place.write('text.dump', 'CREATE TABLE t ();\n')
        await place.backup()
        expect(lastOf(await place.test({ full: true }))).toMatchObject({
          result: 'INCONCLUSIVE',
          probes: [
            {
              outcome: 'inconclusive',
              detail: expect.stringContaining('text.dump: it is no archive') as string,
            },
          ],
        })
      },
    )

    test('a dump that contradicts itself reads well, and does not load', { timeout: 120_000 }, async () => {
      const place = await placeWith('{ kind: postgres, path: "*.dump" }')
      place.write(
        'shop.dump',
        dumpOf(
          'create table a (id int primary key); create table b (a int references a); set session_replication_role = replica; insert into b values (5)',
        ),
      )
      await place.backup()
      expect(lastOf(await place.test())).toMatchObject({
        result: 'FAILED',
        probes: [
          { outcome: 'failed', detail: expect.stringContaining('does not load (SQLSTATE 23503)') as string },
        ],
      })
    })

    test('what only this machine lacks is no failure of the dump', { timeout: 120_000 }, async () => {
      const place = await placeWith('{ kind: postgres, path: "*.dump" }')
      place.write(
        'shop.dump',
        dumpOf(
          'create role clerk; create table t (id int); alter table t enable row level security; create policy p on t to clerk using (true)',
        ),
      )
      await place.backup()
      expect(lastOf(await place.test({ full: true }))).toMatchObject({
        result: 'INCONCLUSIVE',
        probes: [
          { detail: expect.stringContaining('this server cannot load all of it (SQLSTATE 42704)') as string },
        ],
      })
    })
  })
})

/** A real dump of a real server, which a user without rights runs for a moment. */
function dumpOf(sql: string): Buffer {
  const work = join('/var/tmp', `bevis-dump-${process.pid}`)
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { mode: 0o777 })
  chmodSync(work, 0o777)
  onTestFinished(() => rmSync(work, { recursive: true, force: true }))
  const at = binaries ?? ''
  const script = `
    set -e
    cd ${work}
    ${at}/initdb -D data -U postgres --auth=trust --no-sync --no-locale -E UTF8 > log 2>&1
    ${at}/pg_ctl -D data -w -o "-k ${work} -c listen_addresses= -c fsync=off" -l server start >> log 2>&1
    ${at}/psql -h ${work} -U postgres -q -v ON_ERROR_STOP=1 -c "${sql}" >> log 2>&1
    ${at}/pg_dump -h ${work} -U postgres -Fc -f dump postgres
    ${at}/pg_ctl -D data -m immediate stop >> log 2>&1`
  const as = isRoot ? { uid: 65_534, gid: 65_534 } : {}
  execFileSync('/bin/sh', ['-c', script], { env: { PATH: '/usr/bin:/bin', HOME: work, LC_ALL: 'C' }, ...as })
  return readFileSync(join(work, 'dump'))
}
