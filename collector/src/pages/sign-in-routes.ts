import { BevisError } from '@bevis/shared/error'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Store } from '../store/store.ts'
import { createAttempts } from './attempts.ts'
import { LANGUAGE_COOKIE } from './render.ts'
import { checkToken } from './session.ts'
import type { Render } from './render.ts'
import { isLanguage } from './language/locale.ts'
import { ownPath } from './view/address.ts'
import { signInView } from './view/sign-in.ts'

/** Each visit to the form is a row in the store, so nobody may visit without end. */
const VISITS = { max: 120, timeWindow: 60_000 }
/** Failures from one address, and for one account from wherever. An office behind one address may succeed as it likes. */
const BY_ADDRESS = { max: 10, windowMs: 5 * 60_000 }
const BY_ACCOUNT = { max: 30, windowMs: 15 * 60_000 }

const signInForm = z.object({
  email: z.string().max(254),
  password: z.string().max(1024),
  next: z.string().max(2_000).optional(),
})

interface SignInParts {
  store: Store
  now: () => Date
  render: Render
  secure: boolean
  verifyPassword: (password: string, hash: string) => Promise<boolean>
  /** Verified against when there is no such account, so that the answer takes as long. */
  decoyHash: string
}

export function registerSignIn(scope: FastifyInstance, parts: SignInParts): void {
  const { store, now, render, secure, verifyPassword, decoyHash } = parts
  const byAddress = createAttempts({ ...BY_ADDRESS, now })
  const byAccount = createAttempts({ ...BY_ACCOUNT, now })

  /** What takes the attempt back; null: there were too many failures. */
  function beginAttempt(address: string, name: string): (() => void) | null {
    const ofAddress = byAddress.begin(address)
    const ofAccount = ofAddress && byAccount.begin(name)
    if (ofAddress !== null && ofAccount === null) ofAddress()
    if (ofAddress === null || ofAccount === null) return null
    return () => {
      ofAddress()
      ofAccount()
    }
  }

  async function checkedAccount(email: string, password: string): Promise<string | null> {
    const account = await store.db
      .selectFrom('account')
      .select(['id', 'password_hash', 'disabled_at'])
      .where('email', '=', email.trim().toLowerCase())
      .executeTakeFirst()
    const usable = account !== undefined && account.disabled_at === null
    const right = await verifyPassword(password, usable ? account.password_hash : decoyHash)
    return usable && right ? account.id : null
  }

  scope.get('/sign-in', { config: { rateLimit: VISITS } }, async (request, reply) => {
    if (request.session.accountId !== undefined) return reply.redirect(nextOf(request))
    if (secure && request.protocol !== 'https') {
      request.log.error(
        'nobody can sign in: publicUrl is https, and this request came by http. Name the reverse proxy in trustedProxies',
      )
    }
    const csrf = reply.generateCsrf()
    return render(request, reply, { title: ({ t }) => t('signIn.title') }, (locale) =>
      signInView({ csrf, next: nextOf(request) }, locale),
    )
  })

  scope.post('/sign-in', { preHandler: checkToken }, async (request, reply) => {
    const form = signInForm.safeParse(request.body)
    const name = form.data?.email.trim().toLowerCase() ?? ''
    const takeBack = beginAttempt(request.ip, name)
    if (takeBack === null) {
      throw new BevisError('TOO_MANY_REQUESTS', 'too many sign-ins have failed: wait a few minutes')
    }
    const accountId = form.success
      ? await checkedAccount(form.data.email, form.data.password).catch((error: unknown) => {
          takeBack() // nobody was wrong
          throw error
        })
      : null
    if (accountId === null) {
      request.log.warn({ ip: request.ip }, 'a sign-in was refused')
      const csrf = reply.generateCsrf()
      const email = form.success ? form.data.email : ''
      const next = ownPath(form.data?.next)
      void reply.code(401)
      return render(request, reply, { title: ({ t }) => t('signIn.title') }, (locale) =>
        signInView({ csrf, next, email, wrong: true }, locale),
      )
    }
    takeBack()
    // another ID from here on: one that was planted before the sign-in is worth nothing after it
    await request.session.regenerate()
    request.session.accountId = accountId
    request.log.info({ account: accountId }, 'signed in')
    return reply.redirect(ownPath(form.data?.next), 303)
  })

  scope.post('/sign-out', { preHandler: checkToken }, async (request, reply) => {
    await request.session.destroy()
    return reply.clearCookie(secure ? '__Host-bevis' : 'bevis', { path: '/' }).redirect('/sign-in', 303)
  })

  scope.get<{ Params: { language: string }; Querystring: { back?: unknown } }>(
    '/language/:language',
    (request, reply) => {
      const { language } = request.params
      if (isLanguage(language)) {
        const maxAge = 365 * 24 * 60 * 60
        void reply.setCookie(LANGUAGE_COOKIE, language, {
          path: '/',
          maxAge,
          httpOnly: true,
          sameSite: 'lax',
          secure,
        })
      }
      return reply.redirect(ownPath(request.query.back), 303)
    },
  )
}

function nextOf(request: FastifyRequest): string {
  return ownPath((request.query as { next?: unknown }).next)
}
