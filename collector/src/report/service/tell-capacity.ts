import type { LedgerRow } from '@bevis/shared/contract/ledger'
import type { Voice } from '../../pages/voice.ts'
import type { Block } from '../block.ts'
import type { Telling } from './telling.ts'

/** Fewer months' growth than this say nothing of the next. */
const MONTHS_NEEDED = 3

/** What is stored, month by month, and at what pace it grows. */
export function tellCapacity({ report, voice }: Telling): Block[] {
  const { locale } = voice
  const { t } = locale
  const blocks: Block[] = [{ kind: 'heading', level: 2, text: t('serviceReport.capacity'), keep: 180 }]
  for (const { id } of report.sets) {
    const rows = report.ledger.filter(({ set }) => set === id)
    const last = rows.at(-1)
    if (last?.storageBytes === undefined || last.storageBytes === null) continue
    blocks.push(
      {
        kind: 'paragraph',
        text: t('serviceReport.capacityText', { set: id, size: locale.bytes(last.storageBytes) }),
      },
      {
        kind: 'bars',
        bars: rows.map(({ month, storageBytes }) => ({
          label: locale.monthShort(month),
          value: storageBytes,
          shown: storageBytes === null ? '–' : locale.bytes(storageBytes),
        })),
        describe: t('serviceReport.capacityDescribe', {
          list: rows
            .map(
              ({ month, storageBytes }) =>
                `${locale.month(month)}: ${storageBytes === null ? t('paper.unknownValue') : locale.bytes(storageBytes)}`,
            )
            .join('; '),
        }),
      },
      { kind: 'paragraph', text: growthInWords(rows, last.storageBytes, voice) },
    )
  }
  if (blocks.length === 1) {
    blocks.push({ kind: 'notice', look: voice.look('unknown'), text: t('serviceReport.capacityNone') })
  }
  return blocks
}

function growthInWords(rows: readonly LedgerRow[], nowBytes: number, { locale }: Voice): string {
  const { t } = locale
  const growth = rows
    .flatMap(({ storageBytes }, place) => {
      const before = rows[place - 1]?.storageBytes
      return storageBytes === null || before === null || before === undefined ? [] : [storageBytes - before]
    })
    .toSorted((a, b) => a - b)
  const median = growth[Math.floor((growth.length - 1) / 2)]
  if (median === undefined || growth.length < MONTHS_NEEDED) return t('serviceReport.capacityFew')
  if (median <= 0) return t('serviceReport.capacityShrinks')
  return t('serviceReport.capacityGrowth', {
    growth: locale.bytes(median),
    months: growth.length,
    year: locale.bytes(nowBytes + 12 * median),
  })
}

/** The month's line of the ledger: what an invoice can be held against. */
export function tellServices({ report, voice }: Telling): Block[] {
  const { locale } = voice
  const { t } = locale
  const rows = report.ledger.filter(({ month }) => month === report.month)
  const size = (sizeBytes: number | null) =>
    sizeBytes === null ? t('paper.unknownValue') : locale.bytes(sizeBytes)
  const list = (counts: Record<string, number>) => Object.values(counts).every((count) => count === 0)
  return [
    { kind: 'heading', level: 2, text: t('serviceReport.services') },
    {
      kind: 'table',
      caption: t('serviceReport.services'),
      heads: [
        { text: t('paper.set'), share: 0.16 },
        { text: t('evidenceReport.backups'), share: 0.24 },
        { text: t('serviceReport.protected'), share: 0.12, num: true },
        { text: t('evidenceReport.storage'), share: 0.1, num: true },
        { text: t('evidenceReport.tests'), share: 0.2 },
        { text: t('evidenceReport.inventories'), share: 0.18, num: true },
      ],
      rows: rows.map((row) => [
        row.set === '' ? t('paper.none') : row.set,
        list(row.backups)
          ? { text: t('paper.noEvidence'), look: voice.look('unknown') }
          : t('evidenceReport.backupsValue', row.backups),
        size(row.protectedBytes),
        size(row.storageBytes),
        list(row.restoreTests) ? t('paper.none') : t('evidenceReport.testsValue', row.restoreTests),
        locale.number(row.inventories.complete),
      ]),
    },
  ]
}
