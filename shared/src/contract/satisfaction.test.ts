import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../crypto.ts'
import {
  Story,
  askAt,
  contractFor,
  instantOf,
  obligationIn,
  repositoryOf,
  setAt,
  sourceOf,
} from './story-for-tests.ts'

const contract = contractFor({})
const MINUTE_MS = 60_000

/** Four good days, then what the test does on 5 March, then an inventory after its due. */
function fifth(act: (story: Story) => void, story = new Story()): Story {
  story.days('2025-03-01', '2025-03-04')
  act(story)
  story.inventory('2025-03-06T06:00:00Z')
  return story
}

const stateOfFifth = (story: Story, own = contract, at = '2025-03-06T11:00:00Z') =>
  obligationIn(setAt(own, story, at), '2025-03-05').state

const codes = (story: Story, own = contract) =>
  askAt(own, story, '2025-03-06T11:00:00Z').findings.map(({ code }) => code)

describe('which snapshots count', () => {
  test.each([
    ['of another host', { host: 'srv2' }, 'missed'],
    ['of a path above', { paths: ['/srv'] }, 'met'],
    ['of the whole machine', { paths: ['/'] }, 'met'],
    ['of a path below', { paths: ['/srv/data/db'] }, 'missed'],
    ['of a path that begins alike', { paths: ['/srv/data2'] }, 'missed'],
  ])('%s', (_, snap, state) => {
    expect(stateOfFifth(fifth((story) => story.backup('2025-03-05T21:00:00Z', { snap })))).toBe(state)
  })

  test('of another lineage', () => {
    const elsewhere = new Story({ agent: 'agent-2', lineage: 'other' })
    elsewhere.backup('2025-03-05T21:00:00Z')
    elsewhere.inventory('2025-03-06T05:30:00Z')
    const facts = Story.together(
      fifth(() => {}),
      elsewhere,
    )
    expect(obligationIn(setAt(contract, facts, '2025-03-06T11:00:00Z'), '2025-03-05').state).toBe('missed')
  })

  test('by repository ID as well as by lineage', () => {
    const { id } = repositoryOf('vts-01', 'vts-01')
    const own = contractFor({ selector: { repository: id, hosts: ['srv1'], requiredPaths: ['/srv/data'] } })
    expect(
      stateOfFifth(
        fifth((story) => story.backup('2025-03-05T21:00:00Z')),
        own,
      ),
    ).toBe('met')
  })

  test('a failed run satisfies nothing, a run that was never listed neither', () => {
    expect(
      stateOfFifth(
        fifth((story) => story.backup('2025-03-05T21:00:00Z', { outcome: 'failed', exitCode: 1 })),
      ),
    ).toBe('missed')
    const story = fifth((one) => one.drop(one.backup('2025-03-05T21:00:00Z')))
    expect(stateOfFifth(story)).toBe('missed')
  })

  test('a shared repository: each set sees its own host', () => {
    const other = { id: 'other', selector: { repository: 'vts-01', hosts: ['srv2'], requiredPaths: [] } }
    const version = contractFor({}).versions[0]
    const both = contractFor(
      {},
      { versions: [{ ...version, sets: [...(version?.sets ?? []), { ...version?.sets[0], ...other }] }] },
    )
    const story = fifth((one) => one.backup('2025-03-05T21:00:00Z'))
    expect(obligationIn(setAt(both, story, '2025-03-06T11:00:00Z', 'filer'), '2025-03-05').state).toBe('met')
    expect(obligationIn(setAt(both, story, '2025-03-06T11:00:00Z', 'other'), '2025-03-05').state).toBe(
      'missed',
    )
  })
})

describe('partial runs', () => {
  const lenient = contractFor({ partial: { maxFailedPct: 0.5, neverPaths: ['/srv/data/db'] } })
  const partly = (count: number, paths: string[]) =>
    fifth((story) => story.backup('2025-03-05T21:00:00Z', { outcome: 'partial', failed: { count, paths } }))

  test.each([
    ['few', 2, ['/srv/data/a', '/srv/data/b'], 'met'],
    ['too many', 22, Array.from({ length: 22 }, (_, n) => `/srv/data/${n}`), 'missed'],
    ['one that may never fail', 1, ['/srv/data/db/x'], 'missed'],
    ['the directory that holds what may never fail', 1, ['/srv/data'], 'missed'],
    ['some that are not named', 2, ['/srv/data/a'], 'missed'],
  ])('%s', (_, count, paths, state) => {
    expect(stateOfFifth(partly(count, paths), lenient)).toBe(state)
  })
})

describe('clocks', () => {
  const off = (minutes: number, measured = true, story = new Story()) =>
    fifth((one) => {
      const offset = minutes * MINUTE_MS
      if (measured)
        one.heartbeat(instantOf(Date.parse('2025-03-05T20:50:00Z') + offset), offset, {
          receivedAt: '2025-03-05T20:50:05Z',
        })
      one.backup(instantOf(Date.parse('2025-03-05T21:00:00Z') + offset), {
        receivedAt: '2025-03-05T21:09:05Z',
      })
    }, story)
  /** From here on the agent's clock is right again, and that is measured. */
  const mended = (story: Story) => {
    story.heartbeat('2025-03-06T05:00:00Z', 0)
    story.inventory('2025-03-06T06:05:00Z')
    return story
  }

  test('worked case 25: twenty minutes are taken off', () => {
    expect(stateOfFifth(mended(off(20)))).toBe('met')
  })

  test('off by more than an hour: quarantined, unknown', () => {
    const story = mended(off(120))
    expect(stateOfFifth(story)).toBe('unknown')
    expect(codes(story)).toContain('quarantined')
    expect(stateOfFifth(mended(off(-120)))).toBe('unknown')
  })

  test('the correction decides the bucket, either way', () => {
    const at = (minutes: number) => {
      const story = new Story()
      story.days('2025-03-01', '2025-03-03')
      const offset = minutes * MINUTE_MS
      const real = Date.parse(minutes > 0 ? '2025-03-05T22:55:00Z' : '2025-03-05T23:05:00Z')
      story.heartbeat(instantOf(real + offset - MINUTE_MS), offset, { receivedAt: instantOf(real) })
      story.backup(instantOf(real + offset), { receivedAt: instantOf(real + 10 * MINUTE_MS) })
      return mended(story)
    }
    expect(stateOfFifth(at(20))).toBe('met')
    expect(stateOfFifth(at(-20))).toBe('missed') // it was already 6 March
  })

  test('nothing is taken off within the tolerance', () => {
    expect(stateOfFifth(off(4))).toBe('met')
  })

  test('a snapshot from the future is rejected and told', () => {
    const story = fifth((one) => one.backup('2035-03-05T21:00:00Z', { receivedAt: '2025-03-05T21:10:00Z' }))
    expect(stateOfFifth(story)).toBe('missed')
    expect(codes(story)).toContain('future-dated')
  })

  test('an inventory dated after its receipt counts for nothing', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-04')
    story.inventory('2025-03-06T10:30:00Z', { receivedAt: '2025-03-06T05:30:00Z' })
    expect(stateOfFifth(story)).toBe('unknown')
    expect(codes(story)).toContain('future-dated')
  })

  test('an inventory of a quarantined clock counts for nothing, but what builds on it does', () => {
    const story = off(120)
    expect(setAt(contract, story, '2025-03-06T11:00:00Z').dimensions.evidence).toBe('at-risk')
    expect(setAt(contract, mended(story), '2025-03-06T11:00:00Z').dimensions.evidence).toBe('compliant')
  })
})

describe('the signed sequence', () => {
  test('a run that ends before what its agent had stated is backdated', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-04')
    story.days('2025-03-06', '2025-03-06')
    story.backup('2025-03-05T21:00:00Z', { receivedAt: '2025-03-06T22:10:00Z' })
    story.inventory('2025-03-06T22:20:00Z')
    const answer = askAt(contract, story, '2025-03-06T23:00:00Z')
    expect(obligationIn(answer.sets[0]!, '2025-03-05').state).toBe('missed')
    expect(answer.findings.map(({ code }) => code)).toContain('backdated')
  })

  test('a snapshot that does not lie within its run is backdated', () => {
    const story = fifth((one) =>
      one.backup('2025-03-06T01:00:00Z', { snap: { time: '2025-03-05T21:00:00.000Z' } }),
    )
    expect(stateOfFifth(story)).toBe('missed')
    expect(codes(story)).toContain('backdated')
  })

  test('spooled in sequence and received late, it counts', () => {
    const story = fifth((one) => one.backup('2025-03-05T21:00:00Z', { receivedAt: '2025-03-09T08:00:00Z' }))
    const late = Story.together(story)
    expect(obligationIn(setAt(contract, late, '2025-03-06T11:00:00Z'), '2025-03-05').state).toBe('met')
    const known = askAt(contract, late, '2025-03-06T11:00:00Z', '2025-03-06T11:00:00Z')
    expect(obligationIn(known.sets[0]!, '2025-03-05').state).toBe('unknown')
  })

  test('what was dated after its own receipt is left aside', () => {
    const story = fifth((one) => {
      one.heartbeat('2025-03-20T00:00:00Z', undefined, { receivedAt: '2025-03-05T12:00:00Z' })
      one.backup('2025-03-05T21:00:00Z')
    })
    expect(stateOfFifth(story)).toBe('met')
  })

  test('a second statement for a number is an equivocation, and never counts', () => {
    const story = fifth(() => {})
    const first = story.facts.findIndex(({ statement }) => statement.predicateType.includes('backup-run'))
    const other = structuredClone(story.facts[first]!)
    if ('snapshot' in other.statement.predicate && other.statement.predicate.snapshot !== undefined) {
      other.statement.predicate.snapshot.id = sha256Hex('other')
    }
    story.facts.push({ ...other, receivedAt: '2025-03-06T07:00:00.000Z' })
    expect(codes(story)).toContain('equivocation')
    const again = { ...story.facts[first]!, receivedAt: '2025-03-06T08:00:00.000Z' }
    expect(askAt(contract, [...story.facts, again], '2025-03-06T11:00:00Z')).toMatchObject(
      askAt(contract, story, '2025-03-06T11:00:00Z'),
    )
  })
})

describe('a revoked key', () => {
  const revoke = (story: Story, at: string) =>
    story.event(at, 'key-revoked', 'customer', { agent: 'agent-1', epoch: 1 })

  test('what it sends later counts for nothing, by the log and not by the clock', () => {
    const story = fifth((one) => {
      revoke(one, '2025-03-05T12:00:00Z')
      one.backup('2025-03-05T21:00:00Z')
    })
    expect(stateOfFifth(story)).toBe('unknown')
    // Sent before in its own words, received after.
    const spooled = new Story()
    spooled.days('2025-03-01', '2025-03-04')
    revoke(spooled, '2025-03-06T10:00:00Z')
    spooled.backup('2025-03-05T21:00:00Z', { receivedAt: '2025-03-06T10:10:00Z' })
    spooled.inventory('2025-03-06T06:00:00Z', { receivedAt: '2025-03-06T10:20:00Z' })
    expect(stateOfFifth(spooled)).toBe('unknown')
  })

  test('another epoch of the agent goes on', () => {
    const story = fifth((one) => {
      revoke(one, '2025-03-05T12:00:00Z')
      one.newEpoch()
      one.backup('2025-03-05T21:00:00Z')
    })
    expect(stateOfFifth(story)).toBe('met')
  })
})

describe('inventories', () => {
  const before = () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-05')
    return story
  }
  const evidenceOf = (story: Story) => setAt(contract, story, '2025-03-07T11:00:00Z').dimensions.evidence

  test('a failed or filtered listing is no inventory: what it lacks is not lost', () => {
    const story = before()
    story.inventory('2025-03-06T06:00:00Z', {
      complete: false,
      base: null,
      added: [],
      removed: [],
      count: 0,
      digest: sha256Hex(''),
    })
    expect(setAt(contract, story, '2025-03-06T11:00:00Z').counts).toMatchObject({ lost: 0, met: 5 })
  })

  test.each([
    ['a base that nobody has seen', { base: sha256Hex('?') }],
    ['a digest that the fold does not give', { digest: sha256Hex('?') }],
    ['a snapshot left out', { removed: [sha256Hex('?')], count: 3 }],
  ])('%s: not complete, and told', (_, broken) => {
    const story = before()
    story.inventory('2025-03-07T06:00:00Z', broken)
    expect(evidenceOf(story)).toBe('at-risk')
    expect(askAt(contract, story, '2025-03-07T11:00:00Z').findings.map(({ code }) => code)).toContain(
      'broken-inventory',
    )
  })

  test('a whole list mends a broken chain of deltas', () => {
    const story = before()
    story.backup('2025-03-06T21:00:00Z')
    story.inventory('2025-03-06T22:00:00Z')
    const gap = story.facts.filter((_, at) => at !== story.facts.length - 1)
    const later = new Story()
    later.facts.push(...gap)
    story.inventory('2025-03-07T06:00:00Z')
    const broken = [...gap, story.facts.at(-1)!]
    expect(setAt(contract, broken, '2025-03-07T11:00:00Z').dimensions.evidence).toBe('at-risk')
    story.forgetBase()
    story.inventory('2025-03-07T07:00:00Z')
    expect(
      setAt(contract, [...broken, story.facts.at(-1)!], '2025-03-07T11:00:00Z').dimensions.evidence,
    ).toBe('compliant')
  })

  test('a base that arrives later is reached all the same', () => {
    const story = before()
    const last = story.facts.length - 1
    story.inventory('2025-03-06T06:00:00Z')
    const facts = [...story.facts]
    const [late] = facts.splice(last, 1)
    facts.push({ ...late!, receivedAt: '2025-03-06T10:00:00.000Z' })
    expect(setAt(contract, facts, '2025-03-06T09:00:00Z').counts.met).toBe(5)
    expect(askAt(contract, facts, '2025-03-06T09:00:00Z', '2025-03-06T09:00:00Z').sets[0]?.counts.met).toBe(0)
  })

  test('two agents list one repository, each from its own base', () => {
    const one = new Story()
    one.days('2025-03-01', '2025-03-04')
    const two = new Story({ agent: 'agent-2' })
    two.contents().push(...one.contents())
    two.inventory('2025-03-05T07:00:00Z')
    one.inventory('2025-03-05T08:00:00Z')
    const snapshot = one.backup('2025-03-05T21:00:00Z')
    two.contents().push(snapshot)
    two.inventory('2025-03-06T07:00:00Z')
    expect(setAt(contract, Story.together(one, two), '2025-03-06T11:00:00Z').counts).toMatchObject({
      met: 5,
      lost: 0,
    })
  })
})

describe('the content guard', () => {
  const guarded = contractFor({ content: { maxDropPct: 20, minFiles: 10 } })
  const with5 = (files: number, bytes?: number) =>
    fifth((story) => story.backup('2025-03-05T21:00:00Z', { source: sourceOf(files, bytes) }))

  test.each([
    ['a drop of exactly the percentage passes', 3360, 4_200_000, 'met'],
    ['a file more is held', 3359, 4_200_000, 'late'],
    ['bytes count too', 4200, 3_359_999, 'late'],
    ['growth passes', 9000, undefined, 'met'],
  ])('%s', (_, files, bytes, state) => {
    expect(stateOfFifth(with5(files, bytes), guarded)).toBe(state)
  })

  test('without content terms there is no guard, but a backup of nothing is never a recovery point', () => {
    expect(stateOfFifth(with5(1))).toBe('met')
    expect(stateOfFifth(with5(0))).toBe('late')
    expect(stateOfFifth(with5(0), guarded)).toBe('late')
  })

  test('a fresh start below minFiles is held too', () => {
    const story = new Story()
    story.backup('2025-03-05T21:00:00Z', { source: sourceOf(9) })
    story.inventory('2025-03-06T06:00:00Z')
    expect(stateOfFifth(story, guarded)).toBe('late')
  })

  test('an acknowledged run is the measure of the next; one that is held is not', () => {
    const story = with5(1000)
    const held = story.contents().at(-1)!
    story.backup('2025-03-06T21:00:00Z', { source: sourceOf(900) })
    story.inventory('2025-03-06T22:00:00Z')
    const at = (when: string) => {
      const set = setAt(guarded, story, when)
      return [obligationIn(set, '2025-03-05').state, obligationIn(set, '2025-03-06').state]
    }
    expect(at('2025-03-06T22:30:00Z')).toEqual(['late', 'pending'])
    expect(at('2025-03-06T23:30:00Z')).toEqual(['late', 'late'])
    story.event('2025-03-06T23:40:00Z', 'finding-acknowledged', 'customer', {
      set: 'filer',
      snapshot: held.id,
    })
    expect(at('2025-03-06T23:50:00Z')).toEqual(['met', 'met'])
  })

  test('a refuted run is no measure any more', () => {
    const story = fifth((one) => one.backup('2025-03-05T21:00:00Z', { source: sourceOf(9000) }))
    const grown = story.contents().at(-1)!
    story.backup('2025-03-06T21:00:00Z')
    story.inventory('2025-03-06T22:00:00Z')
    expect(obligationIn(setAt(guarded, story, '2025-03-06T23:30:00Z'), '2025-03-06').state).toBe('late')
    story.test(grown, '2025-03-07T08:00:00Z', 'FAILED')
    story.test(grown, '2025-03-07T09:00:00Z', 'FAILED')
    expect(obligationIn(setAt(guarded, story, '2025-03-07T10:00:00Z'), '2025-03-06').state).toBe('met')
  })
})

describe('refuted', () => {
  const failing = (...results: ('PASSED' | 'FAILED' | 'INCONCLUSIVE')[]) =>
    fifth((story) => {
      const snapshot = story.backup('2025-03-05T21:00:00Z')
      results.forEach((result, place) => story.test(snapshot, `2025-03-06T0${place}:00:00Z`, result))
    })

  test.each([
    [['FAILED'], 'met'],
    [['FAILED', 'INCONCLUSIVE'], 'met'],
    [['FAILED', 'FAILED'], 'missed'],
    [['FAILED', 'INCONCLUSIVE', 'FAILED'], 'missed'],
    [['FAILED', 'PASSED', 'FAILED'], 'met'],
    [['FAILED', 'FAILED', 'PASSED'], 'met'],
  ] as const)('%s', (results, state) => {
    expect(stateOfFifth(failing(...results))).toBe(state)
  })

  test('is told also where no tests are agreed', () => {
    const story = failing('FAILED', 'FAILED')
    expect(codes(story)).toContain('refuted')
    expect(setAt(contract, story, '2025-03-06T11:00:00Z').dimensions.proof).toBe('not-applicable')
  })
})
