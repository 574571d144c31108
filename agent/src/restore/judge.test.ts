import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256Hex } from '@bevis/shared/crypto'
import { expect, onTestFinished, test } from 'vitest'
import { openDigestPool } from '../tree/digest-pool.ts'
import { bytePathOf, bytesOf, lossyText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { statPath } from '../tree/walk.ts'
import { AwaitedFiles } from './awaited.ts'
import type { Expected } from './expected.ts'
import { judge } from './judge.ts'
import { openStream } from './stream.ts'

test('a file whose name is not certain is not told by the record of the file that has its lossy text as its name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-judge-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const source = bytePathOf(join(folder, 'source'))
  const target = bytePathOf(join(folder, 'target'))
  for (const made of [source, `${target}${source}`]) mkdirSync(made, { recursive: true })
  const make = (name: string, content: string): Expected => {
    const path = `${source}/${name}` as BytePath
    for (const place of [path, `${target}${path}` as BytePath]) writeFileSync(bytesOf(place), content)
    const stat = statPath(path)
    if ('error' in stat) throw new Error(stat.error)
    const witness = { state: 'witness' as const, sha256: sha256Hex(content), racy: false }
    return { ...stat, path, isResolved: true, isListed: true, witness }
  }
  const sibling = make(bytePathOf('a\uFFFD'), 'the sibling')
  const { path, ...stat } = make('a\xff', 'never read by anybody')
  const unread: Expected = { ...stat, path: lossyText(path), isResolved: false, witness: { state: 'none' } }
  const files = new AwaitedFiles()
  for (const item of [sibling, unread]) files.add(item)
  files.close()
  const pool = openDigestPool(1)
  onTestFinished(() => pool.close())
  const onFailure = (error: unknown): never => {
    throw error
  }
  const limits = { isSample: false, limitBytes: 1e6, usedBytes: () => 0, onFailure }
  const stream = openStream({ pool, files, target, ...limits })
  stream.onEvent({ action: 'restored', path: bytesOf(sibling.path).toString(), sizeBytes: sibling.size })
  await stream.settle()
  const classes: (string | undefined)[] = []
  const request = { target, items: [[sibling, unread]], complaintOf: () => null, pool, streamed: files }
  for await (const batch of judge(request)) classes.push(...batch.map(({ comparison }) => comparison?.class))
  expect(classes).toEqual(['identical', 'unverified'])
})
