/** Cosignatures of a pack's log: who else has seen its heads, and whether that is as many as the customer asks for. */
import { keyidOf } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { openCheckpoint } from '../log/checkpoint.ts'
import type { Checkpoint, VerificationKey } from '../log/checkpoint.ts'
import { policySatisfied } from '../log/policy.ts'
import type { Policy } from '../log/policy.ts'
import { assertExtends } from '../log/receipt.ts'
import { textOf } from './description.ts'
import type { PackContent } from './description.ts'
import { readHashes } from './log.ts'
import { parseCosignedFile } from './pack.ts'
import { counted } from './report.ts'
import type { Findings } from './report.ts'
import type { Trust } from './trust.ts'

/**
 * Checks `log.cosignatures`: every head with cosignatures is of this log, and the policy of the trust file, where it
 * has one, is satisfied by one of them.
 * @returns how many leaves the largest head signs that satisfies the policy; null without a policy, or none
 */
export function checkCosignatures(
  files: PackContent,
  log: { key: VerificationKey | null; checkpoint: Checkpoint | undefined },
  trust: Trust | null,
  findings: Findings,
): number | null {
  const policy = trust?.policy ?? null
  const { key, checkpoint } = log
  if (key === null || checkpoint === undefined) return null // told as the checkpoint's failure
  let best: { size: number; by: readonly string[] } | null = null
  let heads = 0
  for (const name of files.keys()) {
    const size = parseCosignedFile(name)
    if (size === null) continue
    findings.attempt('log.cosignatures', name, () => {
      const head = openCheckpoint(textOf(files, name), key)
      if (head.size !== size || size === 0)
        throw new BevisError('CHECKPOINT_INVALID', `signs ${head.size} leaves`)
      assertExtends(head, checkpoint, size === checkpoint.size ? [] : readHashes(files, checkpoint, size))
      heads += 1
      if (policy === null) return
      const { isSatisfied, cosigned, invalid } = policySatisfied(policy, head.note)
      for (const witness of invalid)
        findings.fail('log.cosignatures', `${name}: the cosignature by ${witness} does not hold`)
      if (isSatisfied && size > (best?.size ?? -1)) best = { size, by: cosigned }
    })
  }
  if (policy === null) {
    findings.hold('log.cosignatures', `${counted(heads, 'head')}; your trust file asks for no cosigners`)
    return null
  }
  return concludePolicy(
    policy,
    { keys: [key, ...(trust === null ? [] : [trust.log.vkey])], checkpoint, best },
    findings,
  )
}

function concludePolicy(
  policy: Policy,
  found: {
    /** The log's own, and the one of the trust file, which may have been followed by it. */
    keys: readonly [VerificationKey, ...VerificationKey[]]
    checkpoint: Checkpoint
    best: { size: number; by: readonly string[] } | null
  },
  findings: Findings,
): number | null {
  const { keys, checkpoint, best } = found
  const isOther = (one: { key: VerificationKey }) =>
    keys.every(({ spki }) => keyidOf(one.key.spki) !== keyidOf(spki))
  if (policy.logs.length > 0 && policy.logs.every(isOther))
    findings.fail('log.cosignatures', `your policy is about other logs than ${keys[0].name}`)
  if (best === null && policy.quorum === 'none') {
    findings.hold('log.cosignatures', 'your policy asks for no cosigners')
    return null
  }
  if (best === null) {
    findings.fail('log.cosignatures', 'no head of the log is cosigned as your policy asks')
    return null
  }
  findings.hold(
    'log.cosignatures',
    `${best.size} of ${counted(checkpoint.size, 'leaf', 'leaves')} seen by ${best.by.join(', ')}`,
  )
  return best.size
}
