import { describe, expect, test } from 'vitest'
import { codeOfText, isFinding, isTransportFinding, refusalOf } from './stderr.ts'

const id = `23d259146f${'0'.repeat(54)}`

describe('what storage says to a deletion, as each version passed it on', () => {
  test.each([
    'Remove(<snapshot/23d259146f>) returned error, retrying after 552.330144ms: blob not removed, server response: 403 Forbidden (403)',
    'Remove(<snapshot/23d259146f>) failed: unexpected HTTP response (403): 403 Forbidden',
    'Remove(<snapshot/23d259146f>) failed: remove /srv/r/snapshots/23d259146f: permission denied',
    '\u001b[2KRemove(<snapshot/23d259146f>) failed: remove /srv/r/snapshots/23d259146f: operation not permitted',
    'Remove(<snapshot/23d259146f>) failed: client.RemoveObject: Access Denied.',
    'Remove(<snapshot/23d259146f>) failed: unexpected HTTP response (405): 405 Method Not Allowed',
  ])('refused: %s', (line) => {
    expect(refusalOf(line, id)).toBeDefined()
  })

  test.each([
    // another file than the probe's
    'Remove(<snapshot/0000000000>) failed: unexpected HTTP response (403): 403 Forbidden',
    'Remove(<lock/23d259146f>) failed: unexpected HTTP response (403): 403 Forbidden',
    'Save(<lock/23d259146f>) failed: unexpected HTTP response (403): 403 Forbidden',
    // the way there, or the key to it
    'Remove(<snapshot/23d259146f>) returned error, retrying after 403.1ms: dial tcp 10.0.0.1:8000: connect: permission denied',
    'Remove(<snapshot/23d259146f>) failed: Delete "http://x/": dial tcp: lookup x: operation not permitted',
    'Remove(<snapshot/23d259146f>) failed: unexpected HTTP response (401): 401 Unauthorized',
    'Remove(<snapshot/23d259146f>) failed: unexpected HTTP response (500): 500 Internal Server Error',
    'Remove(<snapshot/23d259146f>) failed: <snapshot/23d259146f> does not exist',
    'unable to remove snapshot/23d259146f from the repository',
  ])('not refused: %s', (line) => {
    expect(refusalOf(line, id)).toBeUndefined()
  })
})

describe('what a check complains about', () => {
  test.each([
    'pack 4dd6bbf4 failed to download: StreamPack: unexpected HTTP response (403): 403 Forbidden',
    'pack eb843f68 failed to download: StreamPack: client.Do: Get "http://127.0.0.1:18212/r": EOF',
    'ReadFull(<data/61b652c424>): unexpected HTTP response (403): 403 Forbidden',
    'download error: read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer',
    'download error: unexpected EOF',
  ])('the way to the storage: %s', (line) => {
    expect(isFinding(line)).toBe(true)
    expect(isTransportFinding(line)).toBe(true)
  })

  test.each([
    'Pack ID does not match, want 313b2eda, got a2d4ee45',
    'decrypting blob <tree/c688e23b> from 501d2e86 failed: ciphertext verification failed',
    'pack 1213921c: unexpected file size: got 1000, expected 3000600',
    'pack 1213921c: does not exist',
    'error: load <snapshot/ad6deb089d>: invalid data returned',
    'id 131b5a89 not found in repository',
    'download error: file is too short',
    'something that no version has said yet',
  ])('damage: %s', (line) => {
    expect(isFinding(line)).toBe(true)
    expect(isTransportFinding(line)).toBe(false)
  })

  test.each([
    'Load(<data/313b2edacc>, 3000600, 0) returned error, retrying after 552.330144ms: ReadFull: unexpected EOF',
    'Load(<data/1213921c10>, 3000600, 0) failed: file is too short',
    'error for tree d730e3e9:',
    '\nThe repository is damaged and must be repaired. Please follow the troubleshooting guide at …',
    'restic repair packs 501d2e86\nrestic repair snapshots --forget',
    'Fatal: repository contains errors',
    '\u001b[2Ksignal interrupt received, cleaning up',
  ])('no finding: %s', (line) => {
    expect(isFinding(line)).toBe(false)
  })
})

describe('a transfer that was cut and a file that was cut short have the same words', () => {
  const cut =
    'Load(<data/8aea20967d>, 0, 0) returned error, retrying after 520.399942ms: Copy: unexpected EOF'

  test('in a folder it is the file; over a network it accuses nobody', () => {
    expect(codeOfText(cut, false)).toBe('RESTIC_REPOSITORY_DAMAGED')
    expect(codeOfText(cut, true)).toBe('RESTIC_REPOSITORY_UNREACHABLE')
  })

  test.each([
    'unexpected HTTP response (416): 416 Requested Range Not Satisfiable',
    'ciphertext verification failed',
    'Load(<data/fae7d60ffa>, 30042, 300420) failed: file is too short',
    '<data/fae7d60ffa> does not exist',
  ])('what the storage itself says of the file stands: %s', (line) => {
    expect(codeOfText(`${cut}\n${line}`, true)).toBe('RESTIC_REPOSITORY_DAMAGED')
  })
})
