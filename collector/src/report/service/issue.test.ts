import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sql } from 'kysely'
import { sha256Hex } from '@bevis/shared/crypto'
import { inventoryDigest } from '@bevis/shared/evidence/inventory'
import type { Snap } from '@bevis/shared/evidence/predicates'
import { assertClean, CONTRACT, makeCollector } from '../../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../../test/kit/collector.ts'
import type { FakeAgent } from '../../../../test/kit/fake-agent.ts'
import { runOn } from '../../../../test/kit/pdf.ts'
import { fsckCommand } from '../../commands/fsck.ts'
import { voiceOf } from '../../pages/voice.ts'
import { listEvents } from '../../store/read/events.ts'
import { issueServiceReport, readServiceReport, serviceRecordPdf, serviceReportPdf } from './issue.ts'
import { copiesFolder } from './copies.ts'
import { issuedMonths } from './issued.ts'

const clock = { now: new Date('2025-04-03T08:00:00.000Z') }
const now = () => clock.now
const repository = { id: sha256Hex('repository'), lineage: 'hfk-web', location: '/srv/backup' }
const which = { contract: CONTRACT, month: '2025-03' }
let place: TestFolder
let collector: TestCollector
let agent: FakeAgent
const listed: Snap[] = []

beforeEach(async () => {
  clock.now = new Date('2025-04-03T08:00:00.000Z')
  listed.length = 0
  place = await makeCollector()
  collector = await place.start({ now })
  agent = await collector.enrolled('web1')
})

afterEach(async () => {
  await collector.stop()
  place.remove()
})

const desk = () => ({
  store: collector.store,
  scope: { all: true } as const,
  voice: voiceOf,
  office: collector.office,
  copies: copiesFolder(place.config.checkpointFile),
  now,
})
const read = async () => (await readServiceReport(desk(), which, 'en')).telling

/** A night of March, and the listing after it. */
function night(day: number) {
  const time = `2025-03-${String(day).padStart(2, '0')}T02:00:00.000Z`
  const id = sha256Hex(time)
  const snapshot: Snap = { id, time, tree: sha256Hex(`tree ${time}`), host: 'web1', paths: ['/srv/shop'] }
  listed.push(snapshot)
  const source = { files: 10, bytes: 1_000, filesNew: 10, filesChanged: 0, filesUnmodified: 0, addedBytes: 9 }
  return [
    agent.say(
      'backup-run',
      { name: `snapshots/${id}`, digest: { sha256: id } },
      {
        set: 'shop',
        repository,
        startedAt: time,
        endedAt: time.replace('02:00', '02:01'),
        exitCode: 0,
        outcome: 'complete',
        snapshot,
        source,
      },
    ),
    agent.say(
      'inventory',
      { name: 'sets/shop', digest: { sha256: sha256Hex('shop') } },
      {
        repository,
        takenAt: time.replace('02:00', '06:00'),
        complete: true,
        count: listed.length,
        digest: inventoryDigest(listed.map((one) => one.id)),
        base: null,
        added: [...listed],
        removed: [],
      },
    ),
  ]
}

const nights = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, place) => night(from + place)).flat()

test('an issued report keeps what it said; evidence that comes later stands beside it', async () => {
  await agent.send(nights(1, 28))
  const draft = await read()
  expect(draft.issued).toBeNull()
  const { sha256, statement } = await issueServiceReport(desk(), which, 'S. Lind')
  const [event] = (await listEvents(collector.store.db, CONTRACT)).filter(
    ({ event: { detail } }) => detail['document'] === 'service-report',
  )
  const pdf = await serviceReportPdf(desk(), which, 'da')
  expect(event?.paeDigest).toBe(statement)
  expect(event?.event.detail).toMatchObject({ month: '2025-03', sha256, pdf: { da: sha256Hex(pdf) } })

  clock.now = new Date('2025-04-20T08:00:00.000Z')
  await agent.send(nights(29, 31)) // the spool of a machine that was cut off
  const { report, issued, corrections } = await read()
  expect(issued).toMatchObject({ person: 'S. Lind', statement, sha256 })
  expect(report).toEqual(draft.report)
  expect(corrections?.levels).toContainEqual({
    set: 'shop',
    dimension: 'points',
    was: 'unknown',
    is: 'compliant',
  })
  expect(await serviceReportPdf(desk(), which, 'da')).toEqual(pdf)
  expect(await issuedMonths(collector.store, CONTRACT)).toEqual(new Map([['2025-03', 'issued']]))
  await expect(issueServiceReport(desk(), which, 'S. Lind')).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
  })
  await assertClean(collector)
})

test('a month that is not over is not issued', async () => {
  await expect(issueServiceReport(desk(), { ...which, month: '2025-04' }, 'S. Lind')).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringContaining('is not over'),
  })
})

test('cut off before it was logged, it is no report; asked again, what was written then is issued', async () => {
  const deaf = { record: () => Promise.reject(new Error('the power went')) }
  await expect(issueServiceReport({ ...desk(), office: deaf }, which, 'S. Lind')).rejects.toThrow(
    'the power went',
  )
  expect((await read()).issued).toBeNull()
  clock.now = new Date('2025-04-04T08:00:00.000Z')
  const { report } = await issueServiceReport(desk(), which, 'S. Lind')
  expect(report.knownAt).toBe('2025-04-03T08:00:00.000Z')
})

test('what was changed in the database is not what was issued, and is not handed out', async () => {
  await issueServiceReport(desk(), which, 'S. Lind')
  await collector.store.write((tx) =>
    sql`update service_report set report = replace(report, 'unknown', 'compliant')`.execute(tx),
  )
  const { damage } = await readServiceReport(desk(), which, 'en')
  expect(damage).toContain('was changed in the database')
  expect((await fsckCommand(collector.opened, {})).lines[0]).toContain('was changed in the database')
  await expect(serviceReportPdf(desk(), which, 'en')).rejects.toMatchObject({ code: 'LOG_INCONSISTENT' })
})

test('what is no report at all any more is told as changed', async () => {
  await issueServiceReport(desk(), which, 'S. Lind')
  for (const report of ['not JSON', '{}']) {
    await collector.store.write((tx) => tx.updateTable('service_report').set({ report }).execute())
    const refusal = {
      code: 'LOG_INCONSISTENT',
      message: expect.stringContaining('was changed in the database'),
    }
    await expect(readServiceReport(desk(), which, 'en')).rejects.toMatchObject(refusal)
    await expect(serviceReportPdf(desk(), which, 'en')).rejects.toMatchObject(refusal)
  }
})

test('what came under a clock that was ahead is not told as missing', async () => {
  clock.now = new Date('2025-08-01T08:00:00.000Z')
  await agent.send(nights(1, 31))
  clock.now = new Date('2025-04-03T08:00:00.000Z')
  const figures = (report: Awaited<ReturnType<typeof read>>['report']) =>
    report.sets[0]?.levels.find(({ dimension }) => dimension === 'points')?.figures
  expect(figures((await read()).report)).toMatchObject({ kept: 31, uncertain: 0 })
  await issueServiceReport(desk(), which, 'S. Lind')
  const { report, corrections } = await read()
  expect(figures(report)).toMatchObject({ kept: 31 })
  expect(corrections).toEqual({ levels: [], deviations: [], credits: null })
})

test('an issued report comes back into a database that was set back, and fsck misses it where it cannot', async () => {
  const { sha256 } = await issueServiceReport(desk(), which, 'S. Lind')
  const pdf = await serviceReportPdf(desk(), which, 'da')
  const lose = () => collector.store.write((tx) => tx.deleteFrom('service_report').execute())
  await lose()
  await assertClean(collector)
  expect(await serviceReportPdf(desk(), which, 'da')).toEqual(pdf)
  expect(await collector.store.db.selectFrom('service_report').select('sha256').execute()).toEqual([
    { sha256 },
  ])

  await lose()
  writeFileSync(join(desk().copies, sha256Hex(pdf)), 'something else')
  const gone = 'was issued, and is neither in the database nor among the copies'
  const refusal = { code: 'LOG_INCONSISTENT', message: expect.stringContaining(gone) }
  await expect(serviceReportPdf(desk(), which, 'da')).rejects.toMatchObject(refusal)
  const { exit, lines } = await fsckCommand(collector.opened, {})
  expect([exit, lines[0]]).toEqual([1, `contract ${CONTRACT}, report of 2025-03: ${gone}`])
})

test('both parties’ words are logged and stand beside the report, each when it is due; what was issued stays', async (context) => {
  await agent.send(nights(1, 28))
  const { statement } = await issueServiceReport(desk(), which, 'S. Lind')
  const issued = await serviceReportPdf(desk(), which, 'en')
  const say = (party: 'customer' | 'provider', reply: string, note?: string, of = statement) =>
    collector.office.record({
      contract: CONTRACT,
      event: 'finding-acknowledged',
      by: { party, person: `${party}@example` },
      detail: { statement: of, reply, ...(note !== undefined && { note }) },
    })
  const refused = { code: 'REQUEST_INVALID' }
  await expect(say('provider', 'signed-off')).rejects.toMatchObject(refused)
  await expect(say('provider', 'credits-agreed')).rejects.toMatchObject(refused)
  await expect(say('customer', 'remarked')).rejects.toMatchObject(refused)
  await expect(say('customer', 'signed-off', undefined, 'f'.repeat(64))).rejects.toMatchObject(refused)
  await expect(say('customer', 'paid')).rejects.toMatchObject(refused)
  await say('customer', 'remarked', 'Where was the 29th?')
  await say('customer', 'credits-claimed')
  await expect(say('provider', 'credits-declined')).rejects.toMatchObject(refused)
  await say('provider', 'credits-agreed')
  await say('customer', 'signed-off')
  await expect(say('customer', 'signed-off')).rejects.toMatchObject(refused)
  await expect(say('provider', 'credits-declined', 'too late')).rejects.toMatchObject(refused)

  expect((await read()).replies.map(({ reply, party, note }) => [party, reply, note])).toEqual([
    ['customer', 'remarked', 'Where was the 29th?'],
    ['customer', 'credits-claimed', null],
    ['provider', 'credits-agreed', null],
    ['customer', 'signed-off', null],
  ])
  expect(await issuedMonths(collector.store, CONTRACT)).toEqual(new Map([['2025-03', 'signed-off']]))
  expect(await serviceReportPdf(desk(), which, 'en')).toEqual(issued)
  const record = await serviceRecordPdf(desk(), which, 'en')
  const text = runOn(context, record, 'pdftotext', '{}', '-')
  expect(text).toContain('Where was the 29th?')
  expect(text).toContain('Agrees to the credits')
  expect(text).toContain('customer@example')

  // The next month's report tells what was said in it.
  clock.now = new Date('2025-05-02T08:00:00.000Z')
  const next = await readServiceReport(desk(), { contract: CONTRACT, month: '2025-04' }, 'en')
  expect(next.telling.report.changes).toContainEqual(
    expect.objectContaining({ kind: 'event', to: 'report-signed-off', subject: 'customer@example' }),
  )
  await assertClean(collector)
})

test('a report that was not issued has no record', async () => {
  await expect(serviceRecordPdf(desk(), which, 'en')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a report of another customer’s contract does not exist', async () => {
  const stranger = { ...desk(), scope: { tenant: 'another' } }
  await expect(readServiceReport(stranger, which, 'en')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(serviceReportPdf(stranger, which, 'en')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('asked twice at once, a report is issued once, and the store is not said to have failed', async () => {
  await agent.send(nights(1, 31))
  const asked = await Promise.allSettled([1, 2, 3].map(() => issueServiceReport(desk(), which, 'S. Lind')))
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const one of asked) {
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'REQUEST_INVALID' })
  }
  const events = await listEvents(collector.store.db, CONTRACT)
  expect(events.filter(({ event }) => event.detail['document'] === 'service-report')).toHaveLength(1)
  await assertClean(collector)
})
