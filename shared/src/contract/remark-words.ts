/** What is said of a contract of the right shape, in both languages. */
import type { Saying } from './problem.ts'

function say(en: readonly [string, string], da: readonly [string, string]): Saying {
  return { en: { message: en[0], cure: en[1] }, da: { message: da[0], cure: da[1] } }
}

export const REMARK = {
  termReversed: (start: string, end: string) =>
    say(
      [`the term ends on ${end}, before it starts on ${start}`, 'Put the dates in order.'],
      [`aftaleperioden slutter den ${end}, før den begynder den ${start}`, 'Byt om på datoerne.'],
    ),
  nothingAccepted: say(
    [
      'no version has been accepted by both parties, so nothing is in force',
      'Add acceptances of the customer and of the provider to a version.',
    ],
    [
      'ingen version er accepteret af begge parter, så intet gælder',
      'Tilføj kundens og leverandørens accept (acceptances) til en version.',
    ],
  ),
  sameDay: (earlier: number, no: number, day: string) =>
    say(
      [
        `versions ${earlier} and ${no} are both accepted from ${day}`,
        'Let one of them take effect on another day.',
      ],
      [`version ${earlier} og ${no} er begge accepteret fra ${day}`, 'Lad en af dem gælde fra en anden dag.'],
    ),
  versionTwice: (no: number) =>
    say(
      [`version ${no} is there twice`, 'Number the versions differently.'],
      [`version ${no} er der to gange`, 'Giv versionerne hver sit nummer.'],
    ),
  setTwice: (id: string) =>
    say(
      [`the set "${id}" is there twice`, 'Give each set of a version its own id.'],
      [`sættet "${id}" er der to gange`, 'Giv hvert sæt i en version sit eget id.'],
    ),
  onboardedAgain: (id: string, day: string) =>
    say(
      [
        `the set "${id}" is in an earlier version; without onboardedAt it begins anew on ${day}, and tests and inventories that are late are late no longer`,
        'Add onboardedAt with the day on which the set began.',
      ],
      [
        `sættet "${id}" er i en tidligere version; uden onboardedAt begynder det forfra den ${day}, og prøver og beholdningslister, der er forsinket, er det ikke længere`,
        'Tilføj onboardedAt med den dag, sættet begyndte.',
      ],
    ),
  unitUnknown: (unit: string) =>
    say(
      [`the unit "${unit}" is not among the version's units`, 'Add the unit, or correct its id.'],
      [`enheden "${unit}" er ikke blandt versionens enheder`, 'Tilføj enheden, eller ret dens id.'],
    ),
  setUnknown: (id: string) =>
    say(
      [`no set of this version is called "${id}"`, 'Correct the id, or leave it out.'],
      [`intet sæt i denne version hedder "${id}"`, 'Ret id’et, eller udelad det.'],
    ),
  booksNotKept: say(
    [
      'bogforingsloven asks for five years from the end of the fiscal year; no set of this version keeps them',
      'Add a tier {per: fiscalYear, keep: 5, fyEnd, closeAfter} to the set that holds the books.',
    ],
    [
      'bogføringsloven kræver fem år fra regnskabsårets udgang; intet sæt i denne version gemmer så længe',
      'Tilføj niveauet {per: fiscalYear, keep: 5, fyEnd, closeAfter} til sættet med regnskabet.',
    ],
  ),
  tooRare: (every: string, rpo: string) =>
    say(
      [
        `a backup every ${every} cannot keep a recovery point of ${rpo}`,
        `Shorten "every" to ${rpo}, or allow an rpo of ${every}.`,
      ],
      [
        `en backup hver ${every} kan ikke holde et acceptabelt datatab på ${rpo}`,
        `Sæt "every" ned til ${rpo}, eller tillad en rpo på ${every}.`,
      ],
    ),
  ceilingTooLow: (age: string, per: string, keep: number) =>
    say(
      [
        `a ceiling of ${age} is below ${per} x ${keep} and the one bucket that runs`,
        'Raise max.age, or keep fewer buckets.',
      ],
      [
        `en længste opbevaring på ${age} er kortere end ${per} x ${keep} og den periode, der løber`,
        'Hæv max.age, eller gem færre perioder.',
      ],
    ),
  ceilingAlone: say(
    [
      'this is a ceiling without a floor: nothing need be kept at all',
      'Say in "min" how many days, weeks or months must be there.',
    ],
    [
      'det er en længste opbevaring uden en mindste: intet behøver at blive gemt',
      'Skriv i "min", hvor mange dage, uger eller måneder der skal være.',
    ],
  ),
  specialForEver: say(
    ['special-category data without a ceiling is kept for ever', 'Add retention.max.age.'],
    ['følsomme personoplysninger uden en længste opbevaring gemmes for evigt', 'Tilføj retention.max.age.'],
  ),
  copyAtHome: (repository: string) =>
    say(
      [
        `the copy lies in ${repository}, which is the repository that it should be a copy of`,
        'Name the repository or lineage of the copy.',
      ],
      [
        `kopien ligger i ${repository}, som er det repository, den skulle være en kopi af`,
        'Skriv kopiens repository eller lineage.',
      ],
    ),
  closeUnsaid: say(
    [
      'it is not said how long after its end a fiscal year may be closed; one year is taken',
      'Add closeAfter, such as P5M.',
    ],
    [
      'det siges ikke, hvor længe efter sin slutning et regnskabsår må lukkes; der regnes med et år',
      'Tilføj closeAfter, for eksempel P5M.',
    ],
  ),
  fiscalOnly: (key: string) =>
    say(
      [`"${key}" means something for fiscal years only`, 'Remove it, or make the tier one of fiscalYear.'],
      [`"${key}" betyder kun noget for regnskabsår`, 'Fjern den, eller gør niveauet til fiscalYear.'],
    ),
  anchorTooFine: (per: string, anchor: string) =>
    say(
      [
        `a tier per ${per} with the anchor ${anchor} asks for the other days too, and nothing can serve them`,
        'Anchor a tier per week, month or year, or remove the anchor.',
      ],
      [
        `et niveau pr. ${per} med ankeret ${anchor} kræver også de andre dage, og intet kan opfylde dem`,
        'Sæt ankeret på uger, måneder eller år, eller fjern det.',
      ],
    ),
  graceTooLong: (grace: string, per: string, keep: number) =>
    say(
      [
        `a grace of ${grace} is longer than ${per} x ${keep} is kept: what is missing is told after it is owed no more`,
        'Shorten lateGrace, or keep more.',
      ],
      [
        `en frist på ${grace} er længere, end ${per} x ${keep} gemmes: hvad der mangler, ses først, når det ikke længere skal gemmes`,
        'Sæt lateGrace ned, eller gem mere.',
      ],
    ),
  measureUnknown: (measure: string) =>
    say(
      [
        `nothing here can count "${measure}": its credits are settled by the parties`,
        'Name a dimension, or a way to break it: points, points.missed, retention.lost, proof, copies, evidence.silence …',
      ],
      [
        `intet her kan tælle "${measure}": parterne afgør selv den bod`,
        'Nævn en dimension, eller en måde at bryde den på: points, points.missed, retention.lost, proof, copies, evidence.silence …',
      ],
    ),
  severalHosts: (hosts: readonly string[]) =>
    say(
      [
        `one backup of any of ${hosts.join(', ')} is enough for the whole set`,
        'Make a set for each host if each must be backed up.',
      ],
      [
        `én backup fra en hvilken som helst af ${hosts.join(', ')} er nok for hele sættet`,
        'Lav et sæt til hver vært, hvis der skal tages backup af dem alle.',
      ],
    ),
  nis2: (en: string, da: string, key: string, id: string) =>
    say(
      [`NIS2 asks for ${en}; the set "${id}" has none`, `Add ${key}.`],
      [`NIS2 kræver ${da}; sættet "${id}" har ikke`, `Tilføj ${key}.`],
    ),
} as const
