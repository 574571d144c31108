import type { RestoreTest } from './told.ts'

/**
 * Whether a restore test proves its snapshot. Files that somebody picked and that came back say nothing of the
 * others, so they neither stand for the agreed sample nor clear an earlier failure; if one of them fails, that
 * counts like any failure. A test that did not find the damage put in its way is void, whatever it says of itself.
 */
export function isPass(test: RestoreTest): boolean {
  const { result, reason, mode, selection, population, negativeControl } = test
  const isPicked = reason === 'requested' && mode === 'sample' && selection.files < population.files
  return result === 'PASSED' && negativeControl === 'caught' && !isPicked
}
