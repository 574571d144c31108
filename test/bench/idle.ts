/** What the agent's service costs while it has nothing to do but send signs of life. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makePair } from '../kit/pair.ts'
import { cpuSecondsOf, print, privateBytes, residentBytes } from './measure.ts'

export async function benchIdle(folder: string, { seconds }: { seconds: number }): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  const pair = await makePair({
    folder,
    setSetting: '    backup: { cron: "30 5 * * *", timezone: Europe/Copenhagen }',
  })
  try {
    writeFileSync(join(pair.source, 'file'), 'content')
    const collector = await pair.startCollector()
    const backup = await pair.agent('backup', 'shop', '--init')
    if (backup.exit !== 0) throw new Error(`backup: ${backup.stderr}${backup.stdout}`)
    const agent = pair.startAgent()
    await sleep(20_000) // its start, and whatever was due
    const rows = []
    for (const [name, child] of [
      ['agent, service', agent],
      ['collector, serve', collector],
    ] as const) {
      const pid = child.pid ?? 0
      const before = cpuSecondsOf(pid)
      await sleep(seconds * 1000)
      rows.push({
        what: name,
        'resident MB': (residentBytes([pid]) / 1e6).toFixed(0),
        'private MB': (privateBytes(pid) / 1e6).toFixed(0),
        'cpu s per hour': (((cpuSecondsOf(pid) - before) / seconds) * 3600).toFixed(1),
      })
    }
    print(`idle, over ${seconds} s each`, rows)
  } finally {
    await pair.remove()
  }
}
