import { createHash } from 'node:crypto'
import { callbackify } from 'node:util'
import fastifyCookie from '@fastify/cookie'
import fastifyCsrf from '@fastify/csrf-protection'
import fastifyFormbody from '@fastify/formbody'
import fastifySession from '@fastify/session'
import type { FastifyInstance, preHandlerHookHandler, Session } from 'fastify'
import type { Store } from '../store/store.ts'

declare module 'fastify' {
  interface Session {
    /** Set by a successful sign-in only. */
    accountId?: string
  }
}

/** Signed in until then, whatever happens: a working day and an evening. */
const SIGNED_IN_MS = 12 * 60 * 60 * 1000
/** A visitor's session only carries the sign-in form's token. */
const VISITOR_MS = 60 * 60 * 1000

/** Cookies, forms and sessions for the routes of `scope`. */
export async function registerSessions(
  scope: FastifyInstance,
  { store, now, secure }: { store: Store; now: () => Date; secure: boolean },
): Promise<void> {
  await scope.register(fastifyCookie)
  await scope.register(fastifyFormbody, { bodyLimit: 64 * 1024 })
  await scope.register(fastifySession, {
    // The ID is 192 random bits that only the store knows: a signature over it would add nothing but a secret to keep.
    secret: { sign: (value) => value, unsign: (value) => ({ valid: true, renew: false, value }) },
    cookieName: secure ? '__Host-bevis' : 'bevis',
    cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: SIGNED_IN_MS },
    saveUninitialized: false,
    rolling: false,
    store: sessionStore(store, now),
  })
  await scope.register(fastifyCsrf, { sessionPlugin: '@fastify/session' })
}

/** Sessions in the table `session`. It holds a digest of the ID only: a copy of the database signs nobody in. */
export function sessionStore(store: Store, now: () => Date) {
  async function read(id: string): Promise<Session | null> {
    const row = await store.db
      .selectFrom('session')
      .select('data')
      .where('id', '=', digestOf(id))
      .where('expires_at', '>', now().toISOString())
      .executeTakeFirst()
    return row === undefined ? null : (JSON.parse(row.data) as Session)
  }

  async function save(id: string, session: Session): Promise<void> {
    const accountId = session.accountId ?? null
    const expires = new Date(now().getTime() + (accountId === null ? VISITOR_MS : SIGNED_IN_MS))
    const values = { account_id: accountId, data: JSON.stringify(session), expires_at: expires.toISOString() }
    await store.write(async (tx) => {
      await tx.deleteFrom('session').where('expires_at', '<=', now().toISOString()).execute()
      await tx
        .insertInto('session')
        .values({ id: digestOf(id), ...values })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
        .execute()
    })
  }

  async function remove(id: string): Promise<void> {
    await store.write((tx) => tx.deleteFrom('session').where('id', '=', digestOf(id)).execute())
  }

  return { get: callbackify(read), set: callbackify(save), destroy: callbackify(remove) }
}

/** Refuses a form without the token of its reader's session. */
export const checkToken: preHandlerHookHandler = function (request, reply, done) {
  this.csrfProtection(request, reply, done)
}

function digestOf(id: string): string {
  return createHash('sha256').update(id).digest('hex')
}
