/** Trust policies (C2SP tlog-policy): which logs, which log witnesses, and how many of them a checkpoint needs. */
import { encodeBase64 } from '../base64.ts'
import { BevisError, errorMessageOf } from '../error.ts'
import { parseVkey } from './checkpoint.ts'
import { parseCosignerKey, verifyCosignature } from './cosignature.ts'
import type { VerificationKey } from './note.ts'

export interface Policy {
  readonly logs: readonly { readonly key: VerificationKey; readonly url?: string }[]
  readonly witnesses: readonly PolicyWitness[]
  /** In the order of the file: a group names only what stands before it. */
  readonly groups: readonly PolicyGroup[]
  /** A log witness, a group, or `none`. */
  readonly quorum: string
}

interface PolicyWitness {
  readonly name: string
  readonly key: VerificationKey
  readonly url?: string
}

interface PolicyGroup {
  readonly name: string
  readonly threshold: number
  readonly members: readonly string[]
}

const LINES_MAX = 10_000

/**
 * Reads a policy file.
 * @throws BevisError TRUST_INVALID naming the line
 */
export function parsePolicy(text: string, file = 'policy'): Policy {
  const logs: Policy['logs'][number][] = []
  const witnesses: PolicyWitness[] = []
  const groups: PolicyGroup[] = []
  const keys = new Set<string>()
  const names = new Set<string>(['none'])
  const members = new Set<string>()
  let quorum: string | null = null

  const lines = text.split('\n')
  const refuse = (number: number, why: string): never => {
    throw new BevisError('TRUST_INVALID', `${file}:${number}: ${why}`)
  }
  if (lines.length > LINES_MAX) refuse(LINES_MAX, 'too long')
  if (!text.endsWith('\n')) refuse(lines.length, 'the last line has no end')
  for (const [n, line] of lines.entries()) {
    const number = n + 1
    if (/[^\P{Cc}\t]/u.test(line)) refuse(number, 'a control character')
    const [word, ...rest] = line.split(/[ \t]+/).filter((item) => item !== '')
    if (word === undefined || word.startsWith('#')) continue
    const [first = '', second = '', ...more] = rest
    if (word === 'log' && rest.length >= 1 && rest.length <= 2) {
      logs.push({ key: newKey(number, first, parseVkey), ...(second === '' ? {} : { url: second }) })
    } else if (word === 'witness' && rest.length >= 2 && rest.length <= 3) {
      const [url] = more
      newName(number, first)
      witnesses.push({
        name: first,
        key: newKey(number, second, parseCosignerKey),
        ...(url === undefined ? {} : { url }),
      })
    } else if (word === 'group' && rest.length >= 3) {
      for (const member of more) join(number, member)
      groups.push({ name: first, threshold: thresholdOf(number, second, more.length), members: more })
      newName(number, first) // after its members: it cannot be one of them
    } else if (word === 'quorum' && rest.length === 1) {
      if (quorum !== null) refuse(number, 'a second quorum')
      if (!names.has(first)) refuse(number, `${first} is not defined before`)
      quorum = first
    } else refuse(number, `not a line of a policy: ${line.slice(0, 80)}`)
  }
  if (quorum === null) throw new BevisError('TRUST_INVALID', `${file}: there is no quorum line`)
  return { logs, witnesses, groups, quorum }

  function newName(number: number, name: string): void {
    if (names.has(name)) refuse(number, `${name} is defined already`)
    names.add(name)
  }

  function newKey(number: number, vkey: string, parse: (text: string) => VerificationKey): VerificationKey {
    let key: VerificationKey
    try {
      key = parse(vkey)
    } catch (error) {
      return refuse(number, errorMessageOf(error))
    }
    // A key under two names would count twice.
    const bytes = encodeBase64(key.spki)
    if (keys.has(bytes)) refuse(number, 'a key that stands there already')
    keys.add(bytes)
    return key
  }

  function join(number: number, member: string): void {
    if (member === 'none' || !names.has(member)) refuse(number, `${member} is not defined before`)
    if (members.has(member)) refuse(number, `${member} is a member already`)
    members.add(member)
  }

  function thresholdOf(number: number, word: string, count: number): number {
    if (word === 'any') return 1
    if (word === 'all') return count
    const threshold = /^[1-9]\d{0,3}$/.test(word) ? Number(word) : 0
    if (threshold < 1 || threshold > count) refuse(number, `from 1 to ${count}, any or all are needed`)
    return threshold
  }
}

/** What a policy makes of one checkpoint. */
export interface Quorum {
  readonly isSatisfied: boolean
  /** The names of log witnesses whose cosignature holds, as the policy has them. */
  readonly cosigned: readonly string[]
  /** Those who have not cosigned. */
  readonly missing: readonly string[]
  /** Cosignatures that are there and do not hold: a note with one of them is malformed. */
  readonly invalid: readonly string[]
}

/**
 * Counts the cosignatures of a checkpoint whose log's signature the caller has verified.
 * A cosignature that does not hold satisfies nothing, and spoils the whole.
 */
export function policySatisfied(policy: Policy, note: string): Quorum {
  const cosigned: string[] = []
  const missing: string[] = []
  const invalid: string[] = []
  for (const { name, key } of policy.witnesses) {
    try {
      ;(verifyCosignature(note, key) === null ? missing : cosigned).push(name)
    } catch {
      invalid.push(name)
    }
  }
  const holding = new Set(cosigned)
  for (const { name, threshold, members } of policy.groups) {
    if (members.filter((member) => holding.has(member)).length >= threshold) holding.add(name)
  }
  const isSatisfied = invalid.length === 0 && (policy.quorum === 'none' || holding.has(policy.quorum))
  return { isSatisfied, cosigned, missing, invalid }
}
