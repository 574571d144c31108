import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { makeTsa } from '../../test/kit/tsa.ts'
import { PROMISES, type Stage } from './stage.ts'

/** An outside clock that stamps the log's heads (RFC 3161). */
export interface Clock {
  readonly url: string
  /** PEM of its root certificate, for the collector's configuration. */
  readonly rootFile: string
  /** SHA-256 of that certificate, for the auditor's trust file. */
  readonly rootSha256: string
}

/** `openssl ts` behind HTTP, in this process; null where there is no openssl, which is told. */
export async function openClock(stage: Stage): Promise<Clock | null> {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
  } catch {
    stage.story.forgo(PROMISES.stamped, 'openssl is not installed here, so there is no outside clock')
    return null
  }
  const folder = stage.path('clock')
  mkdirSync(folder, { mode: 0o700 })
  const tsa = makeTsa({ name: 'Demo clock', folder })
  const { url } = await tsa.listen()
  const rootSha256 = new X509Certificate(tsa.root).fingerprint256.replaceAll(':', '').toLowerCase()
  stage.story.tell(`${url}, its root ${rootSha256.slice(0, 16)}…`)
  return { url, rootFile: tsa.rootFile, rootSha256 }
}

/** What the auditor trusts: the keys that enrolment handed out, and the clock's root. @returns the file */
export function trustClock(stage: Stage, trust: string, clock: Clock | null): string {
  if (clock === null) return trust
  const file = stage.path('trust.yaml')
  writeFileSync(file, `${readFileSync(trust, 'utf8')}tsa: "${clock.rootSha256}"\n`)
  return file
}
