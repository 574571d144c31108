import { readFileSync } from 'node:fs'
import fastifyHelmet from '@fastify/helmet'
import fastifyRateLimit from '@fastify/rate-limit'
import fastifySwagger from '@fastify/swagger'
import { BevisError } from '@bevis/shared/error'
import { BATCH_LIMIT_BYTES } from '@bevis/shared/wire'
import Fastify, { LogController } from 'fastify'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { Compliance } from '../compliance/compliance.ts'
import type { CollectorConfig } from '../config.ts'
import type { Log } from '../log/log.ts'
import type { Office } from '../office.ts'
import type { Receive } from '../receive.ts'
import { openRecover } from '../recover.ts'
import type { Store } from '../store/store.ts'
import { VERSION } from '../version.ts'
import { gunzipBody } from './body.ts'
import type { Pages, RegisterPages, Stamps } from './context.ts'
import { contractRoutes } from './contract-routes.ts'
import { evidenceRoutes } from './evidence-routes.ts'
import { registerHealth } from './health-routes.ts'
import { registerLog } from './log-routes.ts'
import { cosignRoutes } from './cosign-routes.ts'
import { createMetrics } from './metrics.ts'
import { PROBLEM_TYPE, problemFor, problemOf } from './problem.ts'
import { recoveryRoutes } from './recovery-routes.ts'
import { watchReadiness } from './readiness.ts'
import { workRoutes } from './work-routes.ts'

export interface ServerParts {
  readonly config: CollectorConfig
  readonly store: Store
  readonly log: Log
  readonly receive: Receive
  readonly compliance: Compliance
  readonly office: Office
  readonly stamps?: Stamps | undefined
  readonly logger: FastifyBaseLogger
  readonly now: () => Date
  /** Left out: the interface for programs alone, and nobody can sign in. */
  readonly registerPages?: RegisterPages | undefined
}

const NOBODY: Pages = { authorize: () => Promise.resolve(null) }

/** The whole server, ready to listen. */
export async function buildServer(parts: ServerParts): Promise<FastifyInstance> {
  const { config, store, log, receive, compliance, office, stamps, logger, now, registerPages } = parts
  const app = createApp(config, logger)
  const metrics = createMetrics(true)
  const readiness = watchReadiness(store, log, now)
  let pages = NOBODY

  app.removeContentTypeParser('text/plain')
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof BevisError && error.code === 'STORE_FAILED') readiness.failed(error)
    return answerProblem(error, request, reply, pages)
  })
  app.setNotFoundHandler((request, reply) =>
    answerProblem(new BevisError('NOT_FOUND', `there is nothing at ${request.url}`), request, reply, pages),
  )
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none'
    metrics.observeRequest(route, reply.statusCode, reply.elapsedTime / 1_000)
    const ms = Math.round(reply.elapsedTime)
    request.log.info({ method: request.method, route, status: reply.statusCode, ms }, 'answered')
    done()
  })
  await protect(app, config)
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Bevis collector',
        version: VERSION,
        description: 'Evidence in, proofs and verdicts out.',
      },
      servers: [{ url: config.publicUrl }],
    },
    // Pages are for people, and describe themselves.
    transform: (route) =>
      /^\/(v1|log)\//.test(route.url)
        ? jsonSchemaTransform(route)
        : { url: route.url, schema: { ...route.schema, hide: true } },
  })
  await app.register(evidenceRoutes({ receive, store, metrics, readiness, origin: log.origin, now }))
  await app.register(workRoutes({ store, origin: log.origin, now }))
  registerHealth(app, { log, readiness, metrics, metricsToken: readToken(config.metricsTokenFile) })
  await app.register(recoveryRoutes(openRecover({ store, log, now })))
  await app.register(cosignRoutes({ log, store, now }))
  registerLog(app, { log, store })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
  await app.register(async (scope) => {
    if (registerPages !== undefined)
      pages = await registerPages(scope, { config, store, log, compliance, office, stamps, now })
    // Among the pages, so that a browser's session is known to them.
    await scope.register(
      contractRoutes({ store, compliance, authorize: (request) => pages.authorize(request), now }),
    )
  })
  await app.ready()
  return app
}

function createApp(config: CollectorConfig, logger: FastifyBaseLogger): FastifyInstance {
  const options = {
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }), // one line per answer, see onResponse
    bodyLimit: BATCH_LIMIT_BYTES,
    trustProxy: config.trustedProxies.length > 0 ? config.trustedProxies : false,
    requestTimeout: 120_000,
    forceCloseConnections: 'idle',
    // An address that cannot be decoded comes to no route and to no handler of errors.
    frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply) =>
      reply
        .code(400)
        .type(PROBLEM_TYPE)
        .send(JSON.stringify(problemFor('REQUEST_INVALID', error.message))),
  } as const
  // The types of the two servers differ, and nothing here depends on which one it is.
  if (config.tls === undefined) return Fastify(options)
  const https = { key: readSecret(config.tls.key), cert: readSecret(config.tls.cert) }
  return Fastify({ ...options, https }) as unknown as FastifyInstance
}

/** What guards every route: headers, a limit on requests, and on what a compressed body may become. */
async function protect(app: FastifyInstance, config: CollectorConfig): Promise<void> {
  const isTls = config.publicUrl.startsWith('https:')
  await app.register(fastifyHelmet, {
    strictTransportSecurity: isTls ? { maxAge: 31_536_000 } : false,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        ...(isTls ? { upgradeInsecureRequests: [] } : {}),
      },
    },
  })
  await app.register(fastifyRateLimit, {
    max: config.requestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { after }) =>
      new BevisError('TOO_MANY_REQUESTS', `too many requests from this address: wait ${after}`),
  })
  app.addHook('preParsing', async (request, _reply, payload) => {
    const encoding = request.headers['content-encoding']
    if (encoding === undefined || encoding === 'identity') return payload
    if (encoding === 'gzip') return gunzipBody(payload, BATCH_LIMIT_BYTES)
    throw new BevisError('REQUEST_INVALID', `a body comes as it is or with gzip, not with ${encoding}`)
  })
}

async function answerProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  pages: Pages,
): Promise<FastifyReply> {
  const problem = problemOf(error)
  const { code } = problem
  if (code === 'LOG_ROLLED_BACK' || code === 'LOG_INCONSISTENT') tellOfLog(request, code, problem.detail)
  else if (problem.status >= 500) request.log.error({ err: error, code }, 'failed')
  else request.log.debug({ code }, 'refused')
  if (problem.status === 503 && !reply.hasHeader('retry-after')) void reply.header('retry-after', '30')
  const forPeople = !request.url.startsWith('/v1/') && (request.headers.accept ?? '').includes('text/html')
  if (forPeople && pages.renderProblem !== undefined) {
    const page = await pages.renderProblem(request, reply, problem)
    return reply.code(problem.status).type('text/html; charset=utf-8').send(page)
  }
  // Past the route's own schema: a problem has one form everywhere.
  return reply.code(problem.status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(problem)
}

/** Agents come back every few seconds: one line a minute for each reason and route says it. */
const LOG_TROUBLE_EVERY_MS = 60_000
const toldOfLog = new WeakMap<object, Map<string, number>>()

function tellOfLog(request: FastifyRequest, code: string, detail: string | undefined): void {
  const told = toldOfLog.get(request.server.server) ?? new Map<string, number>()
  toldOfLog.set(request.server.server, told)
  const reason = `${code} ${request.routeOptions.url ?? ''}`
  const isTold = performance.now() - (told.get(reason) ?? Number.NEGATIVE_INFINITY) < LOG_TROUBLE_EVERY_MS
  if (isTold) return request.log.debug({ code }, 'refused again')
  told.set(reason, performance.now())
  request.log.error({ code }, `refused, until this is mended: ${detail ?? ''}`)
}

function readToken(file: string | undefined): string | null {
  return file === undefined ? null : readSecret(file).trim()
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new BevisError('SECRET_UNREADABLE', `${file} cannot be read`, { cause })
  }
}
