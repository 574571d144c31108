import { join } from 'node:path'
import { parseConfig } from '../../agent/src/config.ts'
import type { SetConfig } from '../../agent/src/config.ts'
import type { Recorder, Draft } from '../../agent/src/evidence/record.ts'
import type { Restic } from '../../agent/src/restic/restic.ts'
import { listRecorder } from './recorder.ts'
import type { TestPlace } from './restic-place.ts'

/** What every story of the agent works with, on a test's own place. */
export interface StoryContext {
  set: SetConfig
  restic: Restic
  recorder: Recorder
  stateDir: string
  now: () => Date
  logger: { info: () => void; warn: () => void }
}

export function storyContext(
  place: TestPlace,
  restic: Restic,
  url = place.url,
): { context: StoryContext; drafts: Draft[] } {
  const config = `
collector: { url: http://127.0.0.1:1 }
state: ${place.folder}
sets:
  - { id: shop, paths: [${place.source}], repository: { url: "${url}", passwordFile: ${place.folder}/password } }
`
  const [set] = parseConfig(config, 'agent.yaml').sets
  if (!set) throw new Error('no set')
  const { recorder, drafts } = listRecorder()
  const quiet = () => undefined
  const context = {
    set,
    restic,
    recorder,
    stateDir: join(place.folder, 'state'),
    now: () => new Date(),
    logger: { info: quiet, warn: quiet },
  }
  return { context, drafts }
}
