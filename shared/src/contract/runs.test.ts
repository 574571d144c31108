/** What the table gives back of a run is what was put in: the evaluation must not see a difference. */
import { expect, test } from 'vitest'
import { sha256Hex } from '../crypto.ts'
import { paeDigest } from '../evidence/envelope.ts'
import { addFact, emptyIndex } from './facts.ts'
import { Story } from './story-for-tests.ts'
import { Same, toldOf } from './told.ts'
import type { BackupRun } from './told.ts'

/** The fields as plain values: those of the table are asked for one by one. */
const plainOf = ({ repository, set, startedAt, exitCode, outcome, snapshot, source, failed }: BackupRun) => ({
  ...{ repository, set, startedAt, exitCode, outcome, source, failed },
  snapshot: snapshot && {
    ...{ id: snapshot.id, time: snapshot.time, tree: snapshot.tree, host: snapshot.host },
    ...{ paths: snapshot.paths, tags: snapshot.tags, original: snapshot.original },
  },
})

test('of each kind of run, over several pages', () => {
  const stories = [
    new Story({ agent: 'agent-1', host: 'srv1' }),
    new Story({ agent: 'agent-2', host: 'srv2' }),
  ]
  for (let n = 0; n < 300; n += 1) {
    const time = new Date(Date.parse('2025-03-01T21:00:00.000Z') + n * 3_600_001).toISOString()
    const failed = { count: n, paths: ['/srv/data/locked'] }
    for (const story of stories) {
      if (n % 7 === 0) story.backup(time, { snapshot: undefined, outcome: 'failed', exitCode: n })
      else if (n % 5 === 0) story.backup(time, { outcome: 'partial', failed })
      else if (n % 3 === 0) story.backup(time, { source: undefined, set: `set-${n % 4}` })
      else if (n % 4 === 0) story.backup(time, { snap: { original: sha256Hex(`first ${n}`) } })
      else story.backup(time, { snap: n % 2 === 0 ? { tags: ['nightly', `week ${n % 3}`] } : {} })
    }
  }
  const facts = Story.together(...stories)
  const index = emptyIndex()
  for (const fact of facts) addFact(index, fact)
  const runs = [...index.runs.from(0)]
  expect(runs).toHaveLength(600)
  for (const [place, { statement, receivedAt }] of facts.entries()) {
    const run = runs[place]!
    expect(plainOf(run.predicate)).toEqual(plainOf(toldOf(statement, new Same()) as BackupRun))
    expect(run.index).toBe(place)
    expect(run.receivedAt).toBe(Date.parse(receivedAt))
    expect(run.chain).toMatchObject({ agent: place % 2 === 0 ? 'agent-1' : 'agent-2' })
    expect(run.digest).toBe(paeDigest(new TextEncoder().encode(JSON.stringify(statement))))
  }
})
