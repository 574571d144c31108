import { expect, test } from 'vitest'
import { Damages } from './damage.ts'
import { repositoryOf } from './story-for-tests.ts'

const repository = repositoryOf('vts-01', 'vts-01')
const check = (
  result: 'PASSED' | 'FAILED' | 'INCONCLUSIVE',
  subset: string,
  hour: number,
  where = repository,
) => ({
  chain: { tenant: 't', agent: 'a', epoch: 1, seq: hour, prev: '', log: null },
  host: 'srv1',
  tools: { agent: '1', os: 'linux' },
  repository: where,
  startedAt: `2025-03-01T0${hour - 1}:30:00.000Z`,
  endedAt: `2025-03-01T0${hour}:00:00.000Z`,
  exitCode: 0,
  subset,
  errors: 1,
  result,
})

function overAfter(...checks: ReturnType<typeof check>[]): (string | undefined)[] {
  const damages = new Damages()
  for (const [n, one] of checks.entries()) damages.add(one, `digest-${n}`)
  return damages.list.map(({ over }) => over?.digest)
}

test('damage stands until the same packs were read again and found sound', () => {
  const failed = check('FAILED', '3/8', 1)
  expect(overAfter(failed)).toEqual([undefined])
  expect(overAfter(failed, check('PASSED', '3/8', 2))).toEqual(['digest-1'])
  expect(overAfter(failed, check('PASSED', '1/1', 2))).toEqual(['digest-1'])
  // 3/4 has all of 3/8; 3/16 has only half of it, and 11/16 the rest.
  expect(overAfter(failed, check('PASSED', '3/4', 2))).toEqual(['digest-1'])
  expect(overAfter(failed, check('PASSED', '3/16', 2))).toEqual([undefined])
  expect(overAfter(failed, check('PASSED', '3/16', 2), check('PASSED', '11/16', 3))).toEqual(['digest-2'])
})

test('nothing else ends it', () => {
  const failed = check('FAILED', '3/8', 2)
  for (const other of [
    check('PASSED', '4/8', 3),
    check('INCONCLUSIVE', '3/8', 3),
    check('PASSED', '3/8', 1),
    check('PASSED', '3/8', 3, repositoryOf('other', 'vts-01')),
    check('PASSED', '9/8', 3),
    check('PASSED', '', 3),
  ]) {
    expect(overAfter(failed, other), JSON.stringify(other)).toEqual([undefined])
  }
  expect(overAfter(failed, check('FAILED', '3/8', 3), check('PASSED', '3/8', 4))).toEqual([
    'digest-2',
    'digest-2',
  ])
})
