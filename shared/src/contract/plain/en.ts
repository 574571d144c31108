import { measureInWords } from './measure.ts'
import { Speech } from './words.ts'
import type { Phrases } from './phrases.ts'

const each = (unit: string) => (count: number) =>
  count === 0 ? 'once in 0' : count === 1 ? `every ${unit}` : `every ${count} ${unit}s`

const say = new Speech('en-GB', {
  year: each('year'),
  month: each('month'),
  week: each('week'),
  day: each('day'),
  hour: each('hour'),
  minute: each('minute'),
  second: each('second'),
})

const PERSONAL = {
  none: 'No personal data.',
  ordinary: 'Holds ordinary personal data.',
  special: 'Holds special categories of personal data.',
}

const PENALTY_PER = { obligation: 'breach', day: 'day', month: 'month' }

/** The clause's own name beside the words: it is what is counted. */
function named(measure: string): string {
  const words = measureInWords(measure, 'en')
  return words === null ? `“${measure}”, which the parties settle` : `${words} (${measure})`
}

const UNITS = {
  hour: 'hour',
  day: 'day',
  week: 'week',
  month: 'month',
  year: 'year',
  fiscalYear: 'fiscal year',
} as const

export const ENGLISH: Phrases = {
  say,
  contract: ({ id, provider, customer }) =>
    `Contract ${id}: what ${provider.name} promises ${customer.name}.`,
  term: ({ start, end, renewal, noticePeriod, exit }) =>
    `From ${say.date(start)}${end === undefined ? '' : ` to ${say.date(end)}`}, ${
      renewal === 'auto' ? 'renewed by itself' : 'not renewed by itself'
    }${noticePeriod === undefined ? '' : `, with ${say.duration(noticePeriod)} of notice`}.${
      exit?.returnWithin === undefined
        ? ''
        : ` At the end, data are handed over within ${say.duration(exit.returnWithin)}.`
    }${exit?.deleteWithin === undefined ? '' : ` They are deleted within ${say.duration(exit.deleteWithin)}.`}`,
  zone: (zone, holidays) =>
    `Dates and times are those of ${zone}${holidays === 'DK' ? ', public holidays Denmark’s' : ', no public holidays'}.`,
  inForce: (no, from) => `Version ${no}, in force from ${say.date(from)}`,
  draft: (no, from) =>
    `Version ${no}, a draft for ${say.date(from)}: it promises nothing until both parties have accepted it`,
  amends: (policy, from) =>
    policy === 'extend-live'
      ? `What must still be kept on ${say.date(from)} is kept on the new terms from then on.`
      : `What came before ${say.date(from)} stays on the old terms.`,
  set: (id) => `Backup set ${id}`,
  clause: (wording) => `The clause: “${wording}”`,
  what: ({ hosts, requiredPaths, repository }) =>
    `${requiredPaths.length === 0 ? 'Everything that is backed up' : say.list(requiredPaths)} of ${say.choice(
      hosts,
    )}, in the repository ${repository}.${
      requiredPaths.length > 1
        ? ' A backup without one of them does not count.'
        : requiredPaths.length === 1
          ? ' A backup without it does not count.'
          : ''
    }${hosts.length > 1 ? ' One backup of any of these hosts is enough.' : ''}`,
  onboarded: (date) => `Owed from ${say.date(date)}.`,
  when: ({ every, window, dayStartsAt, days }) =>
    `A backup ${say.every(every)}${window === undefined ? '' : ` from ${window.from} until ${window.to}`}${
      days === 'business' ? ', on working days only' : ''
    }.${dayStartsAt === '00:00' ? '' : ` A day runs from ${dayStartsAt} to ${dayStartsAt} on the next.`}`,
  age: (rpo) => `The newest backup is never more than ${say.duration(rpo)} old, the grace aside.`,
  grace: (grace) =>
    `What is not there ${say.duration(grace)} after its hour, day, week, month or year has ended is missing.`,
  kept: (tiers) => (tiers.length === 0 ? 'Nothing need be kept.' : `Kept: ${tiers.join('; ')}.`),
  tier: ({ per, keep, basis, countBasis, anchor, fyEnd, closeAfter }) => {
    const unit = UNITS[per]
    const of = anchor === undefined ? '' : ` (taken on a ${say.weekday(anchor)})`
    const year =
      per === 'fiscalYear'
        ? ` (ending on ${say.yearDay(fyEnd ?? '12-31')}, taken within ${say.duration(closeAfter ?? 'P1Y')} after)`
        : ''
    const plural = keep === 1 ? unit : `${unit}s`
    return basis === 'generations'
      ? `one ${unit === 'hour' ? 'an' : 'a'} ${unit}${of}${year} until ${keep} later ${plural} ${keep === 1 ? 'has its' : 'have theirs'}`
      : `one ${unit === 'hour' ? 'an' : 'a'} ${unit}${of}${year} for ${keep} ${countBasis === 'expected' ? 'working ' : ''}${
          per === 'fiscalYear' ? (keep === 1 ? 'year' : 'years') : plural
        }`
  },
  ceiling: ({ age, purgeGrace }) =>
    `Nothing is kept for more than ${say.duration(age)}; it is gone for good ${say.duration(purgeGrace)} later.`,
  noCeiling: 'How long it may be kept is not limited.',
  whole: 'A backup that could not read everything does not count.',
  partial: ({ maxFailedPct, neverPaths }) =>
    `A backup may lack up to ${say.percent(maxFailedPct)} of its files${
      neverPaths.length === 0 ? '' : `, but nothing of ${say.list(neverPaths)}`
    }.`,
  content: ({ maxDropPct, minFiles, canaries = [] }) =>
    `A backup with over ${say.percent(maxDropPct)} less than the one before${
      minFiles === undefined ? '' : `, or with fewer than ${say.number(minFiles)} files,`
    } counts only once somebody has acknowledged it.${
      canaries.length === 0 ? '' : ` Always there: ${say.list(canaries)}.`
    }`,
  copy: ({ role, repository, region, lag, immutableFor }) =>
    `A copy ${role === 'offsite' ? 'at another site' : 'off line'} (${region}), in ${repository}, at most ${say.duration(
      lag,
    )} later${
      immutableFor === undefined
        ? ''
        : `; it cannot be deleted for ${say.duration(immutableFor)}, which is tried every month`
    }.`,
  encryption: ({ required, keyHolder }) =>
    `${required ? 'Encrypted' : 'Need not be encrypted'}${keyHolder === undefined ? '' : `; the key is held by: ${keyHolder}`}.`,
  tests: ({ every, grace, mode, sample, fullEvery, rto }) =>
    `A restore test ${say.every(every)}, at most ${say.duration(grace)} late, of ${
      mode === 'full' ? 'everything' : `${say.number(sample.files)} files`
    }${fullEvery === undefined ? '' : `; of everything ${say.every(fullEvery)}`}.${
      rto === undefined ? '' : ` All is back within ${say.duration(rto)}.`
    }`,
  ladder: (every) => `The oldest backup of each kind is tested ${say.every(every)}.`,
  noTests: 'No restore tests are promised.',
  evidence: ({
    inventoryEvery,
    freshFor,
    unknownAfter,
    silenceBreachAfter,
    clockTolerance,
    quarantineOver,
  }) =>
    `What is there is listed ${say.every(inventoryEvery)}. Without a list for ${say.duration(
      freshFor,
    )} it is at risk, for ${say.duration(unknownAfter)} unknown, for ${say.duration(
      silenceBreachAfter,
    )} breached. Clocks may be ${say.duration(clockTolerance)} off; what is over ${say.duration(
      quarantineOver,
    )} off does not count.`,
  about: ({ unit, criticality, personalData }) =>
    [
      unit === undefined ? '' : `Unit: ${unit}.`,
      criticality === undefined ? '' : `Criticality ${criticality} of 4.`,
      PERSONAL[personalData],
    ]
      .filter((part) => part !== '')
      .join(' '),
  unit: ({ id, name, site }) => `Unit ${id}: ${name}${site === undefined ? '' : `, ${site}`}.`,
  exclusion: ({ sets, from, to, reason, approvedBy, noticeAt }) =>
    `Nothing is owed for ${say.list(sets)} from ${say.date(from)} to ${say.date(to)}, both included (${reason})${
      approvedBy.includes('customer') && approvedBy.includes('provider')
        ? ''
        : ', once both parties have approved it'
    }.${noticeAt === undefined ? '' : ` Notice was given on ${say.date(noticeAt)}.`}`,
  hold: ({ sets, covers, authority, start, end }) =>
    `Nothing of ${say.list(sets)} from ${say.date(covers.from)} to ${say.date(covers.to)} may be deleted (${authority}), from ${say.date(
      start,
    )}${end === undefined ? ' until it is released' : ` until ${say.date(end)}`}.`,
  penalty: ({ measure, per, pctOfMonthlyFee, capPct, mustBeClaimed }) =>
    `Credit for ${named(measure)}: ${say.percent(pctOfMonthlyFee)} of the monthly fee per ${PENALTY_PER[per]}${
      capPct === undefined ? '' : `, at most ${say.percent(capPct)}`
    }${mustBeClaimed ? ', if it is claimed' : ''}.`,
  step: (text) => `Escalation: ${text}.`,
  changes: (before, after, from) =>
    `What version ${after} changes in version ${before}, from ${say.date(from)}`,
  noChanges: 'Nothing that is promised.',
  added: (text) => `new: ${text}`,
  dropped: (text) => `no longer: ${text}`,
  changed: (before, after) => `was: ${before} becomes: ${after}`,
  newSet: (id) => `Backup set ${id} is new`,
  goneSet: (id) => `Backup set ${id} ends: what it owes, it goes on owing`,
  forAll: 'For all sets',
}
