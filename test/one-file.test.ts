/** bevis-verify as it is handed over: one file, in a folder of its own, under the oldest Node that may run it. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Report } from '@bevis/shared/verify/report'
import { runEvaluate } from '@bevis/shared/verify/evaluate'
import { oldestNode } from './kit/other-node.ts'
import { packOf } from './kit/pack.ts'
import { smallWorld } from './kit/world.ts'
import { zipOf } from './kit/zip.ts'
import { VERIFIER_FILE, bundle } from '../deploy/bundle.ts'

const CASES = join(import.meta.dirname, 'vectors/compliance')
const folder = mkdtempSync(join(tmpdir(), 'bevis-one-file-'))
const node = await oldestNode()
const binary = 'binary' in node ? node.binary : ''

beforeAll(async () => {
  await bundle('verify', folder)
  const world = await smallWorld(1)
  const zip = zipOf(await packOf(world))
  writeFileSync(join(folder, 'pack.zip'), zip)
  zip[1_000] = (zip[1_000] ?? 0) ^ 4
  writeFileSync(join(folder, 'flipped.zip'), zip)
  writeFileSync(join(folder, 'trust.yaml'), world.trust())
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** With nothing of the environment: no NODE_OPTIONS, no NODE_PATH. */
function verify(...args: string[]) {
  const options = { cwd: folder, encoding: 'utf8', env: {} } as const
  const { status, stdout, stderr } = spawnSync(binary, [VERIFIER_FILE, ...args], options)
  return { status, stdout, stderr }
}

describe('under a bare Node 22', () => {
  beforeEach(({ skip }) => skip('missing' in node, 'missing' in node ? node.missing : ''))

  test('a pack holds, a changed one does not, and without a trust file nobody vouches', () => {
    expect(readdirSync(folder).filter((name) => name.includes('js'))).toEqual([VERIFIER_FILE])
    const held = verify('pack.zip', '--trust', 'trust.yaml', '--json')
    expect(held.stderr).toBe('')
    expect(JSON.parse(held.stdout) as Report).toMatchObject({ result: 'verified', exit: 0 })
    expect(held.status).toBe(0)
    expect(verify('flipped.zip', '--trust', 'trust.yaml').status).toBe(1)
    expect(verify('pack.zip').status).toBe(2)
    expect(verify('nowhere.zip').stderr).toMatch(/^bevis-verify: USAGE: nowhere\.zip/)
  })

  // Hours, half-hours, days that do not exist: what Node 22 must work out without Temporal.
  test.each(readdirSync(CASES).filter((name) => /^\d\d-.*(october|march|hour|day|spool)/.test(name)))(
    'the evaluation of %s is the same as with Temporal',
    (name) => {
      cpSync(join(CASES, name), join(folder, name), { recursive: true })
      const [first] = JSON.parse(readFileSync(join(CASES, name, 'expect.json'), 'utf8')) as { at: string }[]
      const at = first?.at ?? ''
      const files = ['--contract', `${name}/contract.yaml`, '--facts', `${name}/facts.jsonl`]
      const { stdout, stderr } = verify('evaluate', ...files, '--at', at, '--json')
      expect(stderr).toBe('')
      const read = (file: string) => readFileSync(join(CASES, name, file), 'utf8')
      const ours = runEvaluate({
        contractText: read('contract.yaml'),
        facts: read('facts.jsonl'),
        at: new Date(at),
      })
      expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(ours)))
    },
  )
})
