import { ZERO_DIGEST } from '@bevis/shared/evidence/chain'
import type { Chain } from '@bevis/shared/evidence/predicates'
import type { Transaction } from 'kysely'
import { chunksOf } from '../store/rows.ts'
import type { Schema } from '../store/schema.ts'

/** The statement that counts at one place of an agent's chain. */
export interface Link {
  readonly paeDigest: string
  readonly prev: string
}

/** What counted statements are known at the places that a batch touches. */
export interface Links {
  at(chain: Chain, seq: number): Link | undefined
  /** The last of the epoch before the chain's; undefined if none is known. */
  endBefore(chain: Chain): Link | undefined
  put(chain: Chain, link: Link): void
}

/** Reads the places of these chains and their neighbours. */
export async function loadLinks(tx: Transaction<Schema>, chains: readonly Chain[]): Promise<Links> {
  const links = new Map<string, Link>()
  const ends = new Map<string, Link>()
  for (const group of Map.groupBy(chains, ({ tenant, agent, epoch }) =>
    epochName(tenant, agent, epoch),
  ).values()) {
    const [first] = group
    if (first === undefined) continue
    const places = new Set(group.flatMap(({ seq }) => [seq - 1, seq, seq + 1]))
    for (const chunk of chunksOf([...places])) {
      const rows = await countedIn(tx, first).where('seq', 'in', chunk).execute()
      for (const row of rows) {
        if (row.seq !== null && row.prev !== null) {
          links.set(placeName(first, row.seq), { paeDigest: row.pae_digest, prev: row.prev })
        }
      }
    }
    if (first.epoch > 1) {
      const before = { ...first, epoch: first.epoch - 1 }
      const row = await countedIn(tx, before).orderBy('seq', 'desc').limit(1).executeTakeFirst()
      if (row?.prev !== undefined && row.prev !== null) {
        ends.set(epochName(first.tenant, first.agent, first.epoch), {
          paeDigest: row.pae_digest,
          prev: row.prev,
        })
      }
    }
  }
  return {
    at: (chain, seq) => links.get(placeName(chain, seq)),
    endBefore: ({ tenant, agent, epoch }) => ends.get(epochName(tenant, agent, epoch)),
    put: (chain, link) => {
      links.set(placeName(chain, chain.seq), link)
      const next = epochName(chain.tenant, chain.agent, chain.epoch + 1)
      ends.set(next, link)
    },
  }
}

/** What is wrong with a counted statement's place in its chain: kinds of alarms. */
export function faultsOfLink(
  links: Links,
  chain: Chain,
  paeDigest: string,
): { kind: 'broken-link' | 'sequence-gap'; expected: string | null }[] {
  const faults: { kind: 'broken-link' | 'sequence-gap'; expected: string | null }[] = []
  const expected = expectedPrev(links, chain)
  if (expected === null) faults.push({ kind: 'sequence-gap', expected: null })
  else if (expected !== chain.prev) faults.push({ kind: 'broken-link', expected })
  const next = links.at(chain, chain.seq + 1)
  if (next !== undefined && next.prev !== paeDigest && expected === chain.prev) {
    faults.push({ kind: 'broken-link', expected: next.prev })
  }
  return faults
}

/** Null when the statement before it has not come. */
function expectedPrev(links: Links, chain: Chain): string | null {
  if (chain.seq > 1) return links.at(chain, chain.seq - 1)?.paeDigest ?? null
  return chain.epoch === 1 ? ZERO_DIGEST : (links.endBefore(chain)?.paeDigest ?? null)
}

function countedIn(tx: Transaction<Schema>, { tenant, agent, epoch }: Chain) {
  return tx
    .selectFrom('statement')
    .select(['seq', 'prev', 'pae_digest'])
    .where('tenant', '=', tenant)
    .where('agent', '=', agent)
    .where('epoch', '=', epoch)
    .where('counted', '=', 1)
}

function epochName(tenant: string, agent: string, epoch: number): string {
  return `${tenant} ${agent} ${epoch}` // slugs have no spaces
}

function placeName({ tenant, agent, epoch }: Chain, seq: number): string {
  return `${epochName(tenant, agent, epoch)} ${seq}`
}
