/**
 * What a customer's root key says of an agent's key, as signed notes (C2SP signed-note): that it is the agent's, or
 * that it is no longer. The root key is the customer's own and lies offline; whoever runs the collector can enrol
 * nothing that it has not signed. No such note can be taken for a checkpoint: its first line is no origin, and it has
 * more lines.
 */
import { verifySignature } from '../crypto.ts'
import type { Signer } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { hex64, instant, slug } from '../format.ts'
import { formatVkey, parseVkey } from '../log/checkpoint.ts'
import { ED25519, formatSignature, keyOf, parseNote, signaturesBy } from '../log/note.ts'
import type { VerificationKey } from '../log/note.ts'

const FORMATS = { signed: 'bevis-agent-key/v1', revoked: 'bevis-agent-key-revoked/v1' } as const

export interface RootWord {
  readonly kind: 'signed' | 'revoked'
  readonly tenant: string
  readonly agent: string
  /** Of the agent's key. */
  readonly keyid: string
  /** By the clock of whoever signed: a claim. */
  readonly at: string
  /** Of what is revoked: an instant since when the key may have been in other hands. */
  readonly compromisedSince?: string | undefined
}

const malformed = (why: string) => new BevisError('KEY_INVALID', `not a word of a root key: ${why}`)

/** The note: format, root key, tenant and agent, the agent's keyid, instants; then the root's signature. */
export function signRootWord(word: RootWord, root: Signer, name: string): string {
  const { kind, tenant, agent, keyid, at, compromisedSince } = word
  const lines = [FORMATS[kind], formatVkey(name, root.spki), `${tenant} ${agent}`, keyid, at]
  if (compromisedSince !== undefined) lines.push(compromisedSince)
  const text = `${lines.join('\n')}\n`
  const key = keyOf(name, ED25519, root.spki)
  return `${text}\n${formatSignature(key, root.sign(new TextEncoder().encode(text)))}`
}

/**
 * Reads a note by the root key that it names itself; whether that is the customer's is for the reader to compare.
 * @throws BevisError KEY_INVALID when it is malformed or that key has not signed it, CHECKPOINT_INVALID for no note
 */
export function openRootWord(note: string): { word: RootWord; root: VerificationKey } {
  const parsed = parseNote(note)
  const [format, vkey = '', whose = '', keyid = '', at = '', ...rest] = parsed.text.slice(0, -1).split('\n')
  const kind = format === FORMATS.signed ? 'signed' : format === FORMATS.revoked ? 'revoked' : null
  if (kind === null) throw malformed('its first line')
  const root = parseVkey(vkey)
  const [signature, ...others] = signaturesBy(parsed, root)
  const message = new TextEncoder().encode(parsed.text)
  const isSigned =
    signature !== undefined && others.length === 0 && verifySignature(root.spki, message, signature.signature)
  if (!isSigned) throw malformed(`it is not signed by ${root.name}`)
  const [tenant = '', agent = '', ...more] = whose.split(' ')
  const [compromisedSince, ...further] = rest
  const isWhole =
    slug.safeParse(tenant).success &&
    slug.safeParse(agent).success &&
    hex64.safeParse(keyid).success &&
    [at, ...rest].every((one) => instant.safeParse(one).success) &&
    more.length + further.length === 0 &&
    (kind === 'revoked' || compromisedSince === undefined)
  if (!isWhole) throw malformed('its lines')
  const word: RootWord = {
    kind,
    tenant,
    agent,
    keyid,
    at,
    ...(compromisedSince !== undefined && { compromisedSince }),
  }
  return { word, root }
}

/** The note in a statement's detail, where an agent or the office hands one on. */
export function rootNoteIn(detail: unknown): string | null {
  if (typeof detail !== 'object' || detail === null || !('root' in detail)) return null
  return typeof detail.root === 'string' && detail.root.length <= 4_096 ? detail.root : null
}
