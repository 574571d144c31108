/**
 * What of a backup is out of the ordinary, as after an attack or a loss. Pure. Careful on purpose: few files make no
 * share, and what a set does every night is told only when it does far more of it.
 */
export type AnomalyKind =
  | 'changeRate'
  | 'shrink'
  | 'deletion'
  | 'rename'
  | 'encrypted'
  | 'canary'
  | 'emptied'
  | 'memory'

export interface Anomaly {
  readonly kind: AnomalyKind
  /** A share from 0 to 1; of canaries and of paths that were emptied their number. */
  readonly seen: number
  readonly limit: number
  /** For people. */
  readonly text: string
  readonly paths: readonly string[]
  /** It stops retention until a person has looked. */
  readonly holds: boolean
}

/** From when on something is told, and from when on it holds. Shares from 0 to 1. */
export interface AnomalyLimits {
  readonly tell: Readonly<Record<ShareKind, number>>
  readonly hold: Readonly<Record<ShareKind, number>>
  readonly minFiles: number
}
export type ShareKind = Exclude<AnomalyKind, 'canary' | 'emptied' | 'memory'>

const CANARY_TEXTS = {
  changed: 'changed',
  gone: 'is gone',
  absent: 'is not there',
  unseen: 'could not be read, or moved while it was read',
} as const

export interface Measured {
  readonly before: { readonly files: number; readonly bytes: number }
  readonly now: { readonly files: number; readonly bytes: number }
  readonly added: number
  readonly changed: { readonly count: number; readonly paths: readonly string[] }
  readonly deleted: { readonly count: number; readonly paths: readonly string[] }
  readonly renamed: number
  /** Of the sampled changed files that can be measured. */
  readonly encrypted: { readonly looked: number; readonly count: number; readonly paths: readonly string[] }
  /** The set's paths that had files, and have none. */
  readonly emptied: { readonly count: number; readonly paths: readonly string[] }
  /** Those that changed, are gone, are not there and were perhaps never, or could not be seen for certain. */
  readonly canaries: readonly { readonly path: string; readonly what: keyof typeof CANARY_TEXTS }[]
}

/** What was measured of the set's runs before, the newest last. */
export interface Usual {
  readonly changeRate: number
  readonly encrypted: number | null
}

/** Fewer runs do not say what is usual. */
const LEAST_RUNS = 3
/** What is usual may be exceeded by so much. */
const USUAL_FACTOR = 1.5
const USUAL_MARGIN = 0.4
/** Fewer changed files say nothing of what they look like. */
const LEAST_LOOKED = 20

export function changeRateOf({ before, added, changed, deleted, renamed }: Measured): number {
  return before.files === 0
    ? 0
    : Math.min(1, (added + changed.count + deleted.count + renamed) / before.files)
}

export function encryptedShareOf({ encrypted: { looked, count } }: Measured): number | null {
  return looked < LEAST_LOOKED ? null : count / looked
}

export function judgeChange(
  measured: Measured,
  usual: readonly Usual[],
  { tell, hold, minFiles }: AnomalyLimits,
): Anomaly[] {
  const { before, now, changed, deleted, renamed, encrypted, emptied, canaries } = measured
  const found: Anomaly[] = []
  const weigh = (kind: ShareKind, seen: number, text: string, paths: readonly string[] = []): void => {
    const limit = Math.min(tell[kind], hold[kind])
    if (seen > 0 && seen >= limit) found.push({ kind, seen, limit, text, paths, holds: seen >= hold[kind] })
  }
  const isMany = before.files >= minFiles
  const rate = changeRateOf(measured)
  const usualRate = median(usual.map(({ changeRate }) => changeRate))
  if (isMany && (usualRate === null || rate > usualRate * USUAL_FACTOR)) {
    const told = usualRate === null ? '' : `, usually ${percent(usualRate)}`
    weigh(
      'changeRate',
      rate,
      `${percent(rate)} of ${before.files} files are new, changed or gone${told}`,
      changed.paths,
    )
  }
  const fewer = isMany ? (before.files - now.files) / before.files : 0
  const less = before.bytes > 0 ? (before.bytes - now.bytes) / before.bytes : 0
  weigh(
    'shrink',
    Math.max(fewer, less),
    `from ${before.files} files with ${before.bytes} bytes to ${now.files} with ${now.bytes}`,
  )
  if (isMany) {
    const share = deleted.count / before.files
    weigh('deletion', share, `${deleted.count} of ${before.files} files are gone`, deleted.paths)
    weigh('rename', renamed / before.files, `${renamed} of ${before.files} files have another name`)
  }
  const share = before.files === 0 ? null : encryptedShareOf(measured)
  const usualShare = median(usual.flatMap((one) => one.encrypted ?? []))
  if (share !== null && (usualShare === null || share >= usualShare + USUAL_MARGIN)) {
    const text = `${encrypted.count} of ${encrypted.looked} changed files look encrypted`
    weigh('encrypted', share, text, encrypted.paths)
  }
  // However small it is beside the others: it looks like what is not mounted.
  if (emptied.count > 0) {
    const text = `no file is left in ${emptied.paths.join(', ')}: is what should be there mounted?`
    found.push({ kind: 'emptied', seen: emptied.count, limit: 0, text, paths: emptied.paths, holds: true })
  }
  if (canaries.length > 0) {
    const text = canaries.map(({ path, what }) => `the canary ${path} ${CANARY_TEXTS[what]}`)
    const paths = canaries.map(({ path }) => path)
    found.push({ kind: 'canary', seen: canaries.length, limit: 0, text: text.join(', '), paths, holds: true })
  }
  return found
}

function median(values: readonly number[]): number | null {
  if (values.length < LEAST_RUNS) return null
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
