/**
 * What a sample without a failure allows to say of the rest: the largest number of bad ones among N that n
 * random ones all miss with a probability of still 5 % (hypergeometric: C(N-K, n) / C(N, n) >= 0.05).
 */
export const CONFIDENCE = 0.95

/** The highest rate of bad units, at 95 % confidence, when all of `tested` among `population` were good. */
export function defectLimit(population: number, tested: number): number {
  if (population <= 0 || tested >= population) return 0
  if (tested <= 0) return 1
  let [low, high] = [0, population - tested]
  while (low < high) {
    const bad = Math.ceil((low + high) / 2)
    if (missedLog(population, bad, tested) >= Math.log(1 - CONFIDENCE)) low = bad
    else high = bad - 1
  }
  return low / population
}

/** The logarithm of C(N-K, n) / C(N, n), which is a product over the smaller of K and n. */
function missedLog(population: number, bad: number, tested: number): number {
  const [steps, other] = bad < tested ? [bad, tested] : [tested, bad]
  let sum = 0
  for (let step = 0; step < steps; step += 1) sum += Math.log1p(-other / (population - step))
  return sum
}
