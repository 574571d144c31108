import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeBase64 } from '@bevis/shared/base64'
import { BevisError } from '@bevis/shared/error'
import { agentHeadSchema } from '@bevis/shared/wire'
import { signRequest } from '@bevis/shared/http-signature'
import { parseVkey } from '@bevis/shared/log/checkpoint'
import { loadConfig } from '../config.ts'
import type { AgentConfig } from '../config.ts'
import { openCosigner } from '../evidence/cosigner.ts'
import { keyFile, requireIdentity } from '../evidence/identity.ts'
import type { Identity } from '../evidence/identity.ts'
import { markTold, raiseAlarm, readAlarms } from '../outbox/alarm.ts'
import { readKey } from '../evidence/key.ts'
import { lifecycle } from '../evidence/lifecycle.ts'
import { leaveRolledBack } from '../evidence/rollback.ts'
import { openRecorder } from '../evidence/record.ts'
import type { Recorder } from '../evidence/record.ts'
import { loadClock, readClock, saveClock } from '../outbox/clock.ts'
import { readSpool } from '../outbox/queue.ts'
import type { Transport } from '../outbox/transport.ts'
import { tryLock } from '../lock.ts'
import { followLog } from './follow.ts'
import { sendOutbox } from '../outbox/send.ts'
import { stateRefusals } from './asked.ts'
import type { SendReport } from '../outbox/send.ts'
import { openState } from '../state.ts'
import type { State } from '../state.ts'

/** What every command works on. */
export interface Opened {
  readonly config: AgentConfig
  readonly state: State
  readonly now: () => Date
}

/** @throws BevisError CONFIG_INVALID, STATE_DAMAGED */
export function open(configFile: string | undefined): Opened {
  const config = loadConfig(configFile)
  return { config, state: openState(config.state), now: () => new Date() }
}

/**
 * As {@link open}, for a look that leaves nothing behind: where the state folder is not there yet, an empty one that
 * goes away with it stands in, so that what is missing is told rather than made.
 */
export function openToLook(configFile: string | undefined): Opened {
  const config = loadConfig(configFile)
  const now = (): Date => new Date()
  if (existsSync(config.state)) return { config, state: openState(config.state), now }
  const folder = mkdtempSync(join(tmpdir(), 'bevis-look-'))
  const state = openState(folder)
  const close = (): void => {
    state.close()
    rmSync(folder, { recursive: true })
  }
  return { config, state: { ...state, close }, now }
}

/** Opens the recorder, for what must not begin without an identity. @throws BevisError NOT_ENROLLED */
export function recorderOf({ state, now }: Opened): Recorder {
  return openRecorder(state, now)
}

/** Tells of every alarm that stands and was not told yet, by the ways that the configuration names. */
async function tellStanding({ state, config, now }: Opened, identity: Identity): Promise<void> {
  const alarms = readAlarms(state.folder)
  if (alarms.length === 0) return state.put('alarm-untold', null)
  const { tellAlarms } = await import('../alarm/tell.ts')
  const { agent, tenant } = identity
  const about = { agent, tenant, collector: config.collector.url }
  const failures = await tellAlarms(alarms, about, config.alarm, (alarm, way) =>
    markTold(state.folder, alarm, way, now()),
  )
  state.put('alarm-untold', failures.length === 0 ? null : JSON.stringify(failures))
}

/**
 * Asks how far the log has this agent's chain, where there is something to send: an agent that was restored from an
 * old image would else state other things under numbers that are taken.
 */
async function isSetBack(
  opened: Opened,
  transport: Transport,
  { agent, epoch, vkey }: Identity,
): Promise<boolean> {
  const { state, now } = opened
  if (readSpool(state).depth === 0) return false
  try {
    const path = `/v1/agents/${encodeURIComponent(agent)}/head`
    const origin = parseVkey(vkey).name
    const ask = async () => {
      // By the collector's clock: an image may be of a host whose own is wrong.
      const at = new Date(now().getTime() - (loadClock(state)?.offsetMs ?? 0))
      const headers = { ...signRequest({ method: 'GET', path, origin }, readKey(keyFile(state, epoch)), at) }
      const reply = await transport.get(path, undefined, headers)
      return { reply, head: reply.status === 200 ? agentHeadSchema.safeParse(reply.body).data : undefined }
    }
    let { reply, head } = await ask()
    if (head !== undefined && head.pae !== null && head.envelope === undefined) {
      // Not taken for ours: perhaps the clock was moved since it was measured.
      saveClock(state, readClock(reply.sentAt, reply.answeredAt, { date: reply.date }))
      ;({ reply, head } = await ask())
    }
    if (head === undefined || leaveRolledBack(state, head, now()) === null) return false
    if (head.epoch > epoch) await tellOfClone(opened, head.epoch)
    return true
  } catch (error) {
    if (!(error instanceof BevisError)) throw error
    if (error.code === 'COLLECTOR_UNREACHABLE') return false // nothing goes out either
    const { code, message } = error
    raiseAlarm(state.folder, { code, message, about: 'set back', at: now() }, undefined)
    throw error
  }
}

/**
 * An epoch with our key that this folder never opened: whoever opened it was set back before us, or is a copy of us.
 * Two copies would go on taking turns, each in epochs of its own, and no two statements would ever claim one number.
 */
async function tellOfClone(opened: Opened, epoch: number): Promise<void> {
  const { state, now } = opened
  const code = 'STATEMENT_EQUIVOCATION'
  const message =
    `the log has epoch ${epoch} of this agent, by its key and not from this folder: another machine is a copy of this ` +
    'one, or the folder was set back twice. Stop the copy, have the agent revoked, and enrol this machine anew'
  if (raiseAlarm(state.folder, { code, message, about: 'a copy', at: now() }, undefined) === null) return
  const said = lifecycle(requireIdentity(state), 'alarm', now(), { reason: code, detail: message })
  await recorderOf(opened).record(said)
}

/**
 * Sends what waits, unless another process does so already (then null). An alarm goes into the chain too:
 * should the log come to its senses, the statement shows what happened.
 */
export async function sendEvidence(opened: Opened, signal?: AbortSignal): Promise<SendReport | null> {
  const { state, config, now } = opened
  let identity = requireIdentity(state)
  const lock = tryLock(join(state.folder, 'outbox.lock'), 'sending evidence', now())
  if (lock === null) return null
  const { openTransport } = await import('../outbox/transport.ts')
  const { askForWork } = await import('../outbox/ask.ts')
  const transport = openTransport(config.collector, now, { signal })
  try {
    const recorder = recorderOf(opened) // signs what a crash left unsigned
    const followed = await followLog(opened, transport)
    identity = requireIdentity(state)
    try {
      if (await isSetBack(opened, transport, identity)) identity = requireIdentity(state)
    } catch (error) {
      await tellStanding(opened, identity)
      throw error
    }
    const vkey = parseVkey(identity.vkey)
    const spkis = new Map<number, Uint8Array>()
    const spkiOf = (epoch: number): Uint8Array => {
      const spki = spkis.get(epoch) ?? readKey(keyFile(state, epoch)).spki
      spkis.set(epoch, spki)
      return spki
    }
    const cosigner = { agent: identity.agent, ...openCosigner(state, identity) }
    const enrolmentOf = (epoch: number) =>
      epoch === (identity.tokenEpoch ?? identity.epoch) && identity.tokenKey !== undefined
        ? { keys: [encodeBase64(spkiOf(epoch)), identity.tokenKey], contracts: identity.contracts }
        : null
    const report = await sendOutbox({ state, transport, vkey, spkiOf, now, cosigner, enrolmentOf }, signal)
    for (const { code, message, fork } of [...followed, ...report.alarms]) {
      const detail = fork === undefined ? message : { message, fork }
      await recorder.record(lifecycle(identity, 'alarm', now(), { reason: code, detail }))
    }
    await tellStanding(opened, identity)
    // Asked at the same call, and no part of it: evidence that is in the log is, whatever is answered to this.
    if (report.failure === null) {
      const asking = { state, transport, agent: identity.agent, origin: vkey.name, now }
      const signer = readKey(keyFile(state, identity.epoch))
      await askForWork({ ...asking, signer }, signal).then(
        () => stateRefusals(opened, identity, recorder),
        () => {},
      )
    }
    return report
  } finally {
    await transport.close()
    lock.release()
  }
}
