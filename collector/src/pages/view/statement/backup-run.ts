import type { BackupRun } from '@bevis/shared/evidence/predicates'
import { hash } from '../../design/element.ts'
import { html, nothing } from '../../html.ts'
import type { Locale } from '../../language/locale.ts'
import type { Told } from './tell.ts'
import { errorFact, hostFacts, panel, pathLines, repositoryFacts, snapshotFacts, spanFacts } from './told.ts'
import type { Fact } from './told.ts'

const LEADS = { complete: 'backup.complete', partial: 'backup.partial', failed: 'backup.failedLead' } as const

export function tellBackup(run: BackupRun, locale: Locale): Told {
  const { t } = locale
  const { snapshot, torn, failed } = run
  return {
    state: run.outcome,
    lead: t(LEADS[run.outcome]),
    body: html`${panel(t('evidence.told'), [...readFacts(run, locale), ...spanFacts(run.startedAt, run.endedAt, locale), [t('evidence.exitCode'), run.exitCode], errorFact(run.error, locale)])}
    ${
      torn === undefined || torn.length === 0
        ? nothing
        : html`<section class="panel">
            <h2>${t('backup.tornFiles')}</h2>
            ${pathLines(torn)}
          </section>`
    }
    ${
      failed === undefined || failed.count === 0
        ? nothing
        : html`<section class="panel">
            <h2>${t('backup.failedFiles')}</h2>
            ${pathLines(failed.paths)}
          </section>`
    }
    ${panel(t('evidence.snapshot'), [...(snapshot === undefined ? [] : snapshotFacts(snapshot, locale)), ...repositoryFacts(run.repository, locale), ...hostFacts(run, locale)])}`,
  }
}

function readFacts({ source, manifest, failed, anomaly }: BackupRun, locale: Locale): Fact[] {
  const { t } = locale
  const number = (value: number) => locale.number(value)
  return [
    ...(source === undefined
      ? []
      : ([
          [
            t('backup.files'),
            t('backup.filesValue', { files: number(source.files), bytes: locale.bytes(source.bytes) }),
          ],
          [
            t('backup.changes'),
            t('backup.changesValue', {
              new: number(source.filesNew),
              changed: number(source.filesChanged),
              same: number(source.filesUnmodified),
            }),
          ],
          [t('backup.added'), locale.bytes(source.addedBytes)],
        ] satisfies Fact[])),
    ...(manifest === undefined
      ? []
      : ([
          [
            t('backup.witnessed'),
            t('backup.witnessedValue', {
              witnessed: number(manifest.witnessed),
              files: number(manifest.files),
            }),
          ],
          [t('backup.torn'), manifest.torn === 0 ? t('backup.tornNone') : number(manifest.torn)],
          [t('backup.manifest'), hash(manifest.sha256)],
        ] satisfies Fact[])),
    failed === undefined ? null : [t('backup.failed'), number(failed.count)],
    anomaly === undefined ? null : [t('backup.anomaly'), html`<code>${JSON.stringify(anomaly)}</code>`],
  ]
}
