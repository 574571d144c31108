import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tellAlarms } from '../agent/src/alarm/tell.ts'

const about = { agent: 'web1', tenant: 'havfruen', collector: 'https://collector.example.net' }
const alarm = (n: number) => ({
  at: '2026-11-23T04:05:06.000Z',
  code: 'LOG_INCONSISTENT',
  message: `the log of ${n} entries does not extend that of 7`,
  proof: 'fork-x.json',
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bevis-alarm-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a mail names the agent, the collector and the proof, and signs in where it must', async () => {
  const mails: { to: string[]; text: string; user: string }[] = []
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username = '', password }, _, done) =>
      password === 'p4ss' ? done(null, { user: username }) : done(new Error('no')),
    onData: (stream, { envelope, user }, done) => {
      let text = ''
      stream.on('data', (chunk) => (text += String(chunk)))
      stream.on('end', () => {
        mails.push({ to: envelope.rcptTo.map(({ address }) => address), text, user: String(user) })
        done()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  writeFileSync(join(folder, 'password'), 'p4ss\n')
  const mail = {
    to: ['vagt@havfruen.example'],
    from: 'web1@havfruen.example',
    server: `smtp://127.0.0.1:${port}`,
    user: 'web1',
    passwordFile: join(folder, 'password'),
  }
  const told: string[] = []
  const failures = await tellAlarms([alarm(9)], about, { mail }, (_, way) => told.push(way))
  await new Promise<void>((resolve) => server.close(resolve))
  expect([failures, told]).toEqual([[], ['mail']])
  expect(mails).toHaveLength(1)
  expect(mails[0]).toMatchObject({ to: ['vagt@havfruen.example'], user: 'web1' })
  expect(mails[0]?.text).toContain('Subject: Bevis ALARM LOG_INCONSISTENT: web1')
  expect(mails[0]?.text).toContain('does not extend that of 7')
  expect(mails[0]?.text).toContain('bevis-verify fork')
})

test('a way that fails keeps none of the others, and is tried again; what was told is not told twice', async () => {
  const posted: unknown[] = []
  let status = 500
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      posted.push(JSON.parse(body))
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  const file = join(folder, 'alarms.jsonl')
  const standing = new Map([1, 2].map((n) => [n, { ...alarm(n), n, told: {} as Record<string, string> }]))
  const pass = () =>
    tellAlarms([...standing.values()], about, { webhook, file }, ({ n, told }, way) =>
      standing.set(n, { ...alarm(n), n, told: { ...told, [way]: 'now' } }),
    )
  expect(await pass()).toMatchObject([{ way: 'webhook', reason: expect.stringContaining('500') }])
  status = 204
  expect(await pass()).toEqual([])
  expect(await pass()).toEqual([])
  await new Promise((resolve) => server.close(resolve))
  expect(posted).toHaveLength(3)
  expect(posted[2]).toMatchObject({ ...about, code: 'LOG_INCONSISTENT', proof: 'fork-x.json' })
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
    alarm(1).message,
    alarm(2).message,
  ])
})
