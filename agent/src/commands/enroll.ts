import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { encodeBase64 } from '@bevis/shared/base64'
import { signerFromSeed } from '@bevis/shared/crypto'
import { BevisError, ERROR_CODES, errorMessageOf } from '@bevis/shared/error'
import { ZERO_DIGEST } from '@bevis/shared/evidence/chain'
import { parseToken, seedOf } from '@bevis/shared/evidence/enrolment'
import type { EnrolmentToken } from '@bevis/shared/evidence/enrolment'
import { encodeEnvelope, signEnvelope } from '@bevis/shared/evidence/envelope'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { openCheckpoint, parseVkey } from '@bevis/shared/log/checkpoint'
import type { Checkpoint } from '@bevis/shared/log/checkpoint'
import { verifyLeaf } from '@bevis/shared/log/receipt'
import { agentHeadSchema, enrolResponseSchema, problemSchema } from '@bevis/shared/wire'
import type { EnrolResponse } from '@bevis/shared/wire'
import { environment } from '../config.ts'
import { appendStatement } from '../evidence/chain.ts'
import { openCosigner } from '../evidence/cosigner.ts'
import { confirmIdentity, keyFile, loadIdentity, loadPending, savePending } from '../evidence/identity.ts'
import type { Identity } from '../evidence/identity.ts'
import { makeKey } from '../evidence/key.ts'
import { lifecycle } from '../evidence/lifecycle.ts'
import { completeDraft } from '../evidence/record.ts'
import { lock } from '../lock.ts'
import { parseTrust } from '@bevis/shared/verify/trust'
import { writeDurably } from '../outbox/alarm.ts'
import { readClock, saveClock } from '../outbox/clock.ts'
import { loadHead, saveHead } from '../outbox/head.ts'
import type { Reply, Transport } from '../outbox/transport.ts'
import type { State } from '../state.ts'
import { withCure } from '../cure.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

export async function enrollCommand(opened: Opened, options: { tokenFile?: string }): Promise<Outcome> {
  const { openTransport } = await import('../outbox/transport.ts')
  const token = parseToken(readToken(options.tokenFile))
  const { url } = opened.config.collector
  if (!isSameAddress(token.collector, url)) {
    throw withCure(
      new BevisError(
        'ENROLMENT_REFUSED',
        `the invitation is from ${token.collector}, and collector.url is ${url}`,
      ),
      `Set collector.url to ${token.collector}, or ask there for an invitation. This one is not used up.`,
    )
  }
  const transport = openTransport(opened.config.collector, opened.now)
  try {
    const identity = await enroll({ ...opened, token, transport, host: hostname() })
    const trust = join(opened.state.folder, 'trust.yaml')
    return {
      exit: 0,
      json: { ...identity, trust },
      lines: [
        `This is agent ${identity.agent} of ${identity.tenant} now, with the key`,
        `  ${identity.keyid}`,
        `Hand ${trust} to whoever audits this host: with it, evidence is checked without trusting the provider.`,
      ],
    }
  } finally {
    await transport.close()
  }
}

function isSameAddress(one: string, other: string): boolean {
  const [a, b] = [new URL(one), new URL(other)]
  return a.origin === b.origin && a.pathname.replace(/\/+$/, '') === b.pathname.replace(/\/+$/, '')
}

function readToken(file: string | undefined): string {
  if (file === undefined) {
    if (environment.token !== undefined) return environment.token
    throw new BevisError('USAGE', 'name the invitation: --token-file FILE, --token-file - or BEVIS_TOKEN')
  }
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (cause) {
    throw new BevisError('SECRET_UNREADABLE', `the token file ${file} cannot be read`, { cause })
  }
}

/**
 * Makes this agent's identity, and has the collector log it: an `enrolled` statement that the new key and the
 * invitation's key sign (Evidence specification, Identity). What is sent is durable first, so after a crash or a
 * lost answer the same invitation sends the same bytes and gets the same answer.
 * @throws BevisError ENROLMENT_REFUSED, COLLECTOR_UNREACHABLE, RECEIPT_INVALID
 */
export async function enroll(context: {
  state: State
  token: EnrolmentToken
  transport: Transport
  host: string
  now: () => Date
}): Promise<Identity> {
  const { state, token, now } = context
  const held = await lock(join(state.folder, 'enrolment.lock'), 'an enrolment', { waitMs: 0, now })
  try {
    const tokenSigner = signerFromSeed(seedOf(token))
    const known = loadIdentity(state)
    if (known !== null) {
      if (known.token === tokenSigner.keyid) return known
      throw new BevisError(
        'ENROLMENT_REFUSED',
        `this is agent ${known.agent} of ${known.tenant} already; to enrol anew, name an empty state folder`,
      )
    }
    if (token.host.toLowerCase() !== context.host.toLowerCase()) {
      throw withCure(
        new BevisError(
          'ENROLMENT_REFUSED',
          `the invitation is for host ${token.host}, this is ${context.host}`,
        ),
        `Run it on ${token.host}, or ask for an invitation for ${context.host}. This one is not used up.`,
      )
    }
    if (Date.parse(token.expiresAt) <= now().getTime() && loadPending(state) === null) {
      throw withCure(
        new BevisError('ENROLMENT_REFUSED', `the invitation expired at ${token.expiresAt}`),
        "Ask for a new invitation; if it is new, look at this host's clock.",
      )
    }
    await verifyLog(context.transport, token)
    const pending = loadPending(state) ?? (await prepare(context, tokenSigner.keyid))
    if (pending.tenant !== token.tenant || pending.agent !== token.agent || pending.vkey !== token.vkey) {
      throw new BevisError(
        'ENROLMENT_REFUSED',
        `an enrolment as ${pending.agent} of ${pending.tenant} is unfinished; use its invitation, or an empty state folder`,
      )
    }
    const agentSigner = makeKey(keyFile(state, pending.epoch))
    const envelope = signEnvelope(readStatement(state, pending.epoch), [agentSigner, tokenSigner])
    const reply = await context.transport.post('/v1/enrol', { envelope, key: encodeBase64(agentSigner.spki) })
    const response = readResponse(reply, () => forgetPending(state, pending.epoch))
    const checkpoint = verifyEnrolment(response, envelope, [agentSigner.spki, tokenSigner.spki], pending)
    const identity: Identity = {
      ...pending,
      token: tokenSigner.keyid,
      tokenKey: encodeBase64(tokenSigner.spki),
      enrolledAt: response.receivedAt,
    }
    const trust = join(state.folder, 'trust.yaml')
    writeDurably(trust, formatTrust(identity, earlierKeys(trust, identity)))
    state.write(() => {
      confirmIdentity(state, identity)
      if (loadHead(state) === null) saveHead(state, checkpoint)
      saveClock(state, readClock(reply.sentAt, reply.answeredAt, { date: reply.date }))
      state.put('contact', reply.answeredAt.toISOString())
      state
        .sql<[string, string, string, number], never>(
          `update statement set state = 'logged', envelope = ?, received_at = ?, proof = ? where epoch = ? and seq = 1`,
        )
        .run(encodeEnvelope(envelope), response.receivedAt, response.proofs[0] ?? '', pending.epoch)
    })
    return identity
  } finally {
    held.release()
  }
}

/**
 * Reads the log's newest head by the invitation's key, before the invitation is shown to anyone: whoever answers
 * there would otherwise use it up, and only then turn out to be another log.
 * @throws BevisError CHECKPOINT_INVALID, KEY_INVALID, COLLECTOR_UNREACHABLE
 */
async function verifyLog(transport: Transport, token: EnrolmentToken): Promise<void> {
  const vkey = parseVkey(token.vkey)
  const { status, text } = await transport.get('/log/checkpoint')
  if (status !== 200) {
    throw withCure(
      new BevisError('COLLECTOR_UNREACHABLE', `${token.collector} shows no log: it answers ${status}`),
      'Check that collector.url leads to a collector. The invitation is not used up.',
    )
  }
  try {
    openCheckpoint(text, vkey)
  } catch (cause) {
    throw withCure(
      new BevisError(
        'CHECKPOINT_INVALID',
        `the log at this address is not signed by the key of the invitation: ${errorMessageOf(cause)}`,
        { cause },
      ),
      'Check collector.url, and ask for a new invitation there. This one is not used up.',
    )
  }
}

/** Makes the key and the statement, and keeps both: from here on, the same bytes are sent. */
async function prepare(
  { state, token, transport, now }: Parameters<typeof enroll>[0],
  tokenKeyid: string,
): Promise<Identity> {
  const before = await readChainEnd(transport, token.agent)
  const epoch = before.epoch + 1
  const identity: Identity = {
    tenant: token.tenant,
    agent: token.agent,
    epoch,
    keyid: makeKey(keyFile(state, epoch)).keyid,
    collector: token.collector,
    vkey: token.vkey,
    contracts: token.contracts,
    token: tokenKeyid,
    enrolledAt: null,
  }
  const { vkey: cosigner } = openCosigner(state, identity)
  const draft = lifecycle(identity, 'enrolled', now(), { key: identity.keyid, cosigner })
  state.write(() => {
    savePending(state, identity)
    appendStatement(state, identity, (chain) => completeDraft(draft, chain), now(), before.pae)
  })
  return identity
}

/** Where an earlier life of this agent ended, as the collector knows it: a re-installed host starts a new epoch. */
async function readChainEnd(transport: Transport, agent: string): Promise<{ epoch: number; pae: string }> {
  const reply = await transport.get(`/v1/agents/${encodeURIComponent(agent)}/head`)
  const head = agentHeadSchema.safeParse(reply.body)
  if (reply.status === 200 && head.success) {
    return { epoch: head.data.epoch, pae: head.data.pae ?? ZERO_DIGEST }
  }
  if (reply.status === 404) return { epoch: 0, pae: ZERO_DIGEST }
  throw new BevisError(
    'COLLECTOR_UNREACHABLE',
    `the collector does not say where ${agent} stands: ${reply.status}`,
  )
}

function readStatement(state: State, epoch: number): Uint8Array {
  const row = state
    .sql<[number], { payload: Uint8Array }>('select payload from statement where epoch = ? and seq = 1')
    .get(epoch)
  if (row === undefined) throw new BevisError('STATE_DAMAGED', 'the enrolment has lost its statement')
  return row.payload
}

/** A collector that refused has logged nothing, so the next invitation may begin anew; the key stays. */
function forgetPending(state: State, epoch: number): void {
  state.write(() => {
    state.put('enrolment', null)
    state.sql<[number], never>(`delete from statement where epoch = ? and state = 'prepared'`).run(epoch)
  })
}

function readResponse(reply: Reply, onRefused: () => void): EnrolResponse {
  const response = enrolResponseSchema.safeParse(reply.body)
  if (reply.status === 200 && response.success) return response.data
  const problem = problemSchema.safeParse(reply.body)
  const code = problem.success ? ERROR_CODES.find((known) => known === problem.data.code) : undefined
  if (!problem.success || code === undefined || reply.status >= 500) {
    throw new BevisError(
      'COLLECTOR_UNREACHABLE',
      `the answer ${reply.status} is not one that a collector gives`,
    )
  }
  if (code === 'ENROLMENT_REFUSED' || code === 'STATEMENT_INVALID') onRefused()
  throw new BevisError(code, problem.data.detail ?? problem.data.title)
}

function verifyEnrolment(
  response: EnrolResponse,
  envelope: Envelope,
  spkis: readonly Uint8Array[],
  pending: Identity,
): Checkpoint {
  const vkey = parseVkey(pending.vkey)
  if (response.tenant !== pending.tenant || response.agent !== pending.agent) {
    throw new BevisError('RECEIPT_INVALID', `the collector enrolled ${response.agent} of ${response.tenant}`)
  }
  const [first, second, ...more] = spkis.map((spki, signature) =>
    verifyLeaf({ envelope, signature, spki, proof: response.proofs[signature] ?? '', vkey }),
  )
  if (first === undefined || second === undefined || more.length > 0) {
    throw new BevisError('RECEIPT_INVALID', 'an enrolment has two signatures')
  }
  if ([first, second].some(({ checkpoint }) => checkpoint.note !== response.checkpoint)) {
    throw new BevisError('RECEIPT_INVALID', 'the proofs are under another checkpoint than the answer')
  }
  return first.checkpoint
}

/** The keys of this agent's earlier epochs, as this folder's trust file has them: what they signed stays evidence. */
export function earlierKeys(file: string, { tenant, agent, vkey, keyid }: Identity): string[] {
  if (!existsSync(file)) return []
  try {
    const { log, agents } = parseTrust(readFileSync(file, 'utf8'))
    const { name, spki } = parseVkey(vkey)
    if (log.vkey.name !== name || encodeBase64(log.vkey.spki) !== encodeBase64(spki)) return []
    return agents
      .filter((one) => one.tenant === tenant && one.agent === agent)
      .flatMap((one) => one.keyid)
      .filter((id) => id !== keyid)
  } catch {
    return [] // somebody's own notes
  }
}

/** What an auditor needs to trust nobody else: the log's key and this agent's, one for each epoch that is known. */
export function formatTrust(
  { vkey, tenant, agent, keyid, contracts }: Identity,
  earlier: readonly string[] = [],
): string {
  return [
    '# What evidence of this agent is checked with: bevis-verify PACK --trust trust.yaml',
    `# Made when ${agent} was enrolled. Keep it where the provider cannot change it.`,
    `log: ${JSON.stringify({ vkey })}`,
    'agents:',
    `  - ${JSON.stringify({ tenant, agent, keyid: earlier.length === 0 ? keyid : [...earlier, keyid], contracts })}`,
    '',
  ].join('\n')
}
