import { join, relative } from 'node:path'
import { Programs, at, clone, listAt, type Answer } from './programs.ts'
import { Story, StoryEnd } from './story.ts'

/** What the demo shows; it ends well only when each was seen. */
export const PROMISES = {
  backup: 'real backups, their files witnessed',
  passed: 'a real restore test PASSED',
  failed: 'the damaged repository FAILED',
  named: 'the damaged files are named',
  retest: 'a second test of that snapshot agrees',
  logged: 'every statement is in the log, its receipt verified by the agent',
  service: 'the agent runs as a service and stops cleanly',
  verdict: 'the contract is judged: one set is kept, the other breached',
  page: 'the pages show the contract to who signs in',
  stamped: 'an outside clock stamped the log, and bounds when statements were made',
  accepted: 'bevis-verify accepts the evidence pack',
  refused: 'bevis-verify refuses a copy with one byte changed',
} as const

export const PROVEN = 'shop'
export const DAMAGED = 'shop-bad-disk'

/** A statement of the agent, as `evidence list` and `evidence show` print it. */
export interface Shown {
  readonly digest: string
  readonly name: string
  readonly state: string
  readonly predicate: unknown
}

/** Where the demo plays: its folder, the programs, and the account of what was seen. */
export class Stage {
  readonly folder = join(clone, '.demo')
  readonly story = new Story(Object.values(PROMISES))
  /** All that programs, restic among them, see of the environment; nothing of theirs lands outside the folder. */
  readonly env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    LANG: process.env['LANG'] ?? 'C.UTF-8',
    HOME: this.path('home'),
    TMPDIR: this.path('tmp'),
    NO_COLOR: '1',
  }
  readonly programs = new Programs(this.env)

  path(...names: string[]): string {
    return join(this.folder, ...names)
  }

  /** A path as people can paste it in the clone. */
  shown(path: string): string {
    return relative(clone, path)
  }

  /** A command that checks what the demo made, as people can paste it in the clone. */
  verifyCommand(pack: string, trust: string): string {
    return this.programs.commandOf('verify', this.shown(pack), '--trust', this.shown(trust))
  }

  see(promise: keyof typeof PROMISES, isSo: boolean, detail?: string): void {
    this.story.see(PROMISES[promise], isSo, detail)
  }

  agent(...args: string[]): Promise<Answer> {
    return this.programs.run('agent', [...args, '--json', '--config', this.path('agent.yaml')])
  }

  collector(args: readonly string[], extraEnv: NodeJS.ProcessEnv = {}): Promise<Answer> {
    return this.programs.run(
      'collector',
      [...args, '--json', '--config', this.path('collector.yaml')],
      extraEnv,
    )
  }

  /** All statements that the agent made so far, the newest first, without what they say. */
  async statements(): Promise<readonly unknown[]> {
    const answer = expectExit('evidence list', await this.agent('evidence', 'list', '--limit', '10000'), 0)
    return listAt(answer.json)
  }

  /** What the statements of one kind say, the oldest first. */
  async statementsOf(name: string, set: string): Promise<readonly Shown[]> {
    const found: Shown[] = []
    for (const row of (await this.statements()).toReversed()) {
      if (at(row, 'name') !== name) continue
      const digest = String(at(row, 'paeDigest'))
      const { json } = expectExit('evidence show', await this.agent('evidence', 'show', digest), 0)
      const predicate = at(json, 'statement', 'predicate')
      if (at(predicate, 'set') === set)
        found.push({ digest, name, state: String(at(row, 'state')), predicate })
    }
    return found
  }
}

/** What a program must answer for the demo to go on. @throws StoryEnd */
export function expectExit(what: string, answer: Answer, ...allowed: readonly number[]): Answer {
  if (allowed.includes(answer.exit)) return answer
  const said = (answer.stderr + answer.stdout).trim().slice(0, 2000)
  throw new StoryEnd(`${what} ended with ${answer.exit}: ${said}`)
}

/** A path below `folder`, on one line and short enough for it: odd names are among what is backed up. */
export function nameBelow(folder: string, path: string): string {
  const text = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path
  return text.length > 60 ? `${text.slice(0, 40)}…${text.slice(-16)}` : text
}

/** 12,345 */
export function count(value: unknown): string {
  return Number(value ?? 0).toLocaleString('en')
}

/** 12.3 MB */
export function size(value: unknown): string {
  return `${(Number(value ?? 0) / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`
}
