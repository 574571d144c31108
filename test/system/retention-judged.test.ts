/** What the agent removes by the contract, as the collector then judges it: the real programs, from end to end. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makePair } from '../kit/pair.ts'
import { resticVersions } from '../kit/restic-versions.ts'

const { builds } = await resticVersions()
const DAY_MS = 86_400_000

test.each(builds.slice(-1))(
  'removed by the agent, purged and not lost to the collector, restic $version',
  { timeout: 180_000 },
  async ({ binary }) => {
    const pair = await makePair({
      restic: binary,
      setSetting: '    retention: { fromContract: true }',
    })
    try {
      writeFileSync(join(pair.source, 'orders'), 'orders')
      await pair.startCollector()
      expect((await pair.agent('backup', 'shop', '--init')).exit).toBe(0)
      // Two of today, of which one serves; and one from before the contract, whose fourteen days are over.
      expect((await pair.agent('backup', 'shop')).exit).toBe(0)
      const time = new Date(Date.now() - 20 * DAY_MS).toISOString().replace('T', ' ').slice(0, 19)
      const access = ['-r', pair.repository, '-p', join(pair.folder, 'password'), '--no-cache', '-q']
      execFileSync(binary, [...access, 'backup', '--host', hostname(), '--time', time, pair.source], {
        env: { PATH: process.env['PATH'], HOME: pair.folder, TZ: 'UTC' },
      })
      const text = join(pair.folder, 'agreed.yaml')
      copyFileSync(join(pair.folder, 'contract.yaml'), text)
      // The collector has told its terms with the evidence: without them nothing would be removed.
      const shown = await pair.agent('retention', 'shop', '--contract', text, '--json')
      expect(JSON.parse(shown.stdout)).toMatchObject({
        error: null,
        go: [expect.anything(), expect.anything()],
      })
      const applied = await pair.agent('retention', 'shop', '--contract', text, '--apply', '--json')
      expect(JSON.parse(applied.stdout)).toMatchObject({
        error: null,
        removed: [expect.anything(), expect.anything()],
        pruned: true,
        inventory: { count: 1 },
      })
      const judged = await pair.collector('evaluate', 'KILL-1', '--json')
      const { sets, findings } = JSON.parse(judged.stdout) as {
        sets: { counts: Record<string, number>; dimensions: Record<string, string> }[]
        findings: { code: string }[]
      }
      expect(findings.map(({ code }) => code)).not.toContain('lost')
      expect(sets[0]).toMatchObject({ counts: { met: 1, lost: 0 }, dimensions: { retention: 'compliant' } })

      // A hold that a customer starts at the collector reaches the agent before its next removal.
      const today = new Date().toISOString().slice(0, 10)
      const covers = { from: '2020-01-01', to: today }
      const detail = JSON.stringify({ sets: ['shop'], covers, authority: 'Tvist 2026-1' })
      const held = await pair.collector(
        ...['contract', 'event', 'KILL-1', 'hold-started', '--party', 'customer', '--person', 'Liv'],
        ...['--detail', detail],
      )
      expect(held.exit, held.stderr).toBe(0)
      expect((await pair.agent('backup', 'shop')).exit).toBe(0)
      const kept = await pair.agent('retention', 'shop', '--contract', text)
      expect(kept.stdout).toContain('held: Tvist 2026-1')
      expect(kept.stdout).not.toContain('would go')
    } finally {
      await pair.remove()
    }
  },
)
