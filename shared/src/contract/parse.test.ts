import { describe, expect, test } from 'vitest'
import { parseContract } from './parse.ts'
import { contractFor, keeping, setOf, versionOf } from './story-for-tests.ts'

const TEXT = `id: AFT-2025-052
provider: {name: Nordlys IT-drift ApS, cvr: "11223344"}
customer: {name: Havfruen Keramik ApS, cvr: "33445566"}
regimes: [gdpr]
term: {start: 2025-03-01}
versions:
- no: 1
  effectiveFrom: 2025-03-01
  acceptances:
  - {party: customer, person: A, at: 2025-02-01T10:00:00Z}
  - {party: provider, person: B, at: 2025-02-01T11:00:00+01:00}
  sets:
  - id: shop
    selector: {repository: hfk-web, hosts: [web1], requiredPaths: [/srv/shop]}
    retention:
      wording: Seneste 14 dage
      min: [{per: day, keep: 14}]
`

function parse(versions: unknown[], more = {}) {
  return parseContract(
    JSON.stringify({
      id: 'A',
      provider: { name: 'P' },
      customer: { name: 'C' },
      term: { start: '2025-01-01' },
      versions,
      ...more,
    }),
  )
}

const withSet = (more: Record<string, unknown>, contract = {}) =>
  parse([versionOf(1, '2025-01-01', { sets: [setOf(more)] })], contract)
const messages = ({ errors }: ReturnType<typeof parse>) => errors.map(({ message }) => message)

describe('a contract that is in order', () => {
  const { contract, errors, warnings } = parseContract(TEXT)

  test('has no problems and all its defaults', () => {
    expect([errors, warnings]).toEqual([[], []])
    expect(contract).toMatchObject({ timezone: 'Europe/Copenhagen', holidays: 'DK', currency: 'DKK' })
    expect(contract?.term.renewal).toBe('auto')
    const version = contract?.versions[0]
    expect(version?.amendmentPolicy).toBe('extend-live')
    expect(version?.sets[0]).toMatchObject({
      personalData: 'none',
      partial: 'reject',
      schedule: { every: 'P1D', dayStartsAt: '00:00', days: 'all', lateGrace: 'PT6H' },
      evidence: {
        inventoryEvery: 'PT12H',
        freshFor: 'PT26H',
        unknownAfter: 'PT72H',
        silenceBreachAfter: 'P7D',
        clockTolerance: 'PT5M',
        quarantineOver: 'PT1H',
      },
    })
  })
})

describe('problems are told at once, each with its place and cure', () => {
  test('unknown keys by their own line', () => {
    const { errors, contract } = parseContract(
      TEXT.replace('regimes:', 'regime:').replace('keep: 14', 'keep: 14, keeep: 3'),
    )
    expect(contract).toBeUndefined()
    expect(errors).toMatchObject([
      {
        line: 4,
        column: 1,
        path: 'regime',
        message: 'unknown key "regime"',
        cure: 'Did you mean "regimes"?',
      },
      expect.objectContaining({
        line: 17,
        path: 'versions.0.sets.0.retention.min.0.keeep',
        cure: 'Did you mean "keep"?',
      }),
    ])
  })

  test('a key in the wrong place is sent to the right one', () => {
    const { errors } = parseContract(TEXT.replace('    retention:', '    lateGrace: PT1H\n    retention:'))
    expect(errors).toEqual([
      expect.objectContaining({
        line: 15,
        message: 'unknown key "lateGrace"',
        cure: 'Move it to "schedule".',
      }),
    ])
  })

  test('what is missing, and what is of another kind', () => {
    const { errors } = parseContract(
      TEXT.replace('      wording: Seneste 14 dage\n', '')
        .replace('cvr: "33445566"', 'cvr: 33445566')
        .replace('keep: 14', 'keep: some'),
    )
    expect(errors.map(({ line, message }) => [line, message])).toEqual([
      [3, '"cvr" is 33445566, which is not eight digits in quotes'],
      [16, '"wording" is missing'],
      [16, '"keep" is "some", which is not a whole number'],
    ])
  })

  test('a wrong shape here does not hide a wrong promise there', () => {
    const { errors } = parseContract(
      TEXT.replace('regimes: [gdpr]', 'regimes: [gdprr]').replace(
        '    retention:',
        '    schedule: {every: P1D, rpo: PT1H}\n    retention:',
      ),
    )
    expect(errors.map(({ line }) => line)).toEqual([4, 15])
  })

  test('that nothing is accepted is told beside what is wrong with a set', () => {
    const broken = versionOf(1, '2025-01-01', { acceptances: [], sets: [setOf({ colour: 'red' })] })
    expect(messages(parse([broken]))).toEqual([
      'no version has been accepted by both parties, so nothing is in force',
      'unknown key "colour"',
    ])
  })

  test.each([
    ['a date that is none', { onboardedAt: '2025-02-29' }],
    ['a time that is none', { schedule: { dayStartsAt: '24:00' } }],
    ['a duration that is none', { schedule: { every: '1d' } }],
    ['a duration of nothing', { schedule: { every: 'P0D' } }],
    ['a half duration', { schedule: { every: 'P1DT' } }],
    ['no host', { selector: { repository: 'r', hosts: [], requiredPaths: [] } }],
    ['a share above all', { partial: { maxFailedPct: 101 } }],
  ])('%s is refused', (_, more) => {
    expect(withSet(more).errors).toHaveLength(1)
  })

  test('YAML that is none is told with its place', () => {
    expect(parseContract('id: [a\nb: }').errors[0]).toMatchObject({ line: expect.any(Number) as number })
    expect(parseContract('id: a\nid: b').errors[0]).toMatchObject({ line: 2, cure: 'Keep one of the two.' })
    expect(parseContract('').errors).toHaveLength(1)
    expect(parseContract('- a').errors).toHaveLength(1)
  })

  test('aliases that multiply are refused, not followed', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((key, at) => `${key}: &${key} [${`*${'abcdefg'[at]},`.repeat(9)}]`),
    ].join('\n')
    expect(parseContract(bomb).errors).toHaveLength(1)
  })

  test('a zone that is none', () => {
    expect(messages(withSet({}, { timezone: 'Europe/Kobenhavn' }))).toEqual([
      '"timezone" is "Europe/Kobenhavn", which is not a time zone like Europe/Copenhagen',
    ])
  })
})

describe('refused', () => {
  const capped = (min: object[], age: string) => withSet({ retention: keeping(min as never, { age }) })

  test.each([
    [[{ per: 'month', keep: 6 }], 'P6M', false],
    [[{ per: 'month', keep: 6 }], 'P7M', true],
    [[{ per: 'day', keep: 30 }], 'P1M', false],
    [[{ per: 'day', keep: 30 }], 'P31D', true],
    [[{ per: 'day', keep: 365 }], 'P1Y', false],
    [[{ per: 'week', keep: 8 }], 'P9W', true],
    [[{ per: 'hour', keep: 48 }], 'P2D', false],
    [
      [
        { per: 'hour', keep: 48 },
        { per: 'year', keep: 5 },
      ],
      'P5Y',
      false,
    ],
    [[{ per: 'fiscalYear', keep: 5, fyEnd: '12-31', closeAfter: 'P5M' }], 'P6Y', true],
  ])('a ceiling below the longest tier and a bucket: %j under %s', (min, age, fine) => {
    expect(capped(min, age).errors).toHaveLength(fine ? 0 : 1)
  })

  test('a backup too rare for the recovery point', () => {
    expect(messages(withSet({ schedule: { every: 'P1D', rpo: 'PT1H' } }))).toEqual([
      'a backup every P1D cannot keep a recovery point of PT1H',
    ])
    expect(withSet({ schedule: { every: 'PT1H', rpo: 'P1D' } }).errors).toEqual([])
    expect(withSet({ schedule: { every: 'P1D', rpo: 'PT24H' } }).errors).toEqual([])
  })

  test('two accepted versions from one day, or none accepted', () => {
    expect(messages(parse([versionOf(1, '2025-01-01'), versionOf(2, '2025-01-01')]))).toEqual([
      'versions 1 and 2 are both accepted from 2025-01-01',
    ])
    const draft = versionOf(2, '2025-01-01', { acceptances: [] })
    expect(parse([versionOf(1, '2025-01-01'), draft]).errors).toEqual([])
    expect(messages(parse([draft]))).toEqual([
      'no version has been accepted by both parties, so nothing is in force',
    ])
  })

  test('bogforingsloven without five fiscal years', () => {
    const books = (keep: number) =>
      withSet(
        { retention: keeping([{ per: 'fiscalYear', keep, fyEnd: '06-30', closeAfter: 'P5M' }]) },
        { regimes: ['bogforingsloven'] },
      )
    expect(books(4).errors).toHaveLength(1)
    expect(books(5).errors).toEqual([])
  })

  test('a copy in the repository that it copies, and ids that are there twice', () => {
    expect(
      withSet({ copies: [{ role: 'offsite', repository: 'vts-01', region: 'DK' }] }).errors,
    ).toHaveLength(1)
    expect(parse([versionOf(1, '2025-01-01', { sets: [setOf(), setOf()] })]).errors).toHaveLength(1)
    expect(parse([versionOf(1, '2025-01-01'), versionOf(1, '2025-02-01')]).errors).toHaveLength(1)
  })
})

describe('warned', () => {
  const warnings = (more: Record<string, unknown>, contract = {}) =>
    withSet(more, contract).warnings.map(({ message }) => message)

  test('a penalty that nothing can count', () => {
    const measured = (measure: string) =>
      parseContract(
        JSON.stringify({
          ...contractFor({}),
          versions: [
            versionOf(1, '2025-01-01', { penalties: [{ measure, per: 'month', pctOfMonthlyFee: 1 }] }),
          ],
        }),
      ).warnings.map(({ message }) => message)
    expect(measured('retention.lost')).toEqual([])
    expect(measured('evidence')).toEqual([])
    expect(measured('retention.sold')).toEqual([
      'nothing here can count "retention.sold": its credits are settled by the parties',
    ])
  })

  test('"up to" without a floor', () => {
    const upTo = { wording: 'Gemmes i op til 30 dage', min: [] }
    expect(warnings({ retention: upTo })).toEqual([
      'this is a ceiling without a floor: nothing need be kept at all',
    ])
    expect(warnings({ retention: { ...upTo, min: [{ per: 'day', keep: 30 }] } })).toEqual([])
  })

  test('special-category data without a ceiling', () => {
    expect(warnings({ personalData: 'special' })).toHaveLength(1)
    expect(
      warnings({ personalData: 'special', retention: keeping([{ per: 'day', keep: 30 }], { age: 'P2M' }) }),
    ).toEqual([])
  })

  test('nis2 without recovery time, off-site copy and tests', () => {
    expect(warnings({}, { regimes: ['nis2'] })).toHaveLength(3)
    const fine = {
      restoreTest: { rto: 'PT8H' },
      copies: [{ role: 'offsite', repository: 'vault', region: 'DK' }],
    }
    expect(warnings(fine, { regimes: ['nis2'] })).toEqual([])
  })

  test('what means nothing where it stands', () => {
    expect(warnings({ retention: keeping([{ per: 'day', keep: 3, fyEnd: '06-30' }]) })).toHaveLength(1)
    expect(warnings({ retention: keeping([{ per: 'fiscalYear', keep: 3 }]) })).toHaveLength(1)
  })

  test('a set that an amendment would let begin anew', () => {
    const amended = (more: Record<string, unknown>) =>
      parse([versionOf(1, '2025-01-01'), versionOf(2, '2025-06-01', { sets: [setOf(more)] })]).warnings
    expect(amended({ onboardedAt: undefined })).toMatchObject([
      {
        quote: expect.stringContaining('filer'),
        message: expect.stringContaining('without onboardedAt it begins anew on 2025-06-01'),
        da: { message: expect.stringContaining('begynder det forfra den 2025-06-01') },
      },
    ])
    expect(amended({ onboardedAt: '2025-03-01' })).toEqual([])
    expect(amended({ id: 'another', onboardedAt: undefined })).toEqual([])
  })

  test('a unit that the version does not declare, with other units or with none', () => {
    const declared = (units?: object[]) =>
      parse([versionOf(1, '2025-01-01', { units, sets: [setOf({ unit: 'ribe' })] })]).warnings
    for (const units of [undefined, [{ id: 'vejle', name: 'Vejle' }]]) {
      expect(declared(units)).toMatchObject([
        {
          quote: expect.stringContaining('ribe'),
          message: 'the unit "ribe" is not among the version\'s units',
          da: { message: 'enheden "ribe" er ikke blandt versionens enheder' },
        },
      ])
    }
    expect(declared([{ id: 'ribe', name: 'Ribe' }])).toEqual([])
  })
})

describe('in both languages', () => {
  test('a problem quotes its line, and says in Danish what it says in English', () => {
    const { errors, warnings } = parseContract(
      TEXT.replace('regimes: [gdpr]', 'regimes: [nis3]')
        .replace('Seneste 14 dage', 'Op til 14 dage')
        .replace('[{per: day, keep: 14}]', '[]'),
    )
    expect(errors).toMatchObject([
      {
        line: 4,
        quote: 'regimes: [nis3]',
        da: {
          message: expect.stringMatching(/^"regimes" er "nis3", hvilket ikke er en af bogforingsloven, gdpr/),
          cure: expect.stringMatching(/^Skriv en af /),
        },
      },
    ])
    expect(warnings).toMatchObject([
      {
        quote: 'min: []',
        message: expect.stringContaining('a ceiling without a floor'),
        da: { message: expect.stringContaining('en længste opbevaring uden en mindste') },
      },
    ])
  })

  test('a long line is quoted around the place, and commands no terminal', () => {
    const { errors } = parseContract(`${JSON.stringify({ a: 'x'.repeat(400) }).slice(0, -1)},"b":"\u009b2J"}`)
    expect(errors.map(({ quote }) => quote)).toContainEqual(expect.stringMatching(/^\.\.\.x+","b":"\?2J"}$/))
  })

  const versionless = parse([])
  const wrongs = [
    versionless,
    parse([versionOf(1, '2025-01-01', { acceptances: [] })]),
    parse([versionOf(1, '2025-01-01'), versionOf(1, '2025-01-01')]),
    parse([versionOf(1, '2025-01-01', { sets: [setOf(), setOf()] })], {
      regimes: ['bogforingsloven', 'nis2'],
    }),
    parse([], {
      term: { start: '2025-02-01', end: '2025-01-01' },
      timezone: 'X',
      currency: 'kr',
      holidays: 'SE',
    }),
    parse([], {
      customer: { name: '', cvr: '1', contacts: [{ name: 'A', email: 'x', role: 'r' }] },
      monthlyFee: -1,
    }),
    withSet({
      id: 'No Slug',
      unit: 3,
      selector: { repository: '', hosts: [], requiredPaths: [1] },
      content: { maxDropPct: 200 },
      schedule: { every: 'P0D', window: { from: '25:00' }, dayStartsAt: 6 },
      retention: { min: {} },
      partial: { maxFailedPct: 'x' },
      restoreTest: { sample: { files: 0 } },
      onboardedAt: 'today',
    }),
    withSet({
      selector: { repository: 'a', hosts: ['a', 'b'], requiredPaths: [] },
      schedule: { every: 'P1D', rpo: 'PT1H', lateGrace: 'P9D' },
      retention: keeping(
        [
          { per: 'day', keep: 3, anchor: 'SAT', fyEnd: '12-31' },
          { per: 'fiscalYear', keep: 1 },
        ],
        {
          age: 'P1D',
        },
      ),
      copies: [{ role: 'offsite', repository: 'a', region: 'x' }],
      unit: 'none',
    }),
    parseContract('a: [1'),
    parseContract('a: 1\na: 2'),
  ]

  test('nothing is left in English', () => {
    const said = wrongs.flatMap(({ errors, warnings }) => [...errors, ...warnings])
    expect(said.length).toBeGreaterThan(40)
    for (const { message, cure, da } of said) {
      expect(da.message).not.toBe(message)
      expect(da.cure).not.toBe(cure)
      if (!da.message.startsWith('YAML')) {
        expect(`${da.message} ${da.cure}`).not.toMatch(/\b(is|not|which|the|write|add|like|above|least)\b/i)
      }
    }
  })
})

describe('warned of', () => {
  const warningsOf = (more: Record<string, unknown>) => withSet(more).warnings.map(({ message }) => message)

  test('a day of the week that a tier of days cannot ask for', () => {
    expect(warningsOf({ retention: keeping([{ per: 'day', keep: 14, anchor: 'SAT' }]) })).toEqual([
      expect.stringContaining('asks for the other days too'),
    ])
  })

  test('a grace that outlasts what is kept', () => {
    const hourly = (lateGrace: string) =>
      warningsOf({ schedule: { every: 'PT1H', lateGrace }, retention: keeping([{ per: 'hour', keep: 6 }]) })
    expect(hourly('PT7H')).toEqual([expect.stringContaining('is longer than hour x 6 is kept')])
    expect(hourly('PT6H')).toEqual([])
  })

  test('several hosts, of which one is enough', () => {
    const selector = { repository: 'vts-01', hosts: ['a', 'b'], requiredPaths: [] }
    expect(warningsOf({ selector })).toEqual([expect.stringContaining('any of a, b is enough')])
  })
})

test('hostile YAML has nothing to say to the process', async () => {
  const told: Error[] = []
  const listen = (warning: Error): void => void told.push(warning)
  process.on('warning', listen)
  try {
    parseContract('? [a, {b: c}]\n: 1\n? {d: e}\n: !unknown 2\n')
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('warning', listen)
  }
  expect(told).toEqual([])
})
