import { existsSync } from 'node:fs'
import { signIn } from './browse.ts'
import { waitUntil } from './machine.ts'
import { at, listAt } from './programs.ts'
import { DAMAGED, PROVEN, count, expectExit, type Stage } from './stage.ts'
import { forgePack } from './tamper.ts'
import { CONTRACT } from './terms.ts'

/** Waits for the receipts of all that was stated so far: without one that it has verified, the agent keeps sending. */
export async function awaitReceipts(stage: Stage): Promise<void> {
  const digests = new Set((await stage.statements()).map((row) => at(row, 'paeDigest')))
  const logged = async () =>
    (await stage.statements()).filter(
      (row) => digests.has(at(row, 'paeDigest')) && at(row, 'state') === 'logged',
    )
  const areAll = await waitUntil(async () => (await logged()).length === digests.size, 30)
  stage.see('logged', digests.size > 0 && areAll, `${(await logged()).length} of ${digests.size}`)
}

/** The agent as a service, with its own schedule. @returns how to end it; true when it ended as it should */
export async function runService(stage: Stage): Promise<() => Promise<boolean>> {
  const service = stage.programs.start(
    'agent',
    ['run', '--config', stage.path('agent.yaml')],
    stage.path('agent.log'),
  )
  const isUp = await waitUntil(
    async () => {
      const { json } = await stage.agent('status')
      return (
        at(json, 'service') !== null && at(json, 'service') !== undefined && at(json, 'spool', 'depth') === 0
      )
    },
    30,
    service,
  )
  stage.story.tell(`process ${service.pid}, its log in ${stage.shown(stage.path('agent.log'))}`)
  if (!isUp) stage.see('service', false, 'it did not come up')
  return async () => isUp && (await stage.programs.stop(service)) === 0
}

/** What the contract's text and the evidence come to. */
export async function judge(stage: Stage): Promise<void> {
  const headlines = async () => {
    const { json } = await stage.collector(['evaluate', CONTRACT])
    return new Map(listAt(json, 'sets').map((set) => [at(set, 'id'), set]))
  }
  const sets = await headlines()
  for (const [id, set] of sets) {
    const dimensions = Object.entries((at(set, 'dimensions') ?? {}) as Record<string, string>)
    stage.story.tell(
      `${String(id).padEnd(14)} ${String(at(set, 'headline'))}: ${dimensions.map(([name, verdict]) => `${name} ${verdict}`).join(', ')}`,
    )
  }
  const [whole, damaged] = [sets.get(PROVEN), sets.get(DAMAGED)]
  const isJudged = at(whole, 'headline') === 'compliant' && at(damaged, 'dimensions', 'proof') === 'breached'
  stage.see('verdict', isJudged)
}

/** The auditor's part: the pack, checked offline by the keys that enrolment handed out. */
export async function audit(stage: Stage, trust: string, hasClock: boolean): Promise<string> {
  const pack = stage.path('evidence-pack.zip')
  expectExit('pack', await stage.collector(['pack', CONTRACT, '--out', pack]), 0)
  if (!existsSync(pack)) throw new Error(`${pack} was not written`)
  const honest = await stage.programs.run('verify', [pack, '--trust', trust, '--json'])
  const checks = listAt(honest.json, 'checks')
  const held = checks.filter((check) => at(check, 'outcome') === 'held')
  stage.see('accepted', honest.exit === 0, `${count(held.length)} of ${checks.length} checks held`)
  if (hasClock) tellTimes(stage, honest.json)
  const forged = stage.path('forged-pack.zip')
  await forgePack(pack, forged)
  const refused = await stage.programs.run('verify', [forged, '--trust', trust, '--json'])
  const failed = listAt(refused.json, 'checks').filter((check) => at(check, 'outcome') === 'failed')
  const names = failed.map((check) => String(at(check, 'id')))
  stage.see(
    'refused',
    refused.exit === 1 && names.includes('envelopes.signatures'),
    `${names.length} checks failed, the signature’s first`,
  )
  return pack
}

/** What the stamps prove, as the verifier tells it, by a clock that the trust file names. */
function tellTimes(stage: Stage, report: unknown): void {
  const bounds = listAt(report, 'times', 'bounds')
  const before = bounds.filter((bound) => at(bound, 'before') !== null)
  const both = before.filter((bound) => at(bound, 'madeAfter') !== null || at(bound, 'loggedAfter') !== null)
  const last = both.at(-1)
  if (last !== undefined) {
    const after = String(at(last, 'madeAfter') ?? at(last, 'loggedAfter'))
    stage.story.tell(
      `leaf ${String(at(last, 'lastLeaf'))}: between ${after} and ${String(at(last, 'before'))}`,
    )
  }
  stage.see(
    'stamped',
    at(report, 'times', 'anchored') === true && bounds.length > 0 && before.length === bounds.length,
    `${count(at(report, 'times', 'stamps'))} stamps; ${count(statementsIn(before))} of ${count(statementsIn(bounds))} statements logged before one`,
  )
}

/** Statements side by side of which the same is proven are told together. */
function statementsIn(bounds: readonly unknown[]): number {
  return bounds.reduce<number>((sum, bound) => sum + Number(at(bound, 'statements')), 0)
}

/** What a person sees in the browser. */
export async function visit(stage: Stage, url: string, email: string, password: string): Promise<void> {
  const visitor = await signIn(url, email, password)
  const page = await visitor?.get(`/contracts/${CONTRACT}`)
  stage.see('page', page?.status === 200 && page.text.includes(CONTRACT), `${url}/contracts/${CONTRACT}`)
}
