import { expect, test } from 'vitest'
import { describe as describePack, descriptionOf, packOf } from '../../../test/kit/pack.ts'
import { smallWorld } from '../../../test/kit/world.ts'
import { printReport } from './print.ts'
import { verifyPack } from './verify-pack.ts'

const files = await packOf(await smallWorld(1))
const report = verifyPack({ files, trust: null })

test('a line per check, aligned, told by mark and word', () => {
  const text = printReport(report, { colour: false })
  const lines = text.split('\n').filter((line) => /^[✓✗?] /.test(line))
  expect(lines).toHaveLength(report.checks.length)
  expect(new Set(lines.map((line) => line.search(/ (held|not checked) /))).size).toBe(1)
  expect(text.trimEnd().split('\n').at(-1)).toMatch(/^self-consistent, not anchored/)
})

test('colours come only when asked for, and say nothing that words do not', () => {
  const plain = printReport(report, { colour: false })
  const coloured = printReport(report, { colour: true })
  expect(coloured).not.toBe(plain)
  const parts = coloured
    .split('\u001b')
    .map((part, number) => (number === 0 ? part : part.replace(/^\[\d+m/, '')))
  expect(parts.join('')).toBe(plain)
})

test('a failed check names its id and its places, and how many more there are', () => {
  const spoilt = new Map(files)
  const lines = new TextDecoder()
    .decode(spoilt.get('evidence.intoto.jsonl'))
    .replaceAll('"sig":"', '"sig":"x')
  spoilt.set('evidence.intoto.jsonl', new TextEncoder().encode(lines))
  const text = printReport(verifyPack({ files: spoilt, trust: null }), { colour: false })
  expect(text).toMatch(/✗ Signatures +FAILED +envelopes.signatures\n {4}evidence.intoto.jsonl line 1: /)
  expect(text).toMatch(/REFUSED/)
})

test('what a pack says cannot command the terminal that shows it', () => {
  const description = descriptionOf(files)
  description.contract.customer = 'Ole\u001b]0;owned\u0007\u001b[2J\u202Eevil\nApS'
  const text = printReport(verifyPack({ files: describePack(files, description), trust: null }), {
    colour: false,
  })
  expect(text).toContain('Ole\uFFFD]0;owned')
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
})
