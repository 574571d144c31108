import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { problemSchema } from '@bevis/shared/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fsckCommand } from '../../collector/src/commands/fsck.ts'
import { makeCollector } from '../kit/collector.ts'
import type { TestCollector, TestFolder } from '../kit/collector.ts'
import { post } from '../kit/fake-agent.ts'
import type { FakeAgent } from '../kit/fake-agent.ts'

let place: TestFolder
let collector: TestCollector

beforeEach(async () => {
  place = await makeCollector()
  collector = await place.start()
})

afterEach(async () => {
  await collector.stop()
  place.remove()
})

describe('the log and its last signed head', () => {
  const restart = async () => {
    await collector.stop()
    collector = await place.start()
  }
  const status = async (agent: FakeAgent) => {
    const { status: code, body } = await post(`${collector.url}/v1/evidence`, {
      from: 0,
      envelopes: [agent.next()],
    })
    return code === 200 ? 'taken' : `${code} ${problemSchema.parse(body).code}`
  }

  test('a database set back refuses to sign, is read, and takes nothing', async () => {
    const { config } = place
    const agent = await collector.enrolled('web1')
    await collector.store.backup(join(place.folder, 'old.db'))
    await agent.send(agent.many(3))
    await collector.stop()
    for (const end of ['', '-wal', '-shm']) rmSync(join(config.state, `collector.db${end}`), { force: true })
    copyFileSync(join(place.folder, 'old.db'), join(config.state, 'collector.db'))
    collector = await place.start()
    expect(collector.log.trouble?.code).toBe('LOG_ROLLED_BACK')
    expect(await status(agent)).toBe('503 LOG_ROLLED_BACK')
    const ready = await fetch(`${collector.url}/readyz`)
    expect(ready.status).toBe(503)
    expect(problemSchema.parse(await ready.json()).detail).toContain('a head of 6 was signed')
    expect((await fetch(`${collector.url}/log/checkpoint`)).status).toBe(200)
    expect((await fsckCommand(collector.opened, {})).exit).toBe(1)
  })

  test('a database swapped under a running server is found at the next batch', async () => {
    const agent = await collector.enrolled('web1')
    await agent.send(agent.many(3))
    await collector.store.write(async (tx) => {
      await tx.deleteFrom('log_checkpoint').where('size', '=', 6).execute()
    })
    expect(await status(agent)).toBe('503 LOG_ROLLED_BACK')
    expect((await fetch(`${collector.url}/readyz`)).status).toBe(503)
  })

  test('a head that was committed and not filed is filed at the start', async () => {
    const { checkpointFile } = place.config
    const agent = await collector.enrolled('web1')
    const older = readFileSync(checkpointFile, 'utf8')
    await agent.send(agent.many(3))
    const newer = readFileSync(checkpointFile, 'utf8')
    writeFileSync(checkpointFile, older)
    await restart()
    expect(collector.log.trouble).toBeNull()
    expect(readFileSync(checkpointFile, 'utf8')).toBe(newer)
    expect(await status(agent)).toBe('taken')
  })

  test('a missing file, a head of another log, and another history refuse to sign', async () => {
    const { checkpointFile } = place.config
    const agent = await collector.enrolled('web1')
    const kept = readFileSync(checkpointFile, 'utf8')
    rmSync(checkpointFile)
    await restart()
    expect(collector.log.trouble?.code).toBe('LOG_INCONSISTENT')
    expect(await status(agent)).toBe('503 LOG_INCONSISTENT')
    writeFileSync(checkpointFile, kept.replace('collector.test', 'another.test'))
    await restart()
    expect(collector.log.trouble?.code).toBe('LOG_INCONSISTENT')
    await expect(fsckCommand(collector.opened, { writeCheckpoint: true })).rejects.toMatchObject({
      code: 'LOG_INCONSISTENT',
      message: expect.stringContaining('no head that this log signed'),
    })
    writeFileSync(checkpointFile, kept)
    await expect(fsckCommand(collector.opened, { writeCheckpoint: true })).rejects.toMatchObject({
      code: 'USAGE',
    })
    rmSync(checkpointFile)
    expect((await fsckCommand(collector.opened, { writeCheckpoint: true })).exit).toBe(0)
    expect(readFileSync(checkpointFile, 'utf8')).toBe(kept)
    await restart()
    expect(collector.log.trouble).toBeNull()
    await collector.store.write((tx) =>
      tx
        .updateTable('log_node')
        .set({ hash: new Uint8Array(32) })
        .where('level', '=', 1)
        .execute(),
    )
    await restart()
    expect(collector.log.trouble?.code).toBe('LOG_INCONSISTENT')
    rmSync(checkpointFile)
    const attempt = fsckCommand(collector.opened, { writeCheckpoint: true })
    await expect(attempt).rejects.toMatchObject({ code: 'LOG_INCONSISTENT' })
  })

  test('a checkpoint that cannot be filed keeps the answer back; then it comes, as a duplicate', async () => {
    const { checkpointFile } = place.config
    const agent = await collector.enrolled('web1')
    const envelope = agent.next()
    mkdirSync(`${checkpointFile}.next`) // writing the new head fails
    const { status: code } = await post(`${collector.url}/v1/evidence`, { from: 0, envelopes: [envelope] })
    expect(code).toBe(503)
    rmSync(`${checkpointFile}.next`, { recursive: true })
    expect(await agent.outcomeOf(envelope)).toBe('duplicate')
    expect(readFileSync(checkpointFile, 'utf8')).toContain('\n4\n')
  })
})
