import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { Clock } from './clock.ts'
import { answers, freePort, makeRepository, waitUntil } from './machine.ts'
import { at } from './programs.ts'
import { DAMAGED, PROVEN, expectExit, type Stage } from './stage.ts'
import { StoryEnd } from './story.ts'
import { CONTRACT, agentText, collectorText, contractText, type Terms } from './terms.ts'
import { makeTree } from './tree.ts'

/** What is backed up: a user's directory, or files of our own. */
export function makeSource(stage: Stage, path: string | undefined): string {
  if (path === undefined) {
    const own = stage.path('files')
    stage.story.tell(`${makeTree(own)} files and links in ${stage.shown(own)}`)
    return own
  }
  stage.story.tell(`${path}: yours, and only read`)
  return path
}

/** The provider's repositories, made before the contract that names them. */
export function makeRepositories(stage: Stage, passwordFile: string): Terms['sets'] {
  writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 })
  return [PROVEN, DAMAGED].map((id) => {
    const repository = stage.path('repositories', id)
    const repositoryId = makeRepository(repository, passwordFile, stage.env)
    stage.story.tell(`${id}: ${stage.shown(repository)}, ${repositoryId.slice(0, 16)}…`)
    return { id, repository, repositoryId }
  })
}

/** @returns the collector's address, once it answers there */
export async function openCollector(
  stage: Stage,
  { email, password, clock }: { email: string; password: string; clock: Clock | null },
): Promise<string> {
  const listen = `127.0.0.1:${await freePort()}`
  const url = `http://${listen}`
  const config = stage.path('collector.yaml')
  writeFileSync(config, collectorText({ listen, url, state: stage.path('collector'), clock }))
  const made = await stage.collector(['init', '--email', email], { BEVIS_PASSWORD: password })
  expectExit('init', made, 0)
  const log = stage.path('collector.log')
  const serving = stage.programs.start('collector', ['serve', '--config', config], log)
  if (!(await waitUntil(() => answers(`${url}/readyz`), 30, serving))) {
    throw new StoryEnd(`the collector did not come up: see ${stage.shown(log)}`)
  }
  stage.story.tell(`${url}, the log ${String(at(made.json, 'vkey'))}`)
  return url
}

export async function agree(stage: Stage, terms: Terms): Promise<void> {
  const file = stage.path('contract.yaml')
  writeFileSync(file, contractText(terms))
  const applied = expectExit('contract apply', await stage.collector(['contract', 'apply', file]), 0)
  const digest = String(at(applied.json, 'sha256')).slice(0, 16)
  stage.story.tell(`${CONTRACT} in ${stage.shown(file)}, SHA-256 ${digest}…`)
}

/** @returns the file with the keys that an auditor trusts, as enrolment hands it out */
export async function enrol(stage: Stage, terms: Terms): Promise<string> {
  writeFileSync(stage.path('agent.yaml'), agentText(terms))
  const token = stage.path('invitation')
  const order = ['--contract', CONTRACT, '--host', terms.host, '--token-file', token]
  expectExit('invite', await stage.collector(['invite', ...order]), 0)
  const { json } = expectExit('enroll', await stage.agent('enroll', '--token-file', token), 0)
  stage.story.tell(`agent ${String(at(json, 'agent'))}, key ${String(at(json, 'keyid')).slice(0, 16)}…`)
  return String(at(json, 'trust'))
}
