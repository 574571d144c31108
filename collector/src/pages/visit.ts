/** Who reads a page, and what they may see of the store. */
import { BevisError } from '@bevis/shared/error'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Compliance } from '../compliance/compliance.ts'
import type { Store } from '../store/store.ts'
import type { Source } from './load/source.ts'
import { accountOf, scopeOf } from './reader.ts'
import type { Account } from './reader.ts'
import { ownPath } from './view/address.ts'

/** Whoever is signed in, and all that they may read. */
export interface Visit {
  account: Account
  source: Source
}

/** Answers a page's address. */
type Handler = (request: FastifyRequest, reply: FastifyReply, visit: Visit) => Promise<unknown>

export interface Visits {
  /** Null: nobody is signed in, and the answer is already the way to the sign-in. */
  readonly visit: (request: FastifyRequest, reply: FastifyReply) => Promise<Visit | null>
  /** A page that needs a sign-in. */
  readonly page: (path: string, handler: Handler) => void
}

export function openVisits(
  scope: FastifyInstance,
  parts: { store: Store; compliance: Pick<Compliance, 'answer' | 'facts'>; now: () => Date },
): Visits {
  const { store, compliance, now } = parts

  async function visit(request: FastifyRequest, reply: FastifyReply): Promise<Visit | null> {
    const account = await accountOf(store.db, request)
    if (account === null) {
      const next = request.method === 'GET' ? ownPath(request.url) : '/'
      void reply.redirect(next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`, 303)
      return null
    }
    const rows = scopeOf(account)
    if (rows === null)
      throw new BevisError('FORBIDDEN', `the account ${account.email} belongs to no customer`)
    const judge: Source['judge'] = (contract, when) => compliance.answer(contract, when)
    const index: Source['index'] = async (contract) => (await compliance.facts(contract)).index
    return { account, source: { db: store.db, scope: rows, now: now(), judge, index } }
  }

  function page(path: string, handler: Handler): void {
    scope.get(path, async (request, reply) => {
      const visitor = await visit(request, reply)
      return visitor === null ? reply : handler(request, reply, visitor)
    })
  }

  return { visit, page }
}

/** @throws BevisError REQUEST_INVALID, naming the field */
export function parsed<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new BevisError(
    'REQUEST_INVALID',
    `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not understood'}`,
  )
}

export function paramOf(request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name] ?? ''
}
