import { z } from 'zod'
import { keyidOf } from '../crypto.ts'
import { BevisError, errorMessageOf } from '../error.ts'
import { hex64, instant, slug } from '../format.ts'
import { parseVkey } from '../log/checkpoint.ts'
import type { VerificationKey } from '../log/checkpoint.ts'
import { parsePolicy } from '../log/policy.ts'
import type { Policy } from '../log/policy.ts'
import { readYaml } from '../yaml.ts'

const oneOrMore = z.preprocess(
  (value) => (Array.isArray(value) ? value : [value]),
  z.array(hex64).min(1).max(1_000),
)

const vkey = z
  .string()
  .max(1_024)
  .transform((text, context) => {
    try {
      return parseVkey(text)
    } catch (error) {
      context.issues.push({ code: 'custom', message: errorMessageOf(error), input: text })
      return z.NEVER
    }
  })

const policy = z
  .string()
  .max(65_536)
  .transform((text, context) => {
    try {
      return { text, ...parsePolicy(text) }
    } catch (error) {
      context.issues.push({ code: 'custom', message: errorMessageOf(error), input: text })
      return z.NEVER
    }
  })

const fileSchema = z.strictObject({
  /** The log's key, as it was handed over at enrolment. */
  log: z.strictObject({ vkey }),
  /** The agents' keys, as their installer printed them: one per epoch. With a root key they may be left out. */
  agents: z
    .array(
      z.strictObject({
        tenant: slug,
        agent: slug,
        keyid: oneOrMore.optional(),
        /** Left out: a pack of any contract must hold this agent. */
        contracts: z.array(slug).min(1).max(1_000).optional(),
      }),
    )
    .min(1)
    .max(10_000),
  /** Your own root key: it must have signed every agent's key. `revoked`: keys that are no longer yours since then. */
  root: z
    .strictObject({
      vkey,
      revoked: z
        .array(z.strictObject({ keyid: hex64, since: instant }))
        .max(10_000)
        .default([]),
    })
    .optional(),
  /** The parties' own keys: what is said in the name of a party that has one must be signed with it. */
  parties: z
    .array(
      z.strictObject({
        party: z.enum(['customer', 'provider']),
        vkey,
        /** Left out: of any contract. */
        contracts: z.array(slug).min(1).max(1_000).optional(),
      }),
    )
    .min(1)
    .max(1_000)
    .optional(),
  /** SHA-256 of the root certificates (DER) of the time stamping authorities that you trust. */
  tsa: oneOrMore.optional(),
  /** Who else must have seen the log's head, as a policy of C2SP tlog-policy. */
  policy: policy.optional(),
  /** The collector's office key, which signs contract events. */
  office: z.strictObject({ keyid: oneOrMore }).optional(),
  /** The SHA-256 of the contract texts that you agreed to. */
  contracts: z
    .array(z.strictObject({ id: slug, sha256: oneOrMore }))
    .max(1_000)
    .optional(),
})

const trustSchema = fileSchema
  .superRefine(({ agents, root }, context) => {
    for (const [n, { keyid }] of agents.entries()) {
      if (keyid === undefined && root === undefined)
        context.addIssue({
          code: 'custom',
          message: 'a keyid is missing, and no root key signs one',
          path: ['agents', n],
        })
    }
  })
  .transform(({ agents, ...rest }) => ({
    ...rest,
    agents: agents.map(({ keyid = [], ...agent }) => ({ ...agent, keyid })),
  }))

/** What a verifier takes for granted: from the customer's own hands, never from the pack. */
export interface Trust {
  readonly log: { readonly vkey: VerificationKey }
  readonly agents: readonly {
    readonly tenant: string
    readonly agent: string
    readonly keyid: readonly string[]
    readonly contracts?: readonly string[] | undefined
  }[]
  readonly root?: TrustedRoot | undefined
  readonly parties?: readonly TrustedParty[] | undefined
  readonly tsa?: readonly string[] | undefined
  readonly policy?: (Policy & { readonly text: string }) | undefined
  readonly office?: { readonly keyid: readonly string[] } | undefined
  readonly contracts?: readonly { readonly id: string; readonly sha256: readonly string[] }[] | undefined
}

/** The customer's own key that signs agents' keys, and those that it no longer stands for. */
export interface TrustedRoot {
  readonly vkey: VerificationKey
  readonly revoked: readonly { readonly keyid: string; readonly since: string }[]
}

/** A key of a party's own, which signs what it says of its contracts. */
export interface TrustedParty {
  readonly party: 'customer' | 'provider'
  readonly vkey: VerificationKey
  readonly contracts?: readonly string[] | undefined
}

/**
 * Reads a trust file (YAML).
 * @throws BevisError TRUST_INVALID naming every line that is wrong
 */
export function parseTrust(text: string, name = 'trust.yaml'): Trust {
  // In this schema every scalar is a text: a customer's number or a keyid of digits needs no quotes.
  const file = {
    text,
    name,
    code: 'TRUST_INVALID',
    schema: 'failsafe',
    maxAliases: 0,
  } as const
  return readYaml(file, trustSchema)
}

/**
 * Makes one of several trust files, as each agent's enrolment wrote its own. Keys of one agent are put together;
 * an agent that one of them ties to no contract is tied to none.
 * @throws BevisError TRUST_INVALID where they name different logs, or have different policies
 */
export function mergeTrust(first: Trust, ...others: readonly Trust[]): Trust {
  const all = [first, ...others]
  const log = first.log.vkey
  for (const { log: other } of others) {
    if (other.vkey.name === log.name && keyidOf(other.vkey.spki) === keyidOf(log.spki)) continue
    throw new BevisError(
      'TRUST_INVALID',
      `the trust files name different logs or log keys (${log.name} and ${other.vkey.name}): check a pack with those of its own log`,
    )
  }
  const byAgent = Map.groupBy(
    all.flatMap(({ agents }) => agents),
    ({ tenant, agent }) => `${tenant} ${agent}`,
  )
  const agents = [...byAgent.values()].flatMap(([agent, ...more]) => {
    if (agent === undefined) return []
    const same = [agent, ...more]
    const bound = same.map(({ contracts }) => contracts)
    const keyid = distinct(same.map((one) => one.keyid))
    const { tenant, agent: name } = agent
    return bound.includes(undefined)
      ? { tenant, agent: name, keyid }
      : { tenant, agent: name, keyid, contracts: distinct(bound.map((list) => list ?? [])) }
  })
  const policies = all.flatMap((trust) => trust.policy ?? [])
  if (policies.some(({ text }) => text !== policies[0]?.text))
    throw new BevisError(
      'TRUST_INVALID',
      'the trust files have different policies: keep the one that is to count',
    )
  const root = mergeRoots(all.flatMap((trust) => trust.root ?? []))
  const parties = all.flatMap((trust) => trust.parties ?? [])
  const tsa = distinct(all.map((trust) => trust.tsa ?? []))
  const office = distinct(all.map((trust) => trust.office?.keyid ?? []))
  const texts = Map.groupBy(
    all.flatMap(({ contracts }) => contracts ?? []),
    ({ id }) => id,
  )
  const contracts = Array.from(texts, ([id, same]) => ({
    id,
    sha256: distinct(same.map((one) => one.sha256)),
  }))
  return {
    log: first.log,
    agents,
    ...(root !== undefined && { root }),
    ...(parties.length > 0 && { parties }),
    ...(tsa.length > 0 && { tsa }),
    ...(policies[0] !== undefined && { policy: policies[0] }),
    ...(office.length > 0 && { office: { keyid: office } }),
    ...(contracts.length > 0 && { contracts }),
  }
}

function mergeRoots(roots: readonly TrustedRoot[]): TrustedRoot | undefined {
  const [first] = roots
  if (first === undefined) return undefined
  if (roots.some(({ vkey: other }) => keyidOf(other.spki) !== keyidOf(first.vkey.spki)))
    throw new BevisError(
      'TRUST_INVALID',
      'the trust files name different root keys: keep the one that is to count',
    )
  return { vkey: first.vkey, revoked: roots.flatMap(({ revoked }) => revoked) }
}

const distinct = (lists: readonly (readonly string[])[]): string[] => [...new Set(lists.flat())]
