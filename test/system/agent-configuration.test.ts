/** What a configuration asks for around backup and test, by the programs as people run them, up to the log. */
import { join } from 'node:path'
import { mkdirSync, writeFileSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { makePair } from '../kit/pair.ts'
import { resticVersions } from '../kit/restic-versions.ts'

const { builds } = await resticVersions()

interface Shown {
  statement: { predicate: Record<string, unknown> }
}

describe.each(builds.slice(-1))('restic $version', ({ binary }) => {
  test(
    'hooks, probes, a ladder and a budget; retention without a contract is refused, and said',
    { timeout: 120_000 },
    async () => {
      const pair = await makePair({
        restic: binary,
        setSetting: `    restoreTest: { files: 3, ladder: P90D, budget: { minutes: 60, bytes: 20GB }, method: auto }
    retention:   { fromContract: true, prune: weekly, hold: { onChangeRate: 40%, onShrink: 20% } }
    hooks:       { before: [[/bin/sh, -c, 'test "$BEVIS_PHASE" = before']], after: [/bin/false], snapshotFs: btrfs }
    probes:      [{ kind: sqlite, path: "**/*.db" }, { kind: command, run: [/bin/ls, "{restored}"] }]`,
      })
      try {
        mkdirSync(pair.source, { recursive: true })
        new Sqlite(join(pair.source, 'shop.db')).exec('create table orders (id integer primary key)').close()
        for (let n = 0; n < 10; n += 1) writeFileSync(join(pair.source, `file-${n}`), `content ${n}`)
        await pair.startCollector()
        const backup = await pair.agent('backup', 'shop', '--init', '--json')
        expect(backup.exit, backup.stdout).toBe(0)
        expect(JSON.parse(backup.stdout)).toMatchObject({
          outcome: 'complete',
          hookErrors: [
            {
              code: 'HOOK_FAILED',
              message: 'the hook /bin/false after the backup of shop ended with status 1',
            },
          ],
        })
        const tested = await pair.agent('test', 'shop')
        expect(tested.stdout).toMatch(
          /PASSED.*\n(?:.*\n)*\s+probe +passed: sqlite \*\*\/\*\.db; 1 of 1 file probed/,
        )
        expect(tested.stdout).toMatch(/probe +passed: command \/bin\/ls; it ended with status 0/)
        expect(tested.exit).toBe(0)

        const listed = await pair.agent('evidence', 'list', '--json')
        const statements = JSON.parse(listed.stdout) as { epoch: number; seq: number; state: string }[]
        const predicates: Record<string, unknown>[] = []
        for (const { epoch, seq, state } of statements) {
          expect(state).toBe('logged')
          const { stdout } = await pair.agent('evidence', 'show', `${epoch}/${seq}`, '--json')
          predicates.push((JSON.parse(stdout) as Shown).statement.predicate)
        }
        const found = (key: string, value: string) => predicates.find((one) => one[key] === value)
        expect(found('outcome', 'complete')).toMatchObject({ fileSystemSnapshot: 'btrfs' })
        expect(found('event', 'alarm')).toMatchObject({ reason: 'HOOK_FAILED', detail: { set: 'shop' } })
        expect(found('result', 'PASSED')).toMatchObject({
          probes: [{ outcome: 'passed' }, { outcome: 'passed' }],
        })

        const retention = await pair.agent('retention', 'shop', '--apply')
        expect(retention.exit).toBe(2)
        expect(retention.stderr).toContain('RETENTION_REFUSED: the contract’s text is needed on this machine')
      } finally {
        await pair.remove()
      }
    },
  )
})
