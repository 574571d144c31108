import type { CollectorConfig } from '../config.ts'
import type { Language } from '../pages/language/locale.ts'
import { voiceOf } from '../pages/voice.ts'
import type { EvidenceReportOptions } from '../report/evidence/report.ts'
import { openSeal } from '../report/pdf/seal.ts'
import { readSecretFile } from '../state.ts'

/**
 * How papers speak, and the collector's seal on them if it has one.
 * @throws BevisError SECRET_UNREADABLE, KEY_INVALID
 */
export async function paperOptions(
  { seal }: Pick<CollectorConfig, 'seal'>,
  language: Language,
): Promise<EvidenceReportOptions> {
  return {
    voice: (timezone) => voiceOf(language, timezone),
    ...(seal !== undefined && {
      seal: await openSeal({ cert: readSecretFile(seal.cert), key: readSecretFile(seal.key) }),
    }),
  }
}
