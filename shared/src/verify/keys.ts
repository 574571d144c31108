import { z } from 'zod'
import { assertKeyAcceptable, keyidOf, spkiFromPem } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { parseVkey } from '../log/checkpoint.ts'
import type { VerificationKey } from '../log/checkpoint.ts'
import { followSuccessions, openSuccession } from '../log/succession.ts'
import type { LogClosure, Succession } from '../log/succession.ts'
import { textOf } from './description.ts'
import type { Description, PackContent } from './description.ts'
import { PACK_FILES, decodeJson, keyFile, packKeySchema } from './pack.ts'
import type { PackKey } from './pack.ts'
import { counted } from './report.ts'
import type { Findings } from './report.ts'
import type { Trust } from './trust.ts'

/** A key of the pack, with whom it belongs to. */
export interface KnownKey extends PackKey {
  readonly spki: Uint8Array
}

export interface Keys {
  readonly byId: ReadonlyMap<string, KnownKey>
  /** Null when the pack's own is not usable; the trust file's is preferred. */
  readonly log: VerificationKey | null
  /** The log's keys before this one, and those of logs that it goes on from, the newest first: as the pack says. */
  readonly former: readonly VerificationKey[]
  /** Logs of other names that the pack's goes on from, as their own keys signed it. */
  readonly closures: readonly LogClosure[]
}

/**
 * Checks `keys.valid`, `trust.log` and `trust.agents`. Keys come from the pack's key files alone, never from an
 * envelope, and with a trust file only those that it names are used.
 */
export function readKeys(
  files: PackContent,
  pack: Description,
  trust: Trust | null,
  findings: Findings,
): Keys {
  const declared =
    findings.attempt('keys.valid', '', () =>
      decodeJson(textOf(files, PACK_FILES.keys), z.array(packKeySchema).max(100_000), PACK_FILES.keys),
    ) ?? []
  const byId = new Map<string, KnownKey>()
  for (const key of declared) {
    findings.attempt('keys.valid', keyFile(key.keyid), () => {
      const spki = spkiFromPem(textOf(files, keyFile(key.keyid)))
      if (keyidOf(spki) !== key.keyid) throw new BevisError('KEY_INVALID', 'the file holds another key')
      assertKeyAcceptable(spki)
      if (byId.has(key.keyid)) throw new BevisError('KEY_INVALID', `twice in ${PACK_FILES.keys}`)
      if (key.tenant !== pack.tenant) throw new BevisError('KEY_INVALID', `of another tenant, ${key.tenant}`)
      byId.set(key.keyid, { ...key, spki })
    })
  }
  for (const name of files.keys()) {
    const keyid = /^keys\/([0-9a-f]{64})\.pem$/.exec(name)?.[1]
    if (keyid !== undefined && !byId.has(keyid))
      findings.fail('keys.valid', `${name}: in no line of ${PACK_FILES.keys}`)
  }
  const log =
    findings.attempt('keys.valid', PACK_FILES.vkey, () => {
      const line = textOf(files, PACK_FILES.vkey)
      if (!line.endsWith('\n')) throw new BevisError('KEY_INVALID', 'the line is cut off')
      return parseVkey(line.slice(0, -1))
    }) ?? null
  findings.hold('keys.valid', `${counted(byId.size, 'key')} and the log’s`)
  const notes = findings.attempt('keys.valid', PACK_FILES.successions, () => readSuccessions(files)) ?? []
  const former = formerKeys(notes)
  if (trust === null) {
    findings.skip('trust.log', 'no trust file: the key came with the pack')
    findings.skip('trust.agents', 'no trust file: the keys came with the pack')
    findings.skip('trust.root', 'no trust file names a root key')
    findings.skip('trust.parties', 'no trust file names a key of a party')
    return { byId, log, former, closures: closuresOf(notes, log, []) }
  }
  // Whose key your file names may have signed that another one follows it.
  const followed = followSuccessions(trust.log.vkey, notes)
  const wanted = followed.at(-1)?.to ?? trust.log.vkey
  compareLog(log, wanted, findings)
  const trusted = compareAgents(byId, pack, trust, findings)
  return { byId: trusted, log: wanted, former, closures: closuresOf(notes, trust.log.vkey, followed) }
}

/**
 * Each note holds by the key that it follows; whether that is a key of yours is seen later.
 * @throws BevisError PACK_INVALID, CHECKPOINT_INVALID, KEY_INVALID
 */
export function readSuccessions(files: PackContent): string[] {
  const place = PACK_FILES.successions
  if (!files.has(place)) return []
  const notes = decodeJson(textOf(files, place), z.array(z.string().max(65_536)).max(1_000), place)
  for (const note of notes) openOwn(note)
  return notes
}

/** The keys that were followed by others, the newest first. */
export function formerKeys(notes: readonly string[]): VerificationKey[] {
  return notes.map((note) => openOwn(note).from).toReversed()
}

/**
 * Closures excuse what a log has lost, so anybody would like to sign one: of a log whose key is known, only that key's
 * word counts; of one from before it, its own.
 */
function closuresOf(
  notes: readonly string[],
  known: VerificationKey | null,
  followed: readonly Succession[],
): LogClosure[] {
  const names = new Set([known?.name, ...followed.map(({ to }) => to.name)])
  const older = notes.map(openOwn).filter(({ from }) => !names.has(from.name))
  return [...older, ...followed].filter((one) => one.kind === 'closure')
}

function openOwn(note: string): Succession {
  return openSuccession(note, parseVkey(note.split('\n')[1] ?? ''))
}

function compareLog(log: VerificationKey | null, wanted: VerificationKey, findings: Findings): void {
  if (log === null || log.name !== wanted.name || keyidOf(log.spki) !== keyidOf(wanted.spki)) {
    findings.fail(
      'trust.log',
      `the pack is of the log ${log?.name ?? 'without a key'}, or of another key for it`,
    )
  }
  findings.hold('trust.log', wanted.name)
}

/**
 * The office is the collector's, like the log: who trusts the log's key takes what it holds by the office for the
 * office's, unless the trust file names the office's key, and then no other.
 */
function isOffice({ keyid }: KnownKey, trust: Trust): boolean {
  if (trust.office !== undefined) return trust.office.keyid.includes(keyid)
  return !trust.agents.some((agent) => agent.keyid.includes(keyid))
}

function compareAgents(
  byId: ReadonlyMap<string, KnownKey>,
  pack: Description,
  trust: Trust,
  findings: Findings,
): Map<string, KnownKey> {
  const trusted = new Map<string, KnownKey>()
  for (const key of byId.values()) {
    const named =
      key.purpose === 'token' || // A token only authorises a key, and that key must be trusted by itself.
      (key.purpose === 'office'
        ? isOffice(key, trust)
        : trust.root !== undefined || // Which of them the root key has signed is seen when they are read.
          trust.agents.some(
            ({ tenant, agent, keyid }) =>
              tenant === key.tenant && agent === key.agent && keyid.includes(key.keyid),
          ))
    if (named) trusted.set(key.keyid, key)
    else {
      const whose =
        key.purpose === 'office' ? 'the collector’s office' : `agent ${key.agent}, epoch ${key.epoch}`
      const what = `${whose}: key ${key.keyid} is not in your trust file`
      findings.fail('trust.agents', what)
      findings.blame(what)
    }
  }
  const present = new Set(
    [...byId.values()].filter(({ purpose }) => purpose === 'agent').map(({ agent }) => agent),
  )
  for (const { tenant, agent, contracts } of trust.agents) {
    const due = tenant === pack.tenant && (contracts?.includes(pack.contract.id) ?? true)
    if (due && !present.has(agent))
      findings.fail('trust.agents', `${agent}: named in your trust file, not in the pack`)
  }
  if (present.size === 0) findings.fail('trust.agents', 'the pack holds no agent’s key')
  findings.hold('trust.agents', counted(present.size, 'agent'))
  return trusted
}
