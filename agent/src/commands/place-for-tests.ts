import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { signerFromSeed } from '@bevis/shared/crypto'
import { parseStatement } from '@bevis/shared/evidence/statement'
import { formatToken } from '@bevis/shared/evidence/enrolment'
import { QUICK_PASSWORD, quickRepository } from '../../../test/kit/quick-repository.ts'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import type { ResticBuild } from '../../../test/kit/restic-versions.ts'
import { startTestLog } from '../outbox/log-for-tests.ts'
import type { TestLog } from '../outbox/log-for-tests.ts'
import { openState } from '../state.ts'

/** The agent's program, for whoever starts it otherwise. */
export const AGENT = fileURLToPath(import.meta.resolve('../main.ts'))

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** An enrolled agent on a folder of its own, with a real repository and a log that takes its evidence. */
export interface AgentPlace {
  readonly folder: string
  readonly source: string
  readonly build: ResticBuild
  readonly log: TestLog
  readonly config: string
  /** Writes the configuration anew, with a change to its one set, and one to the rest. */
  configure(setChange?: object, change?: object): void
  /** Runs one command to its end, as a shell would. */
  readonly agent: (...args: string[]) => Promise<Ended>
  /** Everything that was stated, newest first. */
  statements(): { name: string; predicate: Record<string, unknown> }[]
  remove(): Promise<void>
}

export async function agentPlace(): Promise<AgentPlace> {
  const build = (await resticVersions()).builds.at(-1)
  if (!build) throw new Error('no restic')
  const folder = mkdtempSync(join(tmpdir(), 'bevis-place-'))
  const log = await startTestLog()
  const repository = join(folder, 'repository')
  const source = join(folder, 'source')
  quickRepository(build, repository)
  mkdirSync(source)
  writeFileSync(join(source, 'orders'), 'orders')
  writeFileSync(join(folder, 'pass'), QUICK_PASSWORD, { mode: 0o600 })
  const config = join(folder, 'agent.yaml')
  const configure = (setChange: object = {}, change: object = {}): void => {
    const set = {
      id: 'shop',
      paths: [source],
      repository: { url: repository, passwordFile: join(folder, 'pass') },
    }
    const text = { collector: { url: log.url }, state: join(folder, 'state'), restic: build.binary }
    writeFileSync(config, JSON.stringify({ ...text, ...change, sets: [{ ...set, ...setChange }] }))
  }
  const agent = (...args: string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, [AGENT, ...args, '--config', config], (_, stdout, stderr) =>
        resolve({ status: child.exitCode, stdout, stderr }),
      )
    })
  const statements = (): ReturnType<AgentPlace['statements']> => {
    const state = openState(join(folder, 'state'))
    try {
      return state
        .sql<[], { name: string; payload: Uint8Array }>(
          'select name, payload from statement order by epoch desc, seq desc',
        )
        .all()
        .map(({ name, payload }) => ({ name, predicate: { ...parseStatement(payload).predicate } }))
    } finally {
      state.close()
    }
  }
  configure()
  const seed = new Uint8Array(32).fill(9)
  const { spki, keyid } = signerFromSeed(seed)
  log.trust(spki, keyid)
  const token = formatToken({
    collector: log.url,
    vkey: log.vkey,
    tenant: 'acme',
    agent: 'web',
    host: hostname(),
    contracts: ['AFT-1'],
    seed: seed.toBase64({ alphabet: 'base64url', omitPadding: true }),
    expiresAt: '2099-01-01T00:00:00.000Z',
  })
  writeFileSync(join(folder, 'token'), token)
  const enrolled = await agent('enroll', '--token-file', join(folder, 'token'))
  if (enrolled.status !== 0) throw new Error(enrolled.stderr)
  return {
    folder,
    source,
    build,
    log,
    config,
    configure,
    agent,
    statements,
    remove: async () => {
      await log.close()
      rmSync(folder, { recursive: true, maxRetries: 5, retryDelay: 200 })
    },
  }
}
