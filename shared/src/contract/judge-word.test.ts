/** What a test is told of, before a listing says more of the same snapshot. */
import { expect, test } from 'vitest'
import { evaluate, Judge } from './evaluate.ts'
import { addFact, emptyIndex } from './facts.ts'
import { Story, contractFor, keeping } from './story-for-tests.ts'

const contract = contractFor({
  retention: keeping([{ per: 'day', keep: 30 }], { age: 'P31D', purgeGrace: 'P1D' }),
  restoreTest: { every: 'P1M' },
})

/** Judges at each of the instants with what had been received by then, and in the end anew. */
function judgedTwice(story: Story, instants: readonly string[]): { gone: unknown; clean: unknown } {
  const index = emptyIndex()
  const judge = new Judge(contract, index)
  let gone: unknown
  for (const at of instants) {
    const coming = story.facts.slice(index.size)
    for (const fact of coming) if (Date.parse(fact.receivedAt) <= Date.parse(at)) addFact(index, fact)
    gone = JSON.parse(JSON.stringify(judge.judge(new Date(at))))
  }
  const at = new Date(instants.at(-1) ?? '')
  return { gone, clean: JSON.parse(JSON.stringify(evaluate({ contract, facts: story.facts, at }))) }
}

test.each([
  ['another host', { host: 'elsewhere' }],
  ['other paths', { paths: ['/tmp'] }],
  ['another time', { time: '2025-04-19T00:00:00.000Z' }],
])('a test that named %s hides nothing from the ceiling once the snapshot is listed', (_, lie) => {
  const story = new Story()
  const snapshot = story.snapshot('2025-03-01T12:00:00Z')
  story.test({ ...snapshot, ...lie }, '2025-03-01T13:00:00Z', 'PASSED')
  story.inventory('2025-03-01T14:00:00Z')
  story.inventory('2025-04-20T14:00:00Z')
  const { gone, clean } = judgedTwice(story, ['2025-03-01T13:30:00Z', '2025-04-20T15:00:00Z'])
  expect(clean).toMatchObject({ sets: [{ dimensions: { ceiling: 'breached' } }] })
  expect(gone).toEqual(clean)
})

test('a snapshot that was tested under its new ID before that was listed is not lost', () => {
  const story = new Story()
  const snapshot = story.backup('2025-03-01T12:00:00Z')
  story.inventory('2025-03-01T14:00:00Z')
  story.test(story.rename(snapshot), '2025-03-02T06:00:00Z', 'PASSED')
  story.inventory('2025-03-02T07:00:00Z')
  const { gone, clean } = judgedTwice(story, ['2025-03-02T06:30:00Z', '2025-03-02T08:00:00Z'])
  expect(clean).toMatchObject({ sets: [{ counts: { met: 1, lost: 0 } }] })
  expect(gone).toEqual(clean)
})
