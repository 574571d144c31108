import { expect, test } from 'vitest'
import { bytePathOf } from '../tree/path.ts'
import type { Judged } from './judge.ts'
import { MetadataAccount } from './metadata-account.ts'
import { ANOTHER_TIME } from './metadata.ts'

const judged = (name: string, left?: 'emptied') =>
  ({ path: bytePathOf(`/srv/${name}`), restored: null, ...(left && { left }) }) as Judged

test('a file that was emptied is told with another time once its time was looked at again, others at once', () => {
  const account = new MetadataAccount()
  const emptied = judged('emptied', 'emptied')
  account.note(judged('whole'), ANOTHER_TIME)
  account.note(emptied, ANOTHER_TIME)
  account.note(judged('owned', 'emptied'), 'another owner')
  account.note(judged('fine'), null)
  const told = () => account.exceptions(0).map(({ path, detail }) => `${path}: ${detail}`)
  expect(told()).toEqual(['/srv/whole: another modification time', '/srv/owned: another owner'])
  account.noteTime(emptied)
  expect(told()).toHaveLength(3)
  expect(told()).toContain('/srv/emptied: another modification time')
})
