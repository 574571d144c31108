import { measureInWords } from './measure.ts'
import { Speech } from './words.ts'
import type { Phrases } from './phrases.ts'

const each =
  (unit: string, gender: 'hver' | 'hvert' = 'hver') =>
  (count: number) =>
    count === 0 ? 'én gang på 0' : count === 1 ? `${gender} ${unit}` : `${gender} ${count}. ${unit}`

const say = new Speech('da-DK', {
  year: each('år', 'hvert'),
  month: each('måned'),
  week: each('uge'),
  day: each('dag'),
  hour: each('time'),
  minute: each('minut', 'hvert'),
  second: each('sekund', 'hvert'),
})

const PERSONAL = {
  none: 'Ingen personoplysninger.',
  ordinary: 'Rummer almindelige personoplysninger.',
  special: 'Rummer følsomme personoplysninger.',
}

/** One and many. */
const UNITS = {
  hour: ['time', 'timer'],
  day: ['dag', 'dage'],
  week: ['uge', 'uger'],
  month: ['måned', 'måneder'],
  year: ['år', 'år'],
  fiscalYear: ['regnskabsår', 'regnskabsår'],
} as const

const PENALTY_PER = { obligation: 'brud', day: 'dag', month: 'måned' }

/** The clause's own name beside the words: it is what is counted. */
function named(measure: string): string {
  const words = measureInWords(measure, 'da')
  return words === null ? `»${measure}«, som parterne afgør` : `${words} (${measure})`
}

export const DANISH: Phrases = {
  say,
  contract: ({ id, provider, customer }) => `Aftale ${id}: det lover ${provider.name} ${customer.name}.`,
  term: ({ start, end, renewal, noticePeriod, exit }) =>
    `Fra ${say.date(start)}${end === undefined ? '' : ` til ${say.date(end)}`}, ${
      renewal === 'auto' ? 'fornyes af sig selv' : 'fornyes ikke af sig selv'
    }${noticePeriod === undefined ? '' : `, opsigelsesvarsel ${say.duration(noticePeriod)}`}.${
      exit?.returnWithin === undefined
        ? ''
        : ` Ved ophør udleveres data inden for ${say.duration(exit.returnWithin)}.`
    }${exit?.deleteWithin === undefined ? '' : ` De slettes inden for ${say.duration(exit.deleteWithin)}.`}`,
  zone: (zone, holidays) =>
    `Datoer og klokkeslæt er dem i ${zone}${holidays === 'DK' ? ', helligdage er de danske' : ', ingen helligdage'}.`,
  inForce: (no, from) => `Version ${no}, gælder fra ${say.date(from)}`,
  draft: (no, from) =>
    `Version ${no}, udkast til ${say.date(from)}: det lover intet, før begge parter har accepteret det`,
  amends: (policy, from) =>
    policy === 'extend-live'
      ? `Hvad der stadig skal gemmes den ${say.date(from)}, gemmes fra da af på de nye vilkår.`
      : `Hvad der kom før den ${say.date(from)}, bliver på de gamle vilkår.`,
  set: (id) => `Backupsæt ${id}`,
  clause: (wording) => `Ordlyden: »${wording}«`,
  what: ({ hosts, requiredPaths, repository }) =>
    `${requiredPaths.length === 0 ? 'Alt, der tages backup af,' : say.list(requiredPaths)} på ${say.choice(
      hosts,
    )}, i repositoryet ${repository}.${
      requiredPaths.length > 1
        ? ' En backup uden en af dem tæller ikke.'
        : requiredPaths.length === 1
          ? ' En backup uden den tæller ikke.'
          : ''
    }${hosts.length > 1 ? ' Én backup af en hvilken som helst af disse værter er nok.' : ''}`,
  onboarded: (date) => `Gælder fra ${say.date(date)}.`,
  when: ({ every, window, dayStartsAt, days }) =>
    `En backup ${say.every(every)}${window === undefined ? '' : ` fra kl. ${window.from} til kl. ${window.to}`}${
      days === 'business' ? ', kun på arbejdsdage' : ''
    }.${
      dayStartsAt === '00:00' ? '' : ` Et døgn løber fra kl. ${dayStartsAt} til kl. ${dayStartsAt} næste dag.`
    }`,
  age: (rpo) =>
    `Den nyeste backup er aldrig mere end ${say.duration(rpo)} gammel, når fristen lægges til side.`,
  grace: (grace) =>
    `En backup, der ikke er der ${say.duration(grace)} efter, at dens time, døgn, uge, måned eller år er slut, mangler.`,
  kept: (tiers) => (tiers.length === 0 ? 'Intet skal gemmes.' : `Gemmes: ${tiers.join('; ')}.`),
  tier: ({ per, keep, basis, countBasis, anchor, fyEnd, closeAfter }) => {
    const [one, many] = UNITS[per]
    const of = anchor === undefined ? '' : ` (taget på en ${say.weekday(anchor)})`
    const year =
      per === 'fiscalYear'
        ? ` (der slutter den ${say.yearDay(fyEnd ?? '12-31')}, taget inden for ${say.duration(closeAfter ?? 'P1Y')} efter)`
        : ''
    const units = keep === 1 ? one : many
    return basis === 'generations'
      ? `én pr. ${one}${of}${year}, indtil ${keep} senere ${units} har deres`
      : `én pr. ${one}${of}${year} i ${keep} ${
          per === 'fiscalYear' ? 'år' : countBasis === 'expected' ? `${units} med arbejde` : units
        }`
  },
  ceiling: ({ age, purgeGrace }) =>
    `Intet gemmes i mere end ${say.duration(age)}; det er endeligt væk ${say.duration(purgeGrace)} efter.`,
  noCeiling: 'Der er ingen grænse for, hvor længe det må gemmes.',
  whole: 'En backup, der ikke kunne læse alt, tæller ikke.',
  partial: ({ maxFailedPct, neverPaths }) =>
    `En backup må mangle op til ${say.percent(maxFailedPct)} af sine filer${
      neverPaths.length === 0 ? '' : `, men intet af ${say.list(neverPaths)}`
    }.`,
  content: ({ maxDropPct, minFiles, canaries = [] }) =>
    `En backup med over ${say.percent(maxDropPct)} mindre end den forrige${
      minFiles === undefined ? '' : ` eller med færre end ${say.number(minFiles)} filer`
    } tæller først, når nogen har kvitteret for den.${
      canaries.length === 0 ? '' : ` Altid med: ${say.list(canaries)}.`
    }`,
  copy: ({ role, repository, region, lag, immutableFor }) =>
    `En kopi ${role === 'offsite' ? 'et andet sted' : 'uden forbindelse'} (${region}), i ${repository}, højst ${say.duration(
      lag,
    )} senere${
      immutableFor === undefined
        ? ''
        : `; den kan ikke slettes i ${say.duration(immutableFor)}, hvilket prøves hver måned`
    }.`,
  encryption: ({ required, keyHolder }) =>
    `${required ? 'Krypteret' : 'Skal ikke være krypteret'}${keyHolder === undefined ? '' : `; nøglen har: ${keyHolder}`}.`,
  tests: ({ every, grace, mode, sample, fullEvery, rto }) =>
    `En gendannelsestest ${say.every(every)}, højst ${say.duration(grace)} for sent, af ${
      mode === 'full' ? 'det hele' : `${say.number(sample.files)} filer`
    }${fullEvery === undefined ? '' : `; af det hele ${say.every(fullEvery)}`}.${
      rto === undefined ? '' : ` Alt er tilbage inden for ${say.duration(rto)}.`
    }`,
  ladder: (every) => `Den ældste backup af hver slags testes ${say.every(every)}.`,
  noTests: 'Der loves ingen gendannelsestest.',
  evidence: ({
    inventoryEvery,
    freshFor,
    unknownAfter,
    silenceBreachAfter,
    clockTolerance,
    quarantineOver,
  }) =>
    `Hvad der er der, listes ${say.every(inventoryEvery)}. Uden en liste i ${say.duration(
      freshFor,
    )} er det i risiko, i ${say.duration(unknownAfter)} ukendt, i ${say.duration(
      silenceBreachAfter,
    )} ikke overholdt. Ure må gå ${say.duration(clockTolerance)} forkert; hvad der er over ${say.duration(
      quarantineOver,
    )} forkert, tæller ikke.`,
  about: ({ unit, criticality, personalData }) =>
    [
      unit === undefined ? '' : `Enhed: ${unit}.`,
      criticality === undefined ? '' : `Kritikalitet ${criticality} af 4.`,
      PERSONAL[personalData],
    ]
      .filter((part) => part !== '')
      .join(' '),
  unit: ({ id, name, site }) => `Enhed ${id}: ${name}${site === undefined ? '' : `, ${site}`}.`,
  exclusion: ({ sets, from, to, reason, approvedBy, noticeAt }) =>
    `Der kræves intet for ${say.list(sets)} fra ${say.date(from)} til og med ${say.date(to)} (${reason})${
      approvedBy.includes('customer') && approvedBy.includes('provider')
        ? ''
        : ', når begge parter har godkendt det'
    }.${noticeAt === undefined ? '' : ` Varslet den ${say.date(noticeAt)}.`}`,
  hold: ({ sets, covers, authority, start, end }) =>
    `Intet af ${say.list(sets)} fra ${say.date(covers.from)} til og med ${say.date(covers.to)} må slettes (${authority}), fra ${say.date(
      start,
    )}${end === undefined ? ', indtil det frigives' : ` til ${say.date(end)}`}.`,
  penalty: ({ measure, per, pctOfMonthlyFee, capPct, mustBeClaimed }) =>
    `Bod for ${named(measure)}: ${say.percent(pctOfMonthlyFee)} af månedsprisen pr. ${PENALTY_PER[per]}${
      capPct === undefined ? '' : `, højst ${say.percent(capPct)}`
    }${mustBeClaimed ? ', hvis det kræves' : ''}.`,
  step: (text) => `Eskalering: ${text}.`,
  changes: (before, after, from) => `Det ændrer version ${after} i version ${before}, fra ${say.date(from)}`,
  noChanges: 'Intet af det, der loves.',
  added: (text) => `nyt: ${text}`,
  dropped: (text) => `ikke længere: ${text}`,
  changed: (before, after) => `før: ${before} nu: ${after}`,
  newSet: (id) => `Backupsæt ${id} er nyt`,
  goneSet: (id) => `Backupsæt ${id} ophører: hvad der allerede er lovet, skal stadig holdes`,
  forAll: 'For alle sæt',
}
