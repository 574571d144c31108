// The main job on real data, by the real programs: `npm run demo`, or `npm run demo -- PATH` for a directory of
// yours, which is only read. All that it makes is in .demo below the clone. With --once it ends by itself, with
// exit status 0 only if everything that it promised was seen.

import { randomBytes } from 'node:crypto'
import { realpathSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { audit, awaitReceipts, judge, runService, visit } from './demo/judge.ts'
import { answers, freePort, makeFolder, makeRepository, waitUntil } from './demo/machine.ts'
import { at } from './demo/programs.ts'
import { backUp, damage, findDamage, proveWhole } from './demo/prove.ts'
import { DAMAGED, PROVEN, Stage, expectExit } from './demo/stage.ts'
import { StoryEnd } from './demo/story.ts'
import { CONTRACT, agentText, collectorText, contractText, type Terms } from './demo/terms.ts'
import { makeTree } from './demo/tree.ts'

const EMAIL = 'demo@bevis.example'
const stage = new Stage()
const { story, programs } = stage
const stopped = new Promise<string>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal))
})

async function play(path: string | undefined, isOnce: boolean): Promise<void> {
  const source = path === undefined ? stage.path('files') : realpathSync(path)
  if (!statSync(path ?? '/').isDirectory()) throw new StoryEnd(`${source} is no directory`)
  const passwordFile = stage.path('repository-password')
  const password = randomBytes(12).toString('base64url')

  await story.step(path === undefined ? 'A shop’s files, with all that makes backups hard' : source, () => {
    writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 })
    if (path === undefined) story.tell(`${makeTree(source)} files in ${stage.shown(source)}`)
    else story.tell('a directory of yours: it is only read')
  })
  const madeAt = performance.now()

  const sets = await story.step('Two restic repositories, one of which will go bad', () =>
    [PROVEN, DAMAGED].map((id) => {
      const repository = stage.path('repositories', id)
      const repositoryId = makeRepository(repository, passwordFile, stage.env)
      story.tell(`${id}: ${stage.shown(repository)}, ${repositoryId.slice(0, 16)}…`)
      return { id, repository, repositoryId }
    }),
  )

  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  await story.step('A collector: its log, its first account, its pages', async () => {
    writeFileSync(
      stage.path('collector.yaml'),
      collectorText({ listen: `127.0.0.1:${port}`, url, state: stage.path('collector') }),
    )
    const made = expectExit(
      'init',
      await stage.collector(['init', '--email', EMAIL], { BEVIS_PASSWORD: password }),
      0,
    )
    const config = stage.path('collector.yaml')
    const serving = programs.start('collector', ['serve', '--config', config], stage.path('collector.log'))
    if (!(await waitUntil(() => answers(`${url}/readyz`), 30, serving))) {
      throw new StoryEnd('the collector did not come up: see .demo/collector.log')
    }
    story.tell(`${url}, the log ${String(at(made.json, 'vkey'))}`)
  })

  const terms: Terms = {
    host: hostname(),
    source,
    exclude: path === undefined ? [] : [stage.folder],
    sets,
    passwordFile,
    collectorUrl: url,
    state: stage.path('agent'),
    now: new Date(),
  }
  await story.step('A contract, made for today: a point every day, a restore test every month', async () => {
    writeFileSync(stage.path('contract.yaml'), contractText(terms))
    const applied = expectExit(
      'contract apply',
      await stage.collector(['contract', 'apply', stage.path('contract.yaml')]),
      0,
    )
    story.tell(
      `${CONTRACT} in ${stage.shown(stage.path('contract.yaml'))}, SHA-256 ${String(at(applied.json, 'sha256')).slice(0, 16)}…`,
    )
  })

  const trust = await story.step(
    'An agent is invited, makes its key, and is enrolled in the log',
    async () => {
      writeFileSync(stage.path('agent.yaml'), agentText(terms))
      const token = stage.path('invitation')
      expectExit(
        'invite',
        await stage.collector([
          'invite',
          '--contract',
          CONTRACT,
          '--host',
          terms.host,
          '--token-file',
          token,
        ]),
        0,
      )
      const { json } = expectExit('enroll', await stage.agent('enroll', '--token-file', token), 0)
      story.tell(`agent ${String(at(json, 'agent'))}, key ${String(at(json, 'keyid')).slice(0, 16)}…`)
      return String(at(json, 'trust'))
    },
  )

  // A file that was made a moment ago could change again unnoticed; the agent calls its hash racy, and rightly.
  await sleep(Math.max(0, 3_000 - (performance.now() - madeAt)))
  for (const { id } of sets) await story.step(`Backup of ${id}, by restic`, () => backUp(stage, id))
  await story.step('Inventories: what each repository holds, signed', async () => {
    for (const { id } of sets) expectExit('inventory', await stage.agent('inventory', id), 0)
  })
  await story.step(`Restore test of ${PROVEN}: everything is restored and compared`, () => proveWhole(stage))
  const bad = sets.find(({ id }) => id === DAMAGED)?.repository ?? ''
  const done = await story.step(`The disk below ${DAMAGED} goes bad`, () => damage(stage, bad, passwordFile))
  await story.step(`Restore test of ${DAMAGED}`, () => findDamage(stage, done))
  const stopService = await story.step('The agent as a service: schedules, signs of life, delivery', () =>
    runService(stage),
  )
  await story.step('Receipts', () => awaitReceipts(stage))
  await story.step('The contract’s verdict', () => judge(stage))
  await story.step('The pages', () => visit(stage, url, EMAIL, password))
  const pack = await story.step('The auditor: an evidence pack, checked offline', () => audit(stage, trust))

  if (!isOnce) {
    story.tell(
      '',
      `Pages     ${url}`,
      `Sign in   ${EMAIL}`,
      `Password  ${password}`,
      `Pack      ${stage.shown(pack)}`,
      `Verify    node_modules/.bin/node shared/src/verify/main.ts ${stage.shown(pack)} --trust ${stage.shown(trust)}`,
      '',
      'Everything stays up until Ctrl-C; the agent backs up every two minutes and tests every four.',
    )
    await stopped
  }
  await story.step('The service stops', async () => stage.see('service', await stopService()))
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { once: { type: 'boolean', default: false } },
  })
  makeFolder(stage.folder)
  const interrupted = stopped.then((signal) => {
    if (values.once) throw new StoryEnd(`ended by ${signal}`)
  })
  try {
    const played = play(positionals[0], values.once)
    await (values.once ? Promise.race([played, interrupted.then(() => played)]) : played)
  } catch (error) {
    story.tell(
      '',
      error instanceof StoryEnd ? error.message : String(error instanceof Error ? error.stack : error),
    )
  } finally {
    await programs.stopAll()
  }
  story.end()
  process.exitCode = story.missing.length === 0 ? 0 : 1
}

await main()
