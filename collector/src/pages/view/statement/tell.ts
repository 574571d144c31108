import { evidenceNameOf, isEvidence } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import type { State } from '../../design/state.ts'
import type { Html } from '../../html.ts'
import type { Locale } from '../../language/locale.ts'
import { tellLifecycle } from './agent-lifecycle.ts'
import { tellBackup } from './backup-run.ts'
import { tellEvent } from './contract-event.ts'
import { tellInventory } from './inventory.ts'
import { tellOther } from './other.ts'
import { tellRestoreTest } from './restore-test.ts'

/** A statement in words: what it comes to, and all that it says. */
export interface Told {
  state: State | null
  lead: string | null
  body: Html
}

export function tell(statement: Statement, locale: Locale): Told {
  if (isEvidence(statement, 'restore-test')) return tellRestoreTest(statement.predicate, locale)
  if (isEvidence(statement, 'backup-run')) return tellBackup(statement.predicate, locale)
  if (isEvidence(statement, 'inventory')) return tellInventory(statement.predicate, locale)
  if (isEvidence(statement, 'agent-lifecycle')) return tellLifecycle(statement.predicate, locale)
  if (isEvidence(statement, 'contract-event')) return tellEvent(statement.predicate, locale)
  return tellOther(evidenceNameOf(statement), statement.predicate, locale)
}
