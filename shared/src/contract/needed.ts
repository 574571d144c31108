/** What a key of the contract takes, in the words of both languages. The schema's messages come from here. */
export const NEEDED = {
  text: ['some text', 'noget tekst'],
  whole: ['a whole number', 'et helt tal'],
  wholeAboveZero: ['a whole number above zero', 'et helt tal over nul'],
  atMost100000: ['at most 100000', 'højst 100000'],
  percent: ['a number from 0 to 100', 'et tal fra 0 til 100'],
  duration: ['a duration like P1D or PT6H', 'en varighed som P1D eller PT6H'],
  durationAboveZero: ['a duration above zero', 'en varighed over nul'],
  date: ['a date like 2025-03-01', 'en dato som 2025-03-01'],
  time: ['a time like "02:30"', 'et klokkeslæt som "02:30"'],
  instant: ['an instant like 2025-03-01T10:00:00Z', 'et tidspunkt som 2025-03-01T10:00:00Z'],
  dateOrInstant: ['a date or an instant', 'en dato eller et tidspunkt'],
  yearDay: ['a day of the year like "06-30"', 'en dag i året som "06-30"'],
  repository: ['a repository ID or the name of a lineage', 'et repositorys ID eller navnet på en lineage'],
  host: ['a host name', 'et værtsnavn'],
  hosts: ['at least one host', 'mindst én vært'],
  path: ['a path', 'en sti'],
  setId: ['the id of a set', 'id’et på et sæt'],
  setIds: ['at least one set', 'mindst ét sæt'],
  cvr: ['eight digits in quotes', 'otte cifre i anførselstegn'],
  email: ['an e-mail address', 'en e-mailadresse'],
  daysInOrder: ['days from the earlier to the later', 'dage fra den tidligste til den seneste'],
  tiers: ['a list of tiers', 'en liste af niveauer'],
  copies: ['a list of copies', 'en liste af kopier'],
  acceptances: ['a list of acceptances', 'en liste af accepter'],
  sets: ['a list of sets', 'en liste af sæt'],
  exclusions: ['a list of exclusions', 'en liste af undtagelser'],
  holds: ['a list of holds', 'en liste af sletteforbud'],
  penalties: ['a list of penalties', 'en liste af bod'],
  steps: ['a list of steps', 'en liste af trin'],
  versions: ['a list of versions', 'en liste af versioner'],
  version: ['at least one version', 'mindst én version'],
  yesOrNo: ['true or false', 'true eller false'],
  sha256: ['64 lowercase hex digits', '64 hexcifre med små bogstaver'],
  zone: ['a time zone like Europe/Copenhagen', 'en tidszone som Europe/Copenhagen'],
  currency: ['a currency like DKK', 'en valuta som DKK'],
  amount: ['an amount', 'et beløb'],
  map: ['a map of keys', 'nøgler med værdier'],
  list: ['a list', 'en liste'],
  number: ['a number', 'et tal'],
  plainText: ['text', 'tekst'],
  partial: [
    '"reject" or a map with maxFailedPct and neverPaths',
    '"reject" eller nøglerne maxFailedPct og neverPaths',
  ],
  anything: ['what this key takes', 'det, denne nøgle skal have'],
} as const satisfies Record<string, readonly [en: string, da: string]>

const DANISH = new Map<string, string>(Object.values(NEEDED))

/** English to Danish: a phrase of the table, or one made of it. */
export function neededInDanish(english: string): string {
  const known = DANISH.get(english)
  if (known !== undefined) return known
  const [, bound = '', count = '', unit = ''] = /^at (least|most) (\S+)(.*)$/.exec(english) ?? []
  if (bound !== '') {
    const units: Record<string, string> = { ' characters': ' tegn', ' entries': ' punkter' }
    return `${bound === 'least' ? 'mindst' : 'højst'} ${count}${units[unit] ?? ''}`
  }
  return english
    .replace(/^one of /, 'en af ')
    .replace(/^a list: (.*)$/, (_, inner: string) => `en liste: ${neededInDanish(inner)}`)
}
