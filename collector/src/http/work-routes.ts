import { BevisError } from '@bevis/shared/error'
import { slug } from '@bevis/shared/format'
import { assertRequestSignature, keyidOfRequest } from '@bevis/shared/http-signature'
import { problemSchema } from '@bevis/shared/wire'
import { workSchema } from '@bevis/shared/work'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { loadKeyring } from '../intake/keyring.ts'
import { workOf } from '../request/work.ts'
import type { AgentRow } from '../store/read/agents.ts'
import type { Store } from '../store/store.ts'

/** Where an agent asks what is wanted of it; it proves with its key that it is the one. */
export function workRoutes(parts: { store: Store; origin: string; now: () => Date }): FastifyPluginAsyncZod {
  const { store, origin, now } = parts

  async function authenticate(
    id: string,
    request: { method: string; path: string },
    headers: Record<string, unknown>,
  ): Promise<AgentRow> {
    const input = headers['signature-input']
    const signature = headers['signature']
    const given = {
      ...(typeof input === 'string' && { 'signature-input': input }),
      ...(typeof signature === 'string' && { signature }),
    }
    const keyid = keyidOfRequest(given)
    if (keyid === null)
      throw new BevisError('SIGNATURE_INVALID', 'the request is not signed with the agent’s key')
    const keyring = await loadKeyring(store.db, [keyid])
    const key = keyring.key(keyid)
    if (key === undefined) throw new BevisError('AGENT_UNKNOWN', `no agent here has the key ${keyid}`)
    assertRequestSignature({ ...request, origin }, given, key.spki, now())
    const agent = keyring.agentOf(key)
    if (agent === undefined || key.agent !== id)
      throw new BevisError('SIGNATURE_INVALID', `the request is signed by ${key.agent}, not by ${id}`)
    if (key.revoked_leaf !== null || agent.state !== 'active' || agent.epoch >= keyring.epochsOf(key).before)
      throw new BevisError('AGENT_REVOKED', `this key no longer speaks for ${key.agent}`)
    return agent
  }

  // oxlint-disable-next-line require-await -- a Fastify plugin is asynchronous
  return async (app) => {
    app.get(
      '/v1/agents/:id/work',
      {
        schema: {
          summary: 'What is asked of an agent: its contracts’ terms, seeds for its tests, requested tests',
          description:
            'Signed by the agent’s key with HTTP Message Signatures (RFC 9421): Ed25519 over @method and @path, ' +
            'with created, keyid, alg and tag, the tag being "bevis-agent " and the log’s origin.',
          params: z.object({ id: slug }),
          response: { 200: workSchema, '4xx': problemSchema },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const path = `/v1/agents/${id}/work`
        const agent = await authenticate(id, { method: request.method, path }, request.headers)
        void reply.header('cache-control', 'no-store')
        return workOf(store, agent, now())
      },
    )
  }
}
