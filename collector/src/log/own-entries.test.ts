import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { signerOf } from '../../../test/kit/register.ts'
import { signEnvelope } from '@bevis/shared/evidence/envelope'
import { appendOwnEntries, readOwnEntries } from './own-entries.ts'
import type { OwnEntry, OwnStatement } from './own-entries.ts'

const folder = mkdtempSync(join(tmpdir(), 'bevis-own-'))
afterAll(() => rmSync(folder, { recursive: true }))

const receivedAt = '2026-11-23T04:05:06.000Z'
const envelope = signEnvelope(new TextEncoder().encode('{}'), [signerOf('office')])
const statement = (index: number, yaml: string): OwnStatement => ({
  ...{ index, receivedAt, tenant: 'vestkyst', envelope, keys: [] },
  text: {
    ...{ contract: 'A-1', customerName: 'Vestkyst', revision: 1, sha256: '0'.repeat(64), yaml },
    ...{ appliedAt: receivedAt, appliedBy: 'S. Lind' },
  },
})
const read = async (file: string, from = 0): Promise<OwnEntry[]> =>
  Array.fromAsync(readOwnEntries(file, from))

test('what was kept is read again, whatever ends a line in its texts; a line that was cut off is none', async () => {
  const file = join(folder, 'checkpoint.own')
  const said = [statement(3, 'a\u2028b\u2029c\r\nd'), statement(9, 'e')]
  await appendOwnEntries(file, said)
  appendFileSync(file, JSON.stringify(statement(10, 'f')).slice(0, -5))
  expect(await read(file)).toEqual(said)
  expect(await read(file, 4)).toEqual(said.slice(1))
})

test('where nothing was ever kept, there is nothing', async () => {
  expect(await read(join(folder, 'none'))).toEqual([])
})
