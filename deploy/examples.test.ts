import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { configWarnings } from '../agent/src/config-warning.ts'
import { parseConfig as parseAgent } from '../agent/src/config.ts'
import { parseConfig as parseCollector } from '../collector/src/config.ts'
import { parseContract } from '../shared/src/contract/parse.ts'
import { describe, expect, test } from 'vitest'

const examples = join(import.meta.dirname, 'examples')
const read = (name: string) => readFileSync(join(examples, name), 'utf8')
const contracts = readdirSync(join(examples, 'contracts'))
const hooks = readdirSync(join(examples, 'hooks'))

describe('the examples that we hand out are accepted', () => {
  test('agent.yaml, without a warning', () => {
    const config = parseAgent(read('agent.yaml'), 'agent.yaml')
    expect(config.sets.map(({ id }) => id)).toEqual(['shop', 'books'])
    expect(configWarnings(config, new Date('2026-11-23T04:05:06.000Z'))).toEqual([])
  })

  test('agent.yaml with what stands in it as comments', () => {
    const keys = /^    # (?=(?:hooks|probes|retention):|  (?:before|after|snapshotFs|timeout): |  - \{)/gm
    const [shop] = parseAgent(read('agent.yaml').replaceAll(keys, '    '), 'agent.yaml').sets
    expect(shop).toMatchObject({
      hooks: { before: [['/etc/bevis/hooks/postgres-dump']], snapshotFs: 'none' },
      probes: [{ kind: 'sqlite' }, { kind: 'postgres', timeout: 'PT30M' }, { kind: 'command', memory: 2e9 }],
      retention: { fromContract: true },
    })
  })

  test('collector.yaml', () => {
    expect(parseCollector(read('collector.yaml'), 'collector.yaml')).toMatchObject({
      listen: { host: '127.0.0.1', port: 8443 },
      state: '/var/lib/bevis-collector',
    })
  })

  test.each(contracts)('contracts/%s', (name) => {
    const { contract, errors, warnings } = parseContract(read(join('contracts', name)))
    expect({ errors, warnings }).toEqual({ errors: [], warnings: [] })
    expect(contract?.id).toMatch(/^AFT-2025-/)
  })

  test.each(hooks)('hooks/%s: an executable script that sh can read', (name) => {
    expect(read(join('hooks', name))).toMatch(/^#!\/bin\/sh\n/)
    expect(statSync(join(examples, 'hooks', name)).mode & 0o111).toBe(0o111)
    execFileSync('/bin/sh', ['-n', join(examples, 'hooks', name)])
    if (existsSync('/usr/bin/shellcheck'))
      execFileSync('/usr/bin/shellcheck', [join(examples, 'hooks', name)])
  })
})
