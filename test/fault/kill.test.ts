/**
 * kill -9 at random moments: nothing that the agent signed is lost, doubled or out of its chain, and the
 * collector's log is whole. BEVIS_KILLS sets how many (default 100).
 */
import { randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProcess } from 'node:child_process'
import Sqlite from 'better-sqlite3'
import { expect, test } from 'vitest'
import { makePair } from '../kit/pair.ts'
import type { Pair } from '../kit/pair.ts'
import { killHard, start } from '../kit/programs.ts'

const KILLS = Number(process.env['BEVIS_KILLS'] ?? 100)

interface Row {
  epoch: number
  seq: number
  pae_digest: string
}

function rowsOf(file: string, query: string): (Row & { state?: string; counted?: number; prev?: string })[] {
  const db = new Sqlite(file, { readonly: true })
  try {
    return db.prepare(query).all() as Row[]
  } finally {
    db.close()
  }
}

/** The demo's traffic: a service with signs of life each second, and backups, tests and lists beside it. */
async function torment(pair: Pair): Promise<Record<string, number>> {
  const commands = [
    ['inventory', 'shop'],
    ['backup', 'shop'],
    ['test', 'shop'],
    ['evidence', 'list'],
  ]
  let collector = await pair.startCollector()
  let agent = pair.startAgent()
  let command: ChildProcess | null = null
  let files = 0
  const killed: Record<string, number> = { collector: 0, agent: 0, command: 0 }
  for (let round = 0; round < KILLS; round += 1) {
    if (command === null || command.exitCode !== null || command.signalCode !== null) {
      writeFileSync(join(pair.source, `new-${files++}`), `content ${files}`)
      const args = commands[randomInt(commands.length)] ?? []
      command = start('agent', [...args, '--config', pair.agentConfig], join(pair.folder, 'command.log'))
    }
    await sleep(randomInt(20, 1_600))
    const victim = randomInt(3)
    if (victim === 0) {
      await killHard(collector)
      collector = await pair.startCollector()
      killed['collector'] = (killed['collector'] ?? 0) + 1
    } else if (victim === 1) {
      await killHard(agent)
      agent = pair.startAgent()
      killed['agent'] = (killed['agent'] ?? 0) + 1
    } else {
      await killHard(command)
      killed['command'] = (killed['command'] ?? 0) + 1
    }
  }
  await killHard(agent)
  await killHard(command ?? agent)
  await killHard(collector)
  return killed
}

test(
  `after ${KILLS} kills every signed statement is in the log exactly once`,
  async () => {
    const pair = await makePair({ agentSetting: 'heartbeat: PT1S' })
    try {
      for (let n = 0; n < 20; n += 1) writeFileSync(join(pair.source, `file-${n}`), `content ${n}`)
      const first = await pair.startCollector()
      expect((await pair.agent('backup', 'shop', '--init')).exit).toBe(0)
      await killHard(first)

      const killed = await torment(pair)

      await pair.startCollector()
      const last = await pair.agent('inventory', 'shop')
      expect(last.exit, last.stderr).toBe(0)
      const said = rowsOf(
        join(pair.folder, 'agent/state.db'),
        'select epoch, seq, pae_digest, state from statement order by epoch, seq',
      )
      const logged = rowsOf(
        join(pair.folder, 'collector/collector.db'),
        'select epoch, seq, pae_digest, prev, counted from statement where agent is not null order by epoch, seq',
      )
      process.stdout.write(`${logged.length} statements logged; killed: ${JSON.stringify(killed)}\n`)
      expect(logged.length).toBeGreaterThan(KILLS / 4)
      // What the agent still holds (it forgets old ones that are proven to be in the log) is done, all of it.
      expect(said.filter(({ state }) => state !== 'logged')).toEqual([])
      const digests = new Map(logged.map((row) => [row.seq, row.pae_digest]))
      for (const { seq, pae_digest } of said) expect(digests.get(seq), `statement ${seq}`).toBe(pae_digest)
      // One row for each number from 1 to the agent's last, each linked to the one before.
      expect(logged.map(({ seq }) => seq)).toEqual(logged.map((_, n) => n + 1))
      expect(logged.at(-1)?.seq).toBe(said.at(-1)?.seq)
      expect(logged.every(({ counted }) => counted === 1)).toBe(true)
      const before = (n: number) => logged[n - 1]?.pae_digest ?? '0'.repeat(64)
      expect(logged.filter(({ prev }, n) => prev !== before(n))).toEqual([])

      const fsck = await pair.collector('fsck', '--json')
      expect(fsck.exit, fsck.stdout).toBe(0)
    } finally {
      await pair.remove()
    }
  },
  60_000 + KILLS * 6_000,
)
