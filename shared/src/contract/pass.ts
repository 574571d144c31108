import type { RestoreTest } from './told.ts'

/**
 * Whether a restore test proves its snapshot. Files that somebody picked and that came back say nothing of the
 * others, so they neither stand for the agreed sample nor clear an earlier failure; if one of them fails, that
 * counts like any failure. A test that did not find the damage put in its way is void, whatever it says of itself.
 */
export function isPass(test: RestoreTest): boolean {
  return hasPassed(test) && !isPicked(test)
}

/**
 * Whether this is the second try of a test of picked files, and they came back: that takes back the failure of the first,
 * whose draw it shares, and no other. A smaller choice may be without the file that failed.
 */
export function takesBack(test: RestoreTest, failed: RestoreTest): boolean {
  const [again, first] = [test.selection, failed.selection]
  const isSameDraw = again.seed === first.seed && again.algorithm === first.algorithm
  const isAll = again.files >= first.files && again.bytes >= first.bytes
  return (
    test.reason === 'retest' && hasPassed(test) && isPicked(test) && isPicked(failed) && isSameDraw && isAll
  )
}

function hasPassed({ result, negativeControl }: Pick<RestoreTest, 'result' | 'negativeControl'>): boolean {
  return result === 'PASSED' && negativeControl === 'caught'
}

/** What a test is told as: void, it came to nothing, though it says that it passed. */
export function resultOf(test: Pick<RestoreTest, 'result' | 'negativeControl'>): RestoreTest['result'] {
  return test.result === 'PASSED' && !hasPassed(test) ? 'INCONCLUSIVE' : test.result
}

/** The second try of what was requested has another reason, and is no less picked. */
function isPicked({ reason, mode, selection, population }: RestoreTest): boolean {
  const isAsked = reason === 'requested' || (reason === 'retest' && selection.algorithm === 'requested')
  return isAsked && mode === 'sample' && selection.files < population.files
}
