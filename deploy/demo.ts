// The main job on real data, by the real programs: `npm run demo`, or `npm run demo -- PATH` for a directory of
// yours, which is only read. All that it makes is in .demo below the clone. With --once it ends by itself, with
// exit status 0 only if everything that it promised was seen.

import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openClock, trustClock } from './demo/clock.ts'
import { directoryOf } from './demo/directory.ts'
import { audit, awaitReceipts, judge, runService, visit } from './demo/judge.ts'
import { makeFolder } from './demo/machine.ts'
import { agree, enrol, makeRepositories, makeSource, openCollector } from './demo/prepare.ts'
import { backUp, damage, findDamage, proveWhole, takeInventory } from './demo/prove.ts'
import { DAMAGED, PROVEN, Stage } from './demo/stage.ts'
import { refreshPage } from './page.ts'
import { StoryEnd } from './demo/story.ts'
import type { Terms } from './demo/terms.ts'

const EMAIL = 'demo@bevis.example'
const stage = new Stage()
const { story, programs } = stage

/** From an empty folder to an evidence pack. @returns what people need to go on looking, and how it stops */
async function play(path: string | undefined, isOnce: boolean) {
  await refreshPage()
  const password = randomBytes(12).toString('base64url')
  const passwordFile = stage.path('repository-password')

  const title = path === undefined ? 'A shop’s files, with all that makes backups hard' : 'Your directory'
  const source = await story.step(title, () => makeSource(stage, path))
  const madeAt = performance.now()
  const sets = await story.step('Two restic repositories, one of which will go bad', () =>
    makeRepositories(stage, passwordFile),
  )
  const clock = await story.step('An outside clock that stamps (RFC 3161), made with openssl', () =>
    openClock(stage),
  )
  const collectorUrl = await story.step('A collector: its log, its first account, its pages', () =>
    openCollector(stage, { email: EMAIL, password, clock }),
  )
  const terms: Terms = {
    host: hostname(),
    source,
    exclude: path === undefined ? [] : [stage.folder],
    sets,
    passwordFile,
    collectorUrl,
    state: stage.path('agent'),
    goesOn: !isOnce,
    now: new Date(),
  }
  await story.step('A contract made for today: a point every day, a restore test every month', () =>
    agree(stage, terms),
  )
  const enrolled = await story.step('An agent is invited, makes its key and is enrolled in the log', () =>
    enrol(stage, terms),
  )
  const trust = trustClock(stage, enrolled, clock)

  // A file that was made a moment ago could change again unnoticed: its witness would be racy, and rightly.
  await sleep(Math.max(0, 3_000 - (performance.now() - madeAt)))
  for (const { id } of sets) await story.step(`Backup of ${id}, by restic`, () => backUp(stage, id))
  await story.step('Inventories: all that each repository holds, signed', async () => {
    for (const { id } of sets) await takeInventory(stage, id)
  })
  await story.step(`Restore test of ${PROVEN}: everything is restored and compared`, () => proveWhole(stage))
  const damaged = sets.find(({ id }) => id === DAMAGED)?.repository ?? ''
  const done = await story.step(`The disk below ${DAMAGED} goes bad`, () => damage(stage, damaged, terms))
  await story.step(`Restore test of ${DAMAGED}, and its repetition`, () => findDamage(stage, done, terms))
  const stopService = await story.step('The agent as a service: schedules, signs of life, delivery', () =>
    runService(stage),
  )
  await story.step('Receipts', () => awaitReceipts(stage))
  await story.step('The contract’s verdict', () => judge(stage))
  await story.step('The pages', () => visit(stage, collectorUrl, EMAIL, password))
  const pack = await story.step('The auditor: an evidence pack, checked offline', () =>
    audit(stage, trust, clock !== null),
  )
  return { collectorUrl, password, pack, trust, stopService }
}

async function main(path: string | undefined, isOnce: boolean): Promise<number> {
  const signal = new Promise<null>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => resolve(null))
  })
  try {
    makeFolder(stage.folder)
    const ending = await Promise.race([play(path, isOnce), signal])
    // Null: somebody ended it first. What still runs is stopped below.
    if (ending === null) throw new StoryEnd('Ended before everything was shown.')
    if (!isOnce) {
      story.invite(
        ['Pages', ending.collectorUrl],
        ['Sign in', EMAIL],
        ['Password', ending.password],
        ['Pack', stage.shown(ending.pack)],
        ['Verify', stage.verifyCommand(ending.pack, ending.trust)],
        ['Goes on', 'until Ctrl-C, the agent with a backup every two minutes, a restore test every four'],
      )
      await signal
    }
    await story.step('The service stops', async () => stage.see('service', await ending.stopService()))
  } catch (error) {
    story.tell('', error instanceof StoryEnd || !(error instanceof Error) ? String(error) : `${error.stack}`)
  }
  await programs.stopAll()
  story.end()
  return story.missing.length === 0 ? 0 : 1
}

/** What was asked for; what cannot be done is one line, and the last demo stays as it is. */
function order(): { path: string | undefined; isOnce: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { once: { type: 'boolean', default: false } },
    })
    const [path, ...more] = positionals
    if (more.length > 0) throw new Error('name one directory')
    const from = process.env['INIT_CWD'] ?? '.'
    return {
      path: path === undefined ? undefined : directoryOf(path, from, stage.folder),
      isOnce: values.once,
    }
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  }
}

const { path, isOnce } = order()
process.exit(await main(path, isOnce))
