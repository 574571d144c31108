import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../crypto.ts'
import type { Contract } from './schema.ts'
import {
  Story,
  askAt,
  contractFor,
  contractOf,
  keeping,
  obligationIn,
  repositoryOf,
  setAt,
  setOf,
  versionOf,
} from './story-for-tests.ts'

const contract = contractFor({})
const successor = repositoryOf('new', 'vts-01')

function week(): Story {
  const story = new Story()
  story.days('2025-03-01', '2025-03-07')
  return story
}

const on = (story: Story, at: string, bucket = '2025-03-04', own = contract) =>
  obligationIn(setAt(own, story, at), bucket)

describe('a new ID', () => {
  test('with the same tree is the same snapshot, its run and its tests included', () => {
    const story = week()
    const tagged = story.rename(story.contents()[3]!)
    story.inventory('2025-03-08T06:00:00Z')
    expect(on(story, '2025-03-08T07:00:00Z')).toMatchObject({ state: 'met', witness: tagged.id })
    story.test(tagged, '2025-03-08T07:00:00Z', 'FAILED')
    const again = story.rename(tagged)
    story.inventory('2025-03-08T09:00:00Z')
    expect(on(story, '2025-03-08T09:30:00Z')).toMatchObject({ state: 'met', witness: again.id })
    story.test(again, '2025-03-08T10:00:00Z', 'FAILED')
    expect(on(story, '2025-03-08T11:00:00Z').state).toBe('missed')
  })

  test('belongs to the bucket of its start, whatever a rewrite dates it', () => {
    const story = week()
    story.rename(story.contents()[3]!, { time: '2025-03-08T21:00:00.000Z' })
    story.inventory('2025-03-09T06:00:00Z')
    expect(on(story, '2025-03-09T07:00:00Z').state).toBe('met')
    expect(on(story, '2025-03-09T07:00:00Z', '2025-03-08').state).toBe('missed')
  })

  describe('worked case 12: with another tree', () => {
    const rewritten = () => {
      const story = week()
      const original = story.contents()[3]!
      const next = story.rename(original, { tree: sha256Hex('without the erased') })
      story.inventory('2025-03-08T06:00:00Z')
      return { story, original, next }
    }

    test('is lost', () => {
      expect(on(rewritten().story, '2025-03-08T07:00:00Z').state).toBe('lost')
    })

    test('is kept once both parties have approved the erasure, and not before', () => {
      const { story, original, next } = rewritten()
      story.event('2025-03-08T08:00:00Z', 'erasure-approved', 'customer', { original: original.id })
      expect(on(story, '2025-03-08T08:30:00Z').state).toBe('lost')
      story.event('2025-03-08T09:00:00Z', 'erasure-approved', 'provider', { original: original.id })
      expect(on(story, '2025-03-08T09:30:00Z')).toMatchObject({ state: 'met', witness: next.id })
      expect(on(story, '2025-03-08T08:30:00Z').state).toBe('lost')
    })
  })
})

test('an erasure is found by any of the snapshot’s names', () => {
  const story = week()
  const tagged = story.rename(story.contents()[3]!)
  story.inventory('2025-03-08T05:00:00Z')
  story.rename(tagged, { tree: sha256Hex('without the erased'), original: tagged.id })
  story.inventory('2025-03-08T06:00:00Z')
  expect(on(story, '2025-03-08T07:00:00Z').state).toBe('lost')
  story.both('2025-03-08T08:00:00Z', 'erasure-approved', { original: tagged.id })
  expect(on(story, '2025-03-08T09:00:00Z').state).toBe('met')
})

describe('worked case 24: a new repository', () => {
  const moved = () => {
    const story = week()
    const { repository } = story
    story.copyAll(successor)
    story.repository = successor
    story.inventory('2025-03-08T06:00:00Z')
    return { story, from: repository.id, to: successor.id }
  }

  test('without a succession everything is lost', () => {
    const set = setAt(contract, moved().story, '2025-03-08T07:00:00Z')
    expect(set.counts).toMatchObject({ lost: 7, met: 0 })
    expect(set.dimensions.retention).toBe('breached')
  })

  test('with one that both approved, all that was copied is there', () => {
    const { story, from, to } = moved()
    story.both('2025-03-08T07:30:00Z', 'repository-succession', { from, to })
    const set = setAt(contract, story, '2025-03-08T08:00:00Z')
    expect(set.counts).toMatchObject({ lost: 0, met: 7 })
    expect(set.headline).toBe('compliant')
    expect(setAt(contract, story, '2025-03-08T07:15:00Z').counts.lost).toBe(7)
  })

  test('for the ceiling, a copy and what it was copied from are then one', () => {
    const { story, from, to } = moved()
    const capped = contractFor({ retention: keeping([{ per: 'day', keep: 30 }], { age: 'P13M' }) })
    const snapshotsAt = (at: string) => setAt(capped, story, at).snapshots
    expect(snapshotsAt('2025-03-08T07:00:00Z')).toHaveLength(14)
    story.both('2025-03-08T07:30:00Z', 'repository-succession', { from, to })
    expect(
      snapshotsAt('2025-03-08T08:00:00Z')
        ?.map(({ id }) => id)
        .toSorted(),
    ).toEqual(
      story
        .contents()
        .map(({ id }) => id)
        .toSorted(),
    )
  })

  test('one party’s word is not enough, and what was not copied is lost', () => {
    const { story, from, to } = moved()
    story.drop(story.contents()[2]!)
    story.inventory('2025-03-08T07:00:00Z')
    story.event('2025-03-08T07:30:00Z', 'repository-succession', 'provider', { from, to })
    expect(setAt(contract, story, '2025-03-08T08:00:00Z').counts.lost).toBe(7)
    story.event('2025-03-08T08:30:00Z', 'repository-succession', 'customer', { from, to })
    expect(setAt(contract, story, '2025-03-08T09:00:00Z').counts).toMatchObject({ lost: 1, met: 6 })
  })

  test('new backups there count without a succession', () => {
    const { story } = moved()
    story.backup('2025-03-08T21:00:00Z')
    story.inventory('2025-03-08T22:00:00Z')
    expect(on(story, '2025-03-08T22:30:00Z', '2025-03-08').state).toBe('met')
  })

  test('a contract that names the repository by its ID follows it by the succession', () => {
    const { story, from, to } = moved()
    const selector = { repository: from, hosts: ['srv1'], requiredPaths: ['/srv/data'] }
    const own = contractFor({ selector })
    story.both('2025-03-08T07:30:00Z', 'repository-succession', { from, to })
    expect(setAt(own, story, '2025-03-08T08:00:00Z').counts).toMatchObject({ lost: 0, met: 7 })
  })

  test('a repository that is named follows from the succession on, and what is past stays as it was', () => {
    const story = week()
    const { repository } = story
    const selector = { repository: repository.id, hosts: ['srv1'], requiredPaths: ['/srv/data'] }
    const own = contractFor({ selector, retention: keeping([{ per: 'day', keep: 3 }]) })
    story.copyAll(successor)
    story.repository = successor
    story.inventory('2025-03-07T22:30:00Z')
    story.repository = repository
    story.days('2025-03-08', '2025-03-08')
    story.repository = successor
    story.backup('2025-03-08T22:10:00Z')
    // The newest of both, and it lists neither the day before nor this one's backup in the old repository.
    story.inventory('2025-03-08T22:30:00Z')
    story.repository = repository
    story.copyAll(successor)
    story.repository = successor
    story.inventory('2025-03-09T06:00:00Z')
    story.both('2025-03-09T07:30:00Z', 'repository-succession', { from: repository.id, to: successor.id })
    const set = setAt(own, story, '2025-03-09T08:00:00Z')
    // Kept to the end of the 8th, 23:00Z; the old one's inventory of 22:00Z lists it.
    expect(obligationIn(set, '2025-03-05').state).toBe('discharged')
    expect(set.counts).toMatchObject({ lost: 0, met: 3, discharged: 5 })
    expect(set.rate).toBe(1)
  })

  test('the chain of successions is followed, by the copies’ first ID', () => {
    const { story, from, to } = moved()
    const third = repositoryOf('third', 'vts-01')
    story.both('2025-03-08T07:30:00Z', 'repository-succession', { from, to })
    story.copyAll(third)
    story.repository = third
    story.inventory('2025-03-09T06:00:00Z')
    story.both('2025-03-09T07:30:00Z', 'repository-succession', { from: to, to: third.id })
    expect(setAt(contract, story, '2025-03-09T08:00:00Z').counts.lost).toBe(0)
  })

  test('an amendment that names the new one: what was said of the old one’s snapshots is told of their copies', () => {
    const of = (repository: string) => ({
      sets: [
        setOf({
          selector: { repository, hosts: ['srv1'], requiredPaths: ['/srv/data'] },
          restoreTest: { every: 'P7D', grace: 'P14D' },
        }),
      ],
    })
    const named = repositoryOf('named', 'vts-02')
    const amended = contractOf([
      versionOf(1, '2025-03-01', of('vts-01')),
      versionOf(2, '2025-03-08', of('vts-02')),
    ])
    const story = week()
    const from = story.repository.id
    story.test(story.contents()[6]!, '2025-03-07T22:20:00Z', 'PASSED')
    story.copyAll(named)
    story.repository = named
    story.inventory('2025-03-08T06:00:00Z')
    const dimensions = () => setAt(amended, story, '2025-03-08T20:00:00Z').dimensions
    // Nobody says that the copies are complete backups, and the last restore test was of another repository.
    expect(dimensions()).toMatchObject({ points: 'unknown', proof: 'at-risk' })
    story.both('2025-03-08T07:30:00Z', 'repository-succession', { from, to: named.id })
    expect(dimensions()).toMatchObject({ points: 'compliant', proof: 'compliant' })
  })

  test.each([true, false])(
    'an amendment that names the new one empties not the old (succession: %s)',
    (follows) => {
      const of = (repository: string) => ({
        sets: [
          setOf({
            selector: { repository, hosts: ['srv1'], requiredPaths: ['/srv/data'] },
            retention: keeping([{ per: 'day', keep: 2 }], { age: 'P4D', purgeGrace: 'P2D' }),
          }),
        ],
      })
      const named = repositoryOf('named', 'vts-02')
      const amended = contractOf([
        versionOf(1, '2025-03-01', of('vts-01')),
        versionOf(2, '2025-03-08', of('vts-02')),
      ])
      const story = week()
      const old = story.repository
      if (follows) {
        story.both('2025-03-07T22:30:00Z', 'repository-succession', { from: old.id, to: named.id })
        story.copyAll(named, story.contents().slice(5))
      }
      story.repository = named
      story.days('2025-03-08', '2025-03-12')
      const at = (instant: string) => {
        const { snapshots = [], dimensions } = setAt(amended, story, instant)
        return [dimensions.ceiling, ...snapshots.map(({ ceiling }) => ceiling).toSorted()]
      }
      // Of the week’s seven, copied or not, six are over-retained and the seventh is to be purged.
      const week7 = [...Array<string>(6).fill('over-retained'), 'purge-due']
      const own5 = ['purge-due', ...Array<string>(4).fill('within')]
      expect(at('2025-03-12T22:30:00Z')).toEqual(['breached', ...[...own5, ...week7].toSorted()])
      story.repository = old
      story.forget([...story.contents()], '2025-03-12T23:00:00Z')
      story.inventory('2025-03-12T23:10:00Z')
      expect(at('2025-03-12T23:30:00Z').filter((state) => state === 'purged')).toHaveLength(follows ? 5 : 7)
    },
  )

  test('nor one that names another host, unless another set has taken the old one over', () => {
    const of = (hosts: string[], more: object[] = []) => ({
      sets: [
        setOf({
          selector: { repository: 'vts-01', hosts, requiredPaths: ['/srv/data'] },
          retention: keeping([{ per: 'day', keep: 2 }], { age: 'P4D', purgeGrace: 'P2D' }),
        }),
        ...more,
      ],
    })
    const amended = (more: object[] = []) =>
      contractOf([versionOf(1, '2025-03-01', of(['srv1'])), versionOf(2, '2025-03-08', of(['srv2'], more))])
    const old = week()
    const story = new Story({ agent: 'agent-2', host: 'srv2' })
    story.contents().push(...old.contents())
    story.days('2025-03-08', '2025-03-12')
    const at = (contract: Contract) => {
      const { snapshots = [], dimensions } = setAt(
        contract,
        [...old.facts, ...story.facts],
        '2025-03-12T22:30:00Z',
      )
      return [dimensions.ceiling, snapshots.length]
    }
    expect(at(amended())).toEqual(['breached', 12])
    const other = setOf({
      id: 'archive',
      selector: { repository: 'vts-01', hosts: ['srv1'], requiredPaths: [] },
    })
    expect(at(amended([other]))).toEqual(['at-risk', 5])
  })

  test.each(['repository', 'host'])(
    'what the %s before an amendment still owes is at risk when its test fails',
    (changed) => {
      const of = (repository: string, host: string) => ({
        sets: [
          setOf({
            selector: { repository, hosts: [host], requiredPaths: ['/srv/data'] },
            restoreTest: { every: 'P1M' },
          }),
        ],
      })
      const isMoved = changed === 'repository'
      const amended = contractOf([
        versionOf(1, '2025-03-01', of('vts-01', 'srv1')),
        versionOf(2, '2025-03-08', isMoved ? of('vts-02', 'srv1') : of('vts-01', 'srv2')),
      ])
      const old = week()
      const story = new Story({
        agent: 'agent-2',
        host: isMoved ? 'srv1' : 'srv2',
        lineage: isMoved ? 'vts-02' : 'vts-01',
      })
      if (!isMoved) story.contents().push(...old.contents())
      story.days('2025-03-08', '2025-03-09')
      old.inventory('2025-03-09T22:00:00Z')
      const proof = () => {
        const facts = [...old.facts, ...story.facts].toSorted((a, b) =>
          a.receivedAt < b.receivedAt ? -1 : 1,
        )
        const answer = askAt(amended, facts, '2025-03-09T23:00:00Z')
        return [
          answer.sets[0]?.dimensions.proof,
          answer.findings.filter(({ code }) => code === 'failed-test').length,
        ]
      }
      expect(proof()).toEqual(['compliant', 0])
      old.test(old.contents()[3]!, '2025-03-09T22:30:00Z', 'FAILED')
      expect(proof()).toEqual(['at-risk', 1])
    },
  )
})
