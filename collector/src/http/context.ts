import type { Problem } from '@bevis/shared/wire'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Compliance } from '../compliance/compliance.ts'
import type { CollectorConfig } from '../config.ts'
import type { Log } from '../log/log.ts'
import type { Office } from '../office.ts'
import type { Stamper } from '../time/stamper.ts'
import type { Scope, Store } from '../store/store.ts'

/** Who stamps, and the roots of whom: PEM. */
export interface Stamps {
  readonly stamper: Pick<Stamper, 'stampHead'>
  readonly tsaChain?: string | undefined
}

/** What the pages work with. */
export interface PagesContext {
  readonly config: CollectorConfig
  readonly store: Store
  readonly log: Log
  readonly compliance: Compliance
  /** Records what people decide. */
  readonly office: Office
  /** Outside clocks for what packs are made of; left out: none. */
  readonly stamps?: Stamps | undefined
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
