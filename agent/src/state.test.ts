import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cureOf } from './cure.ts'
import { openState } from './state.ts'

let parent: string
let folder: string

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'bevis-state-'))
  folder = join(parent, 'state')
})

afterEach(() => rmSync(parent, { recursive: true }))

test('the folder and its database are their owner’s alone, and what was put there stays', () => {
  const first = openState(folder)
  first.put('a', '1')
  first.close()
  const second = openState(folder)
  expect(second.get('a')).toBe('1')
  second.put('a', null)
  expect(second.get('a')).toBeNull()
  expect(second.db.pragma('synchronous', { simple: true })).toBe(2) // FULL: a commit survives the loss of power
  expect(second.db.pragma('journal_mode', { simple: true })).toBe('wal')
  second.close()
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(statSync(join(folder, 'state.db')).mode & 0o777).toBe(0o600)
})

test('a folder that others can enter is refused with its cure', () => {
  mkdirSync(folder)
  chmodSync(folder, 0o755)
  expect(() => openState(folder)).toThrow(`${folder} is open to others (mode 755); run: chmod 700 ${folder}`)
})

test('a database that is none is damage, not an unforeseen error', () => {
  mkdirSync(folder, { mode: 0o700 })
  writeFileSync(join(folder, 'state.db'), 'x'.repeat(8192))
  expect(() => openState(folder)).toThrow(expect.objectContaining({ code: 'STATE_DAMAGED' }))
})

test('a state of a newer agent is left alone', () => {
  const state = openState(folder)
  state.db.pragma('user_version = 99')
  state.close()
  let error: unknown
  try {
    openState(folder)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toMatchObject({ code: 'STATE_DAMAGED', message: expect.stringContaining('newer agent') })
  expect(cureOf(error)).toBe('Nothing is damaged: install the newer agent again.')
})

test('a write that fails leaves nothing behind', () => {
  const state = openState(folder)
  const failing = (): void =>
    state.write(() => {
      state.put('a', '1')
      throw new Error('power')
    })
  expect(failing).toThrow('power')
  expect(state.get('a')).toBeNull()
  state.close()
})
