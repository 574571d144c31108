import { describe, expect, test } from 'vitest'
import type { Stat } from '../tree/stat.ts'
import { COUNTS_AS, compareFile } from './compare.ts'
import type { Comparison, Known, Restored, SourceNow, Witnessed } from './compare.ts'

const A = 'a'.repeat(64)
const B = 'b'.repeat(64)
const C = 'c'.repeat(64)

const node: Stat = {
  kind: 'file',
  size: 10,
  mtimeNs: 1_000n,
  ctimeNs: 2_000n,
  inode: 7,
  mode: 0o644,
  uid: 0,
  gid: 0,
}
const edited: Stat = { ...node, size: 11, mtimeNs: 5_000n, ctimeNs: 5_001n }
const touched: Stat = { ...node, mtimeNs: 5_000n, ctimeNs: 5_001n }
const older: Stat = { ...node, mtimeNs: 900n, ctimeNs: 5_001n }
const putBack: Stat = { ...node, ctimeNs: 5_001n }
const replaced: Stat = { ...node, ctimeNs: 5_001n, inode: 8 }

const witness = (sha256: string, racy = false): Witnessed => ({ state: 'witness', sha256, racy })
const restored = (sha256: string): Restored => ({ state: 'restored', sha256 })
const source = (stat: Stat, sha256: string | null): SourceNow => ({ state: 'read', stat, sha256 })
const none: Witnessed = { state: 'none' }
const voided: Witnessed = { state: 'void' }

function compare(known: Partial<Known>): Comparison {
  return compareFile({ node, witness: witness(A), restored: restored(A), source: source(node, A), ...known })
}

describe('a witness that equals what was restored proves the file, whatever the source is', () => {
  test.each<[string, SourceNow, Comparison['source'], Comparison['movedBack']]>([
    ['untouched', source(node, A), 'same', undefined],
    ['rotten: same stat, other bytes', source(node, B), 'rot', undefined],
    ['touched, same bytes', source(touched, A), 'same', undefined],
    ['chmod or chown only', source(putBack, A), 'same', undefined],
    ['edited', source(edited, null), 'changed', undefined],
    ['edited, hashed', source(edited, B), 'changed', undefined],
    ['replaced by an older file', source(older, B), 'changed', 'older'],
    ['other bytes under the old size and mtime', source(putBack, B), 'changed', 'put-back'],
    ['replaced by a copy with the same size and mtime', source(replaced, B), 'changed', 'put-back'],
    ['deleted', { state: 'deleted' }, 'deleted', undefined],
    ['unreadable', { state: 'unreadable' }, 'unreadable', undefined],
    ['moving while it was hashed', { state: 'moving' }, 'unreadable', undefined],
  ])('%s', (_, now, verdict, movedBack) => {
    const answer = compare({ source: now })
    expect(answer).toMatchObject({ class: 'identical', reference: 'manifest', source: verdict })
    expect(answer.movedBack).toBe(movedBack)
  })

  test('a racy witness that equals is still a proof', () => {
    expect(compare({ witness: witness(A, true) })).toMatchObject({
      class: 'identical',
      reference: 'manifest',
    })
  })
})

describe('a witness that differs from what was restored', () => {
  test.each<[string, SourceNow]>([
    ['source equals the witness', source(node, A)],
    ['source equals what was restored, stat too', source(node, B)],
    ['source is a third thing', source(node, C)],
    ['source edited', source(edited, null)],
    ['source edited into what was restored', source(touched, B)],
    ['source deleted', { state: 'deleted' }],
    ['source unreadable', { state: 'unreadable' }],
  ])('is damage: %s', (_, now) => {
    const answer = compare({ restored: restored(B), source: now })
    expect(answer).toMatchObject({ class: 'damaged', reference: 'manifest', expected: A, actual: B })
    expect(COUNTS_AS[answer.class]).toBe('fail')
  })

  test.each<[string, SourceNow]>([
    ['source equals the witness', source(node, A)],
    ['source equals what was restored', source(node, B)],
    ['source edited', source(edited, null)],
    ['source deleted', { state: 'deleted' }],
  ])('is raced when the witness is racy: %s', (_, now) => {
    const answer = compare({ witness: witness(A, true), restored: restored(B), source: now })
    expect(answer).toMatchObject({ class: 'raced', reference: 'manifest' })
    expect(COUNTS_AS[answer.class]).toBe('inconclusive')
  })

  test('the source is judged by the witness all the same: damage and rot at once', () => {
    expect(compare({ restored: restored(B), source: source(node, C) })).toMatchObject({
      class: 'damaged',
      source: 'rot',
    })
    expect(compare({ restored: restored(B), source: source(node, A) })).toMatchObject({ source: 'same' })
  })
})

describe.each([
  ['absent', none],
  ['void', voided],
] as const)('witness %s', (_, state) => {
  test('stat is the node’s and bytes are equal: identical, by the source', () => {
    expect(compare({ witness: state })).toMatchObject({
      class: 'identical',
      reference: 'source',
      source: 'same',
    })
  })

  test('stat is the node’s and bytes differ: diverged, a fail, and no verdict on the source', () => {
    const answer = compare({ witness: state, restored: restored(B) })
    expect(answer).toMatchObject({
      class: 'diverged',
      reference: 'source',
      expected: A,
      actual: B,
      source: 'same',
    })
    expect(COUNTS_AS[answer.class]).toBe('fail')
  })

  test.each<[string, SourceNow, string, Comparison['source']]>([
    ['edited', source(edited, null), 'changed since', 'changed'],
    ['edited, hashed', source(touched, B), 'changed since', 'changed'],
    ['touched', source(touched, A), 'touched since', 'same'],
    ['moved back in time', source(older, B), 'moved back in time', 'changed'],
    ['its times put back', source(putBack, B), 'old size and modification time', 'changed'],
    ['gone', { state: 'deleted' }, 'gone', 'deleted'],
  ])('unverified, never passed, when the source is %s', (__, now, words, verdict) => {
    const answer = compare({ witness: state, source: now })
    expect(answer).toMatchObject({ class: 'unverified', reference: 'none', source: verdict })
    expect(answer.detail).toContain(words)
    expect(answer.detail).toContain(state.state === 'void' ? 'changed during the backup' : 'no witness')
    expect(COUNTS_AS[answer.class]).toBe('inconclusive')
  })

  test.each<[string, SourceNow]>([
    ['cannot be read', { state: 'unreadable' }],
    ['moves while hashed', { state: 'moving' }],
    ['was not hashed', source(node, null)],
  ])('unreadable when the source %s', (__, now) => {
    expect(compare({ witness: state, source: now })).toMatchObject({ class: 'unreadable', reference: 'none' })
  })
})

describe('nothing restored', () => {
  test.each<[string, Witnessed, SourceNow]>([
    ['with a witness', witness(A), source(node, A)],
    ['with a racy witness', witness(A, true), source(node, A)],
    ['without a witness', none, source(node, A)],
    ['with a void one', voided, { state: 'deleted' }],
    ['though our own hashing at the backup failed', { state: 'unreadable' }, { state: 'unreadable' }],
  ])('what the listing has is missing %s', (_, state, now) => {
    const answer = compare({ witness: state, restored: { state: 'missing' }, source: now })
    expect(answer).toMatchObject({
      class: 'missing',
      reference: state.state === 'witness' ? 'manifest' : 'none',
    })
    expect(COUNTS_AS[answer.class]).toBe('fail')
  })

  test('an error event is missing, with restic’s words', () => {
    const restoredState: Restored = { state: 'missing', detail: 'ciphertext verification failed' }
    expect(compare({ restored: restoredState }).detail).toBe('ciphertext verification failed')
  })

  test('what the manifest has and the listing lost is missing', () => {
    const answer = compare({ node: null, restored: { state: 'missing' } })
    expect(answer).toMatchObject({ class: 'missing', reference: 'manifest' })
    expect(answer.detail).toContain('listing')
  })

  test('a gap that the backup’s manifest found fails', () => {
    const answer = compare({ node: null, witness: { state: 'gap' }, restored: { state: 'missing' } })
    expect(answer).toMatchObject({ class: 'gap', reference: 'none' })
    expect(COUNTS_AS[answer.class]).toBe('fail')
  })

  test('what restic could not read at the backup is unreadable, not missing', () => {
    const answer = compare({ node: null, witness: { state: 'unreadable' }, restored: { state: 'missing' } })
    expect(answer).toMatchObject({ class: 'unreadable' })
    expect(COUNTS_AS[answer.class]).toBe('inconclusive')
  })
})

test('a restored file that cannot be read back is unreadable', () => {
  expect(compare({ restored: { state: 'unreadable', detail: 'EACCES' } })).toMatchObject({
    class: 'unreadable',
  })
})

test('a stat without an inode (restic before 0.16.1) still matches, and ctime still exposes', () => {
  const old: Stat = { ...node, inode: null }
  expect(compare({ node: old, witness: none })).toMatchObject({ class: 'identical', reference: 'source' })
  expect(compare({ node: old, witness: none, source: source(putBack, B) })).toMatchObject({
    class: 'unverified',
  })
})

test('a file that became another kind has changed', () => {
  const link: Stat = { ...node, kind: 'symlink', size: 0 }
  expect(compare({ source: source(link, null) })).toMatchObject({ class: 'identical', source: 'changed' })
  expect(compare({ witness: none, source: source(link, null) })).toMatchObject({ class: 'unverified' })
})
