/** A collector and one enrolled agent with a real repository, all in one folder, run as real programs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProcess } from 'node:child_process'
import { killHard, run, runJson, start } from './programs.ts'

export interface Pair {
  readonly folder: string
  readonly source: string
  readonly repository: string
  readonly agentConfig: string
  readonly collectorConfig: string
  startCollector(): Promise<ChildProcess>
  startAgent(): ChildProcess
  agent(...args: string[]): ReturnType<typeof run>
  collector(...args: string[]): ReturnType<typeof run>
  remove(): Promise<void>
}

export interface PairOptions {
  /** Lines of YAML for the agent's file, and for its one set `shop`. */
  readonly agentSetting?: string
  readonly setSetting?: string
  readonly source?: string
  readonly restic?: string
  readonly folder?: string
}

export async function makePair(options: PairOptions = {}): Promise<Pair> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'bevis-pair-'))
  mkdirSync(folder, { recursive: true })
  const source = options.source ?? join(folder, 'source')
  mkdirSync(source, { recursive: true })
  const port = await freePort()
  const [agentConfig, collectorConfig] = [join(folder, 'agent.yaml'), join(folder, 'collector.yaml')]
  const repository = join(folder, 'repository')
  writeFileSync(join(folder, 'password'), 'correct horse\n', { mode: 0o600 })
  writeFileSync(
    agentConfig,
    `collector: { url: "http://127.0.0.1:${port}" }
state: ${join(folder, 'agent')}
${options.restic === undefined ? '' : `restic: ${options.restic}`}
${options.agentSetting ?? ''}
sets:
  - id: shop
    contract: KILL-1
    paths: ["${source}"]
    repository: { url: "${repository}", passwordFile: "${join(folder, 'password')}", lineage: havfruen }
${options.setSetting ?? ''}
`,
  )
  writeFileSync(
    collectorConfig,
    `listen: 127.0.0.1:${port}
origin: collector.test/log
publicUrl: http://127.0.0.1:${port}
state: ${join(folder, 'collector')}
`,
  )
  const agent = (...args: string[]) => run('agent', [...args, '--config', agentConfig])
  const collector = (...args: string[]) => run('collector', [...args, '--config', collectorConfig])
  const running = new Set<ChildProcess>()
  const keep = (child: ChildProcess): ChildProcess => {
    running.add(child)
    child.on('exit', () => running.delete(child))
    return child
  }

  async function startCollector(): Promise<ChildProcess> {
    const child = keep(
      start('collector', ['serve', '--config', collectorConfig], join(folder, 'collector.log')),
    )
    for (let attempt = 0; attempt < 300; attempt += 1) {
      const ready = await fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      )
      if (ready) return child
      if (child.exitCode !== null)
        throw new Error(`serve ended with ${child.exitCode}, see ${folder}/collector.log`)
      await sleep(100)
    }
    throw new Error(`the collector is not ready, see ${folder}/collector.log`)
  }

  await runJson('collector', 'init', '--email', 'drift@provider.test', '--config', collectorConfig)
  writeFileSync(join(folder, 'contract.yaml'), contractOf(source))
  await runJson('collector', 'contract', 'apply', join(folder, 'contract.yaml'), '--config', collectorConfig)
  const token = join(folder, 'token')
  await runJson(
    'collector',
    ...['invite', '--contract', 'KILL-1', '--host', hostname(), '--agent', 'web1', '--token-file', token],
    ...['--config', collectorConfig],
  )
  const first = await startCollector()
  await runJson('agent', 'enroll', '--token-file', token, '--config', agentConfig)
  await killHard(first)
  return {
    folder,
    source,
    repository,
    agentConfig,
    collectorConfig,
    startCollector,
    startAgent: () => keep(start('agent', ['run', '--config', agentConfig], join(folder, 'agent.log'))),
    agent,
    collector,
    async remove() {
      await Promise.all([...running].map(killHard))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function contractOf(source: string): string {
  const today = new Date().toISOString().slice(0, 10)
  const at = new Date().toISOString()
  return `id: KILL-1
provider: { name: Nordlys IT-drift ApS }
customer: { name: Havfruen Keramik ApS }
term: { start: ${today} }
versions:
  - no: 1
    effectiveFrom: ${today}
    acceptances:
      - { party: customer, person: Liv Holm, at: ${at} }
      - { party: provider, person: Sofie Lind, at: ${at} }
    sets:
      - id: shop
        selector: { repository: havfruen, hosts: ["${hostname()}"], requiredPaths: ["${source}"] }
        schedule: { every: P1D }
        retention: { wording: fjorten dage, min: [{ per: day, keep: 14 }] }
`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
