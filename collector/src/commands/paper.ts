import type { CollectorConfig } from '../config.ts'
import type { Language } from '../pages/language/locale.ts'
import { voiceOf } from '../pages/voice.ts'
import type { EvidenceReportOptions } from '../report/evidence/report.ts'
import type { Seal } from '../report/pdf/seal.ts'
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
    ...(seal !== undefined && { seal: await sealOf(seal) }),
  }
}

async function sealOf({ cert, key }: NonNullable<CollectorConfig['seal']>): Promise<Seal> {
  const { openSeal } = await import('../report/pdf/seal.ts')
  return openSeal({ cert: readSecretFile(cert), key: readSecretFile(key) })
}
