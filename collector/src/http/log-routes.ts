import { parseTilePath } from '@bevis/shared/log/tile'
import type { FastifyInstance } from 'fastify'
import type { Log } from '../log/log.ts'
import { readTile } from '../log/tiles.ts'
import { withCosignatures } from '../store/read/cosignatures.ts'
import type { Store } from '../store/store.ts'

/** A tile of a signed size never changes: caches and mirrors may keep it. */
const FOR_EVER = 'public, max-age=31536000, immutable'

/** The log for whoever watches it (C2SP tlog-tiles): below the prefix `/log`, for everybody, without a session. */
export function registerLog(app: FastifyInstance, { log, store }: { log: Log; store: Store }): void {
  app.get(
    '/log/checkpoint',
    { schema: { summary: 'The log’s newest signed head, with the cosignatures that it has' } },
    async (_request, reply) => {
      const { note } = await withCosignatures(store.db, await log.head(), null)
      return reply.type('text/plain; charset=utf-8').header('cache-control', 'no-cache').send(note)
    },
  )

  app.get(
    '/log/succession',
    { schema: { summary: 'How the log’s keys follow each other: notes, each signed by the key before' } },
    (_request, reply) => reply.header('cache-control', 'no-cache').send(log.successions),
  )

  app.get<{ Params: { '*': string } }>(
    '/log/tile/*',
    { schema: { summary: 'A tile of the tree (tile/<L>/<N>) or of its entries (tile/entries/<N>)' } },
    async ({ params }, reply) => {
      const bytes = await readTile(store.db, parseTilePath(`tile/${params['*']}`))
      return reply
        .type('application/octet-stream')
        .header('cache-control', FOR_EVER)
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    },
  )
}
