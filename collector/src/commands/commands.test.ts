/** Commands that are called wrongly, or on a state that is not ready for them: refused in words, with nothing done. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CONTRACT, makeCollector } from '../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../test/kit/collector.ts'
import { runCollector, writeConfig } from '../../../test/kit/collector-process.ts'
import { backupCommand } from './backup.ts'
import { fsckCommand } from './fsck.ts'
import { inviteCommand } from './invite.ts'
import { packCommand } from './pack.ts'
import { assertPrivate } from './serve.ts'
import { userAddCommand, userDisableCommand } from './user.ts'

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

const mode = (file: string) => (statSync(file).mode & 0o777).toString(8)
const here = (name: string) => join(place.folder, name)

describe('fsck --write-checkpoint', () => {
  test('refuses where the file knows more than the database', async () => {
    const { config } = place
    const agent = await collector.enrolled('web1')
    await collector.store.backup(here('old.db'))
    await agent.send(agent.many(3))
    await collector.stop()
    for (const end of ['', '-wal', '-shm']) rmSync(join(config.state, `collector.db${end}`), { force: true })
    copyFileSync(here('old.db'), join(config.state, 'collector.db'))
    const filed = readFileSync(config.checkpointFile, 'utf8')
    collector = await place.start()
    const attempt = fsckCommand(collector.opened, { writeCheckpoint: true })
    await expect(attempt).rejects.toMatchObject({
      code: 'LOG_ROLLED_BACK',
      message: expect.stringContaining('it proves that 6 entries were signed, and the database ends at 3'),
    })
    expect(readFileSync(config.checkpointFile, 'utf8')).toBe(filed)
  })

  test('says what it means where the file is lost', async () => {
    rmSync(place.config.checkpointFile)
    const { exit, lines } = await fsckCommand(collector.opened, { writeCheckpoint: true })
    expect([exit, lines[0]]).toEqual([0, expect.stringContaining('counts as the newest')])
  })
})

test('backup: a private file in a private folder, whatever the umask and the folder are', async () => {
  await backupCommand(collector.opened, here('new/copy'))
  expect([mode(here('new/copy')), mode(here('new/copy/collector.db'))]).toEqual(['700', '600'])
  mkdirSync(here('open'))
  chmodSync(here('open'), 0o777)
  await backupCommand(collector.opened, here('open'))
  expect(mode(here('open/collector.db'))).toBe('600')
  writeFileSync(here('file'), '')
  await expect(backupCommand(collector.opened, here('file/copy'))).rejects.toMatchObject({ code: 'USAGE' })
})

test('all files of the state are private', async () => {
  await collector.enrolled('web1')
  const { state } = place.config
  for (const name of [
    'collector.db',
    'collector.db-wal',
    'collector.db-shm',
    'log.key',
    'office.key',
    'log.lock',
  ]) {
    expect([name, mode(join(state, name))]).toEqual([name, '600'])
  }
})

describe('user', () => {
  const add = (email: string, more: object) =>
    userAddCommand(collector.opened, email, { role: 'auditor', language: 'en', password: undefined, ...more })

  test('the last administrator stays', async () => {
    const disable = (email: string) => userDisableCommand(collector.opened, email)
    await expect(disable('a@b.example')).rejects.toThrow(/last provider-admin/)
    await add('second@b.example', { role: 'provider-admin', password: 'a long password' })
    await disable('a@b.example')
    await expect(disable('second@b.example')).rejects.toThrow(/last provider-admin/)
    await disable('a@b.example')
  })

  test('an unknown customer, a bad address, a short password, a file that is there: nothing is made', async () => {
    const passwordOut = here('password')
    await expect(add('x@b.example', { tenant: 'NOPE', passwordOut })).rejects.toThrow(
      /no contract is with a customer NOPE; there are 33445566 \(Havfruen Keramik ApS\)/,
    )
    await expect(add('x', { tenant: '33445566', passwordOut })).rejects.toThrow(/no e-mail address/)
    await expect(add('x@b.example', { tenant: '33445566', password: 'short' })).rejects.toThrow(/12 to/)
    expect(existsSync(passwordOut)).toBe(false)
    writeFileSync(passwordOut, 'mine')
    await expect(add('x@b.example', { tenant: '33445566', passwordOut })).rejects.toMatchObject({
      code: 'USAGE',
    })
    expect(readFileSync(passwordOut, 'utf8')).toBe('mine')
    expect(await collector.store.db.selectFrom('account').select('id').execute()).toHaveLength(1)
  })
})

describe('invite --token-file', () => {
  const inviteTo = (tokenFile: string, contract = CONTRACT) =>
    inviteCommand(collector.opened, { contract: [contract], host: 'web1', expires: 'PT1H', tokenFile })
  const invitations = async () =>
    (await collector.store.db.selectFrom('invitation').select('keyid').execute()).length

  test('a file that is there, or cannot be made, is told before anybody is invited', async () => {
    writeFileSync(here('there'), 'mine')
    await expect(inviteTo(here('there'))).rejects.toMatchObject({ code: 'USAGE' })
    await expect(inviteTo(here('no/folder/token'))).rejects.toMatchObject({ code: 'USAGE' })
    expect([await invitations(), readFileSync(here('there'), 'utf8')]).toEqual([0, 'mine'])
    await expect(inviteTo(here('token'), 'NONE')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(existsSync(here('token'))).toBe(false)
    await inviteTo(here('token'))
    expect([mode(here('token')), await invitations()]).toEqual(['600', 1])
  })
})

test('pack: an empty period ends with 1 and says so; a file that is there stays', async () => {
  await collector.enrolled('web1')
  const out = here('pack.zip')
  const empty = { from: '2001-01-01', to: '2002-01-01', out }
  const { exit, lines } = await packCommand(collector.opened, CONTRACT, empty)
  expect([exit, lines.join('\n')]).toEqual([
    1,
    expect.stringContaining('NO STATEMENT IS DATED IN THE PERIOD'),
  ])
  await expect(
    packCommand(collector.opened, CONTRACT, { out: here('missing/pack.zip') }),
  ).rejects.toMatchObject({
    code: 'USAGE',
    message: `${here('missing')} is not there: make the folder first`,
  })
  const before = readFileSync(out)
  await expect(packCommand(collector.opened, CONTRACT, { out })).rejects.toMatchObject({ code: 'USAGE' })
  expect(readFileSync(out)).toEqual(before)
  expect((await packCommand(collector.opened, CONTRACT, { out, force: true })).exit).toBe(0)
  expect(readFileSync(out)).not.toEqual(before)
})

test.each<[string, boolean]>([
  ['127.0.0.1', true],
  ['localhost', true],
  ['::1', true],
  ['127.8.9.10', true],
  ['0.0.0.0', false],
  ['::', false],
  ['127.0.0.1.example.net', false],
  ['10.0.0.1', false],
  ['::10:1', false],
])('serve in the clear on %s: %s', (host, isTaken) => {
  const attempt = () => assertPrivate({ listen: { host, port: 1 }, tls: undefined })
  if (isTaken) expect(attempt).not.toThrow()
  else expect(attempt).toThrow(/behind a reverse proxy/)
  assertPrivate({ listen: { host, port: 1 }, tls: { key: '/k', cert: '/c' } })
})

test('as processes: what is foreseen has no stack trace and no cure of another interface', async () => {
  mkdirSync(here('fresh'))
  const config = writeConfig(here('fresh'), 1)
  const run = async (env: NodeJS.ProcessEnv, ...args: string[]) => {
    const { exit, stderr } = await runCollector([...args, '--config', config], env)
    expect(stderr).not.toMatch(/\n\s+at |INTERNAL|openapi/)
    return `${exit} ${stderr}`
  }
  expect(await run({}, 'serve')).toMatch(
    /^2 USAGE: there is no collector in .* run `bevis-collector init` first/,
  )
  expect(await run({}, 'init', '--email', 'nobody')).toMatch(
    /^2 REQUEST_INVALID: nobody is no e-mail address/,
  )
  expect(await run({ BEVIS_PASSWORD: 'short' }, 'init', '--email', 'a@b.example')).toMatch(
    /^2 REQUEST_INVALID: a password has 12 to 1024 characters, and this one 5/,
  )
  expect(existsSync(here('fresh/state'))).toBe(false)
  for (const args of [
    ['contract', 'check', here('fresh')],
    ['serve', '--config', here('fresh')],
  ]) {
    expect((await runCollector(args)).stderr).toContain(
      `${here('fresh')} cannot be read: it is a folder (EISDIR)`,
    )
  }
  writeFileSync(here('fresh/state'), 'a file where a folder should be')
  expect(await run({}, 'init', '--email', 'a@b.example')).toMatch(/^2 STORE_FAILED: E/)
})
