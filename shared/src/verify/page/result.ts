import type { Check, Outcome, Report, VerdictSummary } from '../report.ts'
import { h, sign } from './element.ts'
import type { Words } from './en.ts'

/** How a state looks: a class of the design and a sign of its own. */
const LOOKS: Readonly<Record<string, readonly [tone: string, sign: string]>> = {
  verified: ['good', 'check'],
  'self-consistent, not anchored': ['risk', 'triangle'],
  'not checked in full': ['risk', 'triangle'],
  held: ['good', 'check'],
  'not-checked': ['risk', 'triangle'],
  failed: ['bad', 'square'],
  compliant: ['good', 'check'],
  'at-risk': ['risk', 'triangle'],
  breached: ['bad', 'square'],
  unknown: ['dark', 'diamond'],
  PASSED: ['good', 'check'],
  FAILED: ['bad', 'square'],
  INCONCLUSIVE: ['dark', 'diamond'],
  complete: ['good', 'check'],
  partial: ['risk', 'triangle'],
  allowed: ['bad', 'square'],
  alarm: ['bad', 'square'],
  revoked: ['bad', 'square'],
  inconclusive: ['dark', 'diamond'],
}

export function badge(state: string, word: string, size = ''): HTMLElement {
  const [tone, shape] = LOOKS[state] ?? ['', 'dash']
  return h('span', { class: `badge ${tone} ${size}` }, sign(shape), word)
}

export function stateWord(state: string, words: Words): HTMLElement {
  const [tone, shape] = LOOKS[state] ?? ['none', 'dash']
  return h('span', { class: `word ${tone}` }, sign(shape), words.state[state] ?? state)
}

/** In the page's language where there is a translation; else in English, and marked as such. */
function told(text: string, words: Words): Node {
  const found = words.told.find(([pattern]) => pattern.test(text))
  if (found !== undefined) return document.createTextNode(text.replace(...found))
  return words.language === 'en' ? document.createTextNode(text) : h('span', { lang: 'en' }, text)
}

const fill = (text: string, values: Readonly<Record<string, string>>) =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '')

export function formatInstant(instant: string, words: Words): string {
  const format = new Intl.DateTimeFormat(words.language === 'da' ? 'da-DK' : 'en-GB', {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: 'UTC',
  })
  return `${format.format(new Date(instant))} UTC`
}

export const formatNumber = (value: number, words: Words) =>
  new Intl.NumberFormat(words.language === 'da' ? 'da-DK' : 'en-GB').format(value)

/** The whole answer: what it is, the contract's verdict, every check, and what stays open. */
export function showReport(report: Report, words: Words): Node[] {
  return [
    showResult(report, words),
    ...(report.pack === null ? [] : [showPack(report.pack, words)]),
    section(words.verdict, ...showVerdict(report.verdict, words)),
    section(words.checks, ...showChecks(report, words)),
    section(
      words.notProven,
      h('ul', { class: 'reading' }, ...report.notProven.map((text) => h('li', {}, told(text, words)))),
    ),
  ]
}

function section(title: string, ...content: readonly Node[]): HTMLElement {
  return h('section', { class: 'section' }, h('h2', {}, title), ...content)
}

function showResult({ result, cause }: Report, words: Words): HTMLElement {
  const { word, text } = words.result[result]
  const state = result === 'refused' ? 'failed' : result
  return h(
    'div',
    { class: 'stack', role: 'status' },
    badge(state, word, 'large'),
    h('p', { class: 'outcome' }, text),
    cause === null
      ? null
      : h(
          'div',
          { class: 'notice bad' },
          sign('square'),
          h(
            'div',
            {},
            ...cause.what.map((what) => h('p', {}, told(what, words))),
            h('p', {}, words.cause),
            h('p', {}, told(cause.cure, words)),
          ),
        ),
  )
}

function showPack(pack: NonNullable<Report['pack']>, words: Words): HTMLElement {
  const { facts } = words
  const rows: [string, string | Node][] = [
    [facts.contract, pack.contract],
    [facts.customer, pack.customer],
    [
      facts.period,
      `${formatInstant(pack.period.from, words)} ${facts.to} ${formatInstant(pack.period.to, words)}`,
    ],
    [facts.made, formatInstant(pack.madeAt, words)],
    [facts.statements, formatNumber(pack.statements, words)],
    [facts.log, `${pack.log.origin}, ${formatNumber(pack.log.size, words)} ${facts.leaves}`],
    [facts.digest, h('code', { class: 'hash whole' }, pack.sha256)],
  ]
  return h(
    'div',
    { class: 'panel section-first' },
    h(
      'dl',
      { class: 'facts' },
      ...rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    ),
  )
}

function showVerdict(verdict: VerdictSummary | null, words: Words): Node[] {
  if (verdict === null) return [h('p', { class: 'muted' }, words.noVerdict)]
  const at = formatInstant(verdict.at, words)
  const knownAt = verdict.knownAt === null ? at : formatInstant(verdict.knownAt, words)
  return [
    h(
      'p',
      {},
      badge(verdict.headline, words.state[verdict.headline] ?? verdict.headline),
      ` ${fill(words.verdictAt, { at, knownAt })}`,
    ),
    ...verdict.sets.map(({ id, dimensions, counts }) =>
      h(
        'div',
        { class: 'set section-first' },
        h('h3', {}, id),
        h(
          'div',
          { class: 'dimensions list-top' },
          ...Object.entries(dimensions).map(([dimension, state]) =>
            h(
              'div',
              { class: 'dimension' },
              h('h4', {}, words.dimension[dimension] ?? dimension),
              stateWord(state, words),
            ),
          ),
        ),
        h(
          'p',
          { class: 'small muted list-top' },
          `${words.obligations}: ${Object.entries(counts)
            .filter(([, count]) => count > 0)
            .map(([state, count]) => `${formatNumber(count, words)} ${words.state[state] ?? state}`)
            .join(', ')}`,
        ),
      ),
    ),
  ]
}

const ORDER: readonly Outcome[] = ['failed', 'not-checked', 'held']

/** What failed first, then what could not be checked; each with what it means, and where. */
function showChecks({ checks }: Report, words: Words): Node[] {
  const sorted = ORDER.flatMap((outcome) => checks.filter((check) => check.outcome === outcome))
  return [h('ul', { class: 'panel checks' }, ...sorted.map((check) => showCheck(check, words)))]
}

function showCheck({ id, title, means, outcome, detail, failures, failuresTotal }: Check, words: Words) {
  const said = words.check[id] ?? { title, means }
  const rest = failuresTotal - failures.length
  return h(
    'li',
    { 'data-check': id, 'data-outcome': outcome },
    h('div', { class: 'check-head' }, h('h3', {}, said.title), badge(outcome, words.outcome[outcome])),
    h('p', { class: 'small muted' }, said.means),
    outcome === 'failed'
      ? h(
          'ul',
          { class: 'places-list small' },
          ...failures.map((place) => h('li', {}, told(place, words))),
          rest > 0 ? h('li', {}, fill(words.more, { count: formatNumber(rest, words) })) : null,
        )
      : h('p', { class: 'small' }, told(detail, words)),
  )
}
