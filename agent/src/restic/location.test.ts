import { expect, test } from 'vitest'
import { placeOf, publicLocation, secretsOf } from './location.ts'

test.each([
  ['/srv/backup/a@b', '/srv/backup/a@b'],
  ['-repository', '-repository'],
  ['local:/srv/x?y', 'local:/srv/x?y'],
  ['sftp:user@host:/srv', 'sftp:user@host:/srv'],
  ['sftp://user:secret@host:22//srv', 'sftp://host:22//srv'],
  ['rest:https://host:8000/user@example.net/', 'rest:https://host:8000/user@example.net/'],
  ['rest:https://[::1]:8000/a@b', 'rest:https://[::1]:8000/a@b'],
  ['rest:https://user:secret@host/set', 'rest:https://host/set'],
  ['rest:https://user:se@cret@host/set', 'rest:https://host/set'],
  ['rest:https://user:se/cret@host/set', 'rest:https://host/set'],
  ['rest:https://user:se?cret@host/set', 'rest:https://host/set'],
  ['rest:https://secret@host/set', 'rest:https://host/set'],
  ['s3:https://key:secret@host/bucket', 's3:https://host/bucket'],
  ['s3:https://host/bucket?token=secret', 's3:https://host/bucket'],
  ['rclone:remote:path', 'rclone:remote:path'],
  ['rclone::sftp,host=h,user=u,pass=secret:path', 'rclone::sftp:path'],
])('%s is shown as %s', (url, shown) => {
  expect(publicLocation(url)).toBe(shown)
  expect(shown).not.toContain('secret')
})

test('what a URL hides is known, as it stands and as it is meant', () => {
  expect(secretsOf('rest:https://user:pa%20ss@host/')).toEqual(expect.arrayContaining(['pa%20ss', 'pa ss']))
  expect(secretsOf('/srv/backup')).toEqual([])
})

test('one place, however it is spelt, and no other', () => {
  const local = ['/srv/backup', '/srv/backup/', 'local:/srv/backup', '/srv//x/../backup']
  expect(new Set(local.map(placeOf)).size).toBe(1)
  expect(placeOf('rest:https://host/set/')).toBe(placeOf('rest:https://host/set'))
  expect(placeOf('rest:https://host/set2')).not.toBe(placeOf('rest:https://host/set'))
})
