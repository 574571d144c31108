/**
 * What a log's key says of what comes after it, as signed notes: another key for the same log, or that the log is
 * closed and another one goes on. Whoever knows the first key can follow, and needs to trust nobody else.
 * No such note can be taken for a checkpoint: its first line is no origin, and it has more lines.
 */
import { encodeBase64 } from '../base64.ts'
import type { Signer } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { verifySignature } from '../crypto.ts'
import { instant } from '../format.ts'
import { formatVkey, parseVkey } from './checkpoint.ts'
import { decodeNoteBase64, ED25519, formatSignature, keyOf, parseNote, signaturesBy } from './note.ts'
import type { VerificationKey } from './note.ts'

const KEY_FORMAT = 'bevis-log-key/v1'
const CLOSURE_FORMAT = 'bevis-log-closure/v1'

/** The log's next key; its name is the same. */
export interface KeySuccession {
  readonly kind: 'key'
  readonly from: VerificationKey
  readonly to: VerificationKey
  /** By the log's clock: its claim. */
  readonly at: string
}

/**
 * The log has lost what cannot be brought back, and signs nothing any more: a log of another name goes on from what
 * is left of it.
 */
export interface LogClosure {
  readonly kind: 'closure'
  readonly from: VerificationKey
  readonly to: VerificationKey
  readonly at: string
  /** What is left, and where the next log begins: the first entries of the old one. */
  readonly kept: Head
  /** The last head that the old log signed. What lies between is in no log any more. */
  readonly last: Head
}

interface Head {
  readonly size: number
  readonly root: Uint8Array
}

export type Succession = KeySuccession | LogClosure

const malformed = (why: string) => new BevisError('CHECKPOINT_INVALID', `malformed succession: ${why}`)

/** The note, signed by the key that is followed. */
export function signSuccession(succession: Succession, signer: Signer): string {
  const { kind, from, to, at } = succession
  const vkeys = [from, to].map((key) => formatVkey(key.name, key.spki))
  const heads = kind === 'closure' ? [succession.kept, succession.last] : []
  const lines = [
    kind === 'key' ? KEY_FORMAT : CLOSURE_FORMAT,
    ...vkeys,
    at,
    ...heads.map(({ size, root }) => `${size} ${encodeBase64(root)}`),
  ]
  const text = `${lines.join('\n')}\n`
  const key = keyOf(from.name, ED25519, signer.spki)
  return `${text}\n${formatSignature(key, signer.sign(new TextEncoder().encode(text)))}`
}

/**
 * Reads a succession of this key.
 * @throws BevisError CHECKPOINT_INVALID when malformed, of another key, or not signed by it; KEY_INVALID
 */
export function openSuccession(note: string, key: VerificationKey): Succession {
  const parsed = parseNote(note)
  const [signature, ...others] = signaturesBy(parsed, key)
  const message = new TextEncoder().encode(parsed.text)
  const isSigned =
    signature !== undefined && others.length === 0 && verifySignature(key.spki, message, signature.signature)
  if (!isSigned)
    throw new BevisError('CHECKPOINT_INVALID', `the succession is not signed by ${key.name}'s key`)
  const [format = '', fromVkey = '', toVkey = '', at = '', ...rest] = parsed.text.slice(0, -1).split('\n')
  const [from, to] = [parseVkey(fromVkey), parseVkey(toVkey)]
  if (fromVkey !== formatVkey(key.name, key.spki)) throw malformed('it follows another key')
  if (!instant.safeParse(at).success) throw malformed('the instant')
  if (format === KEY_FORMAT && rest.length === 0 && to.name === from.name)
    return { kind: 'key', from, to, at }
  if (format !== CLOSURE_FORMAT || rest.length !== 2 || to.name === from.name) throw malformed('its lines')
  const [kept, last] = rest.map(readHead)
  if (kept === undefined || last === undefined || kept.size >= last.size) throw malformed('its heads')
  return { kind: 'closure', from, to, at, kept, last }
}

function readHead(line: string): Head {
  const [, size = '', root = ''] = /^(0|[1-9]\d{0,15}) (\S+)$/.exec(line) ?? []
  const bytes = decodeNoteBase64(root)
  if (size === '' || !Number.isSafeInteger(Number(size)) || bytes.length !== 32) throw malformed('a head')
  return { size: Number(size), root: bytes }
}

/**
 * Follows notes, in their order, from a key that is known: each must be signed by the key before it.
 * Notes before that key's are passed over, since they are of older keys.
 * @throws BevisError CHECKPOINT_INVALID when one after it does not follow
 */
export function followSuccessions(known: VerificationKey, notes: readonly string[]): Succession[] {
  const followed: Succession[] = []
  let key = known
  for (const note of notes) {
    const isMine = signaturesBy(parseNote(note), key).length > 0
    if (!isMine && followed.length === 0) continue
    const next = openSuccession(note, key)
    followed.push(next)
    key = next.to
  }
  return followed
}
