import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openState } from '../state.ts'
import type { State } from '../state.ts'
import { openDispatch } from './dispatch.ts'
import type { Dispatch, Ending } from './dispatch.ts'
import { saveMark } from './mark.ts'
import { plansOf } from './plan.ts'
import type { Plan, Scheduled } from './plan.ts'

let folder: string
let state: State
let time: Date
let dispatch: Dispatch
/** Runs that were started and have not ended, and how to end them. */
let open: { name: string; end: (ending: Ending) => Promise<void> }[]
let started: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bevis-dispatch-'))
  state = openState(join(folder, 'state'))
  open = []
  started = []
})

afterEach(() => {
  state.close()
  rmSync(folder, { recursive: true })
})

const set = (id: string, url = `/repo/${id}`): Scheduled => ({
  id,
  repository: { url },
  backup: { cron: '0 1 * * *', timezone: 'UTC', jitter: 'PT0S' },
  restoreTest: { cron: '0 2 * * *', jitter: 'PT0S', files: 50 },
  inventory: { every: 'P1D' },
})

/** A start as the service makes it: the run keeps its own mark when it ends, unless it could not run. */
function start(plan: Plan): Promise<Ending> {
  const name = `${plan.what} ${plan.set}`
  const startedAt = time.toISOString()
  started.push(name)
  return new Promise((resolve) => {
    open.push({
      name,
      end: async (ending) => {
        open = open.filter((run) => run.name !== name)
        const mark = { startedAt, endedAt: time.toISOString(), outcome: 'passed', code: null }
        if (ending === 'done' || ending === 'hindered') saveMark(state, plan.set, plan.what, mark)
        resolve(ending)
        await new Promise((done) => setImmediate(done))
      },
    })
  })
}

function begin(at: string, ...sets: Scheduled[]): void {
  time = new Date(at)
  dispatch = openDispatch({ plans: plansOf(sets), state, now: () => time, start })
  dispatch.tick()
}

function tickAt(at: string): void {
  time = new Date(at)
  dispatch.tick()
}

const names = (): string[] => open.map(({ name }) => name)
const end = (ending: Ending): Promise<void> => open[0]?.end(ending) ?? Promise.resolve()

test('one run at a time on a repository, in the order of what matters most', async () => {
  for (const what of ['backup', 'inventory', 'restore-test'] as const) {
    saveMark(state, 'shop', what, {
      startedAt: '2026-11-20T00:00:00.000Z',
      endedAt: '',
      outcome: 'passed',
      code: null,
    })
  }
  begin('2026-11-23T12:00:00.000Z', set('shop'))
  expect(names()).toEqual(['backup shop'])
  tickAt('2026-11-23T12:01:00.000Z')
  expect(names()).toEqual(['backup shop'])
  await end('done')
  expect(names()).toEqual(['inventory shop'])
  await end('done')
  expect(names()).toEqual(['restore-test shop'])
  await end('done')
  tickAt('2026-11-23T12:02:00.000Z')
  expect(started).toHaveLength(3) // three days missed, one run of each
})

test('sets with repositories of their own run beside each other, those that share one do not', () => {
  begin('2026-11-23T00:59:00.000Z', set('a', '/one'), set('b', '/one'), set('c', '/two'))
  expect(names()).toEqual(['inventory a', 'inventory c']) // never taken
  tickAt('2026-11-23T01:00:00.000Z')
  expect(names()).toEqual(['inventory a', 'inventory c'])
})

test('a set that is new does not run for the nights before it was there', () => {
  begin('2026-11-23T00:59:00.000Z', set('shop'))
  expect(names()).toEqual(['inventory shop'])
})

test('what found the repository locked stays owed', async () => {
  begin('2026-11-23T00:59:00.000Z', set('shop'))
  await end('done')
  tickAt('2026-11-23T01:00:00.000Z')
  await end('locked')
  tickAt('2026-11-23T01:00:30.000Z')
  expect(names()).toEqual([])
  tickAt('2026-11-23T01:01:00.000Z')
  expect(names()).toEqual(['backup shop'])
})

test('a hindered run is tried again three times, then left to the next night', async () => {
  begin('2026-11-23T00:59:00.000Z', set('shop'))
  await end('done')
  tickAt('2026-11-23T01:00:00.000Z')
  for (const [early, at] of [
    ['01:09:59', '01:10:00'],
    ['01:39:59', '01:40:00'],
  ]) {
    await end('hindered')
    tickAt(`2026-11-23T${early}.000Z`)
    expect(names()).toEqual([])
    tickAt(`2026-11-23T${at}.000Z`)
    expect(names()).toEqual(['backup shop'])
  }
  await end('done')
  tickAt('2026-11-23T01:59:00.000Z')
  expect(started.filter((name) => name === 'backup shop')).toHaveLength(3)
})

test('a run that never keeps its mark is started again after a pause, not at once', async () => {
  begin('2026-11-23T00:59:00.000Z', set('shop'))
  await end('stopped')
  expect(started).toHaveLength(1)
  tickAt('2026-11-23T00:59:30.000Z')
  expect(started).toHaveLength(2)
})

test('closing waits for what runs and starts nothing more', async () => {
  begin('2026-11-23T00:59:00.000Z', set('shop'))
  let closed = false
  const closing = dispatch.close().then(() => (closed = true))
  tickAt('2026-11-23T01:00:00.000Z')
  expect(closed).toBe(false)
  await end('stopped')
  await closing
  expect(started).toEqual(['inventory shop'])
})

test('a clock that is put back by a day keeps nothing waiting for a day', async () => {
  const mark = { startedAt: '2026-11-22T00:30:00.000Z', endedAt: '', outcome: 'passed', code: null }
  for (const what of ['inventory', 'restore-test'] as const) {
    saveMark(state, 'shop', what, { ...mark, startedAt: '2026-11-23T00:30:00.000Z' })
  }
  saveMark(state, 'shop', 'backup', mark)
  begin('2026-11-23T01:00:00.000Z', set('shop'))
  expect(names()).toEqual(['backup shop'])
  await end('hindered')
  tickAt('2026-11-23T01:01:00.000Z')
  expect(names()).toEqual([])
  tickAt('2026-11-22T01:02:00.000Z')
  expect(names()).toEqual(['backup shop'])
  await end('done')
  started = []
  tickAt('2026-11-22T01:05:00.000Z')
  expect(started).not.toContain('backup shop')
})
