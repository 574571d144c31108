import { sha256Hex } from '@bevis/shared/crypto'
import { EVIDENCE_IDS, clausesFor } from '@bevis/shared/evidence/clause'
import { encodeJson } from '@bevis/shared/verify/pack'
import { countEvidence } from './controls.ts'
import { eventsOf } from './desk.ts'
import type { Desk } from './desk.ts'

/** Which clauses it may support. */
export function writeControls(desk: Desk): void {
  const { sheet, told, voice, locale, t } = desk
  const { contract, answer } = told
  const counts = countEvidence(contract, answer, told.gist, eventsOf(told.gist.kept), told.pack.period)
  sheet.heading(2, t('evidenceReport.controls'))
  sheet.paragraph(t('evidenceReport.controlsText'))
  sheet.table(
    [
      { head: t('evidenceReport.clause'), share: 0.27, cell: ({ name }) => name[locale.language] },
      { head: t('evidenceReport.demand'), share: 0.41, cell: ({ demand }) => demand[locale.language] },
      {
        head: t('evidenceReport.support'),
        share: 0.32,
        cell: ({ evidence }) => {
          const missing = evidence.filter((id) => counts[id] === 0)
          const there = evidence.filter((id) => counts[id] > 0)
          const look = there.length === 0 ? voice.look('unknown') : voice.look('recorded')
          return {
            text: `${t(there.length === 0 ? 'evidenceReport.supportsNot' : missing.length === 0 ? 'evidenceReport.supports' : 'evidenceReport.supportsPart')}${there.length === 0 ? '' : `: ${there.join(', ')}`}`,
            look,
            ...(missing.length === 0 || there.length === 0
              ? {}
              : { under: t('evidenceReport.missing', { ids: missing.join(', ') }) }),
          }
        },
      },
    ],
    clausesFor(contract),
  )
  sheet.heading(3, t('evidenceReport.objects'))
  sheet.table(
    [
      { head: '', share: 0.1, cell: (id) => id },
      { head: t('paper.what'), share: 0.7, cell: (id) => t(`evidenceReport.objectText.${id}`) },
      {
        head: t('evidenceReport.inPeriod'),
        share: 0.2,
        num: true,
        cell: (id) => locale.number(counts[id]),
      },
    ],
    EVIDENCE_IDS,
  )
}

/**
 * How to check it, with what to check.
 * @param envelopes,table the pack's files of all statements; null for one that is too large for an attachment
 */
export function writeVerification(
  desk: Desk,
  { envelopes, table }: { readonly envelopes: string | null; readonly table: string | null },
): void {
  const { sheet, told, t } = desk
  const { pack, answer, checkpoint, texts } = told
  sheet.heading(2, t('evidenceReport.verify'))
  sheet.list(
    (['pack', 'tool', 'run', 'plain', 'detach'] as const).map((step) =>
      t(`evidenceReport.verifySteps.${step}`),
    ),
    { numbered: true },
  )
  const attach = (
    name: string,
    type: string,
    content: string,
    description: string,
    relationship: 'Data' | 'Source',
  ) => sheet.attach({ name, type, content: Buffer.from(content), description, relationship })
  attach(
    'verdict.json',
    'application/json',
    encodeJson(answer),
    t('evidenceReport.attachedNames.verdict'),
    'Data',
  )
  if (table !== null)
    attach('evidence.csv', 'text/csv', table, t('evidenceReport.attachedNames.table'), 'Data')
  for (const { revision, yaml } of texts) {
    attach(
      `contract-${revision}.yaml`,
      'application/yaml',
      yaml,
      t('evidenceReport.attachedNames.contract'),
      'Source',
    )
  }
  attach(
    `checkpoint-${pack.log.size}.txt`,
    'text/plain',
    checkpoint,
    t('evidenceReport.attachedNames.checkpoint'),
    'Source',
  )
  if (envelopes !== null) {
    attach(
      'evidence.intoto.jsonl',
      'application/jsonl',
      envelopes,
      t('evidenceReport.attachedNames.evidence'),
      'Source',
    )
  }
  sheet.heading(3, t('evidenceReport.attached'))
  sheet.table(
    [
      {
        head: t('paper.file'),
        share: 0.42,
        cell: ({ name, description }) => ({ text: name, under: description }),
      },
      { head: t('evidenceReport.digest'), share: 0.58, cell: ({ content }) => sha256Hex(content) },
    ],
    sheet.attached,
  )
  if (envelopes === null)
    sheet.paragraph(t('evidenceReport.evidenceTooLarge', { file: 'evidence.intoto.jsonl' }))
  sheet.heading(3, t('evidenceReport.checkpoint'))
  for (const line of checkpoint.split('\n').filter((one) => one !== ''))
    sheet.paragraph(line, { quiet: true })
}
