import type { RestoreTest } from '@bevis/shared/evidence/predicates'
import { notice } from '../../design/element.ts'
import type { Content } from '../../design/element.ts'
import { word } from '../../design/state.ts'
import type { State } from '../../design/state.ts'
import { table } from '../../design/table.ts'
import { html, nothing } from '../../html.ts'
import type { Html } from '../../html.ts'
import { en } from '../../language/en.ts'
import type { Locale } from '../../language/locale.ts'
import { coverage } from '../coverage.ts'
import type { Told } from './tell.ts'
import { errorFact, hostFacts, panel, repositoryFacts, snapshotFacts, spanFacts } from './told.ts'
import type { Fact } from './told.ts'

/** How a class counts: see the restore test's rules. A class that we do not know counts as nothing certain. */
const FAILING = new Set(['damaged', 'diverged', 'missing', 'gap'])

type Class = keyof typeof en.class

function standingOf(name: string): { state: State; counting: 'pass' | 'fail' | 'open' } {
  if (name === 'identical') return { state: 'passed', counting: 'pass' }
  if (FAILING.has(name)) return { state: 'FAILED', counting: 'fail' }
  return { state: 'INCONCLUSIVE', counting: 'open' }
}

export function tellRestoreTest(test: RestoreTest, locale: Locale): Told {
  const { t } = locale
  return {
    state: test.result,
    lead: leadOf(test, locale),
    body: html`${
      test.negativeControl === 'missed'
        ? html`<div class="section-last">${notice('bad', t('test.controlVoid'))}</div>`
        : nothing
    }
    ${classes(test, locale)} ${exceptions(test, locale)} ${scope(test, locale)}
    ${panel(t('test.snapshot'), [...snapshotFacts(test.snapshot, locale), ...repositoryFacts(test.repository, locale), ...hostFacts(test, locale)])}`,
  }
}

function leadOf({ result, classes: counts, exceptionsTotal }: RestoreTest, { t }: Locale): string {
  if (result === 'PASSED') return t('test.passed')
  if (result === 'INCONCLUSIVE') return t('test.inconclusive')
  const failed = Object.entries(counts).reduce(
    (sum, [name, count]) => (FAILING.has(name) ? sum + count : sum),
    0,
  )
  return t('test.failed', { count: failed === 0 ? exceptionsTotal : failed })
}

function classes({ classes: counts }: RestoreTest, locale: Locale): Html {
  const { t } = locale
  const rows = Object.entries(counts)
  return html`<section class="panel flush" aria-labelledby="classes">
    <h2 id="classes" class="inset">${t('test.classes')}</h2>
    ${
      rows.length === 0
        ? html`<p class="inset muted">${t('test.noClasses')}</p>`
        : table<[string, number]>({
            caption: t('test.classCaption'),
            rows,
            columns: [
              { head: t('test.class'), cell: ([name]) => html`<code>${name}</code>` },
              { head: t('test.count'), cell: ([, count]) => locale.number(count), num: true },
              {
                head: t('test.meaning'),
                cell: ([name]) => (Object.hasOwn(en.class, name) ? t(`class.${name as Class}`) : null),
              },
              {
                head: t('test.counts'),
                cell: ([name]) => {
                  const { state, counting } = standingOf(name)
                  return word(state, t(`counting.${counting}`))
                },
              },
            ],
          })
    }
  </section>`
}

function exceptions(test: RestoreTest, locale: Locale): Html {
  const { t } = locale
  const { exceptions: rows, exceptionsTotal } = test
  if (rows.length === 0) return nothing
  return html`<section class="panel flush" aria-labelledby="exceptions">
    <h2 id="exceptions" class="inset">${t('test.exceptions')}</h2>
    ${table<RestoreTest['exceptions'][number]>({
      caption: t('test.exceptions'),
      rows,
      columns: [
        {
          head: t('test.file'),
          cell: ({ path, pathDigest }) =>
            path === undefined
              ? html`<span class="muted">${t('test.hidden')}</span>
                  <code>${(pathDigest ?? '').slice(0, 12)}</code>`
              : html`<span class="path">${path}</span>`,
        },
        { head: t('test.class'), cell: (row) => word(standingOf(row.class).state, row.class) },
        { head: t('test.detail'), cell: (row) => differing(row, locale) },
      ],
    })}
    ${
      rows.length < exceptionsTotal
        ? html`<p class="inset muted small">
            ${t('test.exceptionsMore', { shown: locale.number(rows.length), total: locale.number(exceptionsTotal) })}
          </p>`
        : nothing
    }
  </section>`
}

function differing(
  { expected, actual, detail }: RestoreTest['exceptions'][number],
  { t }: Locale,
): Content | null {
  if (expected === undefined && actual === undefined && detail === undefined) return null
  return html`${detail ?? nothing}
  ${expected === undefined ? nothing : html`<span class="under">${t('test.expected')} <code>${short(expected)}</code></span>`}
  ${actual === undefined ? nothing : html`<span class="under">${t('test.actual')} <code>${short(actual)}</code></span>`}`
}

const short = (text: string) => (/^[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 16)}…` : text)

function scope(test: RestoreTest, locale: Locale): Html {
  const { t } = locale
  const amount = ({ files, bytes }: { files: number; bytes: number }) =>
    t('test.files', { files: locale.number(files), bytes: locale.bytes(bytes) })
  const { selection, restored, reference, rto, limit, metadata, probes } = test
  const compared = [
    reference.manifest > 0 ? t('test.referenceManifest', { count: reference.manifest }) : null,
    reference.source > 0 ? t('test.referenceSource', { count: reference.source }) : null,
    reference.none > 0 ? t('test.referenceNone', { count: reference.none }) : null,
  ].filter((text) => text !== null)
  const pairs: Fact[] = [
    [t('test.mode'), `${t(`test.modeValue.${test.mode}`)}, ${t(`test.reason.${test.reason}`)}`],
    [t('test.population'), amount(test.population)],
    [
      t('test.drawn'),
      html`${amount(selection)}
        <span class="note"
          >${t('test.drawnNote', { algorithm: selection.algorithm, seedFrom: t(`test.seedFrom.${selection.seedFrom}`) })}</span
        >`,
    ],
    strataFact(test, locale),
    [t('test.seed'), html`<code>${selection.seed}</code>`],
    [
      t('test.restored'),
      html`${t('test.restoredValue', { files: locale.number(restored.files), bytes: locale.bytes(restored.bytes), time: locale.duration(restored.seconds * 1000) })}
        <span class="note">${t(`test.method.${restored.method}`)}</span>`,
    ],
    compared.length === 0 ? null : [t('test.reference'), locale.list(compared)],
    [t('test.control'), control(test, locale)],
    test.coverage === undefined ? null : [t('test.coverage'), coverage(test.coverage, locale)],
    metadata === undefined ? null : [t('test.metadata'), metadataTold(metadata, locale)],
    rto === undefined ? null : [t('test.rto'), recovery(rto, locale)],
    limit === undefined
      ? null
      : [
          t('test.limit'),
          t('test.limitValue', {
            confidence: locale.percent(limit.confidence),
            rate: locale.percent(limit.maxDefectRate),
          }),
        ],
    probes === undefined || probes.length === 0
      ? null
      : [
          t('test.probes'),
          html`${probes.map(({ name, outcome, detail }) => html`<div>${word(outcome, name)} <span class="muted">${detail ?? ''}</span></div>`)}`,
        ],
    ...spanFacts(test.startedAt, test.endedAt, locale),
    errorFact(test.error, locale),
  ]
  return panel(t('evidence.told'), pairs)
}

type Stratum = keyof typeof en.test.stratum

/** A stratum that we do not know is shown as it calls itself. */
function strataFact({ selection: { strata } }: RestoreTest, locale: Locale): Fact {
  const { t } = locale
  const told = strata.flatMap((one) => {
    if (typeof one === 'string' || one.files === 0) return []
    const files = locale.number(one.files)
    const isKnown = Object.hasOwn(en.test.stratum, one.name)
    return isKnown ? t(`test.stratum.${one.name as Stratum}`, { files }) : `${files} ${one.name}`
  })
  return told.length < 2 ? null : [t('test.strata'), locale.list(told)]
}

function metadataTold(metadata: NonNullable<RestoreTest['metadata']>, locale: Locale): Html {
  const { t } = locale
  const { attributes, notCompared } = metadata
  const counts = ({ compared, different }: { compared: number; different: number }) => ({
    compared: locale.number(compared),
    different: locale.number(different),
  })
  return html`${t('test.metadataValue', counts(metadata))}
  ${attributes === undefined ? nothing : html`<span class="note">${t('test.attributes', counts(attributes))}</span>`}
  ${notCompared === undefined ? nothing : html`<span class="note">${t('test.notCompared', { what: notCompared })}</span>`}`
}

function control({ negativeControl }: RestoreTest, { t }: Locale): Html {
  const states = { caught: 'passed', missed: 'FAILED', 'not-run': 'INCONCLUSIVE' } as const
  return html`<span class="wrapping"
    >${word(states[negativeControl], t(`test.controlValue.${negativeControl}`))}</span
  >`
}

function recovery(rto: NonNullable<RestoreTest['rto']>, locale: Locale): string {
  const measured = locale.duration(rto.measuredSeconds * 1000)
  if (rto.agreedSeconds === undefined) return measured
  return locale.t('test.rtoAgreed', { measured, agreed: locale.duration(rto.agreedSeconds * 1000) })
}
