import { describe, expect, test } from 'vitest'
import { MEASURE_NAMES } from './breach.ts'
import { measureInWords } from './plain/measure.ts'
import { describeChanges, describeContract, formatPlain } from './plain.ts'
import { contractOf, setOf, versionOf } from './story-for-tests.ts'

type Terms = Record<string, unknown>

/** A set in which everything is said. */
function fullSet(): Terms {
  return setOf({
    unit: 'kontor',
    criticality: 2,
    personalData: 'ordinary',
    content: { maxDropPct: 20, minFiles: 1000, canaries: ['/srv/data/a'] },
    schedule: {
      every: 'P1D',
      window: { from: '22:00', to: '05:00' },
      dayStartsAt: '18:00',
      days: 'business',
      lateGrace: 'PT6H',
      rpo: 'P2D',
    },
    retention: {
      wording: 'Dagligt i 30 dage.',
      min: [
        { per: 'day', keep: 30, basis: 'buckets', countBasis: 'calendar', anchor: 'SAT' },
        { per: 'fiscalYear', keep: 5, fyEnd: '12-31', closeAfter: 'P5M' },
      ],
      max: { age: 'P7Y', purgeGrace: 'P30D' },
    },
    partial: { maxFailedPct: 0.1, neverPaths: ['/srv/data/ledger'] },
    copies: [{ role: 'offsite', repository: 'vault', region: 'EEA', lag: 'P1D', immutableFor: 'P30D' }],
    encryption: { required: true, keyHolder: 'customer' },
    restoreTest: {
      every: 'P3M',
      grace: 'P14D',
      mode: 'sample',
      sample: { files: 50 },
      fullEvery: 'P1Y',
      ladder: 'P6M',
      rto: 'P1D',
    },
    evidence: {
      inventoryEvery: 'PT12H',
      freshFor: 'PT26H',
      unknownAfter: 'PT72H',
      silenceBreachAfter: 'P7D',
      clockTolerance: 'PT5M',
      quarantineOver: 'PT1H',
    },
  })
}

function fullVersion(no: number, from: string, set: Terms = fullSet(), more: Terms = {}): Terms {
  return versionOf(no, from, {
    sets: [set],
    units: [{ id: 'kontor', name: 'Kontor', site: 'Ribe' }],
    exclusions: [
      {
        sets: ['filer'],
        from: '2025-04-01',
        to: '2025-04-02',
        reason: 'flytning',
        approvedBy: [],
        noticeAt: '2025-03-01',
      },
    ],
    holds: [
      {
        sets: ['filer'],
        covers: { from: '2025-01-01', to: '2025-02-01' },
        authority: 'Sag 1',
        start: '2025-03-01',
        end: '2025-09-01',
      },
    ],
    penalties: [
      { measure: 'retention.lost', per: 'day', pctOfMonthlyFee: 2, capPct: 15, mustBeClaimed: true },
    ],
    escalation: [{ after: 'P1D', to: 'driftschef' }],
    ...more,
  })
}

test.each(MEASURE_NAMES)('the measure %s has words of its own in both languages', (name) => {
  const [danish, english] = [measureInWords(name, 'da'), measureInWords(name, 'en')]
  expect(danish).toMatch(/ /)
  expect(english).toMatch(/ /)
  expect(danish).not.toBe(english)
})

describe.each(['da', 'en'] as const)('in %s', (language) => {
  const changesOf = (before: Terms, after: Terms) => {
    const [one, two] = contractOf([before, after]).versions
    return describeChanges(one!, two!, language).parts
  }

  test('the same terms are no change', () => {
    expect(
      changesOf(
        fullVersion(1, '2025-03-01', { ...fullSet(), onboardedAt: '2025-03-01' }),
        fullVersion(2, '2025-05-01'),
      ),
    ).toEqual([])
  })

  /** Every value of the set, by its path, and another one that is allowed there. */
  const others: [string, unknown][] = [
    ['unit', 'lager'],
    ['criticality', 3],
    ['personalData', 'special'],
    ['selector.repository', 'vts-02'],
    ['selector.hosts', ['srv1', 'srv2']],
    ['selector.requiredPaths', ['/srv/other']],
    ['onboardedAt', '2025-03-02'],
    ['content.maxDropPct', 21],
    ['content.minFiles', 999],
    ['content.canaries', ['/srv/data/b']],
    ['schedule.every', 'PT12H'],
    ['schedule.window.from', '21:00'],
    ['schedule.window.to', '06:00'],
    ['schedule.dayStartsAt', '17:00'],
    ['schedule.days', 'all'],
    ['schedule.lateGrace', 'PT7H'],
    ['schedule.rpo', 'P3D'],
    ['retention.wording', 'Andet.'],
    ['retention.min.0.per', 'week'],
    ['retention.min.0.keep', 31],
    ['retention.min.0.basis', 'generations'],
    ['retention.min.0.countBasis', 'expected'],
    ['retention.min.0.anchor', 'SUN'],
    ['retention.min.1.fyEnd', '06-30'],
    ['retention.min.1.closeAfter', 'P4M'],
    ['retention.max.age', 'P8Y'],
    ['retention.max.purgeGrace', 'P31D'],
    ['partial.maxFailedPct', 0.2],
    ['partial.neverPaths', ['/srv/data/other']],
    ['copies.0.role', 'offline'],
    ['copies.0.repository', 'vault-2'],
    ['copies.0.region', 'DK'],
    ['copies.0.lag', 'P2D'],
    ['copies.0.immutableFor', 'P31D'],
    ['encryption.required', false],
    ['encryption.keyHolder', 'provider'],
    ['restoreTest.every', 'P4M'],
    ['restoreTest.grace', 'P15D'],
    ['restoreTest.mode', 'full'],
    ['restoreTest.sample.files', 51],
    ['restoreTest.fullEvery', 'P2Y'],
    ['restoreTest.ladder', 'P5M'],
    ['restoreTest.rto', 'P2D'],
    ['evidence.inventoryEvery', 'PT13H'],
    ['evidence.freshFor', 'PT27H'],
    ['evidence.unknownAfter', 'PT73H'],
    ['evidence.silenceBreachAfter', 'P8D'],
    ['evidence.clockTolerance', 'PT6M'],
    ['evidence.quarantineOver', 'PT2H'],
  ]

  test.each(others)('a change of %s is said, once', (path, value) => {
    const changed = structuredClone(fullSet())
    put(changed, path.split('.'), value)
    const parts = changesOf(fullVersion(1, '2025-03-01'), fullVersion(2, '2025-05-01', changed))
    expect(parts.flatMap(({ sentences }) => sentences)).toHaveLength(1)
  })

  test('the list of what is varied above is whole', () => {
    const leaves = (value: unknown, path: string): string[] =>
      typeof value === 'object' && value !== null && !(Array.isArray(value) && typeof value[0] === 'string')
        ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`))
        : [path]
    const varied = new Set(others.map(([path]) => path.replace('min.1', 'min.0')))
    const whole = leaves(fullSet(), '').map((path) => path.replace('min.1', 'min.0'))
    expect(whole.filter((path) => !varied.has(path))).toEqual(['id'])
  })

  test.each([
    ['units', []],
    ['exclusions', []],
    ['holds', []],
    ['penalties', []],
    ['escalation', []],
  ])('what is said for all sets: %s', (key, value) => {
    const parts = changesOf(
      fullVersion(1, '2025-03-01'),
      fullVersion(2, '2025-05-01', fullSet(), { [key]: value }),
    )
    expect(parts[0]?.sentences).toHaveLength(1)
  })

  test('sets that come and go', () => {
    const parts = changesOf(
      fullVersion(1, '2025-03-01'),
      fullVersion(2, '2025-05-01', { ...fullSet(), id: 'ny' }),
    )
    expect(parts.map(({ heading }) => heading)).toEqual(
      expect.arrayContaining([expect.stringContaining('ny'), expect.stringContaining('filer')]),
    )
  })
})

function put(holder: unknown, [key, ...rest]: string[], value: unknown): void {
  const map = holder as Record<string, unknown>
  if (key === undefined) return
  if (rest.length === 0) map[key] = value
  else put(map[key], rest, value)
}

const contract = contractOf([
  fullVersion(1, '2025-03-01'),
  fullVersion(2, '2025-07-01', {
    ...fullSet(),
    schedule: { every: 'PT1H' },
    retention: { wording: 'Op til 60 dage.', min: [{ per: 'day', keep: 60 }] },
    restoreTest: undefined,
  }),
])

test('a contract cannot command a terminal', () => {
  const hostile = contractOf([versionOf(1, '2025-03-01', { changeNote: 'a\u001b[2Jb' })])
  expect(formatPlain(describeContract(hostile, 'en')).join('\n')).toContain('a?[2Jb')
})

test('the text in English', () => {
  expect(formatPlain(describeContract(contract, 'en')).join('\n')).toMatchInlineSnapshot(`
    "Contract AFT-1: what Nordlys promises Havfruen.
    From 1 January 2025, renewed by itself.
    Dates and times are those of Europe/Copenhagen, public holidays Denmark’s.

    Version 1, in force from 1 March 2025
      Unit kontor: Kontor, Ribe.
      Nothing is owed for filer from 1 April 2025 to 2 April 2025, both included (flytning), once both parties have approved it. Notice was given on 1 March 2025.
      Nothing of filer from 1 January 2025 to 1 February 2025 may be deleted (Sag 1), from 1 March 2025 until 1 September 2025.
      Credit for an owed snapshot that is gone (retention.lost): 2% of the monthly fee per day, at most 15%, if it is claimed.
      Escalation: after P1D, to driftschef.
      Backup set filer
        The clause: “Dagligt i 30 dage.”
        Unit: kontor. Criticality 2 of 4. Holds ordinary personal data.
        /srv/data of srv1, in the repository vts-01. A backup without it does not count.
        Owed from 1 March 2025.
        A backup every day from 22:00 until 05:00, on working days only. A day runs from 18:00 to 18:00 on the next.
        The newest backup is never more than 2 days old, the grace aside.
        Kept: one a day (taken on a Saturday) for 30 days; one a fiscal year (ending on 31 December, taken within 5 months after) for 5 years.
        What is not there 6 hours after its hour, day, week, month or year has ended is missing.
        Nothing is kept for more than 7 years; it is gone for good 30 days later.
        A backup may lack up to 0.1% of its files, but nothing of /srv/data/ledger.
        A backup with over 20% less than the one before, or with fewer than 1,000 files, counts only once somebody has acknowledged it. Always there: /srv/data/a.
        A copy at another site (EEA), in vault, at most 1 day later; it cannot be deleted for 30 days, which is tried every month.
        Encrypted; the key is held by: customer.
        A restore test every 3 months, at most 14 days late, of 50 files; of everything every year. All is back within 1 day.
        The oldest backup of each kind is tested every 6 months.
        What is there is listed every 12 hours. Without a list for 26 hours it is at risk, for 72 hours unknown, for 7 days breached. Clocks may be 5 minutes off; what is over 1 hour off does not count.

    Version 2, in force from 1 July 2025
      Unit kontor: Kontor, Ribe.
      Nothing is owed for filer from 1 April 2025 to 2 April 2025, both included (flytning), once both parties have approved it. Notice was given on 1 March 2025.
      Nothing of filer from 1 January 2025 to 1 February 2025 may be deleted (Sag 1), from 1 March 2025 until 1 September 2025.
      Credit for an owed snapshot that is gone (retention.lost): 2% of the monthly fee per day, at most 15%, if it is claimed.
      Escalation: after P1D, to driftschef.
      Backup set filer
        The clause: “Op til 60 dage.”
        Unit: kontor. Criticality 2 of 4. Holds ordinary personal data.
        /srv/data of srv1, in the repository vts-01. A backup without it does not count.
        Owed from 1 March 2025.
        A backup every hour.
        The newest backup is never more than 1 hour old, the grace aside.
        Kept: one a day for 60 days.
        What is not there 6 hours after its hour, day, week, month or year has ended is missing.
        How long it may be kept is not limited.
        A backup may lack up to 0.1% of its files, but nothing of /srv/data/ledger.
        A backup with over 20% less than the one before, or with fewer than 1,000 files, counts only once somebody has acknowledged it. Always there: /srv/data/a.
        A copy at another site (EEA), in vault, at most 1 day later; it cannot be deleted for 30 days, which is tried every month.
        Encrypted; the key is held by: customer.
        No restore tests are promised.
        What is there is listed every 12 hours. Without a list for 26 hours it is at risk, for 72 hours unknown, for 7 days breached. Clocks may be 5 minutes off; what is over 1 hour off does not count.

    What version 2 changes in version 1, from 1 July 2025
      Backup set filer
        was: The clause: “Dagligt i 30 dage.” becomes: The clause: “Op til 60 dage.”
        was: A backup every day from 22:00 until 05:00, on working days only. A day runs from 18:00 to 18:00 on the next. becomes: A backup every hour.
        was: The newest backup is never more than 2 days old, the grace aside. becomes: The newest backup is never more than 1 hour old, the grace aside.
        was: Kept: one a day (taken on a Saturday) for 30 days; one a fiscal year (ending on 31 December, taken within 5 months after) for 5 years. becomes: Kept: one a day for 60 days.
        was: Nothing is kept for more than 7 years; it is gone for good 30 days later. becomes: How long it may be kept is not limited.
        was: A restore test every 3 months, at most 14 days late, of 50 files; of everything every year. All is back within 1 day. becomes: No restore tests are promised.
        no longer: The oldest backup of each kind is tested every 6 months.
      What must still be kept on 1 July 2025 is kept on the new terms from then on."
  `)
})

test('the text in Danish', () => {
  expect(formatPlain(describeContract(contract, 'da')).join('\n')).toMatchInlineSnapshot(`
    "Aftale AFT-1: det lover Nordlys Havfruen.
    Fra 1. januar 2025, fornyes af sig selv.
    Datoer og klokkeslæt er dem i Europe/Copenhagen, helligdage er de danske.

    Version 1, gælder fra 1. marts 2025
      Enhed kontor: Kontor, Ribe.
      Der kræves intet for filer fra 1. april 2025 til og med 2. april 2025 (flytning), når begge parter har godkendt det. Varslet den 1. marts 2025.
      Intet af filer fra 1. januar 2025 til og med 1. februar 2025 må slettes (Sag 1), fra 1. marts 2025 til 1. september 2025.
      Bod for et øjebliksbillede, der skulle opbevares, og er væk (retention.lost): 2 % af månedsprisen pr. dag, højst 15 %, hvis det kræves.
      Eskalering: after P1D, to driftschef.
      Backupsæt filer
        Ordlyden: »Dagligt i 30 dage.«
        Enhed: kontor. Kritikalitet 2 af 4. Rummer almindelige personoplysninger.
        /srv/data på srv1, i repositoryet vts-01. En backup uden den tæller ikke.
        Gælder fra 1. marts 2025.
        En backup hver dag fra kl. 22:00 til kl. 05:00, kun på arbejdsdage. Et døgn løber fra kl. 18:00 til kl. 18:00 næste dag.
        Den nyeste backup er aldrig mere end 2 dage gammel, når fristen lægges til side.
        Gemmes: én pr. dag (taget på en lørdag) i 30 dage; én pr. regnskabsår (der slutter den 31. december, taget inden for 5 måneder efter) i 5 år.
        En backup, der ikke er der 6 timer efter, at dens time, døgn, uge, måned eller år er slut, mangler.
        Intet gemmes i mere end 7 år; det er endeligt væk 30 dage efter.
        En backup må mangle op til 0,1 % af sine filer, men intet af /srv/data/ledger.
        En backup med over 20 % mindre end den forrige eller med færre end 1.000 filer tæller først, når nogen har kvitteret for den. Altid med: /srv/data/a.
        En kopi et andet sted (EEA), i vault, højst 1 dag senere; den kan ikke slettes i 30 dage, hvilket prøves hver måned.
        Krypteret; nøglen har: customer.
        En gendannelsestest hver 3. måned, højst 14 dage for sent, af 50 filer; af det hele hvert år. Alt er tilbage inden for 1 dag.
        Den ældste backup af hver slags testes hver 6. måned.
        Hvad der er der, listes hver 12. time. Uden en liste i 26 timer er det i risiko, i 72 timer ukendt, i 7 dage ikke overholdt. Ure må gå 5 minutter forkert; hvad der er over 1 time forkert, tæller ikke.

    Version 2, gælder fra 1. juli 2025
      Enhed kontor: Kontor, Ribe.
      Der kræves intet for filer fra 1. april 2025 til og med 2. april 2025 (flytning), når begge parter har godkendt det. Varslet den 1. marts 2025.
      Intet af filer fra 1. januar 2025 til og med 1. februar 2025 må slettes (Sag 1), fra 1. marts 2025 til 1. september 2025.
      Bod for et øjebliksbillede, der skulle opbevares, og er væk (retention.lost): 2 % af månedsprisen pr. dag, højst 15 %, hvis det kræves.
      Eskalering: after P1D, to driftschef.
      Backupsæt filer
        Ordlyden: »Op til 60 dage.«
        Enhed: kontor. Kritikalitet 2 af 4. Rummer almindelige personoplysninger.
        /srv/data på srv1, i repositoryet vts-01. En backup uden den tæller ikke.
        Gælder fra 1. marts 2025.
        En backup hver time.
        Den nyeste backup er aldrig mere end 1 time gammel, når fristen lægges til side.
        Gemmes: én pr. dag i 60 dage.
        En backup, der ikke er der 6 timer efter, at dens time, døgn, uge, måned eller år er slut, mangler.
        Der er ingen grænse for, hvor længe det må gemmes.
        En backup må mangle op til 0,1 % af sine filer, men intet af /srv/data/ledger.
        En backup med over 20 % mindre end den forrige eller med færre end 1.000 filer tæller først, når nogen har kvitteret for den. Altid med: /srv/data/a.
        En kopi et andet sted (EEA), i vault, højst 1 dag senere; den kan ikke slettes i 30 dage, hvilket prøves hver måned.
        Krypteret; nøglen har: customer.
        Der loves ingen gendannelsestest.
        Hvad der er der, listes hver 12. time. Uden en liste i 26 timer er det i risiko, i 72 timer ukendt, i 7 dage ikke overholdt. Ure må gå 5 minutter forkert; hvad der er over 1 time forkert, tæller ikke.

    Det ændrer version 2 i version 1, fra 1. juli 2025
      Backupsæt filer
        før: Ordlyden: »Dagligt i 30 dage.« nu: Ordlyden: »Op til 60 dage.«
        før: En backup hver dag fra kl. 22:00 til kl. 05:00, kun på arbejdsdage. Et døgn løber fra kl. 18:00 til kl. 18:00 næste dag. nu: En backup hver time.
        før: Den nyeste backup er aldrig mere end 2 dage gammel, når fristen lægges til side. nu: Den nyeste backup er aldrig mere end 1 time gammel, når fristen lægges til side.
        før: Gemmes: én pr. dag (taget på en lørdag) i 30 dage; én pr. regnskabsår (der slutter den 31. december, taget inden for 5 måneder efter) i 5 år. nu: Gemmes: én pr. dag i 60 dage.
        før: Intet gemmes i mere end 7 år; det er endeligt væk 30 dage efter. nu: Der er ingen grænse for, hvor længe det må gemmes.
        før: En gendannelsestest hver 3. måned, højst 14 dage for sent, af 50 filer; af det hele hvert år. Alt er tilbage inden for 1 dag. nu: Der loves ingen gendannelsestest.
        ikke længere: Den ældste backup af hver slags testes hver 6. måned.
      Hvad der stadig skal gemmes den 1. juli 2025, gemmes fra da af på de nye vilkår."
  `)
})
