import type { Language } from '../pages/language/locale.ts'
import { tellPack } from '../report/pack.ts'
import { writeEvidenceReport } from '../report/evidence/report.ts'
import { claimNewFile } from '../state.ts'
import { openLogOf } from './open.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { aYearBefore, readInstant } from './pack.ts'
import { paperOptions } from './paper.ts'

export interface EvidenceReportWish {
  readonly from?: string
  readonly to?: string
  readonly at?: string
  readonly knownAt?: string
  readonly out: string
  readonly language: Language
}

/** Writes the evidence report of a contract without the pack around it. */
export async function evidenceReportCommand(
  opened: Opened,
  contract: string,
  wish: EvidenceReportWish,
): Promise<Outcome> {
  const { config, store, now } = opened
  const to = readInstant(wish.to) ?? now()
  const told = await tellPack({
    store,
    log: await openLogOf(opened),
    scope: { all: true },
    contractId: contract,
    from: readInstant(wish.from) ?? aYearBefore(to),
    to,
    at: readInstant(wish.at),
    knownAt: readInstant(wish.knownAt),
    now: now(),
  })
  const options = await paperOptions(config, wish.language)
  const sizeBytes = await fillNewFile(wish.out, () => writeEvidenceReport(told, options))
  const { headline } = told.answer
  return {
    exit: 0,
    json: { file: wish.out, sizeBytes, contract, headline, sealed: options.seal !== undefined },
    lines: [
      `${wish.out}: the evidence report of ${contract}, verdict ${headline}${options.seal === undefined ? '' : ', sealed'}.`,
      'It proves nothing by itself: `bevis-collector pack` writes it together with the evidence.',
    ],
  }
}

/** A file that could not be made keeps the work from being done in vain; one that is not filled goes again. */
async function fillNewFile(file: string, make: () => Promise<Buffer>): Promise<number> {
  const claimed = claimNewFile(file)
  try {
    const content = await make()
    claimed.fill(content)
    return content.length
  } catch (error) {
    claimed.abandon()
    throw error
  }
}
