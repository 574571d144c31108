import type { Problem } from '@bevis/shared/wire'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Compliance } from '../compliance/compliance.ts'
import type { CollectorConfig } from '../config.ts'
import type { Log } from '../log/log.ts'
import type { Office } from '../office.ts'
import type { Scope, Store } from '../store/store.ts'

/** What the pages work with. */
export interface PagesContext {
  readonly config: CollectorConfig
  readonly store: Store
  readonly log: Log
  readonly compliance: Compliance
  /** Records what people decide. */
  readonly office: Office
  readonly now: () => Date
}

/** What the pages give back to the interface. */
export interface Pages {
  /** Whose rows the request's signed-in account may see; null when nobody is signed in. */
  authorize(request: FastifyRequest): Promise<Scope | null>
  /** A problem for a person: answers with a page. Without it, all problems are JSON. */
  renderProblem?(request: FastifyRequest, reply: FastifyReply, problem: Problem): Promise<string>
}

/** Registers all pages (`pages/register.ts`), inside a plugin of their own. */
export type RegisterPages = (app: FastifyInstance, context: PagesContext) => Promise<Pages>
