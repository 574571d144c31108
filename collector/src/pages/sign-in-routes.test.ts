import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { addAccount } from '../account/accounts.ts'
import { hashPassword, verifyPassword } from '../account/password.ts'
import { problemOf } from '../http/problem.ts'
import { openSqliteStore } from '../store/sqlite/open.ts'
import { createRender } from './render.ts'
import { registerSessions } from './session.ts'
import { registerSignIn } from './sign-in-routes.ts'

const EMAIL = 'liv@havfruen.example'
const PASSWORD = 'a long password'
const now = () => new Date('2026-11-23T12:00:00.000Z')

/** The sign-in with one account, and how many passwords were looked at. */
async function openSignIn() {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-sign-in-'))
  const store = await openSqliteStore({ stateFolder: folder, create: true })
  const account = { email: EMAIL, password: PASSWORD, role: 'provider-admin', tenant: null } as const
  await addAccount(store, { ...account, language: 'en' }, now())
  const app = Fastify()
  app.setErrorHandler((error, _request, reply) => reply.code(problemOf(error).status).send())
  const seen = { passwords: 0 }
  await registerSessions(app, { store, now, secure: false })
  registerSignIn(app, {
    store,
    now,
    render: createRender(now),
    secure: false,
    verifyPassword(password, hash) {
      seen.passwords += 1
      return verifyPassword(password, hash)
    },
    decoyHash: await hashPassword('nobody has this one'),
  })
  onTestFinished(async () => {
    await app.close()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const post = async (password: string, remoteAddress = '192.0.2.1') => {
    const form = await app.inject('/sign-in')
    const cookie = String(form.headers['set-cookie']).split(';')[0] ?? ''
    const [, csrf = ''] = /name="_csrf" value="([^"]+)"/.exec(form.body) ?? []
    const answer = await app.inject({
      method: 'POST',
      url: '/sign-in',
      remoteAddress,
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ _csrf: csrf, email: EMAIL, password }).toString(),
    })
    return answer.statusCode
  }
  return { seen, post }
}

const times = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n))

test('of 50 guesses at once from one address, ten come to the password', async () => {
  const { seen, post } = await openSignIn()
  const answers = await Promise.all(times(50, () => post('a wrong password')))
  expect(seen.passwords).toBe(10)
  expect(answers.filter((status) => status === 429)).toHaveLength(40)
  expect(await post(PASSWORD)).toBe(429)
  expect(await post(PASSWORD, '192.0.2.2')).toBe(303)
})

test('of 50 guesses at once at one account from as many addresses, thirty do', async () => {
  const { seen, post } = await openSignIn()
  await Promise.all(times(50, (n) => post('a wrong password', `198.51.100.${n}`)))
  expect(seen.passwords).toBe(30)
})

test('who signs in is not counted, however often', async () => {
  const { post } = await openSignIn()
  for (let n = 0; n < 9; n++) expect(await post('a wrong password')).toBe(401)
  for (let n = 0; n < 12; n++) expect(await post(PASSWORD)).toBe(303)
  expect(await post('a wrong password')).toBe(401)
  expect(await post(PASSWORD)).toBe(429)
})
