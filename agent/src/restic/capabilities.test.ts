import { expect, test } from 'vitest'
import { capabilitiesOf } from './capabilities.ts'

test.each([
  ['0.14.0', { retryLock: false, nodeInode: false, cleanSigterm: false, restoreEvents: false }],
  ['0.16.0', { retryLock: true, nodeInode: false }],
  ['0.16.1', { nodeInode: true, includeFile: false }],
  ['0.17.0', { cleanSigterm: true, includeFile: true, restoreEvents: false }],
  ['0.17.1-dev', { restoreEvents: true, checkJson: false }],
  ['0.18.0', { checkJson: true }],
  ['1.0', { initJson: true, checkJson: true }],
])('restic %s', (version, expected) => {
  expect(capabilitiesOf(version)).toMatchObject(expected)
})

test('older than 0.14, or no version at all, is refused', () => {
  expect(() => capabilitiesOf('0.13.9')).toThrow(expect.objectContaining({ code: 'RESTIC_TOO_OLD' }))
  expect(() => capabilitiesOf('unknown')).toThrow(expect.objectContaining({ code: 'RESTIC_OUTPUT_INVALID' }))
})
