/** Where others can put names, a link in the way would lead what is restored over somebody's files. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeScratch } from './scratch.ts'
import type { ScratchRequest } from './scratch.ts'

const REFUSED = { code: 'SCRATCH_REFUSED', message: expect.stringContaining('others can change') as string }

function placeOf(): { folder: string; request: ScratchRequest } {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-scratch-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const away = { roots: ['/nowhere'], isExcluded: () => false, repositoryUrl: '/nowhere' }
  return { folder, request: { base: join(folder, 'base'), ...away } }
}

/** With this mode, whatever the umask. */
function made(folder: string, mode: number): string {
  mkdirSync(folder)
  chmodSync(folder, mode)
  return folder
}

test('a base in which others could take our folder away is refused, one with the sticky bit is not', async () => {
  const { folder, request } = placeOf()
  const open = made(join(folder, 'open'), 0o777)
  await expect(makeScratch({ ...request, base: open })).rejects.toMatchObject(REFUSED)
  await expect(makeScratch({ ...request, keepIn: join(open, 'drill') })).rejects.toMatchObject(REFUSED)
  chmodSync(open, 0o1777)
  const scratch = await makeScratch({ ...request, base: open })
  expect(readdirSync(open)).toContain(scratch.folder.slice(open.length + 1))
  await scratch.wipe()
})

test('a drill’s folder that others can write to is refused, sticky or not', async () => {
  const { folder, request } = placeOf()
  const keepIn = made(join(folder, 'drill'), 0o777)
  for (const mode of [0o777, 0o1777]) {
    chmodSync(keepIn, mode)
    await expect(makeScratch({ ...request, keepIn })).rejects.toMatchObject(REFUSED)
  }
  chmodSync(keepIn, 0o755)
  await (await makeScratch({ ...request, keepIn })).wipe()
})

test('a drill’s folder that is somebody else’s is refused', async ({ skip }) => {
  if (process.getuid?.() !== 0) skip('only root can give a folder away')
  const { folder, request } = placeOf()
  const keepIn = made(join(folder, 'drill'), 0o700)
  chownSync(keepIn, 65_534, 65_534)
  await expect(makeScratch({ ...request, keepIn })).rejects.toMatchObject(REFUSED)
})

test('memory in which others could take our folder away is none', async () => {
  const { folder, request } = placeOf()
  const memory = made(join(folder, 'memory'), 0o777)
  const without = await makeScratch({ ...request, memory })
  expect(await without.takeMemory()).toBeNull()
  await without.wipe()
  chmodSync(memory, 0o1777)
  const scratch = await makeScratch({ ...request, memory })
  expect(await scratch.takeMemory()).not.toBeNull()
  await scratch.wipe()
  expect(readdirSync(memory)).toEqual([])
})
