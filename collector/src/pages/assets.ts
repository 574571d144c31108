import type { FastifyInstance } from 'fastify'
import { icon } from './design/symbol.ts'
import { stylesheet, stylesheetPath } from './design/stylesheet.ts'
import { ICON_PATH } from './view/page.ts'

/** The style sheet, whose address names its content, and the icon: all that a page fetches. */
export function registerAssets(scope: FastifyInstance): void {
  scope.get(stylesheetPath, (_request, reply) =>
    reply
      .type('text/css; charset=utf-8')
      .header('cache-control', 'public, max-age=31536000, immutable')
      .send(stylesheet),
  )
  scope.get(ICON_PATH, (_request, reply) =>
    reply.type('image/svg+xml').header('cache-control', 'public, max-age=86400').send(icon),
  )
  scope.get('/favicon.ico', (_request, reply) => reply.redirect(ICON_PATH, 301))
}
