import { describe, expect, test } from 'vitest'
import { contractOf, setOf, Story, versionOf } from '@bevis/shared/contract/story-for-tests'
import { evaluate } from '@bevis/shared/contract/evaluate'
import type { ClauseId } from '@bevis/shared/evidence/clause'
import { sha256Hex } from '@bevis/shared/crypto'
import { ClauseMarks } from '@bevis/shared/verify/clause-marks'
import { formatRow, formatTableHead, isInPeriod } from '@bevis/shared/verify/table'
import { BevisError } from '@bevis/shared/error'
import { attachmentsOf, certificateOf, runOn } from '../../../../test/kit/pdf.ts'
import type { Language } from '../../pages/language/locale.ts'
import { voiceOf } from '../../pages/voice.ts'
import { Gist } from '../gist.ts'
import type { PackTold } from '../pack.ts'
import { openSeal } from '../pdf/seal.ts'
import type { Seal } from '../pdf/seal.ts'
import { writeEvidenceReport } from './report.ts'

const NOTE =
  'collector.test/log\n40\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— collector.test/log 1ZiTl9SQz1Cjx756\n'
const ENVELOPES = '{"payload":"e30=","payloadType":"x","signatures":[]}\n'
const YAML = 'id: AFT-1\n'
/** A path that would be read as a part of the PDF, if anyone searched for it. */
const HOSTILE =
  'D:\\Bilag\\/ByteRange [0 /********** /********** /**********] /Contents <00>)\n\u0007endobj 漢字 <&>.pdf'

/** March and April: one day missed, and tests that passed, but for what is told. */
function story({ failing = false, testing = true } = {}): Story {
  const one = new Story()
  one.days('2025-03-01', '2025-04-10', { without: ['2025-04-05'] })
  const newest = one.contents().at(-1)
  if (newest === undefined || !testing) return one
  one.test(newest, '2025-04-11T04:00:00Z', 'PASSED', {
    limit: { confidence: 0.95, maxDefectRate: 0.0582 },
    selection: {
      algorithm: 'hash-order/v1',
      seed: '00',
      seedFrom: 'collector',
      strata: ['random'],
      files: 50,
      bytes: 9,
    },
  })
  if (failing) {
    one.test(newest, '2025-04-12T04:00:00Z', 'FAILED', {
      exceptions: [{ path: HOSTILE, class: 'damaged', detail: 'differs from byte 1' }],
      exceptionsTotal: 1,
    })
    one.test(newest, '2025-04-13T04:00:00Z', 'PASSED', { reason: 'retest' })
  }
  return one
}

const AT = '2025-04-14T10:00:00.000Z'
const PERIOD = { from: '2025-03-01T00:00:00.000Z', to: AT }

function told(one: Story, asked: Pick<PackTold['pack'], 'period' | 'filter'> = { period: PERIOD }): PackTold {
  const contract = contractOf(
    [versionOf(1, '2025-01-01', { sets: [setOf({ restoreTest: { every: 'P1M', rto: 'PT4H' } })] })],
    { regimes: ['gdpr', 'nis2'], customer: { name: 'Havfruen & Søn <ApS>', cvr: '33445566' } },
  )
  const statements = one.facts.map((fact, leafIndex) => ({
    leafIndex,
    counted: true,
    paeDigest: sha256Hex(JSON.stringify(fact.statement)),
    ...fact,
  }))
  const gist = new Gist(asked, contract, new Date(AT))
  for (const statement of statements) gist.add(statement)
  const marks = new ClauseMarks(asked, contract)
  return {
    contract,
    gist,
    checkpoint: NOTE,
    answer: evaluate({ contract, facts: one.facts, at: new Date(AT) }),
    texts: [{ revision: 1, yaml: YAML }],
    // oxlint-disable-next-line require-await -- as a store's would be
    envelopes: async function* envelopes() {
      yield ENVELOPES
    },
    // oxlint-disable-next-line require-await -- likewise
    table: async function* table() {
      yield formatTableHead(asked)
      for (const { statement, ...rest } of statements) {
        const [inPeriod, clauses] = [isInPeriod(statement, asked.period), marks.of(statement)]
        yield formatRow({ ...rest, statement, inPeriod, clauses })
      }
    },
    pack: {
      format: 'bevis-evidence-pack/v1',
      tenant: 'havfruen',
      contract: { id: 'AFT-1', customer: contract.customer.name, texts: [] },
      ...asked,
      verdict: { at: AT, knownAt: AT },
      madeAt: AT,
      log: { origin: 'collector.test/log', size: 40 },
      population: {
        statements: statements.length,
        leaves: statements.length,
        inPeriod: statements.length,
        chains: [
          { agent: 'agent-1', epoch: 1, statements: statements.length, lastSeq: statements.length, head: '' },
        ],
      },
    },
  }
}

const report = (one: Story, language: Language = 'en', seal?: Seal) =>
  writeEvidenceReport(told(one), { voice: (zone) => voiceOf(language, zone), seal })

/** Words, as a reader sees them in their order. */
const wordsOf = (text: string) => text.replaceAll(/\s+/g, ' ')

describe('what it says', () => {
  test('which clauses were asked for, and how much is marked of how much', async (context) => {
    const clauses: ClauseId[] = ['iso27001-8.13', 'gdpr-5']
    const asked = { period: { ...PERIOD, from: '2025-03-15T00:00:00.000Z' }, filter: { clauses } }
    const one = told(story(), asked)
    const marks = new ClauseMarks(asked, one.contract)
    for (const { statement } of story().facts) marks.add(statement)
    const marked = marks.counted()
    if (marked === undefined) throw new Error('clauses were asked for')
    expect(marked.inPeriod).toBeLessThan(marked.statements)
    const pack = { ...one.pack, population: { ...one.pack.population, marked } }
    const { inPeriod, statements: all } = marked
    for (const [language, heading] of [
      ['en', 'Marked by clause'],
      ['da', 'Mærket efter bestemmelse'],
    ] as const) {
      const pdf = await writeEvidenceReport({ ...one, pack }, { voice: (zone) => voiceOf(language, zone) })
      const text = wordsOf(runOn(context, pdf, 'pdftotext', '-layout', '{}', '-'))
      expect(text).toContain(heading)
      expect(text).toMatch(
        new RegExp(`: ${inPeriod} (in the period, ${all} in all|i perioden, ${all} i alt)`),
      )
      // Backups, inventories and restore tests: this clause's are all that are marked.
      expect(text).toContain(`ISO/IEC 27001:2022 A.8.13 ${inPeriod} ${all} iso27001-8.13`)
      expect(text).toContain('gdpr-5')
    }
    const plain = wordsOf(runOn(context, await report(story()), 'pdftotext', '-layout', '{}', '-'))
    expect(plain).not.toContain('Marked by clause')
  })

  test('nothing is green that is not: a missed day, a failed test and its retest', async (context) => {
    const text = wordsOf(
      runOn(context, await report(story({ failing: true })), 'pdftotext', '-layout', '{}', '-'),
    )
    expect(text).toContain('breached')
    expect(text).toContain('A promised recovery point was not 1 Sat, 5 Apr 2025')
    expect(text).toContain('The same snapshot passed on 13 Apr 2025, 06:05.')
    expect(text).toContain('Nobody has signed that it was looked at.')
    expect(text).toContain('No bound: what failed is told above.')
    expect(text).toMatch(/1 to \d+ unbroken/)
    expect(text).toMatch(/supports in part: .* nothing of E\d/)
    expect(text).toContain('it certifies none')
    expect(text.match(/certif/g)).toHaveLength(1)
  })

  test('every promise that the period counts as broken is an exception, also when it is owed no more', async (context) => {
    const one = new Story()
    one.days('2025-03-01', '2025-04-10', { without: ['2025-03-03', '2025-04-05'] })
    const text = wordsOf(runOn(context, await report(one), 'pdftotext', '-layout', '{}', '-'))
    expect(text).toMatch(/A promised recovery point was not 2 Sat, 5 Apr 2025; Mon, 3 Mar 2025/)
  })

  test('damage that a data check found, and what came of it', async (context) => {
    const one = story()
    one.check('2025-04-12T04:00:00Z', 'FAILED')
    const stands = wordsOf(runOn(context, await report(one), 'pdftotext', '-layout', '{}', '-'))
    expect(stands).toContain('vts-01 3/8')
    expect(stands).toContain('The same packs have not been read again and found sound.')
    one.check('2025-04-13T04:00:00Z', 'PASSED')
    const over = wordsOf(runOn(context, await report(one, 'da'), 'pdftotext', '-layout', '{}', '-'))
    expect(over).toContain('De samme pakker var 13. apr. 2025')
  })

  test('in Danish, with Danish dates and numbers, and how little a sample says', async (context) => {
    const text = wordsOf(runOn(context, await report(story(), 'da'), 'pdftotext', '-layout', '{}', '-'))
    expect(text).toContain('ikke overholdt')
    expect(text).toContain('0 af 50 filer fejlede')
    expect(text).toContain('Under 6 % af alle filer')
    // Never rounded to less than it is.
    expect(text).toContain('5,9 %')
    expect(text).toContain('1. mar. 2025')
    expect(text).toContain('den certificerer ingen')
  })

  test('where nothing was tested, that is said', async (context) => {
    const text = wordsOf(
      runOn(context, await report(story({ testing: false })), 'pdftotext', '-layout', '{}', '-'),
    )
    expect(text).toContain('No restore test was made in the period, so nothing was chosen.')
    expect(text).not.toContain('Results of restore tests')
  })
})

describe('as a file', () => {
  test('the same inputs give the same bytes', async () => {
    const [one, other] = [await report(story()), await report(story())]
    expect(one.equals(other)).toBe(true)
    expect(one.equals(await report(story({ failing: true })))).toBe(false)
  })

  test('it is sound, tagged, in a language, and has all its fonts in it', async (context) => {
    const pdf = await report(story({ failing: true }), 'da')
    expect(runOn(context, pdf, 'qpdf', '--check', '{}')).toContain('No syntax or stream encoding errors')
    const fonts = runOn(context, pdf, 'pdffonts', '{}').trimEnd().split('\n').slice(2)
    expect(fonts.length).toBeGreaterThan(0)
    for (const font of fonts)
      expect(font).toMatch(/SourceSans3-\w+\s+CID TrueType\s+Identity-H\s+yes yes yes/)
    expect(runOn(context, pdf, 'pdfinfo', '{}')).toMatch(/Tagged:\s+yes/)
    const tags = runOn(context, pdf, 'pdfinfo', '-struct', '{}')
    for (const tag of ['Document', 'H1', 'H2', 'Table', 'THead', 'TBody', 'TH', 'TD', 'LBody'])
      expect(tags).toContain(tag)
    const text = pdf.toString('latin1')
    expect(text).toMatch(/\/Lang \(da-DK\)/)
    expect(text).toMatch(/<pdfaid:part>3<[\s\S]*<pdfaid:conformance>B</)
    // Whatever an agent sends stays text, also what a font cannot write.
    const words = wordsOf(runOn(context, pdf, 'pdftotext', '-layout', '{}', '-')).replaceAll(' ', '')
    expect(words).toContain('\\u{7}endobj')
    expect(words).toContain('\\u{6F22}\\u{5B57}<&>.pdf')
  })

  test('what is attached comes out byte for byte', async (context) => {
    const files = attachmentsOf(context, await report(story()))
    expect([...files.keys()].toSorted()).toEqual([
      'checkpoint-40.txt',
      'contract-1.yaml',
      'evidence.csv',
      'evidence.intoto.jsonl',
      'verdict.json',
    ])
    expect(files.get('evidence.intoto.jsonl')?.toString()).toBe(ENVELOPES)
    expect(files.get('checkpoint-40.txt')?.toString()).toBe(NOTE)
    expect(JSON.parse(files.get('verdict.json')?.toString() ?? '')).toEqual(told(story()).answer)
  })
})

describe('sealed', () => {
  test.for(['rsa', 'ec'] as const)(
    '%s: pdfsig is content, and no longer when a byte changes',
    async (kind, context) => {
      const seal = await openSeal(certificateOf(context, kind))
      const pdf = await report(story({ failing: true }), 'en', seal)
      expect(runOn(context, pdf, 'qpdf', '--check', '{}')).toContain('No syntax or stream encoding errors')
      const told = runOn(context, pdf, 'pdfsig', '-nocert', '{}')
      expect(told).toContain('Signature is Valid')
      expect(told).toContain('Total document signed')
      expect(told).toContain('ETSI.CAdES.detached')
      const changed = Buffer.from(pdf)
      changed.write('E', changed.indexOf('e30='), 'latin1')
      expect(runOn(context, changed, 'pdfsig', '-nocert', '{}')).toContain('Digest Mismatch')
    },
  )

  test('a certificate of another key is refused before anything is written', async (context) => {
    const [one, other] = [certificateOf(context, 'ec'), certificateOf(context, 'ec')]
    await expect(openSeal({ cert: one.cert, key: other.key })).rejects.toThrow(BevisError)
    await expect(openSeal({ cert: 'nothing', key: other.key })).rejects.toMatchObject({ code: 'KEY_INVALID' })
    await expect(openSeal({ cert: one.cert, key: 'nothing' })).rejects.toMatchObject({ code: 'KEY_INVALID' })
  })
})
