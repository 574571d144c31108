import type { ClauseCredits } from '@bevis/shared/contract/credit'
import { measureInWords } from '@bevis/shared/contract/plain/measure'
import type { Voice } from '../../pages/voice.ts'
import type { Block } from '../block.ts'
import type { Cell } from '../pdf/grid.ts'
import type { Deviation, ServiceReport } from './model.ts'
import type { Telling } from './telling.ts'

/** What was not kept: cause, who has taken it up, and when it ends. */
export function tellDeviations({ report, voice }: Telling): Block[] {
  const { t } = voice.locale
  const heading: Block = { kind: 'heading', level: 2, text: t('serviceReport.deviations') }
  if (report.deviations.length === 0) {
    return [heading, { kind: 'paragraph', text: t(`serviceReport.${noneOf(report)}`) }]
  }
  return [
    heading,
    {
      kind: 'table',
      caption: t('serviceReport.deviations'),
      heads: [
        { text: t('serviceReport.deviation'), share: 0.27 },
        { text: t('paper.since'), share: 0.15 },
        { text: t('serviceReport.cause'), share: 0.27 },
        { text: t('serviceReport.owner'), share: 0.15 },
        { text: t('serviceReport.deadline'), share: 0.16 },
      ],
      rows: report.deviations.map((one) => tellOne(one, report, voice)),
    },
  ]
}

/** Why there is none: only what was promised, judged and is undamaged is told without a but. */
function noneOf({ sets, damage = [] }: ServiceReport) {
  if (sets.length === 0) return 'deviationsNothing'
  if (damage.length > 0) return 'deviationsNoneDamage'
  const isUncertain = sets.some(({ levels }) => levels.some(({ days }) => days.includes('unknown')))
  return isUncertain ? 'deviationsNoneUnknown' : 'deviationsNone'
}

function tellOne(one: Deviation, report: ServiceReport, voice: Voice): Cell[] {
  const { locale } = voice
  const { t } = locale
  const isUnknown = one.code === 'unknown'
  const [tier = '', bucket = ''] = one.subject.split('/')
  const where =
    bucket === '' ? one.subject.replace(/^([0-9a-f]{12})[0-9a-f]{52}$/, '$1') : voice.bucket(tier, bucket)
  const { owner, evidence } = one
  return [
    {
      text: isUnknown
        ? t('serviceReport.unknownDays', { count: one.days, level: t(`dimension.${one.dimension}.name`) })
        : voice.finding(one.code),
      look: voice.look(isUnknown ? 'unknown' : 'breached'),
      under: [one.set, where].filter((part) => part !== '').join(', '),
    },
    {
      text: one.since.includes('T') ? locale.instant(one.since) : locale.day(one.since),
      ...(evidence.length > 0 && { under: evidence.map((digest) => digest.slice(0, 12)).join(' ') }),
    },
    causeOf(one, voice),
    owner === null
      ? { text: t('serviceReport.ownerNone'), look: voice.look('unknown') }
      : {
          text: owner.person,
          under: `${t(`evidenceReport.party.${owner.party === 'customer' ? 'customer' : 'provider'}`)}, ${locale.date(owner.at)}${owner.note === undefined ? '' : `: ${owner.note}`}`,
        },
    endOf(one, report, voice),
  ]
}

function causeOf({ cause }: Deviation, { locale, word }: Voice): string {
  const { t } = locale
  switch (cause.kind) {
    case 'run-failed':
      if (cause.message === '') {
        const outcome = word(cause.code.toLowerCase())
        return t('serviceReport.causes.runEnded', { at: locale.instant(cause.at), outcome })
      }
      return t('serviceReport.causes.runFailed', {
        at: locale.instant(cause.at),
        code: cause.code,
        message: cause.message,
      })
    case 'no-run':
      return t('serviceReport.causes.noRun')
    case 'removed':
      return t('serviceReport.causes.removed', { at: locale.instant(cause.at) })
    case 'none':
      return t('serviceReport.causes.none')
  }
}

function endOf({ until, endsAt }: Deviation, report: ServiceReport, { locale }: Voice): Cell {
  const { t } = locale
  if (until !== null) return t('serviceReport.deadlineOver', { at: locale.day(until) })
  if (endsAt !== null && endsAt > report.at) {
    return {
      text: t('serviceReport.stands'),
      under: t('serviceReport.deadlineSelf', { at: locale.date(endsAt) }),
    }
  }
  return { text: t('serviceReport.stands'), under: t('serviceReport.deadlineNone') }
}

/** What the clauses come to. Nothing here claims or pays anything. */
export function tellCredits({ report, voice }: Telling): Block[] {
  const { locale } = voice
  const { t } = locale
  const { clauses, pct, amount } = report.credits
  const heading: Block = { kind: 'heading', level: 2, text: t('serviceReport.credits') }
  if (clauses.length === 0) return [heading, { kind: 'paragraph', text: t('serviceReport.creditsNone') }]
  return [
    heading,
    {
      kind: 'table',
      caption: t('serviceReport.credits'),
      heads: [
        { text: t('serviceReport.clause'), share: 0.34 },
        { text: t('serviceReport.target'), share: 0.22 },
        { text: t('serviceReport.units'), share: 0.2 },
        { text: t('serviceReport.credit'), share: 0.24, num: true },
      ],
      rows: [
        ...clauses.map((clause) => tellClause(clause, report, voice)),
        [
          { text: t('serviceReport.total'), strong: true },
          '',
          '',
          { text: sumOf(amount, pct, report, voice), strong: true },
        ],
      ],
    },
  ]
}

function tellClause(clause: ClauseCredits, report: ServiceReport, voice: Voice): Cell[] {
  const { locale } = voice
  const { t } = locale
  const { measure, per, pctOfMonthlyFee, capPct, units, undecidedDays, pct, amount, mustBeClaimed } = clause
  const words = capitalize(measureInWords(measure, locale.language) ?? measure)
  const rate = { pct: locale.rate(pctOfMonthlyFee), per: t(`serviceReport.per.${per}`) }
  return [
    { text: words, ...(words !== capitalize(measure) && { under: measure }) },
    capPct === null
      ? t('serviceReport.rate', rate)
      : t('serviceReport.rateCap', { ...rate, cap: locale.rate(capPct) }),
    units === null
      ? { text: t('serviceReport.unitsNone', { measure }), look: voice.look('unknown') }
      : {
          text: locale.number(units),
          ...(undecidedDays > 0 && {
            look: voice.look('unknown'),
            under: t('serviceReport.undecidedDays', { count: undecidedDays }),
          }),
        },
    pct === null
      ? t('paper.unknownValue')
      : {
          text: sumOf(amount, pct, report, voice),
          ...(pct > 0 && {
            under: t(mustBeClaimed ? 'serviceReport.mustBeClaimed' : 'serviceReport.byItself'),
          }),
        },
  ]
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function sumOf(amount: number | null, pct: number, { credits }: ServiceReport, voice: Voice): string {
  const { locale } = voice
  const share = locale.t('serviceReport.creditPct', { pct: locale.rate(pct) })
  if (amount === null) return share
  const money = new Intl.NumberFormat(locale.language === 'da' ? 'da-DK' : 'en-GB', {
    style: 'currency',
    currency: credits.currency,
  }).format(amount)
  return locale.t('serviceReport.creditAmount', { amount: money, pct: locale.rate(pct) })
}

/** What the customer may claim, in words, by the report and its corrections; null where there is nothing. */
export function claimOf({ report, voice, corrections }: Telling): string | null {
  const is = corrections?.credits?.is ?? 0
  if (!isClaimable(report)) return is > 0 ? sumOf(null, is, report, voice) : null
  const { amount, pct } = report.credits
  return pct === 0 ? voice.locale.t('paper.unknownValue') : sumOf(amount, pct, report, voice)
}

/** A clause that nothing can count may be claimed too. */
function isClaimable({ credits }: ServiceReport): boolean {
  return credits.clauses.some(({ pct, mustBeClaimed }) => mustBeClaimed && pct !== 0)
}

/** What the parties' meeting goes through, from what the month came to. */
export function tellAgenda({ report, voice }: Pick<Telling, 'report' | 'voice'>): Block[] {
  const { t } = voice.locale
  const broken = report.deviations.filter(({ code }) => code !== 'unknown').length
  const isUnknown = report.sets.some(({ levels }) => levels.some(({ days }) => days.includes('unknown')))
  return [
    { kind: 'heading', level: 2, text: t('serviceReport.agenda') },
    {
      kind: 'list',
      numbered: true,
      items: [
        t('serviceReport.agendaItems.last'),
        ...(broken > 0 ? [t('serviceReport.agendaItems.deviations', { count: broken })] : []),
        ...(broken === 0 && noneOf(report) === 'deviationsNone'
          ? [t('serviceReport.agendaItems.noDeviations')]
          : []),
        ...((report.damage ?? []).length > 0 ? [t('serviceReport.agendaItems.damage')] : []),
        ...(isUnknown ? [t('serviceReport.agendaItems.unknown')] : []),
        ...(isClaimable(report) ? [t('serviceReport.agendaItems.credits')] : []),
        t(report.tests.length > 0 ? 'serviceReport.agendaItems.tests' : 'serviceReport.agendaItems.noTests'),
        t('serviceReport.agendaItems.changes'),
        t('serviceReport.agendaItems.capacity'),
        t('serviceReport.agendaItems.data'),
        t('serviceReport.agendaItems.next'),
      ],
    },
  ]
}

export function tellSignOff(telling: Telling): Block[] {
  const { report, voice, replies } = telling
  const { t } = voice.locale
  const isSignedOff = replies.some(({ reply }) => reply === 'signed-off')
  return [
    { kind: 'heading', level: 3, text: t('serviceReport.howWeKnow') },
    { kind: 'paragraph', text: t('serviceReport.howWeKnowText') },
    { kind: 'heading', level: 2, text: t('serviceReport.signOff'), keep: isSignedOff ? 150 : 200 },
    { kind: 'paragraph', text: t('serviceReport.signOffText') },
    ...tellReplies(telling),
    ...(isSignedOff
      ? []
      : ([
          { kind: 'signatures', names: [t('serviceReport.decisions')] },
          {
            kind: 'signatures',
            names: [
              `${t('serviceReport.signCustomer')}, ${report.customer.name}`,
              `${t('serviceReport.signProvider')}, ${report.provider.name}`,
            ],
          },
        ] as const)),
  ]
}

/** A cell cuts what is too long for it; what a party said is told whole, below. */
const isLong = (note: string) => note.length > 300

/** What the parties have said of it in the portal, each by a statement in the log. */
function tellReplies({ replies, voice }: Telling): Block[] {
  const { locale } = voice
  const { t } = locale
  if (replies.length === 0) return []
  return [
    {
      kind: 'table',
      caption: t('serviceReport.signOff'),
      heads: [
        { text: t('paper.when'), share: 0.2 },
        { text: t('serviceReport.by'), share: 0.3 },
        { text: t('serviceReport.said'), share: 0.5 },
      ],
      rows: replies.map(({ at, person, party, reply, note, statement }) => [
        { text: locale.instant(at), under: statement.slice(0, 12) },
        { text: person, under: t(`evidenceReport.party.${party}`) },
        {
          text: t(`serviceReport.reply.${reply}`),
          ...(note !== null && !isLong(note) && { under: note }),
        },
      ]),
    },
    ...replies.flatMap(({ at, person, note }): Block[] =>
      note === null || !isLong(note)
        ? []
        : [
            {
              kind: 'heading',
              level: 3,
              text: t('serviceReport.saidBy', { person, at: locale.instant(at) }),
            },
            { kind: 'quote', text: note },
          ],
    ),
  ]
}
