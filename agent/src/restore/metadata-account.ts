/** What a test's rounds found in metadata, and how it is told: what was not compared is never left out. */
import { pathText } from '../tree/path.ts'
import type { Drawn } from './draw.ts'
import type { ExtraItems } from './extras.ts'
import { compareFidelity } from './fidelity.ts'
import type { Difference, Fidelity, FidelityRequest } from './fidelity.ts'
import type { Judged } from './judge.ts'
import { ANOTHER_TIME } from './metadata.ts'
import type { TestResult } from './verdict.ts'

/** So many restored files are asked for their attributes; the rest of a sample is like them. */
const MOST_LOOKED = 100
const MOST_DIFFERENCES = 20
/** In a statement. */
const MOST_EXCEPTIONS = 100

export const IS_ROOT = process.getuid?.() === 0

export class MetadataAccount {
  #compared = 0
  #different = 0
  readonly #differences: Difference[] = []
  readonly #looked: Judged[] = []
  #fidelity: Fidelity | null = null

  note(judged: Judged, difference: string | null): void {
    if (this.#looked.length < MOST_LOOKED && judged.restored && judged.left !== 'dumped')
      this.#looked.push(judged)
    // Times of files that were emptied are looked at again first.
    const isLookedAtAgain = difference === ANOTHER_TIME && judged.left === 'emptied'
    if (difference !== null && !isLookedAtAgain) this.#tell(pathText(judged.path), difference)
  }

  /** Of a file that was emptied, and has another time all the same. */
  noteTime({ path }: Judged): void {
    this.#tell(pathText(path), ANOTHER_TIME)
  }

  count({ compared, different }: { compared: number; different: number }): void {
    this.#compared += compared
    this.#different += different
  }

  /** Once for a test: the first round's files are still there, and what was restored beside them. */
  async compare(request: Omit<FidelityRequest, 'files' | 'isRoot'>): Promise<void> {
    const found = await compareFidelity({ ...request, files: this.#looked, isRoot: IS_ROOT })
    this.#fidelity = found
    this.count({ compared: found.compared, different: found.differences.length })
    for (const { path, detail } of found.differences) this.#tell(path, detail)
  }

  get different(): number {
    return this.#different
  }

  /** Why no attributes were compared; null when some were. */
  get missing(): string | null {
    if (!this.#fidelity) return 'nothing was restored to look at'
    return this.#fidelity.attributes ? null : this.#fidelity.why
  }

  told(): NonNullable<TestResult['metadata']> {
    const { attributes = null, why = null } = this.#fidelity ?? {}
    const notCompared = [
      ...(attributes ? [] : [`extended attributes and ACLs: ${this.missing ?? ''}`]),
      ...(attributes && why !== null ? [why] : []),
      ...(IS_ROOT ? [] : ['owners: only root can give files back to them']),
    ]
    return {
      compared: this.#compared,
      different: this.#different,
      ...(attributes && { attributes }),
      ...(notCompared.length > 0 && { notCompared: notCompared.join('; ') }),
    }
  }

  /** As many as there is room for beside what is worse. */
  exceptions(taken: number): TestResult['exceptions'] {
    const room = Math.min(MOST_DIFFERENCES, Math.max(0, MOST_EXCEPTIONS - taken))
    return this.#differences
      .slice(0, room)
      .map(({ path, detail }) => ({ path, class: 'metadata', detail: detail.slice(0, 500) }))
  }

  #tell(path: string, detail: string): void {
    if (this.#differences.length < MOST_DIFFERENCES) this.#differences.push({ path, detail })
  }
}

/** In the same restore: each is one more include, and none is a process of its own. */
export function withExtras(drawn: Drawn, extras: ExtraItems | null): Drawn {
  if (drawn.includes === null || !extras) return drawn
  const links = extras.links.flatMap(({ one, other }) => [one, other])
  const paths = [...extras.nodes, ...links].map(({ path }) => path)
  return { ...drawn, includes: [...drawn.includes, ...paths.filter((path) => !drawn.isDrawn({ path }))] }
}
