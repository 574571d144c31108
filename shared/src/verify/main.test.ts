/** The command as people call it: a process, its files, its exit code. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packOf } from '../../../test/kit/pack.ts'
import { CONTRACT_ID, CONTRACT_YAML, smallWorld } from '../../../test/kit/world.ts'
import { zipOf } from '../../../test/kit/zip.ts'
import { spkiToPem } from '../crypto.ts'
import { encodeEnvelope } from '../evidence/envelope.ts'
import type { Report } from './report.ts'

const folder = mkdtempSync(join(tmpdir(), 'bevis-verify-'))
const main = join(import.meta.dirname, 'main.ts')

beforeAll(async () => {
  const world = await smallWorld(1)
  const zip = zipOf(await packOf(world))
  writeFileSync(join(folder, 'pack.zip'), zip)
  writeFileSync(join(folder, 'cut.zip'), zip.subarray(0, -100))
  const flipped = Buffer.from(zip)
  flipped[1_000] = (flipped[1_000] ?? 0) ^ 4
  writeFileSync(join(folder, 'flipped.zip'), flipped)
  writeFileSync(join(folder, 'trust.yaml'), world.trust())
  const [log = '', head = '', first = '', second = ''] = world.trust().split('\n')
  writeFileSync(join(folder, 'srv1.yaml'), [log, head, first, ''].join('\n'))
  writeFileSync(join(folder, 'srv2.yaml'), [log, head, second, ''].join('\n'))
  writeFileSync(join(folder, 'wrong.yaml'), 'log: {}\n')
  writeFileSync(join(folder, 'contract.yaml'), CONTRACT_YAML)
  writeFileSync(join(folder, 'none.jsonl'), '')
  const envelope = world.logged[1]?.envelope
  if (envelope === undefined) throw new Error('no envelope')
  writeFileSync(join(folder, 'envelope.json'), `${encodeEnvelope(envelope)}\n`)
  const other = { ...envelope, payload: world.logged[2]?.envelope.payload ?? '' }
  writeFileSync(join(folder, 'forged.json'), `${encodeEnvelope(other)}\n`)
  for (const [name, signer] of [
    ['srv1', world.agents[0]?.signer],
    ['srv2', world.agents[1]?.signer],
  ] as const) {
    if (signer !== undefined) writeFileSync(join(folder, `${name}.pem`), spkiToPem(signer.spki))
  }
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

describe('bevis-verify PACK', () => {
  test('0: all held by the keys of the trust file', () => {
    const { status, stdout } = run('pack.zip', '--trust', 'trust.yaml')
    expect(stdout).toMatch(/VERIFIED: everything held/)
    expect(stdout).toMatch(/Not proven by this pack:/)
    expect(stdout).not.toContain('\u001b')
    expect(status).toBe(0)
  })

  test('2: without a trust file nobody has vouched for the keys', () => {
    const { status, stdout } = run('pack.zip')
    expect(stdout).toMatch(/self-consistent, not anchored/)
    expect(stdout).toMatch(/\? Log key is the one you trust +not checked/)
    expect(status).toBe(2)
  })

  test.each(['cut.zip', 'flipped.zip', 'trust.yaml'])('1: %s is refused', (file) => {
    const { status, stdout } = run(file, '--trust', 'trust.yaml')
    expect(stdout).toMatch(/✗ .*FAILED/)
    expect(stdout).toMatch(/REFUSED/)
    expect(status).toBe(1)
  })

  test.each([
    [['nowhere.zip'], /USAGE: nowhere.zip cannot be read/],
    [['pack.zip', '--trust', 'wrong.yaml'], /TRUST_INVALID: .*\n {2}wrong.yaml:1:\d: log.vkey/],
    [[], /USAGE: name a pack/],
    [['pack.zip', '--trusted'], /unknown option/],
  ])('2: %j could not be done', (args, why) => {
    const { status, stderr } = run(...args)
    expect(stderr).toMatch(why)
    expect(status).toBe(2)
  })

  test('--json is the whole report', () => {
    const report = JSON.parse(run('pack.zip', '--trust', 'trust.yaml', '--json').stdout) as Report
    expect(report).toMatchObject({ result: 'verified', exit: 0, anchored: true })
    expect(
      report.checks.every(
        ({ id, means, outcome }) => id.includes('.') && means.endsWith('.') && outcome === 'held',
      ),
    ).toBe(true)
  })

  test('an agent that the trust file lacks is the first thing told, with the cure, and briefly', () => {
    const { status, stdout } = run('pack.zip', '--trust', 'srv1.yaml')
    expect(stdout).toMatch(/^agent \S+, epoch 1: key [0-9a-f]{64} is not in your trust file$/m)
    expect(stdout.indexOf('not in your trust file')).toBeLessThan(stdout.indexOf('FAILED'))
    expect(stdout).toMatch(/--trust a\.yaml --trust b\.yaml/)
    expect(stdout.split('\n').length).toBeLessThan(60)
    expect(status).toBe(1)
    const report = JSON.parse(run('pack.zip', '--trust', 'srv1.yaml', '--json').stdout) as Report
    expect(report.cause?.what).toHaveLength(1)
  })

  test('0: each agent’s own trust file, given together', () => {
    const { status, stdout } = run('pack.zip', '--trust', 'srv1.yaml', '--trust', 'srv2.yaml')
    expect(stdout).toMatch(/VERIFIED/)
    expect(status).toBe(0)
  })

  test('--version tells the name, and the package’s version', () => {
    const file = join(import.meta.dirname, '../../package.json')
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
    expect(run('--version').stdout).toBe(`bevis-verify ${version}\n`)
  })

  test('--help tells the exit codes, with examples', () => {
    const { status, stdout } = run('--help')
    expect(stdout).toMatch(/Examples:[\s\S]*Exit codes:/)
    expect(status).toBe(0)
  })
})

test('bevis-verify evaluate answers by the contract alone: without facts nothing is known to be kept', () => {
  const { status, stdout } = run(
    'evaluate',
    '--contract',
    'contract.yaml',
    '--facts',
    'none.jsonl',
    '--at',
    '2025-01-03T12:00:00Z',
    '--json',
  )
  expect(JSON.parse(stdout)).toMatchObject({ contract: CONTRACT_ID, at: '2025-01-03T12:00:00.000Z' })
  expect(status).toBe(1)
})

describe('bevis-verify envelope', () => {
  test('--json', () => {
    const { stdout } = run('envelope', 'envelope.json', '--key', 'srv1.pem', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ exit: 0, signatures: [{ outcome: 'held' }] })
  })

  test.each([
    [0, ['envelope.json', '--key', 'srv2.pem', 'srv1.pem'], /^held .*\n.*\n\{[\s\S]*"backup-run|_type/],
    [1, ['forged.json', '--key', 'srv1.pem'], /^failed/],
    [1, ['trust.yaml', '--key', 'srv1.pem'], /^malformed/],
    [2, ['envelope.json'], /^not-checked/],
    [2, ['envelope.json', '--key', 'srv2.pem'], /^not-checked/],
  ])('%d: %j', (code, args, said) => {
    const { status, stdout } = run('envelope', ...args)
    expect(stdout).toMatch(said)
    expect(status).toBe(code)
    if (code !== 0) expect(stdout).not.toContain('predicateType')
  })
})
