/**
 * File names are bytes. A `BytePath` holds them one byte per character (latin1): it compares, concatenates and
 * keys a map like any string, costs one byte per byte, and loses nothing. Buffers are made at the system call.
 */
import { isUtf8 } from 'node:buffer'
import { decodePathText, encodePathText } from '@bevis/shared/evidence/path-text'

export type BytePath = string & { readonly bytePath: unique symbol }

export function bytePath(bytes: Uint8Array): BytePath {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1') as BytePath
}

export function bytesOf(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1')
}

/** From text that is known to be whole, such as a configured path. */
export function bytePathOf(text: string): BytePath {
  return (isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1')) as BytePath
}

export function joinPath(folder: BytePath, name: BytePath): BytePath {
  return (folder === '/' ? `/${name}` : `${folder}/${name}`) as BytePath
}

export function parentOf(path: BytePath): BytePath {
  return path.slice(0, Math.max(1, path.lastIndexOf('/'))) as BytePath
}

export function nameOf(path: BytePath): BytePath {
  return path.slice(path.lastIndexOf('/') + 1) as BytePath
}

/** True for `folder` itself and everything in it. */
export function isWithin(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`)
}

/** The one text of a path that statements and manifests carry: UTF-8 as it is, other bytes as \xHH. */
export function pathText(path: BytePath): string {
  return PLAIN.test(path) ? path : encodePathText(bytesOf(path))
}

export function fromPathText(text: string): BytePath {
  return isAscii(text) && !text.includes('\\') ? (text as BytePath) : bytePath(decodePathText(text))
}

/**
 * restic's tree order: each folder right before its content, siblings by the bytes of their names. That is the
 * byte order in which `/` comes before every other byte, so that `a/b` precedes `a-b`.
 */
export function compareInTree(one: BytePath, other: BytePath): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at += 1) {
    const left = one.charCodeAt(at)
    const right = other.charCodeAt(at)
    if (left !== right) return (left === SLASH ? -1 : left) - (right === SLASH ? -1 : right)
  }
  return one.length - other.length
}

/**
 * What restic's JSON makes of a name: Go writes U+FFFD for each byte that is no part of valid UTF-8, one per
 * byte (Node's own decoder groups them otherwise). Many names can have one such text.
 */
export function lossyText(name: BytePath): BytePath {
  if (isAscii(name)) return name
  const bytes = bytesOf(name)
  if (isUtf8(bytes)) return name
  // encodePathText tells valid sequences from invalid bytes by the same rules; only its escapes differ.
  const text = encodePathText(bytes)
  return bytePathOf(
    text.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => {
      const byte = Number.parseInt(hex, 16)
      return byte < 0x80 ? String.fromCharCode(byte) : '\uFFFD'
    }),
  )
}

/** The bytes of U+FFFD, as they stand in a BytePath. */
export const REPLACEMENT = bytePathOf('\uFFFD')

const SLASH = 0x2f
const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/

/** Bytes and text are the same. */
export function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- every byte below 0x80 is meant, control characters too
  return /^[\x00-\x7f]*$/.test(text)
}
