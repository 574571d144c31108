import { writeBlocks } from '../block.ts'
import { plainly } from '../pdf/seal.ts'
import type { Seal } from '../pdf/seal.ts'
import { Sheet } from '../pdf/sheet.ts'
import { encodeServiceReport } from './model.ts'
import { tellServiceReport } from './tell.ts'
import type { Telling } from './telling.ts'

/**
 * Writes a service report as a PDF, with its figures attached. The same report and voice give the same bytes, a seal
 * with a random part aside.
 * @param madeAt what an issued report says stands from its own instant; what is told of it since, from another
 */
export function writeServiceReport(
  telling: Telling,
  seal: Seal = plainly,
  madeAt = new Date(telling.report.knownAt),
): Promise<Buffer> {
  const { report, voice } = telling
  const { locale } = voice
  const { t } = locale
  const sheet = new Sheet({
    title: t('serviceReport.title', { id: report.contract, month: locale.month(report.month) }),
    language: locale.language,
    madeAt,
    foot: t('paper.foot'),
    pageOf: (page, pages) => t('paper.page', { page, pages }),
  })
  writeBlocks(sheet, tellServiceReport(telling))
  sheet.attach({
    name: 'report.json',
    type: 'application/json',
    content: Buffer.from(encodeServiceReport(report)),
    description: t('serviceReport.attachedJson'),
    relationship: 'Data',
  })
  return seal(sheet, madeAt)
}
