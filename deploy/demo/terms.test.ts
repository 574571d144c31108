import { expect, test } from 'vitest'
import { parseConfig } from '../../agent/src/config.ts'
import { brokenPromises } from '../../agent/src/schedule/promise.ts'
import { parseContract } from '../../shared/src/contract/parse.ts'
import { agentText, contractText } from './terms.ts'
import type { Terms } from './terms.ts'

const now = new Date('2026-11-23T12:00:00.000Z')

const termsOf = (goesOn: boolean): Terms => ({
  host: 'web1',
  source: '/srv/shop',
  exclude: [],
  sets: ['shop', 'damaged'].map((id) => ({
    id,
    repository: `/backup/${id}`,
    repositoryId: id[0] === 's' ? 'a'.repeat(64) : 'b'.repeat(64),
  })),
  passwordFile: '/backup/password',
  collectorUrl: 'http://127.0.0.1:8443',
  state: '/var/lib/bevis',
  goesOn,
  now,
})

test.each([true, false])('the agent’s schedule keeps the contract, goes on or not: %s', (goesOn) => {
  const terms = termsOf(goesOn)
  const { contract } = parseContract(contractText(terms))
  const { sets } = parseConfig(agentText(terms), 'agent.yaml')
  const promised = contract?.versions[0]?.sets ?? []
  expect(promised.map(({ id }) => id)).toEqual(['shop', 'damaged'])
  for (const one of promised) {
    const set = sets.find(({ id }) => id === one.id)
    expect(set && brokenPromises(set, one, now), one.id).toEqual([])
  }
})
