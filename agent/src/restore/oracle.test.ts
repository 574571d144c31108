/**
 * Any story of a file, told twice: to `compareFile` as digests and stats, and to an oracle as what happened. The
 * oracle is the table of classes read row by row; it shares no code and no order of questions with the comparison.
 */
import { BevisError } from '@bevis/shared/error'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytePathOf } from '../tree/path.ts'
import type { Stat } from '../tree/stat.ts'
import { compareFile } from './compare.ts'
import type { FileClass, Known } from './compare.ts'
import { decide, openTally } from './verdict.ts'

/** What the backup left: a witness that held, or one of a file that was written in the very tick, or none. */
const LEFT = [
  'held',
  'racy',
  'racy, written after',
  'void',
  'none',
  'gap',
  'unread by restic',
  'unread by us',
] as const
const CAME_BACK = ['whole', 'other bytes', 'nothing', 'unreadable'] as const
const NOW = [
  'untouched',
  'rotten',
  'edited',
  'edited, same size',
  'touched',
  'set back',
  'set back, old bytes',
  'times put back',
  'replaced by a copy',
  'became a link',
  'deleted',
  'moving',
  'unreadable',
] as const

interface Story {
  readonly left: (typeof LEFT)[number]
  readonly cameBack: (typeof CAME_BACK)[number]
  readonly now: (typeof NOW)[number]
  /** What the other bytes are: those of the source now, or nobody's. */
  readonly isSourceToo: boolean
}

const stories: fc.Arbitrary<Story> = fc.record({
  left: fc.constantFrom(...LEFT),
  cameBack: fc.constantFrom(...CAME_BACK),
  now: fc.constantFrom(...NOW),
  isSourceToo: fc.boolean(),
})

const digest = (of: string): string => Buffer.from(of.padEnd(32)).toString('hex')
const node: Stat = {
  kind: 'file',
  size: 9,
  mtimeNs: 50n,
  ctimeNs: 60n,
  inode: 7,
  mode: 0o644,
  uid: 0,
  gid: 0,
}

function sourceOf(now: Story['now']): Known['source'] {
  const read = (stat: Partial<Stat>, content: string | null): Known['source'] => ({
    state: 'read',
    stat: { ...node, ...stat },
    sha256: content === null ? null : digest(content),
  })
  if (now === 'deleted' || now === 'moving' || now === 'unreadable') return { state: now }
  if (now === 'untouched') return read({}, 'stored')
  if (now === 'rotten') return read({}, 'now')
  if (now === 'edited') return read({ size: 10, mtimeNs: 90n, ctimeNs: 91n }, null)
  if (now === 'edited, same size') return read({ mtimeNs: 90n, ctimeNs: 91n }, 'now')
  if (now === 'touched') return read({ mtimeNs: 90n, ctimeNs: 91n }, 'stored')
  if (now === 'set back') return read({ mtimeNs: 10n, ctimeNs: 91n }, 'now')
  if (now === 'set back, old bytes') return read({ mtimeNs: 10n, ctimeNs: 91n }, 'stored')
  if (now === 'times put back') return read({ ctimeNs: 91n }, 'now')
  if (now === 'replaced by a copy') return read({ ctimeNs: 91n, inode: 8 }, 'now')
  return read({ kind: 'symlink', size: 0, mtimeNs: 90n, ctimeNs: 91n }, null)
}

function tell({ left, cameBack, now, isSourceToo }: Story): Known {
  const isListed = left !== 'gap' && left !== 'unread by restic'
  const states = { void: 'void', none: 'none', gap: 'gap' } as const
  const witness: Known['witness'] =
    left === 'void' || left === 'none' || left === 'gap'
      ? { state: states[left] }
      : left === 'unread by us' || left === 'unread by restic'
        ? { state: 'unreadable' }
        : {
            state: 'witness',
            sha256: digest(left === 'racy, written after' ? 'written' : 'stored'),
            racy: left !== 'held',
          }
  const content = cameBack === 'whole' ? 'stored' : isSourceToo ? 'now' : 'nobody’s'
  const restored: Known['restored'] =
    !isListed || cameBack === 'nothing'
      ? { state: 'missing' }
      : cameBack === 'unreadable'
        ? { state: 'unreadable' }
        : { state: 'restored', sha256: digest(content) }
  return { node: isListed ? node : null, witness, restored, source: sourceOf(now) }
}

/** The table, row by row. */
function oracle({ left, cameBack, now, isSourceToo }: Story): FileClass {
  if (left === 'gap') return 'gap'
  if (left === 'unread by restic') return 'unreadable'
  if (cameBack === 'nothing') return 'missing'
  if (cameBack === 'unreadable') return 'unreadable'
  if (left === 'held') return cameBack === 'whole' ? 'identical' : 'damaged'
  if (left === 'racy') return cameBack === 'whole' ? 'identical' : 'raced'
  if (left === 'racy, written after') return 'raced'
  if (now === 'moving' || now === 'unreadable') return 'unreadable'
  if (now === 'untouched') return cameBack === 'whole' ? 'identical' : 'diverged'
  if (now === 'rotten') return cameBack === 'other bytes' && isSourceToo ? 'identical' : 'diverged'
  return 'unverified'
}

test('whatever happened to a file, it is put into the class that the table has for it', () => {
  fc.assert(
    fc.property(stories, (story) => {
      expect(compareFile(tell(story)).class).toBe(oracle(story))
    }),
    { numRuns: 5_000 },
  )
})

test('rot is told only of a source that a witness convicts, and a good backup stays good', () => {
  fc.assert(
    fc.property(stories, (story) => {
      const { source, class: name } = compareFile(tell(story))
      const hasWitness = ['held', 'racy', 'racy, written after'].includes(story.left)
      const isConvicted =
        story.now === 'rotten' || (story.now === 'untouched' && story.left === 'racy, written after')
      expect(source === 'rot').toBe(hasWitness && isConvicted)
      if (story.left === 'held' && story.cameBack === 'whole') expect(name).toBe('identical')
    }),
    { numRuns: 5_000 },
  )
})

test('one file that fails outweighs any number; PASSED needs control, clean end and enough that is certain', () => {
  const conditions = fc.record({
    files: fc.array(stories, { maxLength: 30 }),
    control: fc.constantFrom('caught', 'caught', 'caught', 'missed', 'not-run'),
    hasError: fc.boolean(),
    minimum: fc.nat(30),
  })
  fc.assert(
    fc.property(conditions, ({ files, control, hasError, minimum }) => {
      const tally = openTally()
      for (const [at, story] of files.entries()) {
        const known = tell(story)
        const path = bytePathOf(`/srv/f${at}`)
        const item = {
          ...node,
          path,
          isResolved: true,
          isListed: known.node !== null,
          witness: known.witness,
        }
        tally.add({ item, path, comparison: compareFile(known), restored: null })
      }
      const error = hasError ? new BevisError('RESTIC_FAILED', 'restic ended with 1') : null
      const { result } = decide({ tally: tally.tally, control, error, minimum, metadata: null })
      const classes = files.map(oracle)
      const isBad = classes.some((name) => ['damaged', 'diverged', 'missing', 'gap'].includes(name))
      const proven = classes.filter((name) => name === 'identical').length
      const isGood = !isBad && !hasError && control === 'caught' && proven >= Math.max(1, minimum)
      expect(result).toBe(
        control === 'missed' ? 'INCONCLUSIVE' : isBad ? 'FAILED' : isGood ? 'PASSED' : 'INCONCLUSIVE',
      )
    }),
    { numRuns: 3_000 },
  )
})
