import { describe, expect, test } from 'vitest'
import { askAt, contractOf, setAt, setOf, Story, versionOf } from './story-for-tests.ts'
import { shownOf } from './shown.ts'

const AT = '2025-03-12T00:00:00Z'
const tested = (restoreTest: object = { every: 'P1M' }) =>
  contractOf([
    versionOf(1, '2025-01-01', {
      sets: [
        setOf({ restoreTest }),
        setOf({
          id: 'epj',
          selector: { repository: 'epj', hosts: ['epj'], requiredPaths: ['/srv/epj'] },
          restoreTest,
        }),
      ],
    }),
  ])

/** Ten days of backups, and a test of the newest. */
function story(more: Parameters<Story['test']>[3], result: 'PASSED' | 'FAILED' = 'PASSED'): Story {
  const one = new Story()
  one.days('2025-03-01', '2025-03-10')
  const newest = one.contents().at(-1)
  if (newest !== undefined) one.test(newest, '2025-03-11T04:00:00Z', result, more)
  return one
}

const shown = (one: Story, set: string, terms?: object) =>
  shownOf(setAt(tested(terms), [...one.facts], AT, set))

describe('what shows that a set is proven', () => {
  test('a test of its own snapshot, whatever name it goes by there, and of no other set', () => {
    for (const set of ['filer', 'shop', 'epj']) {
      expect(shown(story({ set }), 'filer'), set).toEqual({ tested: true, passed: true, listed: true })
      expect(shown(story({ set }), 'epj'), set).toEqual({ tested: false, passed: false, listed: false })
    }
  })

  test.each([
    ['one that failed', story({}, 'FAILED')],
    ['files that somebody picked', story({ reason: 'requested' })],
    ['damage that was put in its way and not found', story({ negativeControl: 'missed' })],
  ])('not: %s', (_, one) => {
    expect(shown(one, 'filer')).toEqual({ tested: true, passed: false, listed: true })
    expect(setAt(tested(), [...one.facts], AT, 'epj').dimensions.proof).toBe('compliant')
  })

  test('no sample where a full restore is agreed', () => {
    const full = { every: 'P1M', mode: 'full' }
    expect(shown(story({}), 'filer', full).passed).toBe(false)
    expect(shown(story({ mode: 'full' }), 'filer', full).passed).toBe(true)
  })

  test('not what came later than was known, and nothing of an answer that was read', () => {
    const { facts } = story({})
    const known = askAt(tested(), facts, AT, '2025-03-11T00:00:00Z').sets[0]
    const read = setAt(tested(), facts, AT)
    expect(known && shownOf(known)).toEqual({ tested: false, passed: false, listed: true })
    expect(shownOf(structuredClone(read))).toEqual({ tested: false, passed: false, listed: false })
  })
})
