import { timingSafeEqual } from 'node:crypto'
import { BevisError } from '@bevis/shared/error'
import { sha256 } from '@bevis/shared/crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Log } from '../log/log.ts'
import type { Metrics } from './metrics.ts'
import { PROBLEM_TYPE, problemOf } from './problem.ts'
import type { Readiness } from './readiness.ts'

/** For load balancers, monitoring, and whoever gathers metrics. */
export function registerHealth(
  app: FastifyInstance,
  parts: { log: Log; readiness: Readiness; metrics: Metrics; metricsToken: string | null },
): void {
  const { log, readiness, metrics, metricsToken } = parts
  const hidden = { schema: { hide: true }, config: { rateLimit: false } } as const

  app.get('/healthz', hidden, (_request, reply) => reply.type('text/plain').send('ok\n'))

  app.get('/readyz', hidden, async (_request, reply) => {
    try {
      await readiness.assertReady()
      metrics.setReady(true)
      return await reply.type('text/plain').send('ready\n')
    } catch (error) {
      metrics.setReady(false)
      return reply
        .code(503)
        .type(PROBLEM_TYPE)
        .send({ ...problemOf(error), status: 503 })
    }
  })

  app.get('/metrics', hidden, async (request, reply) => {
    if (!mayReadMetrics(request, metricsToken)) {
      throw new BevisError('FORBIDDEN', 'metrics are for callers on this machine, or with the token')
    }
    metrics.setLogSize((await log.head()).size)
    try {
      await readiness.assertReady()
      metrics.setReady(true)
    } catch {
      metrics.setReady(false)
    }
    const { type, body } = await metrics.text()
    return reply.type(type).send(body)
  })
}

/** With a token: who has it. Without: who calls from this machine, and for nobody else (a proxy does). */
function mayReadMetrics(request: FastifyRequest, token: string | null): boolean {
  const { authorization, forwarded } = request.headers
  if (token !== null) {
    const given = sha256(Buffer.from(authorization ?? ''))
    return timingSafeEqual(given, sha256(Buffer.from(`Bearer ${token}`)))
  }
  if (forwarded !== undefined || request.headers['x-forwarded-for'] !== undefined) return false
  const address = request.socket.remoteAddress ?? ''
  return /^(127\.|::1$|::ffff:127\.)/.test(address)
}
