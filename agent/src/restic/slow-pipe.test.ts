import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import { testPlace } from '../../../test/kit/restic-place.ts'
import type { Node } from './interface.ts'
import { SlowPipe } from './slow-pipe.ts'

const variables = { PATH: process.env['PATH'] ?? '' }

async function openPipe(): Promise<{ pipe: SlowPipe; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-pipe-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const pipe = await SlowPipe.open({ cacheDir: folder, variables })
  if (pipe === null) throw new Error('there is no mkfifo to test with')
  return { pipe, folder }
}

test('what many small writes bring comes whole and in few pieces, and leaves nothing behind', async () => {
  const { pipe, folder } = await openPipe()
  expect(readdirSync(folder)).toEqual([])
  const lines = 20_000
  const script = `for (let n = 0; n < ${lines}; n += 1) require('fs').writeSync(1, 'line ' + n + '\\n')`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', pipe.writer, 'inherit'] })
  let [text, chunks] = ['', 0]
  const startedAt = performance.now()
  for await (const chunk of pipe.read()) {
    text += chunk.toString()
    chunks += 1
    if (chunks === 1) await sleep(300) // the writer has to wait, and loses nothing
  }
  pipe.close()
  pipe.close()
  expect(text).toBe(Array.from({ length: lines }, (_, n) => `line ${n}\n`).join(''))
  // However slow either is: not more than a look each millisecond.
  expect(chunks).toBeLessThanOrEqual(performance.now() - startedAt + 1)
  expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(0)
})

test('a writer that was not started is the end; a reader that has gone ends the writer', async () => {
  const { pipe } = await openPipe()
  for await (const chunk of pipe.read()) throw new Error(`nobody wrote ${chunk.length} bytes`)
  pipe.close()

  const { pipe: left } = await openPipe()
  const child = spawn('yes', { stdio: ['ignore', left.writer, 'ignore'] })
  for await (const chunk of left.read()) if (chunk.length > 0) break
  left.close()
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  expect([code, signal]).not.toEqual([0, null])
})

test('without a FIFO a listing is the same, through the usual pipe', async () => {
  const build = (await resticVersions()).builds.at(-1)
  if (!build) throw new Error('there is no restic to test with')
  const place = testPlace(build)
  for (let n = 0; n < 2_000; n += 1) place.write(`f${n}`, '')
  const restic = await place.make()
  const { snapshotId = '' } = await restic.backup({ paths: [place.source] })
  const nodesOf = async (environment: Record<string, string>): Promise<Node[]> => {
    const all: Node[] = []
    for await (const nodes of (await place.open({ environment })).list(snapshotId)) all.push(...nodes)
    return all
  }
  const nowhere = { PATH: place.folder, HOME: place.folder }
  expect(await SlowPipe.open({ cacheDir: place.folder, variables: nowhere })).toBeNull()
  const nodes = await nodesOf(nowhere)
  expect(nodes.filter(({ kind }) => kind === 'file')).toHaveLength(2_000)
  expect(await nodesOf({ ...variables, HOME: place.folder })).toEqual(nodes)
  const cache = readdirSync(join(place.folder, 'cache'))
  expect(cache.filter((name) => name.startsWith('.pipe'))).toEqual([])
})
